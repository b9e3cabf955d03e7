"""Every kind of git repository that people have, and none at all."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from llmops.core.errors import DocumentError, NotFound, UsageError
from llmops.prompts.git import Git


def test_nothing_is_written_where_things_are_only_looked_at(released: Any) -> None:
    released.write("answer", "Four.")
    # As after a checkout: git would refresh its index now, if it were let.
    for path in released.root.rglob("*.prompty"):
        os.utime(path)
    with released.untouched():
        released.repository.get("answer@1.0.0").render(question="q")
        released.repository.get("answer@git:HEAD~1")
        assert not released.check().clean


def test_without_git_the_files_can_be_used_and_versions_cannot(
    released: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert released.repository.get("answer").version == "1.2.0"
    assert released.repository.get("answer@^1").version == "1.2.0", "the folder holds that text"
    for act in (
        lambda: released.repository.get("answer@1.0.0"),
        lambda: released.repository.get("answer@git:HEAD"),
        released.lock,
        released.check,
        lambda: released.promote("answer", "1.0.0"),
    ):
        with released.untouched(), pytest.raises(UsageError, match="git is not installed") as told:
            act()
        assert "bundle" in (told.value.hint or "")


def test_outside_of_a_git_repository_the_error_says_what_to_do(
    tmp_path: Path, workshop: Any
) -> None:
    alone = type(workshop)(tmp_path / "alone")
    alone.write("answer")
    for act in (alone.lock, alone.check, lambda: alone.repository.get("answer@git:HEAD")):
        with alone.untouched(), pytest.raises(UsageError, match="not in a git repository") as told:
            act()
        assert "git init" in (told.value.hint or "")
    assert alone.repository.get("answer").version == "1.0.0"


def test_before_the_first_commit_prompts_are_locked_and_no_revision_is_known(workshop: Any) -> None:
    workshop.write("answer")
    assert workshop.versions() == {"answer": "1.0.0"}
    assert workshop.check().clean
    for revision in ("HEAD", "main", "v1"):
        with pytest.raises(UsageError, match="no commit yet") as told:
            workshop.repository.get(f"answer@git:{revision}")
        assert "git commit" in (told.value.hint or "")
    with workshop.untouched(), pytest.raises(UsageError, match="no commit yet"):
        workshop.check(base="main")
    assert workshop.repository.get("answer@1.0.0").version == "1.0.0"


def test_a_revision_that_git_does_not_know_suggests_the_nearest(released: Any) -> None:
    released.git("tag", "release-2")
    with pytest.raises(NotFound, match="no git revision is named `release-3`") as told:
        released.repository.get("answer@git:release-3")
    assert told.value.hint == "did you mean `release-2`?"
    for act in (
        lambda: released.check(base="release-3"),
        lambda: released.lock(base="release-3"),
    ):
        with released.untouched(), pytest.raises(NotFound, match="release-3"):
            act()


@pytest.mark.parametrize("folder", ["prompts", "apps/the shop/prompts", "apps/größe/prompts"])
def test_the_folder_may_be_anywhere_in_the_repository(folder: str, workshop: Any) -> None:
    shop = type(workshop)(workshop.top, folder=folder)
    shop.put("shared/tone.jinja", "Be kind.\n")
    shop.release("answer", '{% include "shared/tone" %}')
    first = shop.text("answer")
    # What lies outside of the folder is none of its business.
    (shop.top / "answer.prompty").write_text("no prompt")
    (shop.top / "prompts.lock").write_text("no lock")
    shop.put("shared/tone.jinja", "Be brief.\n")
    shop.lock()
    shop.commit()
    assert shop.version("answer") == "1.1.0"
    assert shop.check(base="HEAD~1").clean
    for selector in ("1.0.0", "git:HEAD~1"):
        old = shop.repository.get(f"answer@{selector}")
        assert old.source == first
        assert old.render(question="q")[0].content.startswith("Be kind.")


def test_a_repository_with_sha256_ids_works_the_same(tmp_path: Path, workshop: Any) -> None:
    shop = type(workshop)(tmp_path / "modern")
    shop.root.mkdir(parents=True)
    shop.git("init", "-q", "-b", "main", "--object-format=sha256")
    texts = []
    for words in ("One.", "Two."):
        shop.release("answer", words)
        texts.append(shop.text("answer"))
    (first, second) = shop.locked.versions("answer")
    assert len(first.blob) == 64
    assert second.blob == shop.git("rev-parse", "HEAD:prompts/answer.prompty")
    assert shop.check().clean
    for selector, text in (("1.0.0", texts[0]), ("1.1.0", texts[1]), ("git:HEAD~1", texts[0])):
        assert shop.repository.get(f"answer@{selector}").source == text


def test_a_shallow_clone_says_how_to_get_the_old_texts(released: Any, tmp_path: Path) -> None:
    shallow = released.clone(tmp_path / "shallow", "--depth", "1")
    assert shallow.repository.get("answer@1.2.0").version == "1.2.0"
    assert shallow.check().clean, "what is there can be checked"
    with shallow.untouched(), pytest.raises(UsageError) as told:
        shallow.repository.get("answer@1.0.0")
    assert "the text of answer.prompty in `answer@1.0.0` is not in this clone" in str(told.value)
    assert "`git fetch --unshallow`" in (told.value.hint or "")
    shallow.git("fetch", "-q", "--unshallow")
    assert shallow.repository.get("answer@1.0.0").version == "1.0.0"


def test_a_shallow_clone_cannot_be_held_against_a_base_it_does_not_reach(
    released: Any, tmp_path: Path
) -> None:
    released.git("checkout", "-q", "-b", "side", "HEAD~1")
    released.commit("something")
    shallow = released.clone(tmp_path / "shallow", "--depth", "1", "--no-single-branch")
    with shallow.untouched(), pytest.raises(UsageError, match="no common commit") as told:
        shallow.check(base="origin/main")
    assert "`git fetch --unshallow`" in (told.value.hint or "")


def test_a_partial_clone_without_its_server_gives_one_clear_message(
    released: Any, tmp_path: Path
) -> None:
    released.git("config", "uploadpack.allowFilter", "true")
    partial = released.clone(tmp_path / "partial", "--filter=blob:none")
    assert partial.repository.get("answer@1.2.0").version == "1.2.0"
    assert partial.repository.get("answer@1.0.0").version == "1.0.0", "git fetches it on its own"
    partial.git("remote", "set-url", "origin", (tmp_path / "gone").as_uri())
    with pytest.raises(UsageError, match="git cat-file failed"):
        partial.repository.get("answer@1.1.0")


def test_a_draft_that_was_never_committed_is_told_apart_from_a_shallow_clone(
    released: Any,
) -> None:
    released.write("answer", "Four.")
    released.lock()
    released.git("add", "prompts/prompts.lock")
    released.git("commit", "-qm", "the lock alone")
    released.write("answer", "Five.")
    with pytest.raises(UsageError, match=r"`answer@1\.3\.0` is not in this clone") as told:
        released.repository.get("answer@1.3.0")
    assert "never committed" in (told.value.hint or "")
    assert "unshallow" not in (told.value.hint or "")


def test_git_is_asked_for_the_name_under_a_move(
    released: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{role}_NAME")
        monkeypatch.delenv(f"GIT_{role}_EMAIL")
    released.git("config", "user.useConfigOnly", "true")
    with released.untouched(), pytest.raises(UsageError, match="does not know who you are") as told:
        released.promote("answer", "1.0.0")
    assert "git config user.name" in (told.value.hint or "")
    released.git("config", "user.name", "Zoë Łukasz")
    released.git("config", "user.email", "z@example.org")
    assert released.promote("answer", "1.0.0").who == "Zoë Łukasz <z@example.org>"


def test_file_ids_are_what_git_would_commit_in_whatever_state_a_file_is(workshop: Any) -> None:
    names = [f"{state}.prompty" for state in ("same", "edited", "gone", "staged", "twice")]
    for name in names:
        workshop.put(name, f"{name}\n")
    workshop.commit()
    workshop.put("edited.prompty", "another\n")
    (workshop.root / "gone.prompty").unlink()
    for path in ("staged.prompty", "twice.prompty", "added.prompty"):
        workshop.put(path, "another\n")
        workshop.git("add", f"prompts/{path}")
    workshop.put("twice.prompty", "and another\n")
    workshop.put("new.prompty", "new\n")
    workshop.put("a b/größe.jinja", "new\n")
    workshop.put("a\nline.txt", "a stray file\n")
    workshop.put('"quoted\\".txt', "and another\n")
    workshop.put("ignored.prompty", "ignored\n")
    workshop.put(".gitignore", "ignored.prompty\n")
    (workshop.root / "nowhere").symlink_to("nothing")
    with workshop.untouched():
        found = Git.of(workshop.root).files()
    (workshop.root / "nowhere").unlink()
    workshop.git("add", "-A")
    told = workshop.git("ls-tree", "-r", "-z", f"{workshop.git('write-tree')}:prompts")
    expected = {
        path: about.split()[2]
        for about, _, path in (entry.partition("\t") for entry in told.split("\0") if entry)
    }
    assert found == expected


def test_files_in_a_merge_conflict_are_known_by_what_they_are_now(workshop: Any) -> None:
    workshop.put("a.prompty", "base\n")
    workshop.commit()
    workshop.git("checkout", "-q", "-b", "side")
    workshop.put("a.prompty", "side\n")
    workshop.commit()
    workshop.git("checkout", "-q", "main")
    workshop.put("a.prompty", "main\n")
    workshop.commit()
    workshop.git("merge", "-q", "side", check=False)
    assert "<<<<<<<" in (workshop.root / "a.prompty").read_text()
    expected = workshop.git("hash-object", "prompts/a.prompty")
    assert Git.of(workshop.root).files() == {"a.prompty": expected}


def test_line_ends_that_git_converts_make_no_new_version(workshop: Any) -> None:
    workshop.git("config", "core.autocrlf", "true")
    text = workshop.write("answer").read_bytes()
    workshop.put("shared/tone.jinja", b"Be kind.\r\n")
    workshop.put("answer.prompty", text.replace(b"\n", b"\r\n"))
    workshop.lock()
    assert workshop.repository.get("answer@1.0.0").version == "1.0.0", "a draft too"
    workshop.commit()
    (workshop.root / "answer.prompty").unlink()
    workshop.git("checkout", "prompts/answer.prompty")
    assert b"\r\n" in (workshop.root / "answer.prompty").read_bytes()
    assert workshop.versions() == {}
    assert workshop.check().clean
    for selector in ("1.0.0", "git:HEAD"):
        assert workshop.repository.get(f"answer@{selector}").source.encode() == text


def test_a_prompt_that_git_ignores_cannot_be_locked(released: Any) -> None:
    released.put(".gitignore", "secret*\n")
    released.write("secret")
    with released.untouched(), pytest.raises(DocumentError, match="is ignored by git") as told:
        released.lock()
    assert str(told.value).startswith(str(released.root / "secret.prompty"))
    assert any("is ignored by git" in line for line in released.problems())
    (released.root / "secret.prompty").unlink()
    released.put("secret.jinja", "Be kind.")
    released.write("answer", '{% include "secret" %}')
    with released.untouched(), pytest.raises(DocumentError, match="is ignored by git") as told:
        released.lock()
    assert str(told.value).startswith(str(released.root / "secret.jinja"))


def test_a_prompt_in_a_repository_of_its_own_is_not_taken_for_one_of_ours(released: Any) -> None:
    released.write("vendor/theirs")
    subprocess.run(["git", "init", "-q", str(released.root / "vendor")], check=True)
    with released.untouched(), pytest.raises(DocumentError, match="git"):
        released.lock()


def test_a_link_out_of_the_repository_is_refused(released: Any, tmp_path: Path) -> None:
    outside = tmp_path / "outside.prompty"
    outside.write_text(released.text("answer"))
    (released.root / "linked.prompty").symlink_to(outside)
    for act in (released.lock, lambda: released.repository.get("linked")):
        with released.untouched(), pytest.raises(DocumentError, match="outside of the project"):
            act()
    assert any("outside of the project" in line for line in released.problems())


def test_a_partial_that_leads_out_of_the_repository_is_refused(
    released: Any, tmp_path: Path
) -> None:
    (tmp_path / "tone.jinja").write_text("Be kind.")
    (released.root / "tone.jinja").symlink_to(tmp_path / "tone.jinja")
    released.write("answer", '{% include "tone" %}')
    with released.untouched(), pytest.raises(DocumentError, match="outside of the project"):
        released.lock()


def test_a_link_to_another_prompt_cannot_be_locked(released: Any) -> None:
    """Git keeps where a link leads, and not the text that it is to give back."""
    (released.root / "linked.prompty").symlink_to("answer.prompty")
    for _ in range(2):
        with released.untouched(), pytest.raises(DocumentError, match="is a link") as told:
            released.lock()
        assert str(told.value).startswith(str(released.root / "linked.prompty"))
        released.commit()
    assert any("is a link" in line for line in released.problems())


def test_a_lock_file_that_leads_out_of_the_repository_is_refused(
    released: Any, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "prompts.lock"
    released.lock_file.rename(elsewhere)
    released.lock_file.symlink_to(elsewhere)
    text = elsewhere.read_text()
    released.write("answer", "Four.")
    for act in (released.lock, lambda: released.promote("answer", "1.0.0")):
        with released.untouched(), pytest.raises(DocumentError, match="outside of the project"):
            act()
    assert elsewhere.read_text() == text


def test_names_that_differ_only_in_case_are_refused(released: Any) -> None:
    released.put("Answer.prompty", released.text("answer"))
    with released.untouched(), pytest.raises(DocumentError, match="only in case"):
        released.lock()
    assert any("only in case" in line for line in released.problems())


def test_a_name_inside_that_is_another_prompts_is_refused(released: Any) -> None:
    text = released.text("answer").replace("---", "---\nname: support/triage", 1)
    released.put("answer.prompty", text)
    message = "is named `support/triage` inside, and `answer` by its path"
    with released.untouched(), pytest.raises(DocumentError, match=message):
        released.lock()
    assert any(message in line for line in released.problems())


HOOK = """#!/bin/sh
exec {python} - <<'SCRIPT'
from pathlib import Path
from llmops.prompts import PromptRepository
from llmops.prompts.release.plan import plan_lock
plan = plan_lock(PromptRepository(Path("prompts")))
Path("told").write_text(f"{{plan.empty}} {{sorted(plan.blobs)}} {{plan.released.names()}}")
SCRIPT
"""


@pytest.mark.parametrize("place", ["the repository", "a worktree of it"])
def test_a_commit_hook_sees_the_same_as_a_shell(
    place: str, released: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git hands its hooks variables of its own, and more of them in a linked worktree."""
    import sys

    hook = released.top / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir()
    hook.write_text(HOOK.format(python=sys.executable))
    hook.chmod(0o755)
    shop = released
    if place != "the repository":
        released.git("worktree", "add", "-q", str(tmp_path / "linked"))
        shop = type(released)(tmp_path / "linked")
    shop.git("commit", "-q", "--allow-empty", "-m", "hooked")
    assert (shop.top / "told").read_text() == (
        "True ['.gitattributes', 'answer.prompty', 'prompts.lock', 'support/triage.prompty'] "
        "['answer', 'support/triage']"
    )
