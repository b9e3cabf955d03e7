"""The comment on a merge request of GitLab, where it is called a note."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from llmops.core.errors import RequestRejected, UsageError
from llmops.review.markdown import MARKER
from llmops.review.posting import Posted
from llmops.review.rest import Rest, json_of

TOKEN = "GITLAB_TOKEN"  # noqa: S105
"""The variable that holds the token; `CI_JOB_TOKEN` may not write notes."""


class GitLab:
    """One merge request, and the notes on it."""

    def __init__(self, rest: Rest, project: str, number: str):
        self._rest = rest
        self._notes = f"/projects/{quote(project, safe='')}/merge_requests/{quote(number)}/notes"

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> GitLab:
        """The merge request that the pipeline runs for.

        Raises `UsageError` when it runs for none, or without a token.
        """
        number = environment.get("CI_MERGE_REQUEST_IID", "")
        project = environment.get("CI_PROJECT_ID", "")
        if not number or not project:
            raise UsageError(
                "`--post` found no merge request: this pipeline runs for none",
                hint="give the job `rules: [{if: $CI_MERGE_REQUEST_IID}]`, or leave `--post` out",
            )
        token = environment.get(TOKEN, "").strip()
        if not token:
            raise UsageError(
                "`--post` needs a token, and GITLAB_TOKEN is not set",
                hint="make a project access token with the scope `api` and put it into a masked "
                "variable GITLAB_TOKEN; the job's own token may not write notes",
            )
        return cls(Rest(environment["CI_API_V4_URL"], {"PRIVATE-TOKEN": token}), project, number)

    def post(self, body: str) -> Posted:
        """Create the note, or replace that of an earlier run."""
        try:
            done, found = self._rest.upsert(
                self._ours,
                update=("PUT", lambda note: f"{self._notes}/{note}"),
                create=("POST", self._notes),
                body={"body": body},
            )
        except RequestRejected as error:
            return _refused(error.status or 0)
        if found.status_code >= 300:
            return _refused(found.status_code)
        return Posted(done=done, note=f"note {done}: {json_of(found).get('id')}")

    def _ours(self) -> int | None:
        """The id of the note of an earlier run, written by the same account."""
        marked = [
            each
            for each in self._rest.pages(self._notes)
            if str(each.get("body") or "").startswith(MARKER)
        ]
        if not marked:
            return None
        found = self._rest.ask("GET", "/user")
        account = json_of(found).get("id") if found.status_code == 200 else None
        for each in marked:
            if account is not None and (each.get("author") or {}).get("id") == account:
                return int(each["id"])
        return None


def _refused(status: int) -> Posted:
    return Posted(
        done="not posted",
        note=f"the note was not posted: GitLab answered {status}; "
        "the artifact of the job holds the same",
    )
