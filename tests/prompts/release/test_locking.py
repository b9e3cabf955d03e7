"""`lock`: the least version that a change allows, written where it belongs, and nothing else."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

import pytest

from llmops.core.errors import DocumentError, NotFound, UsageError
from llmops.prompts.comparison.kinds import ChangeKind

MAJOR, MINOR, PATCH = ChangeKind.BREAKING, ChangeKind.BEHAVIOUR, ChangeKind.COSMETIC

INPUTS = "inputs:\n  - {name: question, kind: string, description: What is asked.}\n"
OPTIONAL = "  - {name: tone, kind: string, description: How., default: kind}\n"
REQUIRED = "  - {name: tone, kind: string, description: How.}\n"
OUTPUT = "outputs:\n  - {name: answer, kind: string}\n"


def changed(workshop: Any, old: str, new: str) -> None:
    text = workshop.text("answer")
    assert old in text
    workshop.put("answer.prompty", text.replace(old, new))


CHANGES = {
    "another description": ("description: Answers.", "description: Answers well.", "1.0.1"),
    "a tag": ("1.0.0}", "1.0.0, tags: [demo]}", "1.0.1"),
    "a comment in the front matter": ("---\nuser:", "# a note\n---\nuser:", "1.0.1"),
    "a comment in the body": ("user:\n", "user:\n{# a note #}", "1.0.1"),
    "blank lines at the end": ("</question>\n", "</question>\n\n\n", "1.0.1"),
    "white space in the front matter": ("---\ndesc", "---  \ndesc", "1.0.1"),
    "an input described": (INPUTS, INPUTS.replace("What is asked", "The question"), "1.0.1"),
    "wording": ("Answer shortly.", "Answer at length.", "1.1.0"),
    "a message": ("user:\n", "system:\nBe kind.\n\nuser:\n", "1.1.0"),
    "a model": (INPUTS, "model: {id: some/model}\n" + INPUTS, "1.1.0"),
    "a parameter": (INPUTS, "model: {options: {temperature: 0.5}}\n" + INPUTS, "1.1.0"),
    "an optional input": (INPUTS, INPUTS + OPTIONAL, "1.1.0"),
    "a required input": (INPUTS, INPUTS + REQUIRED, "2.0.0"),
    "an input removed": (INPUTS, INPUTS.replace("name: question", "name: asked"), "2.0.0"),
    "another kind": (INPUTS, INPUTS.replace("kind: string", "kind: integer"), "2.0.0"),
    "an output schema": (INPUTS, INPUTS + OUTPUT, "2.0.0"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_version_is_the_least_that_the_change_allows(change: str, workshop: Any) -> None:
    old, new, version = CHANGES[change]
    workshop.release("answer", "Answer shortly.")
    changed(workshop, old, new)
    if "name: asked" in new:
        changed(workshop, "{{ question }}", "{{ asked }}")
    assert workshop.versions() == {"answer": version}
    assert workshop.version("answer") == version
    assert workshop.check().clean


def test_the_output_schema_counts_by_who_reads_the_answer(workshop: Any) -> None:
    workshop.write("answer")
    changed(workshop, INPUTS, INPUTS + OUTPUT)
    workshop.lock()
    workshop.commit()
    changed(workshop, OUTPUT, OUTPUT + "  - {name: sure, kind: boolean}\n")
    assert workshop.versions() == {"answer": "1.1.0"}
    workshop.commit()
    changed(workshop, "kind: boolean", "kind: number")
    assert workshop.versions() == {"answer": "2.0.0"}


def test_a_new_prompt_keeps_the_version_it_says(workshop: Any) -> None:
    workshop.write("answer", version="0.3.0-beta.1")
    assert workshop.versions() == {"answer": "0.3.0-beta.1"}
    assert workshop.repository.get("answer@0.3.0-beta.1").version == "0.3.0-beta.1"


@pytest.mark.parametrize("written", ["1.1.0", "1.4.2", "3.0.0", "1.1.0-rc.1", "2.0.0-alpha.2"])
def test_a_version_in_the_file_that_is_large_enough_is_kept(written: str, workshop: Any) -> None:
    workshop.release("answer", "Answer shortly.")
    workshop.write("answer", "Answer at length.", version=written)
    for words in ("Answer at length.", "Answer in verse."):
        workshop.write("answer", words)
        assert workshop.versions() == {"answer": written}, "also after another edit of the draft"
        assert workshop.check().clean


@pytest.mark.parametrize("written", ["1.0.0", "1.0.1", "0.9.0", "1.0.1-rc.1"])
def test_a_version_in_the_file_that_is_too_small_is_raised(written: str, workshop: Any) -> None:
    workshop.release("answer", "Answer shortly.")
    workshop.write("answer", "Answer at length.", version=written)
    assert any("needs 1.1.0" in line for line in workshop.problems())
    assert workshop.versions() == {"answer": "1.1.0"}


@pytest.mark.parametrize(
    ("bump", "version"), [(PATCH, "1.1.0"), (MINOR, "1.1.0"), (MAJOR, "2.0.0")]
)
def test_a_larger_step_may_be_asked_for_and_a_smaller_one_not(
    bump: ChangeKind, version: str, workshop: Any
) -> None:
    workshop.release("answer", "Answer shortly.")
    workshop.write("other")
    workshop.write("answer", "Answer at length.")
    assert workshop.versions(bump=bump, names=["answer"]) == {"answer": version}
    assert workshop.check().problems[0].message == "`other` is not locked yet"
    workshop.lock()
    assert workshop.check().clean
    assert workshop.versions() == {}, "what was asked for stays"


def test_a_draft_that_is_edited_again_gets_no_further_version(released: Any) -> None:
    for words in ("Four.", "Five.", "Six."):
        released.write("answer", words)
        assert released.versions() == {"answer": "1.3.0"}
    released.write("answer", "Three.", description="Another.")
    result = released.lock()
    assert (str(result.steps[0].version), result.dropped) == ("1.2.1", ("answer@1.3.0",))
    assert [str(one.version) for one in released.locked.versions("answer")] == [
        "1.0.0",
        "1.1.0",
        "1.2.0",
        "1.2.1",
    ]


@pytest.mark.parametrize("version", ["1.0.0", "1.2.0", "7.0.0"])
def test_the_text_of_a_released_version_gets_its_number_again(version: str, released: Any) -> None:
    before = released.lock_file.read_bytes()
    released.write("answer", "Two.", version=version)
    (step,) = released.lock().steps
    assert (str(step.version), step.again) == ("1.1.0", True)
    assert released.version("answer") == "1.1.0"
    assert released.lock_file.read_bytes() == before
    assert released.check().clean
    assert released.repository.get("answer@^1").version == "1.2.0", "the newest is still the newest"


def test_a_revert_by_git_is_the_old_version_again(released: Any) -> None:
    released.git("checkout", "-q", "HEAD~1", "--", "prompts/answer.prompty")
    assert released.versions() == {}
    assert released.version("answer") == "1.1.0"
    released.commit()
    assert released.check(base="HEAD~1").clean


@pytest.mark.parametrize(
    ("before", "after"), [(b"\n", b"\r\n"), (b"\r\n", b"\n"), (b"---\n", b"\xef\xbb\xbf---\n")]
)
def test_other_line_ends_or_a_byte_order_mark_are_no_other_text(
    before: bytes, after: bytes, workshop: Any
) -> None:
    path = workshop.write("answer")
    if before == b"\r\n":
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    workshop.lock()
    workshop.commit()
    path.write_bytes(path.read_bytes().replace(before, after, 1 if b"-" in before else -1))
    with workshop.untouched():
        assert workshop.versions() == {}
        assert workshop.check().clean


SPELLINGS = {
    "windows": b"---\r\nmetadata: {version: 1.0.0}  # why\r\n---\r\nuser:\r\nA\r\n",
    "marked": b"\xef\xbb\xbf---\nmetadata: {version: 1.0.0}\n---\nuser:\nA\n",
    "marked windows": b"\xef\xbb\xbf---\r\nmetadata:\r\n  version: 1.0.0\r\n---\r\nuser:\r\nA\r\n",
    "quoted": b"---\nmetadata: {version: '1.0.0', tags: [a, b]}  # 1.0.0\n---\nuser:\nA 1.0.0\n",
    "doubly quoted": b'---\nmetadata:\n  # version: 1.0.0\n  version: "1.0.0"\n---\nuser:\nA\n',
    "no line end": b"---\nmetadata: {version: 1.0.0}\n---\nuser:\nA",
    "unicode": "---\ndescription: ö🤖\u2028\nmetadata: {version: 1.0.0}\n---\nuser:\nA\n".encode(),
    "anchored": b"---\nmetadata: {version: &v 1.0.0}\n---\nuser:\nA\n",
    "key order": b"---\nmetadata:\n  tags: []\n  version: 1.0.0\ndescription: d\n---\nuser:\nA\n",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_nothing_but_the_version_is_written_into_the_file(spelling: str, workshop: Any) -> None:
    raw = SPELLINGS[spelling]
    path = workshop.put("answer.prompty", raw)
    workshop.lock()
    workshop.commit()
    assert path.read_bytes() == raw
    edited = raw.replace(b"\nA", b"\nB")
    path.write_bytes(edited)
    assert workshop.versions() == {"answer": "1.1.0"}
    (place,) = [
        at
        for at in range(len(edited))
        if edited[:at] + b"1.1.0" + edited[at + 5 :] == path.read_bytes()
    ]
    assert edited[place : place + 5] == b"1.0.0"
    assert workshop.check().clean


def test_a_version_that_cannot_be_written_changes_nothing(workshop: Any) -> None:
    workshop.write("another")
    text = "---\n{aside}metadata: {{version: {version}}}\n---\nuser:\n{words}\n"
    workshop.put("answer.prompty", text.format(aside="", version="1.0.0", words="A"))
    workshop.lock()
    workshop.commit()
    workshop.write("another", "Changed.")
    aside = "description: &v 1.0.0\n"
    workshop.put("answer.prompty", text.format(aside=aside, version="*v", words="B"))
    with workshop.untouched(), pytest.raises(UsageError, match="version") as told:
        workshop.lock()
    assert str(told.value).startswith(str(workshop.root / "answer.prompty:3"))


def test_a_partial_or_examples_that_change_give_their_prompts_a_version(workshop: Any) -> None:
    workshop.put("shared/tone.jinja", "Be kind.\n")
    workshop.put("shots.jsonl", '{"q": "a"}\n')
    workshop.write("plain")
    workshop.write("toned", '{% include "shared/tone" %}')
    shots = "{% for one in examples %}{{ one.q }}{% endfor %}"
    workshop.put(
        "shown.prompty",
        f"---\nmetadata: {{version: 1.0.0}}\nexamples: shots.jsonl\n---\nuser:\n{shots}\n",
    )
    workshop.lock()
    workshop.commit()
    (part,) = workshop.locked.versions("toned")[0].parts
    assert part.path == "shared/tone.jinja"
    assert part.blob == workshop.git("rev-parse", "HEAD:prompts/shared/tone.jinja")
    assert part.content.startswith("sha256:")
    workshop.put("shared/tone.jinja", "Be kind.{# or else #}\n")
    workshop.put("shots.jsonl", '{"q": "b"}\n')
    assert workshop.versions() == {"shown": "1.1.0", "toned": "1.0.1"}
    workshop.commit()
    workshop.put("shared/tone.jinja", "Be kind.\n")
    assert workshop.versions() == {"toned": "1.0.0"}, "the same content, the same version"
    old = workshop.repository.get("shown@1.0.0").render()
    new = workshop.repository.get("shown@1.1.0").render()
    assert (old[0].content, new[0].content) == ("a", "b")


def test_the_lock_file_is_written_only_if_it_says_something_else(released: Any) -> None:
    with released.untouched():
        assert released.lock().steps == ()
        released.lock(names=["answer"])
        released.lock(bump=MAJOR)


def test_only_the_named_prompts_are_locked(released: Any) -> None:
    released.write("answer", "Four.")
    released.write("support/triage", "Sort them.")
    assert released.versions(names=["support/triage"]) == {"support/triage": "1.1.0"}
    assert released.version("answer") == "1.2.0"
    with released.untouched(), pytest.raises(NotFound) as told:
        released.lock(names=["anser"])
    assert told.value.hint == "did you mean `answer`?"


def test_a_draft_of_a_prompt_that_is_gone_is_dropped_and_its_history_stays(released: Any) -> None:
    released.write("brief")
    released.write("answer", "Four.")
    released.lock()
    for name in ("brief", "answer"):
        (released.root / f"{name}.prompty").unlink()
    assert released.lock().dropped == ("answer@1.3.0", "brief@1.0.0")
    assert released.locked.names() == ["answer", "support/triage"]
    assert released.check().clean
    assert released.repository.get("answer@^1").version == "1.2.0"


def test_drafts_count_from_the_branch_that_is_named(released: Any) -> None:
    released.git("checkout", "-q", "-b", "side")
    released.release("answer", "Four.")
    released.write("answer", "Five.")
    assert released.versions(base="main") == {"answer": "1.3.0"}, "1.3.0 is on no released branch"
    assert released.check().problems[0].rule == "lock", "for HEAD it is released"
    assert released.check(base="main").clean
    released.commit()
    assert released.check(base="main").clean


@pytest.mark.parametrize(
    "broken",
    [
        b"---\nmetadata: {version: 1.0}\n---\nuser:\nA\n",
        b"---\nmetadata: {version: 1.0.0\n---\nuser:\nA\n",
        b"---\nmetadata: {version: 1.0.0}\n---\nuser:\n{{ nobody }}\n",
        b"---\nmetadata: {version: 1.0.0}\n---\nuser:\n{% include 'nowhere' %}\n",
        b"---\nmetadata: {version: 1.0.0}\n---\nuser:\n\xff\n",
        b"",
    ],
)
def test_a_broken_prompt_keeps_all_from_being_locked(broken: bytes, released: Any) -> None:
    released.write("answer", "Four.")
    released.put("zzz.prompty", broken)
    with released.untouched(), pytest.raises(DocumentError) as told:
        released.lock()
    assert "zzz.prompty" in str(told.value)
    with released.untouched():
        assert not released.check().clean


def test_a_lock_file_that_cannot_be_written_leaves_all_as_it_was(released: Any) -> None:
    released.write("answer", "Four.")
    released.lock_file.unlink()
    released.lock_file.mkdir()
    with released.untouched(), pytest.raises(DocumentError, match=r"prompts\.lock"):
        released.lock()
    released.lock_file.rmdir()
    released.git("checkout", "-q", "--", "prompts/prompts.lock")
    assert released.versions() == {"answer": "1.3.0"}
    assert released.check().clean


KILLED = """
import os, signal, sys
from pathlib import Path
from llmops.prompts import PromptRepository
from llmops.prompts.release import locking
from llmops.prompts.release.locking import lock_prompts

write, left = locking.write_text, int(sys.argv[2])

def write_some(path, text):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    write(path, text)

locking.write_text = write_some
lock_prompts(PromptRepository(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("writes", [1, 3])
def test_killed_half_way_it_does_the_rest_when_it_is_run_again(writes: int, workshop: Any) -> None:
    for name in ("a", "b", "c"):
        workshop.release(name, "One.")
    for name in ("a", "b"):
        workshop.write(name, "Two.")
    workshop.write("c", "One.", version="4.0.0")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(workshop.root), str(writes)], check=False
    )
    assert done.returncode == -signal.SIGKILL
    left = [path.name for path in workshop.root.iterdir() if path.name.startswith(".prompts")]
    assert left == []
    assert workshop.check().problems
    workshop.lock()
    assert {name: workshop.version(name) for name in "abc"} == {
        "a": "1.1.0",
        "b": "1.1.0",
        "c": "1.0.0",
    }
    assert workshop.check().clean
    workshop.write("a", "Three.", description="Others.")
    assert workshop.versions() == {"a": "1.1.0"}, "nobody asked for that number"


AT_ONCE = """
from pathlib import Path
from llmops.prompts import PromptRepository
from llmops.prompts.release import lock_prompts
root, name = sys.argv[1:]
ready()
lock_prompts(PromptRepository(Path(root)), names=[name])
"""


def test_two_at_once_lose_nothing(workshop: Any, race: Any) -> None:
    names = [f"p{number}" for number in range(3)]
    for name in names:
        workshop.write(name)
    workshop.lock()
    workshop.commit()
    for name in names:
        workshop.write(name, "Two.")
    assert race(AT_ONCE, *([workshop.root, name] for name in names)) == [0, 0, 0]
    assert {name: workshop.version(name) for name in names} == dict.fromkeys(names, "1.1.0")
    assert workshop.check().clean


def test_a_larger_step_may_be_asked_for_once_the_draft_is_locked(workshop: Any) -> None:
    workshop.release("answer", "One.")
    workshop.write("answer", "Two.")
    assert workshop.versions() == {"answer": "1.1.0"}
    assert workshop.versions(bump=MAJOR) == {"answer": "2.0.0"}
    assert workshop.versions(bump=MAJOR) == {}
    assert workshop.versions() == {}
    assert [str(one.version) for one in workshop.repository.lock().versions("answer")] == [
        "1.0.0",
        "2.0.0",
    ]
    assert workshop.check().clean


def test_a_released_version_is_not_raised_by_asking(workshop: Any) -> None:
    workshop.release("answer", "One.")
    with workshop.untouched():
        assert workshop.versions(bump=MAJOR) == {}


def test_a_candidate_becomes_the_release_with_the_same_text(workshop: Any) -> None:
    workshop.release("answer", "One.")
    workshop.release("answer", "Two.", version="1.1.0-rc.1")
    workshop.write("answer", "Two.", version="1.1.0")
    assert workshop.versions() == {"answer": "1.1.0"}
    workshop.commit()
    workshop.write("answer", "Two.", version="1.2.0")
    assert workshop.versions() == {"answer": "1.1.0"}


def moved(workshop: Any) -> Any:
    workshop.git("mv", "prompts", "elsewhere")
    return type(workshop)(workshop.top, folder="elsewhere")


def begun_anew(workshop: Any) -> Any:
    workshop.git("checkout", "-q", "--orphan", "anew")
    return workshop


@pytest.mark.parametrize("change", [moved, begun_anew])
def test_a_released_version_survives_where_head_has_no_lock(change: Any, released: Any) -> None:
    known = [str(one.version) for one in released.repository.lock().versions("answer")]
    there = change(released)
    there.write("answer", "Other words.")
    assert there.versions() == {"answer": "1.3.0"}
    kept = [str(one.version) for one in there.repository.lock().versions("answer")]
    assert kept == [*known, "1.3.0"]
    there.write("answer", "And others.")
    assert there.versions() == {"answer": "1.3.0"}, "what no commit has is a draft"


def test_a_damaged_repository_releases_nothing_anew(released: Any) -> None:
    released.write("answer", "Other words.")
    (released.top / ".git" / "objects").rename(released.top / ".git" / "gone")
    (released.top / ".git" / "objects").mkdir()
    before = released.lock_file.read_bytes()
    with pytest.raises(UsageError, match=r"is damaged|failed"):
        released.lock()
    assert released.lock_file.read_bytes() == before
