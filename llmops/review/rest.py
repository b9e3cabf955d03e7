"""JSON over HTTP to a host of code, patient with one that is busy."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from llmops import __version__
from llmops.core.errors import BadResponse, ProviderUnavailable, RequestRejected, ServerFault

TRIES = 4
"""Requests that are made at most, the first included."""

PAUSE = 1.0
"""Seconds before the second request; every further one waits twice as long."""

LONGEST_WAIT = 30.0
"""Seconds between two of them, whatever the host asks for."""


class Rest:
    """One host's API; `headers` carry the token, which no message ever holds."""

    def __init__(self, base: str, headers: Mapping[str, str]):
        self.base = base.rstrip("/")
        self._headers = {**headers, "User-Agent": f"llmops/{__version__}"}

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        tries: int = TRIES,
    ) -> httpx.Response:
        """The answer to one request, be it a refusal (4xx).

        Raises `ProviderUnavailable` or `ServerFault` when the host does not
        answer as it should, time after time.
        """
        for tried in range(1, tries + 1):
            try:
                found = httpx.request(
                    method,
                    f"{self.base}{path}",
                    params=dict(query or {}),
                    json=body,
                    headers=self._headers,
                    timeout=30,
                )
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                hopeless = isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol))
                if tried == tries or hopeless:
                    raise ProviderUnavailable(
                        f"{self.base} cannot be reached: {type(error).__name__}",
                        hint="the review itself is done; only its comment is missing",
                    ) from error
                _wait(tried)
                continue
            if found.status_code < 500 and not _is_limited(found):
                return found
            if tried == tries:
                raise ServerFault(
                    f"{self.base} answered {found.status_code}",
                    hint="the review itself is done; only its comment is missing",
                    status=found.status_code,
                )
            _wait(tried, _asked_for(found))
        raise AssertionError("unreachable")

    def upsert(
        self,
        ours: Callable[[], int | None],
        *,
        update: tuple[str, Callable[[int], str]],
        create: tuple[str, str],
        body: Mapping[str, Any],
    ) -> tuple[str, httpx.Response]:
        """Replace what `ours` finds, or create it: `("updated" or "created", the answer)`.

        What was created although its answer got lost must not be created again,
        so each try to create looks first.
        """
        for tried in range(1, TRIES + 1):
            known = ours()
            if known is not None:
                method, path_of = update
                return "updated", self.ask(method, path_of(known), body=body)
            try:
                return "created", self.ask(*create, body=body, tries=1)
            except (ProviderUnavailable, ServerFault):
                if tried == TRIES:
                    raise
                _wait(tried)
        raise AssertionError("unreachable")

    def pages(self, path: str, *, most: int = 100) -> list[dict[str, Any]]:
        """All items of a list, page by page; at most `most` pages of a hundred.

        Raises `RequestRejected` where the list may not be read.
        """
        items: list[dict[str, Any]] = []
        for number in range(1, most + 1):
            found = self.ask("GET", path, query={"per_page": 100, "page": number})
            if found.status_code >= 300:
                raise RequestRejected(
                    f"{self.base}{path} answered {found.status_code}", status=found.status_code
                )
            page = json_of(found)
            if not isinstance(page, list):
                raise BadResponse(f"{self.base}{path} did not answer with a list")
            items += [each for each in page if isinstance(each, dict)]
            if len(page) < 100 and "next" not in found.links:
                break
        return items


def json_of(found: httpx.Response) -> Any:
    """The answer's JSON; `BadResponse` where it is none, such as a proxy's page."""
    try:
        return found.json()
    except ValueError:
        raise BadResponse(f"{found.url.host} did not answer with JSON") from None


def _wait(tried: int, asked: float | None = None) -> None:
    time.sleep(min(PAUSE * 2 ** (tried - 1) if asked is None else asked, LONGEST_WAIT))


def _is_limited(found: httpx.Response) -> bool:
    """Whether the host asks to slow down; GitHub says it with 403, too."""
    return found.status_code == 429 or (found.status_code == 403 and "retry-after" in found.headers)


def _asked_for(found: httpx.Response) -> float | None:
    told = found.headers.get("retry-after", "")
    return float(told) if told.isdigit() else None
