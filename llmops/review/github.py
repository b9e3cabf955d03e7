"""The comment on a pull request of GitHub, or of what speaks its API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmops.core.errors import DocumentError, RequestRejected, UsageError, Where
from llmops.core.files import read_document
from llmops.review.markdown import MARKER
from llmops.review.posting import Posted
from llmops.review.rest import Rest, json_of


class GitHub:
    """One pull request, and the comments on it."""

    def __init__(self, rest: Rest, repository: str, number: int):
        self._rest = rest
        self._comments = f"/repos/{repository}/issues/{number}/comments"
        self._one = f"/repos/{repository}/issues/comments"

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> GitHub:
        """The pull request that the workflow runs for.

        Raises `UsageError` when it runs for none, or without a token.
        """
        token = environment.get("GITHUB_TOKEN", "").strip()
        if not token:
            raise UsageError(
                "`--post` needs a token, and GITHUB_TOKEN is not set",
                hint="give the step `env: {GITHUB_TOKEN: ${{ github.token }}}` and the job "
                "`permissions: {pull-requests: write}`",
            )
        rest = Rest(
            environment.get("GITHUB_API_URL") or "https://api.github.com",
            {
                "Authorization": f"Bearer {token}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        return cls(rest, environment["GITHUB_REPOSITORY"], _number(environment))

    def post(self, body: str) -> Posted:
        """Create the comment, or replace that of an earlier run."""
        try:
            done, found = self._rest.upsert(
                self._ours,
                update=("PATCH", lambda comment: f"{self._one}/{comment}"),
                create=("POST", self._comments),
                body={"body": body},
            )
        except RequestRejected as error:
            return _refused(error.status or 0)
        if found.status_code >= 300:
            return _refused(found.status_code)
        return Posted(done=done, note=f"comment {done}: {_address(json_of(found))}")

    def _ours(self) -> int | None:
        """The id of the comment of an earlier run.

        Whoever wrote a comment can edit it, so one by somebody else is never
        taken for ours, though it begin with the marker.
        """
        marked = [
            each
            for each in self._rest.pages(self._comments)
            if str(each.get("body") or "").startswith(MARKER)
        ]
        if not marked:
            return None
        login = self._login()
        for each in marked:
            user = each.get("user") or {}
            if user.get("login") == login if login else user.get("type") == "Bot":
                return int(each["id"])
        return None

    def _login(self) -> str | None:
        """Whose token it is; `None` for that of a workflow, which is a bot's."""
        found = self._rest.ask("GET", "/user")
        if found.status_code != 200:
            return None
        login = json_of(found).get("login")
        return str(login) if login else None


def _number(environment: Mapping[str, str]) -> int:
    path = environment.get("GITHUB_EVENT_PATH", "")
    if path:
        event = _event(Path(path))
        pull = event.get("pull_request") or {}
        issue = event.get("issue") or {}
        number = pull.get("number") or (issue.get("number") if issue.get("pull_request") else None)
        if isinstance(number, int):
            return number
    raise UsageError(
        "`--post` found no pull request: this workflow runs for none",
        hint="run it `on: pull_request`, or leave `--post` out",
    )


def _event(path: Path) -> dict[str, Any]:
    try:
        event = json.loads(read_document(path))
    except ValueError:
        raise DocumentError("is no JSON, and should be the event", where=Where(path)) from None
    return event if isinstance(event, dict) else {}


def _refused(status: int) -> Posted:
    why = {
        401: "the token is not valid (401)",
        403: "the token may not write comments (403), as for a pull request from a fork",
        404: "the pull request is not there, or the token may not see it (404)",
    }.get(status, f"GitHub refused it ({status})")
    return Posted(
        done="not posted",
        note=f"the comment was not posted: {why}; the job summary (`--summary`) holds the same",
    )


def _address(comment: Any) -> str:
    return str(comment.get("html_url") or comment.get("id")) if isinstance(comment, dict) else ""
