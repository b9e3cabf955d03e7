"""Any sequence of edits: the lock is clean, bumps are the least allowed, no version is ever lost.

What an edit means is worked out here once more, from values and not from
files: a `Draft` is what an author had in mind, and `needed` says in the words of
semantic versions what its callers and its model notice of another one.
"""

from __future__ import annotations

import json
import random
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmops.prompts import PromptRepository
from llmops.prompts.comparison.kinds import ChangeKind
from llmops.prompts.release.checking import check_prompts
from llmops.prompts.release.locking import lock_prompts
from llmops.prompts.versions import Version

NAMES = ("answer", "support/answer", "support/triage")
TONE, SHOTS = "shared/tone.jinja", "shared/shots.jsonl"

MAJOR, MINOR, PATCH = ChangeKind.BREAKING, ChangeKind.BEHAVIOUR, ChangeKind.COSMETIC


@dataclass(frozen=True)
class Asked:
    """An input as its author thinks of it."""

    kind: str = "string"
    default: str | int | None = None
    """`None`: callers have to give it."""
    description: str = "Text."


@dataclass(frozen=True)
class Shared:
    """A file that prompts share: what the model reads of it, and what it does not."""

    says: int = 0
    note: int = 0


@dataclass(frozen=True)
class Draft:
    """A prompt as its author thinks of it."""

    description: int = 0
    tag: int = 0
    head_note: int = 0
    body_note: int = 0
    blank_lines: int = 0
    wording: int = 0
    temperature: int = 0
    model: int = 0
    inputs: tuple[tuple[str, Asked], ...] = (("i1", Asked()), ("i2", Asked(default="none")))
    outputs: tuple[tuple[str, str], ...] = (("o1", "string"), ("o2", "integer"))
    tone: Shared | None = None
    """The partial, where it is included."""
    shots: Shared | None = None
    """The examples file, where it is named."""

    def text(self, version: str) -> str:
        """The file."""
        lines = [
            "---",
            *([f"# note {self.head_note}"] if self.head_note else []),
            f"description: Purpose {self.description}.",
            "metadata:",
            f"  version: {version}",
            *([f"  tags: [t{self.tag}]"] if self.tag else []),
            "model:",
            f"  id: some/model-{self.model}",
            f"  options: {{temperature: 0.{self.temperature}}}",
            *([f"examples: {SHOTS}"] if self.shots else []),
            *(["inputs:"] if self.inputs else []),
            *(f"  - {_declared(name, asked)}" for name, asked in self.inputs),
            *(["outputs:"] if self.outputs else []),
            *(f"  - {{name: {name}, kind: {kind}}}" for name, kind in self.outputs),
            "---",
            *([f"{{# aside {self.body_note} #}}"] if self.body_note else []),
            "system:",
            f"Wording {self.wording}.",
            *(['{% include "shared/tone" %}'] if self.tone else []),
            "",
            "user:",
            "Go.",
            *(f"<{name}>{{{{ {name} }}}}</{name}>" for name, _ in self.inputs),
            *(["{% for one in examples %}{{ one.q }} {% endfor %}"] if self.shots else []),
        ]
        return "\n".join(lines) + "\n" * (1 + self.blank_lines)


def _declared(name: str, asked: Asked) -> str:
    default = "" if asked.default is None else f", default: {json.dumps(asked.default)}"
    return f"{{name: {name}, kind: {asked.kind}, description: {asked.description}{default}}}"


def tone_text(tone: Shared) -> str:
    note = f"{{# note {tone.note} #}}" if tone.note else ""
    return f"{note}Tone {tone.says}.\n"


def shots_text(shots: Shared) -> str:
    return "\n" * shots.note + json.dumps({"q": f"Question {shots.says}?"}) + "\n"


def needed(old: Draft, new: Draft) -> ChangeKind:
    """What the change asks for: the issue's rules, read off what the authors had in mind."""
    before, after = dict(old.inputs), dict(new.inputs)
    kept = before.keys() & after.keys()
    breaks = (
        bool(before.keys() - after.keys())
        or any(after[name].default is None for name in after.keys() - before.keys())
        or any(before[name].kind != after[name].kind for name in kept)
        or any(before[name].default is not None and after[name].default is None for name in kept)
        or bool(old.outputs) != bool(new.outputs)
        or any(dict(new.outputs).get(name) != kind for name, kind in old.outputs)
    )
    if breaks:
        return MAJOR
    return PATCH if _reaches_the_model(old) == _reaches_the_model(new) else MINOR


def _reaches_the_model(draft: Draft) -> object:
    return (
        draft.wording,
        draft.temperature,
        draft.model,
        [(name, asked.default) for name, asked in draft.inputs],
        draft.outputs,
        draft.tone and draft.tone.says,
        draft.shots and draft.shots.says,
    )


def next_version(version: Version, kind: ChangeKind) -> Version:
    if kind is MAJOR:
        return Version(version.major + 1, 0, 0)
    if kind is MINOR:
        return Version(version.major, version.minor + 1, 0)
    return Version(version.major, version.minor, version.patch + 1)


Edit = Callable[[Draft, int], Draft]


def _input(draft: Draft, name: str, asked: Asked | None) -> Draft:
    others = {each: found for each, found in draft.inputs if each != name}
    changed = others if asked is None else {**others, name: asked}
    return replace(draft, inputs=tuple(sorted(changed.items())))


def _change_input(draft: Draft, change: Callable[[Asked], Asked]) -> Draft:
    if not draft.inputs:
        return draft
    name, asked = draft.inputs[0]
    return _input(draft, name, change(asked))


def _other_kind(asked: Asked) -> Asked:
    kind = "integer" if asked.kind == "string" else "string"
    default = None if asked.default is None else (7 if kind == "integer" else "seven")
    return replace(asked, kind=kind, default=default)


def _other_default(asked: Asked, choice: int) -> Asked:
    return replace(asked, default=choice if asked.kind == "integer" else f"d{choice}")


def _output(draft: Draft, name: str, kind: str | None) -> Draft:
    others = {each: found for each, found in draft.outputs if each != name}
    changed = others if kind is None else {**others, name: kind}
    return replace(draft, outputs=tuple(sorted(changed.items())))


EDITS: dict[str, Edit] = {
    "description": lambda draft, choice: replace(draft, description=choice),
    "tag": lambda draft, choice: replace(draft, tag=choice),
    "comment in the front matter": lambda draft, choice: replace(draft, head_note=choice),
    "comment in the body": lambda draft, choice: replace(draft, body_note=choice),
    "blank lines at the end": lambda draft, choice: replace(draft, blank_lines=choice),
    "wording": lambda draft, choice: replace(draft, wording=choice),
    "sampling": lambda draft, choice: replace(draft, temperature=choice),
    "model": lambda draft, choice: replace(draft, model=choice),
    "required input": lambda draft, choice: _input(draft, f"i{choice}", Asked()),
    "optional input": lambda draft, choice: _input(draft, f"i{choice}", Asked(default="none")),
    "no input": lambda draft, choice: _input(draft, f"i{choice}", None),
    "kind of an input": lambda draft, _: _change_input(draft, _other_kind),
    "default of an input": lambda draft, choice: _change_input(
        draft, lambda asked: _other_default(asked, choice)
    ),
    "an input described": lambda draft, choice: _change_input(
        draft, lambda asked: replace(asked, description=f"Text {choice}.")
    ),
    "output": lambda draft, choice: _output(draft, f"o{choice}", "string"),
    "kind of an output": lambda draft, choice: _output(draft, f"o{choice}", "integer"),
    "no output": lambda draft, choice: _output(draft, f"o{choice}", None),
}
"""Changes to one prompt; the number chooses among a few, so that old texts come back."""


@dataclass
class History:
    """What has to be known of one prompt."""

    released: dict[Version, Draft] = field(default_factory=dict)
    draft: tuple[Version, Draft] | None = None
    """The version that is locked and not committed."""
    wish: Version | None = None
    """The number that a person wrote into the file, above what was needed."""
    written: dict[Version, dict[str, bytes]] = field(default_factory=dict)
    """The files of every locked version, byte for byte."""

    def expected(self, now: Draft, bump: ChangeKind | None) -> Version:
        """The version that `now` has to get."""
        if not self.released:
            return Version(1, 0, 0)
        for version, draft in self.released.items():
            if draft == now:
                return version
        newest = max(self.released)
        lowest = next_version(newest, needed(self.released[newest], now))
        as_it_is = self.draft and self.draft[1] == now
        if not bump and self.draft and as_it_is and self.wish in (None, self.draft[0]):
            return self.draft[0]
        asked = max(lowest, next_version(newest, bump)) if bump else lowest
        return max(asked, self.wish) if self.wish else asked


class Authors:
    """People who edit, lock and commit; what they do is checked at every lock."""

    def __init__(self, top: Path):
        self.top = top
        self.root = top / "prompts"
        (self.root / "shared").mkdir(parents=True)
        self.git("init", "-q")
        self.git("config", "user.name", "Ada")
        self.git("config", "user.email", "ada@example.org")
        self.tone, self.shots = Shared(), Shared()
        self.drafts: dict[str, Draft] = {}
        self.histories = {name: History() for name in NAMES}
        self._write_shared()
        for name in NAMES[:2]:
            self._write(name, Draft())

    def edit(self, name: str, edit: str, choice: int) -> None:
        """Change one prompt, or begin it."""
        self._write(name, EDITS[edit](self.drafts.get(name, Draft()), choice))

    def compose(self, name: str, tone: bool, shots: bool) -> None:
        """Include the partial and name the examples, or no longer."""
        draft = self.drafts.get(name, Draft())
        composed = replace(
            draft, tone=self.tone if tone else None, shots=self.shots if shots else None
        )
        self._write(name, composed)

    def edit_what_is_shared(self, tone: Shared, shots: Shared) -> None:
        """Change the partial and the examples, and with them all prompts that have them."""
        self.tone, self.shots = tone, shots
        self._write_shared()
        for name, draft in self.drafts.items():
            self.drafts[name] = replace(
                draft, tone=draft.tone and tone, shots=draft.shots and shots
            )

    def remove(self, name: str) -> None:
        """Delete a prompt's file, if it is there."""
        if self.drafts.pop(name, None):
            self._path(name).unlink()
            self.histories[name].wish = None

    def take_back(self, name: str, choice: int) -> None:
        """Put an earlier text back, with the partial and the examples of now."""
        released = list(self.histories[name].released.values())
        if released:
            draft = released[choice % len(released)]
            composed = replace(
                draft, tone=draft.tone and self.tone, shots=draft.shots and self.shots
            )
            self._write(name, composed)

    def ask_for(self, name: str, kind: ChangeKind) -> None:
        """Write a larger number into a prompt's file than it has."""
        history = self.histories[name]
        if name in self.drafts and history.released:
            number = next_version(max(history.released), kind)
            if history.draft is None or number != history.draft[0]:
                history.wish = number
                self._path(name).write_text(self.drafts[name].text(str(number)))

    def lock(self, bump: ChangeKind | None) -> None:
        """Lock, and hold the outcome against what was expected of it."""
        expected = {
            name: self.histories[name].expected(draft, bump) for name, draft in self.drafts.items()
        }
        lock_prompts(self._repository, bump=bump)
        for name, history in self.histories.items():
            self._remember(name, history, expected.get(name))
        self._is_as_expected(expected)
        found = check_prompts(self._repository)
        assert found.problems == ()
        assert found.clean
        before = _snapshot(self.root)
        assert lock_prompts(self._repository).steps == ()
        assert _snapshot(self.root) == before

    def commit(self) -> None:
        """Commit everything: what is locked is released."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "as it is")
        for history in self.histories.values():
            if history.draft:
                version, draft = history.draft
                history.released[version] = draft
            history.draft = history.wish = None

    def load_every_version(self) -> None:
        """Ask for all that was ever locked, by number and by content."""
        repository = self._repository
        lock = repository.lock()
        for name, history in self.histories.items():
            for version, files in history.written.items():
                locked = lock.version(name, version)
                assert locked is not None
                found = repository.get(f"{name}@{version}")
                assert found.source.encode() == files[f"{name}.prompty"]
                assert found.fingerprint == locked.content
                assert repository.texts([locked])[locked] == files
                assert repository.get(f"{name}@{locked.content}").fingerprint == locked.content

    def git(self, *words: str) -> None:
        subprocess.run(["git", "-C", str(self.top), *words], check=True, capture_output=True)

    @property
    def _repository(self) -> PromptRepository:
        """A new one each time, as for each command."""
        return PromptRepository(self.root)

    def _path(self, name: str) -> Path:
        return self.root / f"{name}.prompty"

    def _write(self, name: str, draft: Draft) -> None:
        """The file as its author would save it: the number is the one that it had."""
        path = self._path(name)
        version = _version_in(path) if path.exists() else "1.0.0"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(draft.text(version))
        self.drafts[name] = draft

    def _write_shared(self) -> None:
        (self.root / TONE).write_text(tone_text(self.tone))
        (self.root / SHOTS).write_text(shots_text(self.shots))

    def _remember(self, name: str, history: History, version: Version | None) -> None:
        draft = self.drafts.get(name)
        if history.draft and history.draft[0] != version:
            del history.written[history.draft[0]]
        if draft is None or version is None or version in history.released:
            history.draft = history.wish = None
            return
        history.draft = (version, draft)
        newest = max(history.released, default=None)
        if newest is not None:
            lowest = next_version(newest, needed(history.released[newest], draft))
            history.wish = version if version > lowest else None
        history.written[version] = {
            f"{name}.prompty": draft.text(str(version)).encode(),
            **({TONE: tone_text(draft.tone).encode()} if draft.tone else {}),
            **({SHOTS: shots_text(draft.shots).encode()} if draft.shots else {}),
        }

    def _is_as_expected(self, expected: dict[str, Version]) -> None:
        lock = self._repository.lock()
        for name, version in expected.items():
            assert self._path(name).read_text() == self.drafts[name].text(str(version))
        for name, history in self.histories.items():
            assert [one.version for one in lock.versions(name)] == sorted(history.written)


CHOICES = st.integers(min_value=0, max_value=2)
SHARED = st.builds(Shared, CHOICES, CHOICES)
KINDS = st.sampled_from([PATCH, MINOR, MAJOR])

ONE = st.sampled_from(NAMES)
NUMBERS = st.integers(min_value=1, max_value=3)
EDIT = st.tuples(st.just("edit"), ONE, st.sampled_from(sorted(EDITS)), NUMBERS)
ACTION = st.one_of(
    EDIT,
    EDIT,
    EDIT,
    st.tuples(st.just("take_back"), ONE, CHOICES),
    st.tuples(st.just("compose"), ONE, st.booleans(), st.booleans()),
    st.tuples(st.just("edit_what_is_shared"), SHARED, SHARED),
    st.tuples(st.just("remove"), ONE),
    st.tuples(st.just("ask_for"), ONE, KINDS),
)
STEP = st.sampled_from([None, None, None, PATCH, MINOR, MAJOR])
COMMITTED = st.sampled_from([True, True, False])
MOMENT = st.tuples(st.lists(ACTION, min_size=1, max_size=3), STEP, COMMITTED)
"""What is edited until the next lock, the step that is asked for, and whether it is committed."""


Moment = tuple[list[tuple[Any, ...]], ChangeKind | None, bool]


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(moments=st.lists(MOMENT, min_size=5, max_size=10))
def test_any_edits_lock_cleanly_with_the_least_bump_and_every_version_stays(
    moments: list[Moment],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        live(Authors(Path(folder)), moments)


@pytest.mark.parametrize("seed", range(8))
def test_a_long_history_locks_cleanly_with_the_least_bump_and_every_version_stays(
    seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    live(Authors(tmp_path), [_moment(chance) for _ in range(20)])


def live(authors: Authors, moments: list[Moment]) -> None:
    """Let it all happen; `Authors.lock` looks at the outcome each time."""
    for actions, bump, committed in moments:
        for action, *told in actions:
            getattr(authors, action)(*told)
        authors.lock(bump)
        if committed:
            authors.commit()
    authors.load_every_version()


def _moment(chance: random.Random) -> Moment:
    """Every edit is as likely as any other, which shrinking strategies do not give."""
    bump = chance.choice([None, None, None, PATCH, MINOR, MAJOR])
    return [_action(chance) for _ in range(chance.randint(1, 3))], bump, chance.random() < 0.7


def _action(chance: random.Random) -> tuple[Any, ...]:
    name, number = chance.choice(NAMES), chance.randint(0, 3)
    if chance.random() < 0.7:
        return "edit", name, chance.choice(sorted(EDITS)), number
    shared = Shared(chance.randint(0, 2), chance.randint(0, 2))
    return chance.choice(
        [
            ("take_back", name, number),
            ("compose", name, chance.random() < 0.7, chance.random() < 0.7),
            ("edit_what_is_shared", shared, Shared(number, chance.randint(0, 2))),
            ("remove", name),
            ("ask_for", name, chance.choice([PATCH, MINOR, MAJOR])),
        ]
    )


def _version_in(path: Path) -> str:
    (line,) = (line for line in path.read_text().splitlines() if line.startswith("  version: "))
    return line.removeprefix("  version: ")


def _snapshot(root: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
