"""Moving an alias: refused without evidence, recorded, and taken back with one call."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from llmops.core.errors import LlmopsError, NotFound, UsageError
from llmops.prompts.locked import Evidence
from llmops.prompts.release import promote

EVIDENCE = Evidence(
    report="qa-20270131T101500Z",
    sha256="ab" * 32,
    suite="qa",
    cases="120 of 120",
    outcome="passed",
)


def test_a_move_is_recorded_in_the_lock_and_nowhere_else(released: Any) -> None:
    before = released.disk()
    move = promote(
        released.repository, "answer", "1.1.0", to="production", why=" better ", evidence=EVIDENCE
    )
    after = released.disk()
    assert {path for path in after if after[path] != before.get(path)} == {"prompts/prompts.lock"}
    assert before.keys() == after.keys()
    assert released.locked.moves("answer") == [move]
    assert move is not None
    assert (move.came_from, str(move.to), move.why) == (None, "1.1.0", "better")
    assert (move.who, move.evidence, move.forced) == ("Ada <ada@example.org>", EVIDENCE, False)
    assert abs(datetime.fromisoformat(move.at) - datetime.now(UTC)) < timedelta(minutes=5)
    assert released.check().clean
    assert released.repository.get("answer@production").version == "1.1.0"
    line = json.loads(released.lock_file.read_text().splitlines()[5])
    assert line["evidence"] == {
        "report": "qa-20270131T101500Z",
        "sha256": "ab" * 32,
        "suite": "qa",
        "cases": "120 of 120",
        "outcome": "passed",
    }
    assert "forced" not in line


def test_without_evidence_a_move_is_refused(released: Any) -> None:
    with released.untouched(), pytest.raises(UsageError) as told:
        released.promote("answer", "1.1.0", force=False)
    locked = released.locked.versions("answer")[1]
    assert "no passing evaluation of `answer@1.1.0` is known" in str(told.value)
    assert locked.content in str(told.value)
    assert "llmops eval run" in (told.value.hint or "")
    assert "--force" in (told.value.hint or "")


def test_a_forced_move_says_so_for_ever(released: Any) -> None:
    move = released.promote("answer", "1.1.0", why="the evaluation takes a day")
    assert move.forced
    assert '"why": "the evaluation takes a day"' in released.lock_file.read_text()
    assert '"forced": true' in released.lock_file.read_text()
    assert released.locked.moves("answer") == [move]
    with_evidence = released.promote("answer", "1.2.0", evidence=EVIDENCE)
    assert not with_evidence.forced, "nothing was waived"


@pytest.mark.parametrize("why", ["", "  \n"])
def test_a_move_needs_a_reason(why: str, released: Any) -> None:
    with released.untouched(), pytest.raises(UsageError, match="a move needs a reason"):
        released.promote("answer", "1.1.0", why=why)


def test_a_reason_that_no_file_can_hold_is_refused(released: Any) -> None:
    for act in (
        lambda: released.promote("answer", "1.2.0", why="lone \ud800"),
        lambda: released.rollback("answer", why="lone \ud800"),
    ):
        with released.untouched(), pytest.raises(UsageError):
            act()


def test_an_alias_that_is_there_already_is_not_moved(released: Any) -> None:
    released.promote("answer", "1.1.0")
    with released.untouched():
        moved = promote(released.repository, "answer", "1.1.0", to="production", why="again")
    assert moved is None


@pytest.mark.parametrize(
    ("name", "version", "to", "message", "hint"),
    [
        ("answer", "1.3.0", "production", "has no version `1.3.0`", "`1.2.0`"),
        ("anser", "1.0.0", "production", "no prompt is named `anser`", "did you mean `answer`?"),
        ("new", "1.0.0", "production", "prompt `new` is not locked", "`llmops prompt lock`"),
        ("answer", "^1", "production", "`^1` is not a version", "major.minor.patch"),
        ("answer", "latest", "production", "`latest` is not a version", "major.minor.patch"),
        ("answer", "1.1.0", "Production", "`Production` cannot name an alias", "`production`"),
        ("answer", "1.1.0", "", "`` cannot name an alias", "`production`"),
        ("answer", "1.1.0", "1.0.0", "`1.0.0` cannot name an alias", "`production`"),
        ("answer", "1.1.0", "^1", "`^1` cannot name an alias", "`production`"),
        ("answer", "1.1.0", "git:HEAD", "`git:HEAD` cannot name an alias", "`production`"),
        ("answer", "1.1.0", "a\nb", "cannot name an alias", "`production`"),
    ],
)
def test_what_cannot_be_moved_says_why(
    name: str, version: str, to: str, message: str, hint: str, released: Any
) -> None:
    released.write("new")
    with released.untouched(), pytest.raises(UsageError, match=re.escape(message)) as told:
        released.promote(name, version, to=to)
    assert hint in (told.value.hint or "")


def test_rollback_walks_back_move_by_move(released: Any) -> None:
    first = released.promote("answer", "1.0.0", evidence=EVIDENCE)
    for version in ("1.1.0", "1.2.0"):
        released.promote("answer", version)
    walked = [released.rollback("answer"), released.rollback("answer", why="worse")]
    assert [(str(one.came_from), str(one.to), one.kind) for one in walked] == [
        ("1.2.0", "1.1.0", "rollback"),
        ("1.1.0", "1.0.0", "rollback"),
    ]
    assert [one.why for one in walked] == ["rolled back from 1.2.0", "worse"]
    assert walked[1].evidence == first.evidence == EVIDENCE, "what spoke for it then speaks now"
    assert (walked[0].forced, walked[1].forced) == (True, False)
    with released.untouched(), pytest.raises(UsageError, match="nothing to go back to") as told:
        released.rollback("answer")
    assert "llmops prompt history answer" in (told.value.hint or "")
    assert len(released.locked.moves("answer", "production")) == 5
    assert released.check().clean


def test_a_promotion_after_a_rollback_is_what_the_next_one_takes_back(released: Any) -> None:
    for version in ("1.0.0", "1.1.0"):
        released.promote("answer", version)
    released.rollback("answer")
    released.promote("answer", "1.2.0")
    assert str(released.rollback("answer").to) == "1.0.0"
    assert released.repository.get("answer@production").version == "1.0.0"


def test_aliases_are_moved_apart_from_each_other(released: Any) -> None:
    for to, version in (("production", "1.0.0"), ("staging", "1.1.0"), ("production", "1.2.0")):
        released.promote("answer", version, to=to)
    released.promote("support/triage", "1.0.0")
    released.rollback("answer")
    aliases = {alias: str(move.to) for alias, move in released.locked.aliases("answer").items()}
    assert aliases == {"production": "1.0.0", "staging": "1.1.0"}
    with released.untouched(), pytest.raises(UsageError, match="nothing to go back to"):
        released.rollback("answer", "staging")


@pytest.mark.parametrize(
    ("name", "alias", "hint"),
    [
        ("answer", "prod", "aliases here are `production`"),
        ("anser", "production", "did you mean `answer`?"),
        ("answer", "Production", "lower-case"),
    ],
)
def test_what_cannot_be_rolled_back_says_why(
    name: str, alias: str, hint: str, released: Any
) -> None:
    released.promote("answer", "1.0.0")
    with released.untouched(), pytest.raises(UsageError) as told:
        released.rollback(name, alias)
    assert hint in (told.value.hint or "")


def test_a_lock_that_is_broken_elsewhere_does_not_keep_an_alias_from_being_moved_back(
    released: Any,
) -> None:
    """In an emergency one prompt's broken line is no reason to leave another as it is."""
    for version in ("1.0.0", "1.1.0"):
        released.promote("answer", version)
    text = released.lock_file.read_text()
    released.lock_file.write_text(text.replace('"support/triage", ', '"support/triage",  '))
    assert str(released.rollback("answer").to) == "1.0.0"
    assert '"support/triage",  ' in released.lock_file.read_text()


def test_a_lock_that_cannot_be_written_stays_as_it_was(released: Any) -> None:
    released.promote("answer", "1.0.0")
    released.lock_file.rename(released.root / "kept")
    released.lock_file.mkdir()
    for act in (
        lambda: released.promote("answer", "1.1.0"),
        lambda: released.rollback("answer"),
    ):
        with released.untouched(), pytest.raises(LlmopsError):
            act()


MOVE = """
from pathlib import Path
from llmops.prompts import PromptRepository
from llmops.prompts.release import promote
root, alias = sys.argv[1:]
ready()
for version in ("1.0.0", "1.1.0", "1.2.0", "1.0.0", "1.2.0"):
    promote(PromptRepository(Path(root)), "answer", version, to=alias, why="race", force=True)
"""


def test_two_who_promote_at_once_are_both_recorded(released: Any, race: Any) -> None:
    aliases = ("production", "staging", "production")
    assert race(MOVE, *([released.root, alias] for alias in aliases)) == [0, 0, 0]
    assert len(released.locked.moves("answer", "staging")) == 5
    # Of two who move the same alias, one may find it there already.
    assert 5 <= len(released.locked.moves("answer", "production")) <= 10
    assert released.check().clean
    assert released.repository.get("answer@staging").version == "1.2.0"


def test_no_alias_is_rolled_back_to_a_version_that_the_lock_lost(released: Any) -> None:
    released.promote("answer", "1.1.0")
    released.promote("answer", "1.2.0")
    lines = released.lock_file.read_text().splitlines(keepends=True)
    lost = [line for line in lines if '"version": "1.1.0"' not in line]
    released.lock_file.write_text("".join(lost))
    before = released.lock_file.read_bytes()
    with pytest.raises(NotFound, match=r"no version `1\.1\.0`"):
        released.rollback("answer")
    assert released.lock_file.read_bytes() == before
