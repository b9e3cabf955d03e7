"""`prompts.lock`: what stands in it, what a merge makes of it, and what an edit by hand does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from llmops.core.errors import DocumentError, LlmopsError
from llmops.prompts.lockfile import sealed

HEAD = '{"schema": "llmops.prompts.lock/1"}'


def test_the_file_holds_the_schema_first_and_then_a_block_a_prompt(released: Any) -> None:
    released.put("shared/tone.jinja", "Be kind.\n")
    released.release("qa", '{% include "shared/tone" %}')
    move = released.promote("answer", "1.1.0", why="it is better")
    head, *blocks = released.lock_file.read_text().split("\n\n")
    assert head == HEAD
    lines = [[json.loads(line) for line in block.splitlines()] for block in blocks]
    assert [{line["prompt"] for line in block} for block in lines] == [
        {"answer"},
        {"qa"},
        {"support/triage"},
    ]
    answer, qa, _ = lines
    assert [line.get("version") for line in answer] == ["1.0.0", "1.1.0", "1.2.0", None]
    seal = qa[0].pop("seal")
    assert re.fullmatch("[0-9a-f]{16}", seal)
    prompt = released.repository.get("qa")
    assert qa == [
        {
            "prompt": "qa",
            "version": "1.0.0",
            "content": prompt.fingerprint,
            "interface": prompt.interface_fingerprint,
            "blob": released.git("rev-parse", "HEAD:prompts/qa.prompty"),
            "includes": {
                "shared/tone.jinja": {
                    "content": prompt.parts[0].fingerprint,
                    "blob": released.git("rev-parse", "HEAD:prompts/shared/tone.jinja"),
                }
            },
        }
    ]
    answer[3].pop("seal")
    assert answer[3] == {
        "prompt": "answer",
        "alias": "production",
        "to": "1.1.0",
        "from": None,
        "kind": "promote",
        "why": "it is better",
        "who": "Ada <ada@example.org>",
        "at": move.at,
        "forced": True,
    }


def test_the_first_lock_has_branches_that_add_prompts_merge(workshop: Any) -> None:
    workshop.write("m")
    workshop.lock()
    told = workshop.git("check-attr", "merge", "prompts/prompts.lock", "prompts/m.prompty")
    assert "prompts.lock: merge: union" in told
    assert "m.prompty: merge: unspecified" in told


def test_attributes_that_are_there_stay(workshop: Any) -> None:
    path = workshop.put(".gitattributes", "*.prompty text eol=lf")
    workshop.write("m")
    workshop.lock()
    assert path.read_text().startswith("*.prompty text eol=lf\n")
    files = ("prompts/prompts.lock", "prompts/m.prompty")
    told = workshop.git("check-attr", "merge", "eol", "--", *files)
    assert "prompts.lock: merge: union" in told
    assert "m.prompty: eol: lf" in told
    path.write_text("prompts.lock merge=ours\n")
    workshop.write("n")
    workshop.lock()
    assert path.read_text() == "prompts.lock merge=ours\n"


def branches(shop: Any, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
    """What two people do, each on a branch from where things are; then a merge."""
    shop.git("checkout", "-q", "-b", "theirs")
    theirs()
    shop.lock()
    shop.commit("theirs")
    shop.git("checkout", "-q", "main")
    ours()
    shop.lock()
    shop.commit("ours")
    shop.git("merge", "-q", "--no-edit", "theirs", check=False)


def conflicts(shop: Any) -> list[str]:
    return shop.git("diff", "--name-only", "--diff-filter=U").splitlines()


def test_branches_that_edit_different_prompts_merge(released: Any) -> None:
    released.release("support/urgent", "At once.")
    branches(
        released,
        lambda: released.write("support/triage", "Sort them."),
        lambda: (released.write("answer", "Four."), released.write("support/urgent", "Now.")),
    )
    assert conflicts(released) == []
    assert released.check(base="HEAD~1").clean
    assert {name: released.version(name) for name in released.locked.names()} == {
        "answer": "1.3.0",
        "support/triage": "1.1.0",
        "support/urgent": "1.1.0",
    }


def test_branches_that_move_aliases_of_different_prompts_merge(released: Any) -> None:
    branches(
        released,
        lambda: released.promote("support/triage", "1.0.0"),
        lambda: released.promote("answer", "1.2.0"),
    )
    assert conflicts(released) == []
    assert released.repository.get("answer@production").version == "1.2.0"
    assert released.repository.get("support/triage@production").version == "1.0.0"


def test_branches_that_add_prompts_at_the_same_place_merge(released: Any) -> None:
    branches(released, lambda: released.write("m2"), lambda: released.write("m1"))
    assert conflicts(released) == []
    assert released.check(base="HEAD~1").clean
    assert _names(released) != sorted(_names(released)), "git knows no order"
    unsorted = released.lock_file.read_text()
    released.lock()
    assert _names(released) == sorted(_names(released))
    released.lock_file.write_text(unsorted)
    # The next lock sorts the file, here on two branches at once.
    released.git("branch", "-D", "theirs")
    branches(
        released,
        lambda: released.write("m2", "Two."),
        lambda: (released.write("m1", "One."), released.write("m3")),
    )
    assert conflicts(released) == []
    assert released.check(base="HEAD~1").clean
    released.write("m0")
    released.lock()
    assert _names(released) == sorted(_names(released))
    lines = [line for line in released.lock_file.read_text().splitlines() if line]
    assert len(lines) == len(set(lines)), "no line stands there twice"
    assert len(released.locked.versions("m1")) == 2


def _names(shop: Any) -> list[str]:
    lines = shop.lock_file.read_text().splitlines()[1:]
    return [json.loads(line)["prompt"] for line in lines if line]


def test_a_prompt_that_two_branches_changed_is_told_and_can_be_put_right(released: Any) -> None:
    """Git keeps both lines of the lock; the file itself is in conflict."""
    branches(
        released,
        lambda: released.write("answer", "Ours."),
        lambda: released.write("answer", "Theirs."),
    )
    assert conflicts(released) == ["prompts/answer.prompty"]
    message = "version 1.3.0 of `answer` stands twice: two branches made one"
    released.git("checkout", "-q", "--ours", "prompts/answer.prompty")
    for act in (released.lock, lambda: released.repository.get("answer@1.2.0")):
        with released.untouched(), pytest.raises(DocumentError, match=message) as told:
            act()
        assert "keep the lines of the branch that is released" in (told.value.hint or "")
        assert told.value.where is not None
        assert told.value.where.line == 7
    assert released.repository.get("support/triage@1.0.0"), "other prompts can be used"
    with released.untouched():
        assert any(message in line for line in released.problems())
    # As the hint says: the other branch is the released one.
    theirs = released.git("show", "theirs:prompts/prompts.lock").splitlines()
    _drop(released, lambda line: '"1.3.0"' in line and line.strip() not in theirs)
    assert released.versions(base="theirs") == {"answer": "1.4.0"}
    assert released.check(base="theirs").clean, "before the merge is committed"
    released.commit("merged")
    assert released.check(base="theirs").clean
    for version, words in (("1.3.0", "Theirs."), ("1.4.0", "Ours.")):
        assert words in released.repository.get(f"answer@{version}").body


def _drop(shop: Any, which: Callable[[str], bool]) -> None:
    lines = shop.lock_file.read_text().splitlines(keepends=True)
    shop.lock_file.write_text("".join(line for line in lines if not which(line)))


def test_a_merge_that_git_committed_with_both_lines_can_be_put_right(released: Any) -> None:
    """The files are the same on both branches, but for a comment: nothing stops the merge."""
    first = "1.3.0"

    def described(description: str) -> None:
        released.write("answer", "Three.", description=description, version=first)

    released.git("checkout", "-q", "-b", "theirs")
    described("Theirs.")
    released.lock()
    released.commit("theirs")
    released.git("checkout", "-q", "main")
    described("Ours.")
    released.lock()
    released.commit("ours")
    released.git("merge", "-q", "-X", "theirs", "theirs")
    assert any("stands twice" in line for line in released.problems())
    ours = released.git("show", "HEAD~1:prompts/prompts.lock").splitlines()
    theirs = released.git("show", "theirs:prompts/prompts.lock").splitlines()
    _drop(released, lambda line: line.strip() in ours and line.strip() not in theirs)
    assert released.versions() == {}
    assert released.check().clean, "what is committed is broken, and this repairs it"


def test_an_alias_that_two_branches_moved_is_told(released: Any) -> None:
    released.promote("answer", "1.0.0")
    released.commit()
    branches(
        released,
        lambda: released.promote("answer", "1.1.0"),
        lambda: released.promote("answer", "1.2.0"),
    )
    assert conflicts(released) == []
    message = "`production` of `answer` is moved from 1.0.0 and was at 1.1.0: two branches moved it"
    with released.untouched(), pytest.raises(DocumentError, match=message) as told:
        released.repository.get("answer@production")
    assert "keep" in (told.value.hint or "")
    assert any(message in line for line in released.problems())
    _drop(released, lambda line: '"to": "1.1.0"' in line)
    assert released.check().clean
    assert released.repository.get("answer@production").version == "1.2.0"


def test_while_a_merge_is_going_on_the_other_branch_is_released_too(released: Any) -> None:
    def theirs() -> None:
        released.release("answer", "Four.")
        released.release("answer", "Five.")
        released.promote("answer", "1.3.0")

    branches(released, lambda: released.write("support/triage", "Sort them."), theirs)
    released.git("reset", "-q", "--hard", "HEAD~1")
    released.git("merge", "-q", "--no-commit", "theirs")
    with released.untouched():
        assert released.versions() == {}
        assert released.check().clean
    released.write("answer", "Six.")
    assert released.versions() == {"answer": "1.5.0"}
    assert [str(one.version) for one in released.locked.versions("answer")[3:]] == [
        "1.3.0",
        "1.4.0",
        "1.5.0",
    ]


@pytest.mark.parametrize("style", ["merge", "diff3"])
def test_a_conflict_marker_is_told_with_its_line(style: str, released: Any) -> None:
    released.git("config", "merge.conflictStyle", style)
    (released.root / ".gitattributes").unlink()
    released.commit()
    branches(released, lambda: released.write("m2"), lambda: released.write("m1"))
    assert "prompts/prompts.lock" in conflicts(released)
    lines = released.lock_file.read_text().splitlines()
    number = next(at for at, line in enumerate(lines, 1) if line.startswith("<<<<<<<"))
    released.write("answer", "Four.")
    for act in (
        released.lock,
        lambda: released.repository.get("answer@1.0.0"),
        lambda: released.promote("answer", "1.0.0"),
        lambda: released.rollback("answer"),
    ):
        with released.untouched(), pytest.raises(DocumentError, match="conflict marker") as told:
            act()
        assert str(told.value).startswith(f"{released.lock_file}:{number}: ")
        assert "keep the lines" in (told.value.hint or "")
    with released.untouched():
        (problem,) = released.problems()
        assert problem.endswith(": holds a merge conflict marker")
    assert released.repository.get("answer").version == "1.2.0"


EDITS: dict[str, tuple[int, str, str]] = {
    "a number": (4, '"1.1.0"', '"1.1.1"'),
    "a content": (3, '"content": "sha256:', '"content": "sha256:0'),
    "a reason": (6, "a test", "another test"),
    "where an alias points": (6, '"to": "1.1.0"', '"to": "1.2.0"'),
    "a seal": (5, 'seal": "', 'seal": "0'),
    "white space": (5, '", ', '",'),
    "another key": (4, '"}', '", "note": "mine"}'),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_line_that_was_edited_by_hand_is_told(edit: str, released: Any) -> None:
    released.promote("answer", "1.1.0")
    released.commit()
    released.write("answer", "Four.")
    number, old, new = EDITS[edit]
    lines = released.lock_file.read_text().splitlines(keepends=True)
    assert old in lines[number - 1]
    lines[number - 1] = lines[number - 1].replace(old, new)
    released.lock_file.write_text("".join(lines))
    for act in (
        released.lock,
        lambda: released.repository.get("answer@production"),
        lambda: released.rollback("answer"),
    ):
        with released.untouched(), pytest.raises(DocumentError) as told:
            act()
        assert str(told.value).startswith(f"{released.lock_file}:{number}: ")
        assert "this line was edited by hand: its seal does not fit" in str(told.value)
        assert "git checkout HEAD -- prompts.lock" in (told.value.hint or "")
    with released.untouched():
        found = released.check()
        assert number in {one.where.line for one in (*found.problems, *found.findings)}
        assert not found.clean


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("# a comment", "not a line of a lock file"),
        ('{"prompt": "answer"}', "edited by hand"),
        (sealed({"prompt": "answer"}), "not a line of this format: 'alias'"),
        (sealed({"prompt": "answer", "version": "1.x"}), "`1.x` is not a version"),
        (sealed({"prompt": "answer", "version": 1}), "not a line of this format"),
        (sealed({"prompt": "answer", "version": "9.0.0"}), "'content'"),
    ],
)
def test_a_line_that_is_none_of_ours_is_told(line: str, message: str, released: Any) -> None:
    with released.lock_file.open("a") as file:
        file.write(f"{line}\n")
    with released.untouched(), pytest.raises(DocumentError, match=re.escape(message)):
        released.locked.versions("answer")
    with released.untouched():
        assert any(message in text for text in released.problems())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}\n",
        b'{"schema": "llmops.prompts.lock/2"}\n',
        b"version: 1\n",
        b"\xff\xfe",
        b"\0",
        b"[" * 100_000,
    ],
)
def test_a_file_that_is_no_lock_is_told(content: bytes, released: Any) -> None:
    released.lock_file.write_bytes(content)
    for act in (released.lock, lambda: released.repository.get("answer@1.0.0")):
        with released.untouched(), pytest.raises(DocumentError) as told:
            act()
        assert str(told.value).startswith(f"{released.lock_file}:1: ")
        assert len(str(told.value)) < 400
    with released.untouched():
        assert not released.check().clean


def test_a_released_version_that_was_taken_out_by_hand_is_told(released: Any) -> None:
    _drop(released, lambda line: '"1.1.0"' in line)
    message = "version 1.1.0 of `answer` is gone: a released version stays for good"
    with released.untouched(), pytest.raises(DocumentError, match=re.escape(message)) as told:
        released.lock()
    assert "prompts.lock@HEAD" in (told.value.hint or "")
    assert released.problems() == [f"lock: {message}"]


def test_a_released_version_that_became_another_text_is_told(released: Any) -> None:
    text = released.lock_file.read_text()
    old = json.loads(next(line for line in text.splitlines() if '"1.1.0"' in line))
    del old["seal"]
    forged = sealed({**old, "content": "sha256:" + "0" * 64})
    released.lock_file.write_text(text.replace(sealed(old), forged))
    message = "version 1.1.0 of `answer` is not what was released"
    with released.untouched(), pytest.raises(DocumentError, match=re.escape(message)):
        released.lock()
    with released.untouched(), pytest.raises(DocumentError, match="is not the text that was lock"):
        released.repository.get("answer@1.1.0")
    assert any(message in line for line in released.problems())


def test_a_whole_lock_that_is_gone_is_told(released: Any) -> None:
    released.lock_file.unlink()
    with released.untouched(), pytest.raises(DocumentError, match="is gone"):
        released.lock()
    assert any("is gone" in line for line in released.problems())


def test_a_released_move_that_was_taken_out_by_hand_is_told(released: Any) -> None:
    released.promote("answer", "1.1.0")
    released.promote("answer", "1.2.0")
    released.commit()
    _drop(released, lambda line: '"from": "1.1.0"' in line)
    message = "a move of an alias of `answer` is gone or changed"
    with released.untouched(), pytest.raises(DocumentError, match=message):
        released.lock()
    assert any(message in line for line in released.problems())


def test_an_alias_that_points_to_nothing_is_told(released: Any) -> None:
    released.write("answer", "Four.")
    released.lock()
    released.promote("answer", "1.3.0")
    _drop(released, lambda line: '"version": "1.3.0"' in line)
    with (
        released.untouched(),
        pytest.raises(LlmopsError, match=r"points to version 1\.3\.0, which"),
    ):
        released.repository.get("answer@production")
    assert not released.check().clean


def test_windows_line_ends_do_not_matter(released: Any) -> None:
    released.lock_file.write_bytes(released.lock_file.read_bytes().replace(b"\n", b"\r\n"))
    with released.untouched():
        assert released.check().clean
        assert released.lock().steps == ()
        assert released.repository.get("answer@1.0.0").version == "1.0.0"


@pytest.mark.parametrize(
    "why",
    ["Größe 🤖 \u2028 next \u2029 \x85 \x0b \x0c", 'quotes " and \\ and\nlines\r\n', "\0\x1b"],
)
def test_a_reason_may_hold_any_text(why: str, released: Any) -> None:
    released.promote("answer", "1.1.0", why=why)
    released.promote("support/triage", "1.0.0")
    (move,) = released.locked.moves("answer")
    assert move.why == why.strip()
    released.write("answer", "Four.")
    released.lock()
    assert released.check().clean
    assert released.locked.moves("answer") == [move]
