"""The lock file's aliases."""

from __future__ import annotations

from datetime import date

import pytest

from llmops.core.errors import NotFound
from llmops.prompts.deprecation import Deprecation
from llmops.prompts.locked import Block, LockedVersion, Move
from llmops.prompts.lockfile import Lock
from llmops.prompts.versions import Version

from .conftest import Folder

GOING = Deprecation(use="q@^1", after=date(2027, 1, 31))


def lock(
    folder: Folder, *versions: str, deprecated: Deprecation | None = None, **aliases: str
) -> None:
    """A lock in which `p` has `versions` and `aliases`; the first version is deprecated."""
    block = Block(
        versions=tuple(
            LockedVersion(
                prompt="p",
                version=Version.parse(each),
                content=f"sha256:{each}",
                interface="sha256:0",
                blob="0" * 40,
                deprecated=deprecated if each == versions[0] else None,
            )
            for each in versions
        ),
        moves=tuple(
            Move(
                prompt="p",
                alias=alias,
                to=Version.parse(to),
                came_from=None,
                why="a test",
                who="Ada <ada@example.org>",
                at="2026-11-23T12:00:00Z",
            )
            for alias, to in aliases.items()
        ),
    )
    path = folder.root / "prompts.lock"
    path.write_text(Lock(path).with_blocks({"p": block}).text())


def test_an_alias_of_a_version_that_is_there_is_no_finding(folder: Folder) -> None:
    folder.prompt("user:\nHi\n")
    lock(folder, "1.0.0", "1.1.0", production="1.0.0", staging="1.1.0")
    assert folder.lint() == []


def test_an_alias_of_a_version_that_is_not_there_is_an_error_at_its_line(folder: Folder) -> None:
    folder.prompt("user:\nHi\n")
    lock(folder, "1.0.0", production="1.0.0", staging="2.0.0")
    (found,) = folder.lint()
    assert (found.rule, found.level, found.where.line) == ("dangling-alias", "error", 5)
    assert found.message == "`p@staging` points to 2.0.0, which the lock does not have"
    assert found.hint == "versions are `1.0.0`"


def test_an_alias_of_a_prompt_that_has_no_file_counts_too(folder: Folder) -> None:
    folder.prompt("user:\nHi\n", name="q")
    lock(folder, "1.0.0", production="2.0.0")
    assert folder.told() == [("dangling-alias", "prompts.lock", 4)]
    assert folder.lint("q") == []


@pytest.mark.parametrize(
    ("today", "level"), [(date(2027, 1, 31), "warning"), (date(2027, 2, 1), "error")]
)
def test_an_alias_of_a_deprecated_version_is_an_error_once_its_day_is_over(
    folder: Folder, today: date, level: str
) -> None:
    folder.prompt("user:\nHi\n")
    lock(folder, "1.0.0", "1.1.0", deprecated=GOING, production="1.0.0", staging="1.1.0")
    (found,) = folder.lint(today=today)
    assert (found.rule, found.level, found.where.line) == ("deprecated-alias", level, 5)
    assert "`p@production` points to 1.0.0, which is deprecated" in found.message
    time = " before 2027-01-31 is over" if level == "warning" else ": 2027-01-31 is over"
    assert found.hint == "use `q@^1`" + time


def test_what_the_file_says_counts_for_all_versions(folder: Folder) -> None:
    path = folder.prompt("user:\nHi\n")
    path.write_text(
        path.read_text().replace("1.0.0}", "1.0.0, deprecated: {use: q, after: 2027-01-31}}")
    )
    lock(folder, "1.0.0", production="1.0.0")
    assert folder.told(today=date(2027, 1, 1)) == [("deprecated-alias", "prompts.lock", 4)]


def test_a_lock_that_was_edited_by_hand_is_a_finding_at_its_line(folder: Folder) -> None:
    folder.prompt("user:\nHi\n")
    lock(folder, "1.0.0", production="1.0.0")
    path = folder.root / "prompts.lock"
    path.write_text(path.read_text().replace("a test", "no test"))
    assert folder.told() == [("broken", "prompts.lock", 4)]
    path.write_text(path.read_text() + "<<<<<<< HEAD\n")
    assert folder.told() == [("broken", "prompts.lock", 5)]


def test_a_name_that_no_prompt_has_suggests_the_nearest(folder: Folder) -> None:
    folder.prompt("user:\nHi\n", name="answer")
    with pytest.raises(NotFound) as caught:
        folder.lint("anwser")
    assert caught.value.hint == "did you mean `answer`?"
