"""The repository: names by path, and nothing that another machine would read otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmops.core.errors import DocumentError, LlmopsError, NotFound, UsageError
from llmops.prompts import PromptRepository

TEXT = "---\nmetadata: {version: 1.2.0}\n---\nuser:\nHi\n"


def write(root: Path, name: str, text: str = TEXT) -> Path:
    path = root / f"{name}.prompty"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_prompts_are_named_by_their_path_and_sorted(tmp_path: Path) -> None:
    for name in ("b", "qa/answer", "a-1", ".hidden/x", "qa/.draft"):
        write(tmp_path, name)
    (tmp_path / "README.md").write_text("not a prompt")
    found = PromptRepository(tmp_path).list()
    assert [prompt.name for prompt in found] == ["a-1", "b", "qa/answer"]


def test_a_prompt_is_found_by_name_version_range_and_content(tmp_path: Path) -> None:
    write(tmp_path, "qa/answer")
    repository = PromptRepository(tmp_path)
    prompt = repository.get("qa/answer")
    for selector in ("1.2.0", "^1", "^1.2", prompt.fingerprint):
        assert repository.get(f"qa/answer@{selector}").fingerprint == prompt.fingerprint


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("1.0.0", "is at 1.2.0 here, which is not `1.0.0`"),
        ("^2", "is at 1.2.0 here, which is not `\\^2`"),
        ("sha256:" + "0" * 64, "has other content here: sha256:"),
        ("production", "has no alias `production`"),
    ],
)
def test_what_the_folder_does_not_hold_is_said_clearly(
    selector: str, message: str, tmp_path: Path
) -> None:
    write(tmp_path, "a")
    with pytest.raises(UsageError, match=message) as caught:
        PromptRepository(tmp_path).get(f"a@{selector}")
    assert "`a@1.2.0`" in (caught.value.hint or "")


def test_a_name_that_nothing_has_suggests_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, "support/answer")
    with pytest.raises(NotFound, match="no prompt is named `support/anser`") as caught:
        PromptRepository(tmp_path).get("support/anser")
    assert caught.value.hint == "did you mean `support/answer`?"


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder of prompts"):
        PromptRepository(tmp_path / "nowhere").list()
    with pytest.raises(UsageError, match="no folder of prompts"):
        PromptRepository(tmp_path / "nowhere").get("a")


def test_names_that_differ_only_in_case_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "qa/answer")
    write(tmp_path, "qa/Answer")
    repository = PromptRepository(tmp_path)
    for look in (repository.list, lambda: repository.get("qa/answer")):
        with pytest.raises(DocumentError, match="only in case"):
            look()


def test_folders_that_differ_only_in_case_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "qa/answer")
    write(tmp_path, "QA/answer")
    repository = PromptRepository(tmp_path)
    for look in (repository.list, lambda: repository.get("qa/answer")):
        with pytest.raises(DocumentError, match="only in case"):
            look()


@pytest.mark.parametrize("name", ["Answer", "my answer", "answer@2", "-x", "é"])
def test_a_file_whose_path_is_no_name_is_refused(name: str, tmp_path: Path) -> None:
    write(tmp_path, name)
    with pytest.raises(DocumentError, match="cannot name a prompt"):
        PromptRepository(tmp_path).list()


def test_links_that_leave_the_folder_are_refused(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", "secret")
    root = tmp_path / "prompts"
    write(root, "a")
    (root / "b.prompty").symlink_to(outside)
    repository = PromptRepository(root)
    for look in (repository.list, lambda: repository.get("b")):
        with pytest.raises(DocumentError, match="outside of the project"):
            look()
    (root / "b.prompty").unlink()
    (root / "c").symlink_to(outside.parent)
    for look in (repository.list, lambda: repository.get("c/secret")):
        with pytest.raises(DocumentError, match="outside of the project"):
            look()


def test_a_link_to_a_folder_inside_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "qa/answer")
    (tmp_path / "loop").symlink_to(tmp_path)
    with pytest.raises(DocumentError, match="link to a folder"):
        PromptRepository(tmp_path).list()


def test_a_broken_body_is_found_when_the_prompt_is_used_not_when_it_is_listed(
    tmp_path: Path,
) -> None:
    write(tmp_path, "a", TEXT + "{{ nobody }}\n")
    repository = PromptRepository(tmp_path)
    assert [prompt.name for prompt in repository.list()] == ["a"]
    with pytest.raises(LlmopsError, match="`nobody` is used but not declared"):
        repository.get("a")


def test_the_repository_sees_files_as_they_are_now(tmp_path: Path) -> None:
    write(tmp_path, "a")
    repository = PromptRepository(tmp_path)
    before = repository.get("a").fingerprint
    write(tmp_path, "a", TEXT.replace("Hi", "Ho"))
    assert repository.get("a").fingerprint != before


def test_listing_needs_no_template_engine_run(tmp_path: Path) -> None:
    write(tmp_path, "a")
    script = (
        "import sys; from pathlib import Path; from llmops.prompts import PromptRepository;"
        f"PromptRepository(Path({str(tmp_path)!r})).list(); print('jinja2' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_links_that_lead_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.prompty").symlink_to("b.prompty")
    (tmp_path / "b.prompty").symlink_to("a.prompty")
    with pytest.raises(DocumentError, match="leads nowhere"):
        PromptRepository(tmp_path).names()


def test_a_pipe_is_no_prompt(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.prompty")
    with pytest.raises(DocumentError, match="no regular file"):
        PromptRepository(tmp_path).names()


def test_a_suffix_in_capital_letters_is_refused_by_every_command(tmp_path: Path) -> None:
    write(tmp_path, "a").rename(tmp_path / "a.PROMPTY")
    with pytest.raises(DocumentError, match="on some file systems"):
        PromptRepository(tmp_path).names()
