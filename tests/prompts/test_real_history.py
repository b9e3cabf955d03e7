"""The whole path on real prompts: import, fifty commits on two branches, a merge, and every ref.

The prompts are those of `tests/data/prompts`, whose README says where they come
from. What each ref has to give is asked of git itself.
"""

from __future__ import annotations

import copy
import random
import re
import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterable
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from llmops.cli.app import app
from llmops.core.errors import DocumentError
from llmops.prompts import PromptRepository
from llmops.prompts.release.bundle import PromptBundle, write_bundle
from llmops.prompts.release.checking import check_prompts
from llmops.prompts.release.locking import lock_prompts
from llmops.prompts.release.promotion import promote
from llmops.prompts.versions import Version

DATA = Path(__file__).parent.parent / "data" / "prompts"

POLICY, MANNER = "shared/policy", "shared/manner"
"""Partials; each branch edits one."""

MAJOR, MINOR, PATCH = "major", "minor", "patch"
Head = dict[str, Any]
Edit = Callable[[Head, str, int], tuple[Head, str]]

# --- Edits of a `.prompty` text, and the step that each needs ------------------------------


def _described(head: Head, body: str, number: int) -> tuple[Head, str]:
    return {**head, "description": f"As of review {number}."}, body


def _tagged(head: Head, body: str, number: int) -> tuple[Head, str]:
    return {**head, "metadata": {**head["metadata"], "tags": [f"batch-{number}"]}}, body


def _commented(head: Head, body: str, number: int) -> tuple[Head, str]:
    return head, f"{{# Looked at in round {number}. #}}\n{body}"


def _spaced(head: Head, body: str, number: int) -> tuple[Head, str]:
    return head, body + "\n" * number


def _reworded(head: Head, body: str, number: int) -> tuple[Head, str]:
    return head, f"{body.rstrip()}\nMind rule {number}: «always».\n"


def _sampled(head: Head, body: str, number: int) -> tuple[Head, str]:
    options = {**head["model"]["options"], "maxOutputTokens": 100 + number}
    return {**head, "model": {**head["model"], "options": options}}, body


def _other_model(head: Head, body: str, number: int) -> tuple[Head, str]:
    return {**head, "model": {**head["model"], "id": f"lab/model-{number}"}}, body


def _optional_input(head: Head, body: str, number: int) -> tuple[Head, str]:
    return _with_input(head, body, {"name": f"extra_{number}", "kind": "string", "default": "…"})


def _required_input(head: Head, body: str, number: int) -> tuple[Head, str]:
    return _with_input(head, body, {"name": f"extra_{number}", "kind": "integer"})


def _with_input(head: Head, body: str, declared: Head) -> tuple[Head, str]:
    inputs = [*head.get("inputs", []), declared]
    return {**head, "inputs": inputs}, f"{body.rstrip()}\nAlso: {{{{ {declared['name']} }}}}\n"


def _without_input(head: Head, body: str, number: int) -> tuple[Head, str]:
    gone = next(one for one in head["inputs"] if one["name"].startswith("extra_"))
    inputs = [one for one in head["inputs"] if one is not gone]
    return {**head, "inputs": inputs}, body.replace(f"Also: {{{{ {gone['name']} }}}}", "Also:")


def _answers_in_json(head: Head, body: str, number: int) -> tuple[Head, str]:
    return {**head, "outputs": [{"name": f"answer_{number}", "kind": "string"}]}, body


def _one_output_more(head: Head, body: str, number: int) -> tuple[Head, str]:
    more = {"name": f"reason_{number}", "kind": "string"}
    return {**head, "outputs": [*head["outputs"], more]}, body


def _has_an_extra_input(head: Head) -> bool:
    return any(one["name"].startswith("extra_") for one in head.get("inputs", []))


EDITS: tuple[tuple[Edit, str, Callable[[Head], bool]], ...] = (
    (_described, PATCH, lambda head: True),
    (_tagged, PATCH, lambda head: True),
    (_commented, PATCH, lambda head: True),
    (_spaced, PATCH, lambda head: True),
    (_reworded, MINOR, lambda head: True),
    (_reworded, MINOR, lambda head: True),
    (_sampled, MINOR, lambda head: True),
    (_other_model, MINOR, lambda head: True),
    (_optional_input, MINOR, lambda head: True),
    (_one_output_more, MINOR, lambda head: "outputs" in head),
    (_required_input, MAJOR, lambda head: True),
    (_without_input, MAJOR, _has_an_extra_input),
    (_answers_in_json, MAJOR, lambda head: "outputs" not in head),
)
"""An edit, the step it needs, and where it can be made."""


def taken_apart(text: str) -> tuple[Head, str]:
    _, front, body = re.split(r"^---\n", text, maxsplit=2, flags=re.MULTILINE)
    return yaml.safe_load(front), body


def put_together(head: Head, body: str) -> str:
    front = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=10_000)
    return f"---\n{front}---\n{body}"


def step_up(version: Version, step: str) -> Version:
    if step == MAJOR:
        return Version(version.major + 1, 0, 0)
    if step == MINOR:
        return Version(version.major, version.minor + 1, 0)
    return Version(version.major, version.minor, version.patch + 1)


# --- A history, as it happens --------------------------------------------------------------


@dataclass(frozen=True)
class Made:
    """A version, and the commit with which it came."""

    commit: str
    unnumbered: str
    """The file's text without its number."""


@dataclass
class Told:
    """What a branch has to know of its prompts when all refs are asked."""

    versions: dict[str, dict[Version, Made]] = field(default_factory=dict)
    aliases: dict[tuple[str, str], Version] = field(default_factory=dict)
    behind: set[str] = field(default_factory=set)
    """Prompts whose file is not their newest version."""


class Replay:
    """Two people at work on one repository; every commit is locked, as the docs ask for."""

    def __init__(self, top: Path):
        self.top = top
        self.root = top / "prompts"
        self.chance = random.Random(20260801)
        self.count = 0
        self.told = Told()
        self.commits: list[str] = []
        self.touched: dict[str, set[str]] = {}
        """By commit, the prompts whose files it changed."""

    @property
    def repository(self) -> PromptRepository:
        return PromptRepository(self.root)

    def run(self, *words: str, given: bytes = b"") -> bytes:
        command = ["git", "-C", str(self.top), *words]
        return subprocess.run(command, input=given, check=True, capture_output=True).stdout

    def git(self, *words: str) -> str:
        return self.run(*words).decode().strip()

    def path(self, name: str) -> Path:
        return self.root / f"{name}.prompty"

    def text(self, name: str) -> str:
        return self.path(name).read_bytes().decode()

    def write(self, name: str, text: str) -> None:
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_bytes(text.encode())

    def begin(self) -> None:
        """The first commit: everything that was imported."""
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "Ada Lovelace")
        self.git("config", "user.email", "ada@example.org")
        import_all(self.top)
        for partial in (POLICY, MANNER):
            self.edit_partial(partial, [])
        self.lock_and_commit(dict.fromkeys(self.repository.names(), Version(1, 0, 0)))

    def work(self, commits: int, *, mine: Callable[[str], bool], partial: str) -> None:
        """So many commits, on prompts that are `mine`; `partial` is theirs alone."""
        for _ in range(commits):
            names = [name for name in self.repository.names() if mine(name)]
            expected: dict[str, Version] = {}
            if self.chance.random() < 0.15:
                expected |= self.edit_partial(partial, names)
            else:
                for name in self.chance.sample(names, 3):
                    expected |= self.act(name)
            self.lock_and_commit(expected)
            if self.chance.random() < 0.4:
                self.move_an_alias(names)

    def act(self, name: str) -> dict[str, Version]:
        """One thing that happens to a prompt; the version that comes of it."""
        self.count += 1
        included = "{% include" in self.text(name)
        match self.chance.choices(
            ("edit", "include", "add", "remove", "rename", "take back"), (60, 8, 8, 4, 6, 6)
        )[0]:
            case "include" if not included and name not in self.told.behind:
                head, body = taken_apart(self.text(name))
                include = f'{{% include "{POLICY if on_main(name) else MANNER}" %}}'
                self.write(name, put_together(head, f"{body.rstrip()}\n{include}\n"))
                return {name: self.next(name, MINOR)}
            case "add":
                added = self.new_name(f"team/{name.split('/')[0]}-{self.count:03}", like=name)
                head, body = taken_apart(self.text(name))
                head = {**head, "metadata": {"version": "1.0.0"}}
                self.write(added, put_together(head, f"{body.rstrip()}\nNew {self.count}.\n"))
                return {added: Version(1, 0, 0)}
            case "remove":
                self.path(name).unlink()
                self.told.behind.discard(name)
                return {}
            case "rename" if name not in self.told.behind:
                renamed = f"{name}-as-of-{self.count}"
                self.path(name).rename(self.path(renamed))
                head, _ = taken_apart(self.text(renamed))
                return {renamed: Version.parse(head["metadata"]["version"])}
            case "take back" if not included and len(self.told.versions[name]) > 1:
                version, made = self.chance.choice(sorted(self.told.versions[name].items()))
                if "{% include" not in made.unnumbered:
                    head, _ = taken_apart(self.text(name))
                    self.write(name, numbered(made.unnumbered, head["metadata"]["version"]))
                    return {name: version}
        return self.edit(name)

    def new_name(self, wanted: str, *, like: str) -> str:
        """A name that the same people work on."""
        return next(
            f"{wanted}{mark}" for mark in "abcdefgh" if on_main(f"{wanted}{mark}") == on_main(like)
        )

    def edit(self, name: str) -> dict[str, Version]:
        head, body = taken_apart(self.text(name))
        possible = [(edit, step) for edit, step, can in EDITS if can(head)]
        edit, step = self.chance.choice(possible)
        if name in self.told.behind:
            # Held against the newest version, only this one is sure to be what it seems.
            edit, step = _required_input, MAJOR
        self.write(name, put_together(*edit(head, body, self.count)))
        return {name: self.next(name, step)}

    def edit_partial(self, partial: str, names: Iterable[str]) -> dict[str, Version]:
        self.count += 1
        path = self.root / f"{partial}.jinja"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"House rule {self.count}: be brief.\n")
        include = f'{{% include "{partial}" %}}'
        return {name: self.next(name, MINOR) for name in names if include in self.text(name)}

    def next(self, name: str, step: str) -> Version:
        return step_up(max(self.told.versions[name]), step)

    def move_an_alias(self, names: list[str]) -> None:
        """Released versions are promoted in commits of their own, as a reviewed act."""
        name = self.chance.choice([one for one in names if self.path(one).exists()])
        alias = self.chance.choice(["production", "staging"])
        version = self.chance.choice(sorted(self.told.versions[name]))
        promote(self.repository, name, str(version), to=alias, why="for the test", force=True)
        self.told.aliases[name, alias] = version
        self.commit(f"Point {alias} of {name} to {version}", set())

    def lock_and_commit(self, expected: dict[str, Version]) -> None:
        lock_prompts(self.repository)
        commit = self.commit(f"Work on {len(expected)} prompts", set(expected))
        for name, version in expected.items():
            text = self.text(name)
            assert taken_apart(text)[0]["metadata"]["version"] == str(version)
            versions = self.told.versions.setdefault(name, {})
            versions.setdefault(version, Made(commit, unnumbered(text)))
            self.told.behind.discard(name)
            if version != max(versions):
                self.told.behind.add(name)

    def commit(self, message: str, touched: set[str]) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        self.commits.append(self.git("rev-parse", "HEAD"))
        self.touched[self.commits[-1]] = touched
        return self.commits[-1]

    def merge(self, branch: str, told: Told) -> None:
        """Merge a branch that touched other prompts; git finds nothing to ask."""
        mine, theirs = (
            set(self.git("show", f"{one}:prompts/prompts.lock").splitlines())
            for one in ("main", branch)
        )
        self.git("merge", "-q", "--no-edit", branch)
        self.commits.append(self.git("rev-parse", "HEAD"))
        self.touched[self.commits[-1]] = set()
        lock_path = self.repository.lock_path
        merged = [line for line in lock_path.read_text().splitlines() if line]
        assert sorted(merged) == sorted(line for line in mine | theirs if line)
        assert check_prompts(self.repository).problems == ()
        assert lock_prompts(self.repository).steps == ()
        for name, versions in told.versions.items():
            self.told.versions.setdefault(name, {}).update(versions)
        self.told.aliases |= {
            key: version for key, version in told.aliases.items() if on_branch(key[0])
        }
        self.told.behind = {one for one in self.told.behind if on_main(one)} | {
            one for one in told.behind if on_branch(one)
        }

    def show(self, wanted: Iterable[str]) -> dict[str, bytes]:
        """What `git show` gives for each `COMMIT:path`, all of them by one process."""
        names = list(dict.fromkeys(wanted))
        told = self.run("cat-file", "--batch", given="\n".join([*names, ""]).encode())
        found = {}
        for name in names:
            head, _, told = told.partition(b"\n")
            size = int(head.split()[-1])
            found[name], told = told[:size], told[size + 1 :]
        return found


_NUMBER = re.compile(r"^(metadata:\n  version: ).+$", re.MULTILINE)


def unnumbered(text: str) -> str:
    return numbered(text, "?")


def numbered(text: str, version: str) -> str:
    changed, count = _NUMBER.subn(rf"\g<1>{version}", text, count=1)
    assert count == 1, text[:200]
    return changed


def import_all(top: Path) -> None:
    """Take all real prompts into `top/prompts`, with the command."""
    (top / "prompts").mkdir()
    sources = [(DATA / "promptfoo", []), (DATA / "github", ["--into", "lm-eval/"])]
    sources += [(path, ["--into", "langchain/"]) for path in sorted(DATA.glob("langchain/*.json"))]
    with chdir(top):
        for source, options in sources:
            ran = CliRunner().invoke(app, ["prompt", "import", str(source), *options])
            assert ran.exit_code == 0, (source, ran.output, ran.exception)


def on_main(name: str) -> bool:
    """Whether a prompt, whatever it was renamed to, is worked on by the people on main."""
    return zlib.crc32(name.split("-as-of-")[0].encode()) % 2 == 0


def on_branch(name: str) -> bool:
    return not on_main(name)


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Replay:
    """The repository after some sixty commits, two branches and their merge."""
    made = Replay(tmp_path_factory.mktemp("project"))
    made.begin()
    made.work(6, mine=lambda _: True, partial=POLICY)
    fork = copy.deepcopy(made.told)
    made.git("switch", "-q", "-c", "feature")
    made.work(20, mine=on_branch, partial=MANNER)
    feature, made.told = made.told, fork
    made.git("switch", "-q", "main")
    made.work(20, mine=on_main, partial=POLICY)
    made.merge("feature", feature)
    made.work(6, mine=lambda _: True, partial=POLICY)
    return made


def test_the_history_is_a_real_one(replay: Replay) -> None:
    assert int(replay.git("rev-list", "--count", "HEAD")) > 50
    assert replay.git("rev-list", "--merges", "--count", "HEAD") == "1"
    imported = replay.git("ls-tree", "-r", "--name-only", replay.commits[0], "prompts/")
    assert imported.count(".prompty") >= 250
    names = replay.told.versions.keys()
    for mine in (on_main, on_branch):
        assert sum(name.startswith("team/") for name in filter(mine, names)) > 2
    assert any("-as-of-" in name for name in names)
    assert any(not replay.path(name).exists() for name in names)
    assert sum(len(versions) - 1 for versions in replay.told.versions.values()) > 80


def test_every_locked_version_is_the_text_of_its_commit(replay: Replay) -> None:
    repository = replay.repository
    lock = repository.lock()
    assert lock.names() == sorted(replay.told.versions)
    for name, made in replay.told.versions.items():
        assert [one.version for one in lock.versions(name)] == sorted(made)
    shown = replay.show(
        f"{one.commit}:prompts/{name}.prompty"
        for name, versions in replay.told.versions.items()
        for one in versions.values()
    )
    for name, versions in replay.told.versions.items():
        for version, one in versions.items():
            found = repository.get(f"{name}@{version}")
            assert found.source.encode() == shown[f"{one.commit}:prompts/{name}.prompty"]
            assert found.version == str(version)


def test_the_partials_of_a_version_are_those_of_its_commit(replay: Replay) -> None:
    repository = replay.repository
    lock = repository.lock()
    composed = [
        (one, replay.told.versions[name][one.version].commit, part.path)
        for name in lock.names()
        for one in lock.versions(name)
        for part in one.parts
    ]
    assert len({path for _, _, path in composed}) == 2
    shown = replay.show(f"{commit}:prompts/{path}" for _, commit, path in composed)
    texts = repository.texts(one for one, _, _ in composed)
    for one, commit, path in composed:
        assert texts[one][path] == shown[f"{commit}:prompts/{path}"]
        rule = texts[one][path].decode().strip()
        assert rule in repository.load(one).template.composition.partials[path[:-6]].source.text


def test_a_range_is_its_newest_version(replay: Replay) -> None:
    repository = replay.repository
    for name, versions in replay.told.versions.items():
        for major in {version.major for version in versions}:
            newest = max(version for version in versions if version.major == major)
            assert repository.get(f"{name}@^{major}").version == str(newest)


def test_an_alias_is_the_version_that_it_was_pointed_to(replay: Replay) -> None:
    repository = replay.repository
    assert len(replay.told.aliases) > 5
    for (name, alias), version in replay.told.aliases.items():
        made = replay.told.versions[name][version]
        shown = replay.run("show", f"{made.commit}:prompts/{name}.prompty")
        assert repository.get(f"{name}@{alias}").source.encode() == shown


def test_a_digest_is_a_version_with_that_content(replay: Replay) -> None:
    repository = replay.repository
    lock = repository.lock()
    for name in lock.names():
        for one in lock.versions(name):
            found = repository.get(f"{name}@{one.content}")
            assert found.fingerprint == one.content
            newest = max(
                each.version for each in lock.versions(name) if each.content == one.content
            )
            assert found.version == str(newest)


def test_a_git_revision_is_the_file_of_then(replay: Replay) -> None:
    repository = replay.repository
    wanted = [
        (commit, name)
        for commit, names in replay.touched.items()
        if commit != replay.commits[0]
        for name in sorted(names)
    ]
    shown = replay.show(f"{commit}:prompts/{name}.prompty" for commit, name in wanted)
    for commit, name in wanted:
        found = repository.get(f"{name}@git:{commit}")
        assert found.source.encode() == shown[f"{commit}:prompts/{name}.prompty"]
        assert repository.get(f"{name}@{found.version}").source == found.source


def test_the_whole_history_checks_out_against_where_it_began(replay: Replay) -> None:
    found = check_prompts(replay.repository, base=replay.commits[0])
    assert found.problems == ()
    assert found.clean
    assert replay.git("status", "--porcelain") == ""


def test_nothing_is_checked_out_and_nothing_is_written_by_asking(replay: Replay) -> None:
    before = {path: path.stat().st_mtime_ns for path in replay.top.rglob("*") if path.is_file()}
    repository = replay.repository
    name, versions = max(replay.told.versions.items(), key=lambda one: len(one[1]))
    for version, made in versions.items():
        repository.get(f"{name}@{version}")
        repository.get(f"{name}@git:{made.commit}")
    check_prompts(repository, base="HEAD~5")
    assert {
        path: path.stat().st_mtime_ns for path in replay.top.rglob("*") if path.is_file()
    } == before


def test_a_bundle_gives_every_version_that_git_gives(replay: Replay, tmp_path: Path) -> None:
    repository = replay.repository
    keep = [
        f"{name}@{version}"
        for name, versions in replay.told.versions.items()
        for version in versions
        if len(versions) > 1
    ]
    write_bundle(repository, tmp_path / "all.bundle", keep=keep)
    bundle = PromptBundle(tmp_path / "all.bundle")
    for ref in [*keep, *(f"{name}@{alias}" for name, alias in replay.told.aliases)]:
        assert bundle.get(ref).source == repository.get(ref).source


def test_two_branches_that_changed_the_same_prompt_are_put_right_as_the_message_says(
    replay: Replay, tmp_path: Path
) -> None:
    ours = copy.copy(replay)
    ours.top, ours.root = tmp_path / "project", tmp_path / "project" / "prompts"
    shutil.copytree(replay.top, ours.top)
    name = next(
        name
        for name, versions in replay.told.versions.items()
        if ours.path(name).exists() and name not in replay.told.behind and len(versions) > 2
    )
    released = max(replay.told.versions[name])
    following, after_that = step_up(released, MINOR), step_up(step_up(released, MINOR), MINOR)
    texts = {}
    for branch, edit in (("left", _reworded), ("right", _sampled)):
        ours.git("switch", "-q", "-c", branch, "main")
        ours.write(name, put_together(*edit(*taken_apart(ours.text(name)), 999)))
        lock_prompts(ours.repository)
        ours.git("commit", "-qam", branch)
        texts[branch] = ours.text(name)
        assert taken_apart(texts[branch])[0]["metadata"]["version"] == str(following)
    ours.git("switch", "-q", "main")
    ours.git("merge", "-q", "--ff-only", "left")
    ours.git("switch", "-q", "right")
    ours.git("merge", "-q", "--no-edit", "main")
    lock_path = ours.repository.lock_path
    with pytest.raises(DocumentError, match="stands twice") as caught:
        lock_prompts(ours.repository)
    assert "--base BRANCH" in (caught.value.hint or "")
    assert check_prompts(ours.repository).problems != ()

    theirs = set(ours.git("show", "main:prompts/prompts.lock").splitlines())
    kept = [
        line
        for line in lock_path.read_text().splitlines()
        if not line.startswith(f'{{"prompt": "{name}"') or line in theirs
    ]
    lock_path.write_text("\n".join(kept) + "\n")
    lock_prompts(ours.repository, base="main")
    ours.git("commit", "-qam", "Keep both changes")

    repository = ours.repository
    assert check_prompts(repository, base="main").problems == ()
    assert repository.get(f"{name}@{following}").source == texts["left"]
    both = repository.get(f"{name}@{after_that}")
    assert both.source == ours.text(name)
    assert "Mind rule 999" in both.source
    assert both.sampling.max_tokens == 1099
