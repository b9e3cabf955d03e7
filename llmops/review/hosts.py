"""Which host of code this pipeline belongs to, told by the variables that it sets."""

from __future__ import annotations

from collections.abc import Mapping

from llmops.core.errors import UsageError
from llmops.review.github import GitHub
from llmops.review.gitlab import GitLab
from llmops.review.posting import Host


def host(environment: Mapping[str, str]) -> Host:
    """The host whose pipeline this is, by the variables that it sets.

    GitHub Actions and compatible ones (`GITHUB_REPOSITORY`,
    `GITHUB_EVENT_PATH`, `GITHUB_TOKEN`, `GITHUB_API_URL`) and GitLab CI
    (`CI_API_V4_URL`, `CI_PROJECT_ID`, `CI_MERGE_REQUEST_IID`, `GITLAB_TOKEN`).
    Raises `UsageError` elsewhere.
    """
    if environment.get("GITHUB_REPOSITORY"):
        return GitHub.of(environment)
    if environment.get("CI_API_V4_URL"):
        return GitLab.of(environment)
    raise UsageError(
        "`--post` knows no pull request here",
        hint="it works in a pipeline of GitHub or GitLab; elsewhere, write `--markdown FILE` "
        "and post that",
    )
