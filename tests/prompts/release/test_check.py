"""`check`: what a pull request must not do, found before it is merged."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from llmops.core.errors import LlmopsError
from llmops.prompts.lint import LintConfig, lint_prompts
from llmops.prompts.lockfile import sealed

RAISED = "`answer` has a behaviour change since"


def test_all_in_order(released: Any) -> None:
    found = released.check()
    assert (found.clean, found.problems, found.prompts) == (True, (), 2)
    assert released.check(base="HEAD~2").clean
    assert released.check(base="main").clean


def test_a_prompt_that_is_not_locked_is_told_with_its_line_and_what_to_run(released: Any) -> None:
    released.write("new")
    released.write("answer", "Four.")
    with released.untouched():
        found = released.check()
    assert not found.clean
    assert [(one.rule, one.prompt, one.message) for one in found.problems] == [
        (
            "version",
            "answer",
            "`answer` has a behaviour change since 1.2.0: it needs 1.3.0, and says 1.2.0",
        ),
        ("lock", "new", "`new` is not locked yet"),
    ]
    assert [str(one.where) for one in found.problems] == [
        f"{released.root}/answer.prompty:3",
        f"{released.root}/new.prompty:3",
    ]
    assert {one.hint for one in found.problems} == {"run `llmops prompt lock`"}
    released.lock()
    assert released.check().clean


def test_a_large_enough_version_that_is_not_locked_is_told(released: Any) -> None:
    released.write("answer", "Four.", version="1.3.0")
    assert released.problems() == [f"lock: {RAISED} 1.2.0: 1.3.0 is not locked yet"]


def test_a_partial_that_changed_is_told(workshop: Any) -> None:
    workshop.put("tone.jinja", "Be kind.\n")
    workshop.release("answer", '{% include "tone" %}')
    workshop.put("tone.jinja", "Be brief.\n")
    message = f"{RAISED} 1.0.0: it needs 1.1.0, and says 1.0.0"
    assert workshop.problems() == [f"version: {message}"]


def test_an_old_text_under_a_new_number_is_told(released: Any) -> None:
    released.write("answer", "Two.", version="1.4.0")
    message = "says 1.4.0, and has the text of 1.1.0: the same content keeps its version"
    assert released.problems() == [f"version: `answer` {message}"]


def test_a_draft_that_nothing_has_is_told(released: Any) -> None:
    released.write("answer", "Four.")
    released.lock()
    released.git("checkout", "-q", "--", "prompts/answer.prompty")
    assert released.problems() == ["lock: `answer@1.3.0` is locked, and nothing has that text"]


def test_a_draft_that_was_promoted_and_then_edited_is_refused(released: Any) -> None:
    released.write("answer", "Four.")
    released.lock()
    released.promote("answer", "1.3.0")
    assert released.check().clean
    released.write("answer", "Five.")
    message = "`answer` was edited after `production` was pointed to 1.3.0, which is not committed"
    with released.untouched(), pytest.raises(LlmopsError, match=re.escape(message)) as told:
        released.lock()
    assert "commit 1.3.0 first" in (told.value.hint or "")
    assert "git checkout HEAD -- prompts.lock" in (told.value.hint or "")
    with released.untouched():
        assert any(message in line for line in released.problems()), "it is drift, no misuse"
    released.git("checkout", "-q", "--", "prompts/prompts.lock")
    assert released.versions() == {"answer": "1.3.0"}


def test_what_the_linter_finds_counts_by_its_level(released: Any) -> None:
    released.write("answer", "Four. {{ nobody }}")
    assert any("`nobody`" in line for line in released.problems())
    released.write("answer", "Four.   ")
    released.lock()
    found = released.check()
    assert found.clean
    assert [each.rule for each in found.findings] == ["trailing-whitespace"]
    strict = LintConfig.model_validate({"rules": {"trailing-whitespace": "error"}})
    assert not released.check(findings=lint_prompts(released.repository, strict)).clean


def test_a_broken_prompt_is_told_once(released: Any) -> None:
    released.put("zzz.prompty", "---\nmetadata: {version: 1.0}\n---\nuser:\nA\n")
    (line,) = released.problems()
    assert "`metadata.version`" in line


# Against a base: what a branch did since it went apart.


def on_a_branch(shop: Any) -> None:
    shop.git("checkout", "-q", "-b", "side")


def forge(shop: Any, name: str, number: str, **changes: Any) -> None:
    """A line of the lock as only these commands should write it, with another content."""
    lines = shop.lock_file.read_text().splitlines()
    for at, line in enumerate(lines):
        found = json.loads(line) if line else {}
        if (found.get("prompt"), found.get("version")) == (name, number):
            del found["seal"]
            lines[at] = sealed({**found, **changes})
    shop.lock_file.write_text("\n".join(lines) + "\n")


def test_a_version_that_was_raised_too_little_is_told(released: Any) -> None:
    """By a lock that was made by hand: `lock` itself would not write it."""
    on_a_branch(released)
    released.write("answer", "Four.")
    released.lock()
    text = released.text("answer").replace("1.3.0", "1.2.1")
    released.put("answer.prompty", text)
    blob = released.git("hash-object", "-w", "prompts/answer.prompty")
    forge(released, "answer", "1.3.0", version="1.2.1", blob=blob)
    released.commit()
    assert released.check().clean, "by itself it is in order"
    with released.untouched():
        found = released.check(base="main")
    (problem,) = found.problems
    assert problem.message == f"{RAISED} `main`: it needs at least 1.3.0, and says 1.2.1"
    assert problem.rule == "version"
    assert problem.hint == "write 1.3.0 into the file, and run `llmops prompt lock --base main`"
    assert str(problem.where) == f"{released.root}/answer.prompty:3"
    released.write("answer", "Four.", version="1.3.0")
    assert released.versions(base="main") == {"answer": "1.3.0"}
    released.commit()
    assert released.check(base="main").clean


@pytest.mark.parametrize("edit", ["another text", "gone"])
def test_a_released_version_that_was_edited_is_told(edit: str, released: Any) -> None:
    on_a_branch(released)
    if edit == "gone":
        lines = released.lock_file.read_text().splitlines(keepends=True)
        released.lock_file.write_text("".join(line for line in lines if '"1.1.0"' not in line))
    else:
        forge(released, "answer", "1.1.0", content="sha256:" + "0" * 64)
    released.commit()
    found = released.check(base="main")
    assert [one.rule for one in found.problems] == ["released"]
    assert edit in found.problems[0].message
    assert "git show main:./prompts.lock" in found.problems[0].hint


def test_a_number_that_both_branches_gave_is_told(released: Any) -> None:
    on_a_branch(released)
    released.release("answer", "Ours.")
    released.git("checkout", "-q", "main")
    released.release("answer", "Theirs.")
    released.release("support/triage", "Sort them.")
    released.git("checkout", "-q", "side")
    with released.untouched():
        found = released.check(base="main")
    (problem,) = found.problems
    assert problem.message == "version 1.3.0 of `answer` is another text in `main`"
    assert "merge `main`" in problem.hint
    assert "lock --base main" in problem.hint


def test_what_the_base_did_meanwhile_is_none_of_the_branchs_business(released: Any) -> None:
    on_a_branch(released)
    released.release("support/triage", "Sort them.")
    released.git("checkout", "-q", "main")
    released.release("answer", "Theirs.")
    released.promote("answer", "1.3.0")
    released.commit()
    released.git("checkout", "-q", "side")
    assert released.check(base="main").clean


def test_a_move_that_the_base_has_may_not_be_taken_out(released: Any) -> None:
    released.promote("answer", "1.0.0")
    released.promote("answer", "1.1.0")
    released.commit()
    on_a_branch(released)
    lines = released.lock_file.read_text().splitlines(keepends=True)
    released.lock_file.write_text("".join(line for line in lines if '"to": "1.1.0"' not in line))
    released.commit()
    assert released.check().clean, "what is committed counts as released"
    found = released.check(base="main")
    assert [one.rule for one in found.problems] == ["alias"]
    assert "moves of the aliases of `answer`" in found.problems[0].message
    released.git("checkout", "-q", "main", "--", "prompts/prompts.lock")
    released.rollback("answer")
    released.commit()
    assert released.check(base="main").clean, "moving it back is the way"


def test_several_commits_of_a_branch_are_measured_as_a_whole(released: Any) -> None:
    on_a_branch(released)
    for words in ("Four.", "Five.", "Two."):
        released.release("answer", words)
        assert released.check(base="main").clean
    assert released.version("answer") == "1.1.0"


def test_prompts_that_the_base_never_locked_are_measured_by_what_they_said(workshop: Any) -> None:
    workshop.write("answer", "One.")
    workshop.commit()
    on_a_branch(workshop)
    workshop.write("answer", "Two.")
    workshop.lock()
    assert workshop.version("answer") == "1.0.0"
    workshop.commit()
    message = f"{RAISED} `main`: it needs at least 1.1.0, and says 1.0.0"
    assert workshop.problems(base="main") == [f"version: {message}"]
    workshop.write("answer", "Two.", version="1.1.0")
    workshop.lock(base="main")
    workshop.commit()
    assert workshop.check(base="main").clean


def test_files_that_moved_are_new_prompts(released: Any) -> None:
    on_a_branch(released)
    released.git("mv", "prompts/answer.prompty", "prompts/reply.prompty")
    released.lock()
    released.commit()
    assert released.check(base="main").clean
    assert released.version("reply") == "1.2.0"


def test_versions_that_a_branch_folded_into_one_are_its_own_affair(released: Any) -> None:
    released.git("switch", "-qc", "feature")
    first = released.release("answer", "Draft one.")
    second = released.release("answer", "Draft two.")
    assert first < second
    assert released.versions(base="main") == {"answer": first}
    assert released.check(base="main").clean
    released.commit()
    assert released.check(base="main").clean
    assert released.check().clean


def test_a_draft_that_moved_an_alias_on_can_be_rolled_back(released: Any) -> None:
    released.promote("answer", "1.2.0")
    released.commit()
    released.write("answer", "Four.")
    released.lock()
    released.promote("answer", "1.3.0")
    released.write("answer", "Five.")
    with pytest.raises(LlmopsError) as told:
        released.lock()
    assert "rollback answer --from production" in (told.value.hint or "")
    released.rollback("answer")
    assert released.versions() == {"answer": "1.3.0"}
    assert released.check().clean


def test_versions_that_a_squash_took_the_text_of_are_told(released: Any) -> None:
    released.git("switch", "-qc", "feature")
    released.release("answer", "Four.")
    released.release("answer", "Five.")
    assert released.check(base="main").clean, "their commits are there still"
    released.git("switch", "-q", "main")
    released.git("merge", "-q", "--squash", "feature")
    released.commit("squashed")
    (line,) = released.problems(base="HEAD~1")
    assert "the text of `answer@1.3.0` is in no commit since `HEAD~1`" in line
    assert released.versions(base="HEAD~1") == {"answer": "1.3.0"}
    released.commit()
    assert released.check(base="HEAD~2").clean


def test_a_folder_that_was_moved_has_lost_nothing(released: Any) -> None:
    released.git("mv", "prompts", "elsewhere")
    there = type(released)(released.top, folder="elsewhere")
    there.commit("moved")
    assert there.check(base="HEAD~1").clean
    assert there.check().clean
