"""The comment's way to the pull request, against a server that speaks the hosts' routes."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from llmops.core.errors import ProviderUnavailable, ServerFault, UsageError
from llmops.review import rest
from llmops.review.hosts import host
from llmops.review.markdown import MARKER

TOKEN = "secret-token-of-a-test"
BODY = f"{MARKER}\n## Review\n"


@dataclass
class Comments:
    """What the server knows, and how it misbehaves."""

    items: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    status: dict[str, list[int]] = field(default_factory=dict)
    """Statuses to answer with instead, by method, the first one first."""
    login: str | None = None
    """Whose token it is; `None` for a workflow's."""
    after_storing: list[int] = field(default_factory=list)
    """Statuses with which a comment that was stored is answered."""

    def store(self, body: str, *, login: str, kind: str = "User") -> dict[str, Any]:
        made = {
            "id": 1000 + len(self.items),
            "body": body,
            "user": {"login": login, "type": kind},
            "author": {"id": login},
            "html_url": f"https://example.com/{1000 + len(self.items)}",
        }
        self.items.append(made)
        return made


class Handler(BaseHTTPRequestHandler):
    comments: ClassVar[Comments]

    def _answer(self, status: int, value: Any) -> None:
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        if status == 429:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(text)

    def _serve(self) -> None:
        known = self.comments
        path = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        sent = json.loads(self.rfile.read(length) or b"{}")
        known.asked.append(f"{self.command} {self.path}")
        authorized = TOKEN in (
            self.headers.get("Authorization", "") + self.headers.get("PRIVATE-TOKEN", "")
        )
        if not authorized:
            return self._answer(401, {"message": "Bad credentials"})
        if known.status.get(self.command):
            return self._answer(known.status[self.command].pop(0), {"message": "no"})
        if path.path.endswith("/user"):
            if known.login is None:
                return self._answer(403, {"message": "Resource not accessible by integration"})
            return self._answer(200, {"login": known.login, "id": known.login})
        if self.command == "GET":
            page = int(parse_qs(path.query)["page"][0])
            return self._answer(200, known.items[(page - 1) * 100 : page * 100])
        if self.command == "POST":
            kind = "User" if known.login else "Bot"
            made = known.store(sent["body"], login=known.login or "github-actions[bot]", kind=kind)
            status = known.after_storing.pop(0) if known.after_storing else 201
            return self._answer(status, made)
        number = int(path.path.rpartition("/")[2])
        found = next(each for each in known.items if each["id"] == number)
        found["body"] = sent["body"]
        return self._answer(200, found)

    do_GET = do_POST = do_PATCH = do_PUT = _serve  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def comments(monkeypatch: pytest.MonkeyPatch) -> Iterator[Comments]:
    known = Comments()
    handler = type("Bound", (Handler,), {"comments": known})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    known.address = f"http://127.0.0.1:{server.server_address[1]}"  # type: ignore[attr-defined]
    monkeypatch.setattr(rest, "PAUSE", 0.001)
    yield known
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def github(comments: Comments, tmp_path: Path) -> dict[str, str]:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7}}), encoding="utf-8")
    return {
        "GITHUB_REPOSITORY": "octo/shop",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_API_URL": comments.address,  # type: ignore[attr-defined]
    }


@pytest.fixture
def gitlab(comments: Comments) -> dict[str, str]:
    comments.login = "project-bot"
    return {
        "CI_API_V4_URL": f"{comments.address}/api/v4",  # type: ignore[attr-defined]
        "CI_PROJECT_ID": "42",
        "CI_MERGE_REQUEST_IID": "7",
        "GITLAB_TOKEN": TOKEN,
    }


def test_the_first_review_is_created_and_the_next_ones_replace_it(
    comments: Comments, github: dict[str, str]
) -> None:
    assert host(github).post(BODY).done == "created"
    assert host(github).post(BODY + "again").done == "updated"
    assert [each["body"] for each in comments.items] == [BODY + "again"]
    assert "POST /repos/octo/shop/issues/7/comments" in comments.asked


def test_the_comment_is_found_behind_hundreds_of_others(
    comments: Comments, github: dict[str, str]
) -> None:
    for number in range(250):
        comments.store(f"comment {number}", login="somebody")
    ours = comments.store(BODY, login="github-actions[bot]", kind="Bot")
    assert host(github).post(BODY + "new").done == "updated"
    assert ours["body"] == BODY + "new"
    pages = [each for each in comments.asked if each.startswith("GET") and "page=" in each]
    assert [re.findall(r"[?&]page=(\d+)", each) for each in pages] == [["1"], ["2"], ["3"]]


def test_a_comment_of_somebody_else_is_never_taken_for_ours(
    comments: Comments, github: dict[str, str]
) -> None:
    theirs = comments.store(BODY, login="mallory")
    comments.store(f"> {BODY}", login="github-actions[bot]", kind="Bot")  # quoted, not ours
    assert host(github).post(BODY + "new").done == "created"
    assert theirs["body"] == BODY


def test_with_a_persons_token_that_persons_comment_is_ours(
    comments: Comments, github: dict[str, str]
) -> None:
    comments.login = "alice"
    comments.store(BODY, login="github-actions[bot]", kind="Bot")
    mine = comments.store(BODY, login="alice")
    assert host(github).post(BODY + "new").done == "updated"
    assert mine["body"] == BODY + "new"


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_a_token_that_may_only_read_leaves_a_note_and_no_error(
    comments: Comments, github: dict[str, str], status: int
) -> None:
    comments.status["POST"] = [status]
    posted = host(github).post(BODY)
    assert posted.done == "not posted"
    assert str(status) in posted.note
    assert "--summary" in posted.note
    assert TOKEN not in posted.note


def test_a_busy_host_is_asked_again(comments: Comments, github: dict[str, str]) -> None:
    comments.status = {"GET": [502, 429], "POST": [503]}
    assert host(github).post(BODY).done == "created"
    assert len(comments.items) == 1


def test_a_comment_whose_answer_got_lost_is_not_posted_twice(
    comments: Comments, github: dict[str, str]
) -> None:
    comments.after_storing = [504]
    assert host(github).post(BODY).done == "updated"
    assert len(comments.items) == 1


def test_a_host_that_stays_down_is_an_error_that_holds_no_token(
    comments: Comments, github: dict[str, str]
) -> None:
    comments.status["GET"] = [500] * 20
    with pytest.raises(ServerFault) as caught:
        host(github).post(BODY)
    assert TOKEN not in f"{caught.value!r} {caught.value} {caught.value.hint}"
    assert len(comments.asked) == rest.TRIES


def test_a_host_that_is_not_there_is_an_error(github: dict[str, str]) -> None:
    with pytest.raises(ProviderUnavailable, match="cannot be reached"):
        host(github | {"GITHUB_API_URL": "http://127.0.0.1:9"}).post(BODY)


def test_outside_of_a_pull_request_there_is_nothing_to_post_to(
    github: dict[str, str], tmp_path: Path
) -> None:
    push = tmp_path / "push.json"
    push.write_text('{"ref": "refs/heads/main"}', encoding="utf-8")
    with pytest.raises(UsageError, match="found no pull request"):
        host(github | {"GITHUB_EVENT_PATH": str(push)})
    with pytest.raises(UsageError, match="GITHUB_TOKEN is not set"):
        host(github | {"GITHUB_TOKEN": ""})
    with pytest.raises(UsageError, match="knows no pull request here"):
        host({})


def test_a_comment_on_a_pull_request_can_ask_for_the_review(
    comments: Comments, github: dict[str, str], tmp_path: Path
) -> None:
    event = tmp_path / "asked.json"
    event.write_text('{"issue": {"number": 9, "pull_request": {"url": "x"}}}', encoding="utf-8")
    host(github | {"GITHUB_EVENT_PATH": str(event)}).post(BODY)
    assert "POST /repos/octo/shop/issues/9/comments" in comments.asked


def test_gitlab_gets_one_note_too(comments: Comments, gitlab: dict[str, str]) -> None:
    comments.store(BODY, login="mallory")
    assert host(gitlab).post(BODY).done == "created"
    assert host(gitlab).post(BODY + "again").done == "updated"
    assert [each["body"] for each in comments.items] == [BODY, BODY + "again"]
    assert "POST /api/v4/projects/42/merge_requests/7/notes" in comments.asked


def test_gitlab_without_a_token_says_which_one_it_takes(gitlab: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="GITLAB_TOKEN is not set") as caught:
        host(gitlab | {"GITLAB_TOKEN": ""})
    assert "project access token" in (caught.value.hint or "")
    with pytest.raises(UsageError, match="found no merge request"):
        host(gitlab | {"CI_MERGE_REQUEST_IID": ""})
