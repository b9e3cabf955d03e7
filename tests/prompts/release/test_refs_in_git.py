"""Every way to name a version gives exactly its text, whatever the folder holds now."""

from __future__ import annotations

import subprocess
import sys
import warnings
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from llmops.core.errors import DocumentError, NotFound, UsageError
from llmops.prompts.deprecation import PromptDeprecated

TODAY = date.today()
PAST, FUTURE = TODAY - timedelta(days=1), TODAY + timedelta(days=1)


@pytest.fixture
def shelf(released: Any) -> Any:
    """`answer` in 1.0.0, 1.1.0, 1.2.0, 2.0.0-rc.1 and 2.1.0; then its file is rewritten."""
    released.write("answer", "Candidate.", version="2.0.0-rc.1")
    released.lock()
    released.commit()
    released.git("tag", "v2-rc")
    released.write("answer", "Four.", version="2.1.0")
    released.lock()
    released.commit()
    released.promote("answer", "1.1.0")
    released.promote("answer", "2.0.0-rc.1", to="canary")
    released.commit()
    released.put("answer.prompty", "---\nmetadata: {version: 9.9.9}\n---\nuser:\nNot locked.\n")
    return released


@pytest.mark.parametrize(
    ("selector", "version", "words"),
    [
        ("", "9.9.9", "Not locked."),
        ("@1.0.0", "1.0.0", "One."),
        ("@1.2.0", "1.2.0", "Three."),
        ("@2.0.0-rc.1", "2.0.0-rc.1", "Candidate."),
        ("@^1", "1.2.0", "Three."),
        ("@^1.1", "1.2.0", "Three."),
        ("@^1.0.0", "1.2.0", "Three."),
        ("@^2", "2.1.0", "Four."),
        ("@production", "1.1.0", "Two."),
        ("@canary", "2.0.0-rc.1", "Candidate."),
        ("@git:HEAD", "2.1.0", "Four."),
        ("@git:v2-rc", "2.0.0-rc.1", "Candidate."),
        ("@git:v2-rc~1", "1.2.0", "Three."),
        ("@git:v2-rc^", "1.2.0", "Three."),
        ("@git:main@{0}", "2.1.0", "Four."),
    ],
)
def test_a_ref_gives_exactly_its_text(selector: str, version: str, words: str, shelf: Any) -> None:
    with shelf.untouched():
        prompt = shelf.repository.get(f"answer{selector}")
    assert prompt.version == version
    assert words in prompt.body


def test_a_content_is_found_wherever_it_is(shelf: Any) -> None:
    for version in ("1.0.0", "1.2.0", "2.0.0-rc.1"):
        prompt = shelf.repository.get(f"answer@{version}")
        same = shelf.repository.get(f"answer@{prompt.fingerprint}")
        assert (same.version, same.source) == (version, prompt.source)
    current = shelf.repository.get("answer")
    assert shelf.repository.get(f"answer@{current.fingerprint}").version == "9.9.9"


def test_every_locked_text_is_what_git_has_byte_for_byte(shelf: Any) -> None:
    commits = shelf.git("log", "--format=%H", "--reverse", "--", "prompts/answer.prompty").split()
    for locked, commit in zip(shelf.locked.versions("answer"), commits, strict=True):
        raw = subprocess.run(
            ["git", "-C", str(shelf.top), "show", f"{commit}:prompts/answer.prompty"],
            check=True,
            capture_output=True,
        ).stdout
        assert shelf.repository.texts([locked]) == {locked: {"answer.prompty": raw}}
        assert shelf.repository.load(locked).source.encode() == raw
        assert shelf.repository.get(f"answer@git:{commit}").source.encode() == raw
        assert shelf.repository.get(f"answer@git:{commit[:10]}").source.encode() == raw


@pytest.mark.parametrize(
    ("ref", "message", "hint"),
    [
        ("answer@1.3.0", "prompt `answer` has no version `1.3.0`", "versions are `1.0.0`, `1.1.0`"),
        ("answer@^3", "prompt `answer` has no version `^3`", "`2.1.0`"),
        ("answer@^2.2", "prompt `answer` has no version `^2.2`", "`2.1.0`"),
        (
            "answer@prod",
            "prompt `answer` has no alias `prod`",
            "aliases here are `canary`, `production`",
        ),
        ("support/triage@prod", "has no alias `prod`", "llmops prompt promote support/triage"),
        ("answer@sha256:" + "0" * 64, "has no version `sha256:0", "`1.0.0`"),
        ("anser@1.0.0", "no prompt is named `anser`", "did you mean `answer`?"),
        ("anser@git:HEAD", "no prompt is named `anser` at `HEAD`", "did you mean `answer`?"),
        ("answer@git:mian", "no git revision is named `mian`", "did you mean `main`?"),
        ("answer@9.9.9", "has no version `9.9.9`", "`llmops prompt lock`"),
    ],
)
def test_a_ref_that_matches_nothing_says_what_there_is(
    ref: str, message: str, hint: str, shelf: Any
) -> None:
    with shelf.untouched(), pytest.raises(NotFound) as told:
        shelf.repository.get(ref)
    assert message in str(told.value)
    assert hint in (told.value.hint or "")


@pytest.mark.parametrize(
    "ref",
    [
        "answer@",
        "answer@1.0",
        "answer@v1.0.0",
        "answer@git:",
        "answer@git:--help",
        "answer@git:HEAD:prompts/prompts.lock",
        "answer@git:HEAD HEAD",
        "answer@git:HEAD\nHEAD",
        "answer@sha256:12",
        "answer@production@1",
        "../answer@1.0.0",
        "@production",
    ],
)
def test_a_ref_that_is_none_is_refused(ref: str, shelf: Any) -> None:
    with shelf.untouched(), pytest.raises(UsageError) as told:
        shelf.repository.get(ref)
    assert told.value.hint


def test_a_prompt_that_was_removed_is_still_there_in_its_versions(shelf: Any) -> None:
    (shelf.root / "answer.prompty").unlink()
    shelf.lock()
    shelf.commit()
    assert shelf.repository.get("answer@production").version == "1.1.0"
    assert shelf.repository.get("answer@git:HEAD~1").version == "2.1.0"
    for ref in ("answer", "answer@git:HEAD"):
        with pytest.raises(NotFound, match="no prompt is named `answer`"):
            shelf.repository.get(ref)


def test_old_versions_have_the_partials_and_examples_of_then(workshop: Any) -> None:
    words = '{% include "shared/tone" %}{% for one in examples %}{{ one.q }}{% endfor %}'
    head = "---\nmetadata: {version: 1.0.0}\nexamples: shots.jsonl\n---\nuser:\n"
    workshop.put("answer.prompty", f"{head}{words}\n")
    workshop.put("shared/tone.jinja", '{% include "shared/deep" %}\n')
    for number in range(2):
        workshop.put("shared/deep.jinja", f"Tone {number}. ")
        workshop.put("shots.jsonl", f'{{"q": "Shot {number}?"}}\n')
        workshop.lock()
        workshop.commit()
    for path in ("shared/deep.jinja", "shared/tone.jinja", "shots.jsonl"):
        (workshop.root / path).unlink()
    with workshop.untouched():
        for selector in ("1.0.0", "git:HEAD~1"):
            (message,) = workshop.repository.get(f"answer@{selector}").render()
            assert message.content == "Tone 0. Shot 0?"
        (message,) = workshop.repository.get("answer@1.1.0").render()
        assert message.content == "Tone 1. Shot 1?"
        with pytest.raises(DocumentError, match="`shared/tone` is not there"):
            workshop.repository.get("answer")


def test_an_error_in_an_old_text_says_which(workshop: Any) -> None:
    workshop.put("answer.prompty", "---\nmetadata: {version: 1.0}\n---\nuser:\nA\n")
    workshop.commit()
    with pytest.raises(DocumentError) as told:
        workshop.repository.get("answer@git:HEAD")
    assert str(told.value).startswith(f"{workshop.root}/answer.prompty@HEAD:2: ")


@pytest.mark.parametrize("after", [PAST, TODAY, FUTURE, None])
def test_a_deprecated_prompt_warns_whoever_loads_it(after: date | None, released: Any) -> None:
    until = f", after: {after}" if after else ""
    metadata = f", deprecated: {{since: 1.3.0, use: support/triage@^1{until}}}"
    released.release("answer", "Three.", metadata=metadata)
    assert released.version("answer") == "1.2.1"
    for ref in ("answer", "answer@1.2.1", "answer@^1", "answer@git:HEAD"):
        with pytest.warns(PromptDeprecated) as told:
            released.repository.get(ref)
        (warning,) = told
        assert str(warning.message).startswith(f"prompt `{ref}` is deprecated: use `support/triage")
        assert (f": {after} is over" in str(warning.message)) is (after == PAST)
        assert Path(warning.filename) == Path(__file__), "the line that loads it is named"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        released.repository.get("answer@1.2.0")


@pytest.mark.parametrize("after", [PAST, TODAY, FUTURE, None])
def test_the_check_fails_once_the_day_is_over_and_an_alias_still_points_there(
    after: date | None, released: Any
) -> None:
    until = f"after: {after}" if after else "use: support/triage"
    released.release("answer", "Three.", metadata=f", deprecated: {{{until}}}")
    assert released.check().clean, "nothing points there"
    released.promote("answer", "1.2.1")
    found = released.check()
    assert found.clean is (after != PAST)
    (finding,) = found.findings
    assert finding.message.startswith("`answer@production` points to 1.2.1, which is deprecated")
    assert finding.where.path == released.lock_file
    assert finding.where.line == released.locked.moves("answer")[0].line
    assert finding.hint


def test_reading_a_version_needs_neither_comparison_nor_linter(released: Any) -> None:
    script = (
        "import sys; from pathlib import Path; from llmops.prompts import PromptRepository;"
        f"PromptRepository(Path({str(released.root)!r})).get('answer@1.0.0');"
        "print([name for name in sys.modules if '.lint' in name or '.comparison' in name"
        " or '.release' in name or name == 'pydantic_settings'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
