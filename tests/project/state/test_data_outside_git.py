"""Datasets of which git has a pointer only: told by their digests, and by content if it is here."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

DATA = "evals/data/questions.jsonl"


def row(number: int, expected: str) -> str:
    return json.dumps({"id": f"q{number}", "question": f"Question {number}?", "expected": expected})


def written(*expected: str) -> bytes:
    return "".join(row(n, each) + "\n" for n, each in enumerate(expected)).encode()


THEN, NOW = written("one", "two", "three"), written("one", "zwei", "three")


def lfs_pointer(content: bytes) -> bytes:
    digest = hashlib.sha256(content).hexdigest()
    return (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n"
    ).encode()


@pytest.fixture
def in_lfs(repository: Any) -> Any:
    """The questions are kept in Git LFS; the working tree has them pulled."""
    repository.write(DATA, lfs_pointer(THEN))
    repository.commit("to LFS")
    return repository


@pytest.fixture
def in_dvc(repository: Any) -> Any:
    """The questions are kept in DVC; git ignores the file itself."""
    repository.git("rm", "-q", "--cached", DATA)
    repository.write(DATA, THEN)
    repository.write("evals/data/.gitignore", "/questions.jsonl\n")
    digest = hashlib.md5(THEN).hexdigest()
    size = len(THEN)
    repository.write(
        f"{DATA}.dvc",
        f"outs:\n- md5: {digest}\n  size: {size}\n  hash: md5\n  path: questions.jsonl\n",
    )
    repository.commit("to DVC")
    return repository


def keep_lfs(repository: Any) -> None:
    digest = hashlib.sha256(THEN).hexdigest()
    repository.write(f".git/lfs/objects/{digest[:2]}/{digest[2:4]}/{digest}", THEN)


def keep_dvc(repository: Any) -> None:
    digest = hashlib.md5(THEN).hexdigest()
    repository.write(f".dvc/cache/files/md5/{digest[:2]}/{digest[2:]}", THEN)


def triage(repository: Any) -> tuple[set[str], tuple[str, ...]]:
    found = repository.state().suite("triage").cells
    return set(found.modified), found.reasons


def test_other_lfs_data_is_laid_beside_that_of_then_if_this_machine_has_it(in_lfs: Any) -> None:
    keep_lfs(in_lfs)
    in_lfs.write(DATA, NOW)
    assert triage(in_lfs) == ({"q1"}, ("dataset: cases 1 edited",))


def test_without_the_lfs_data_of_then_every_case_counts_as_changed(in_lfs: Any) -> None:
    in_lfs.write(DATA, NOW)
    modified, reasons = triage(in_lfs)
    assert modified == {"q0", "q1", "q2"}
    assert "Git LFS does not have its content of then" in reasons[0]


def test_pulled_lfs_data_is_unchanged_while_its_digest_is_the_pointers(in_lfs: Any) -> None:
    in_lfs.write(DATA, THEN)  # as without the filter of Git LFS: git sees another file
    keep_lfs(in_lfs)
    assert triage(in_lfs)[0] == set()


def test_dvc_data_with_the_digest_of_then_is_unchanged(in_dvc: Any) -> None:
    assert triage(in_dvc) == (set(), ())


def test_other_dvc_data_is_laid_beside_that_of_then_if_the_cache_has_it(in_dvc: Any) -> None:
    keep_dvc(in_dvc)
    in_dvc.write(DATA, NOW)
    assert triage(in_dvc)[0] == {"q1"}


def test_without_the_dvc_data_of_then_every_case_counts_as_changed(in_dvc: Any) -> None:
    in_dvc.write(DATA, NOW)
    modified, reasons = triage(in_dvc)
    assert modified == {"q0", "q1", "q2"}
    assert "DVC does not have its content of then" in reasons[0]


def test_a_dataset_that_git_ignores_counts_as_changed_and_says_why(repository: Any) -> None:
    repository.write(".gitignore", f".llmops/\n/{DATA}\n")
    repository.git("rm", "-q", "--cached", DATA)
    repository.commit("ignored")
    modified, reasons = triage(repository)
    assert len(modified) == 12
    assert reasons == ("dataset: git does not keep it, so whether it changed cannot be told",)


def test_a_row_that_is_new_is_told_from_one_that_was_edited(repository: Any) -> None:
    lines = Path(repository.root, DATA).read_text().splitlines()
    lines[1] = lines[1].replace("Answer 1", "Answer one")
    del lines[2]
    lines += [lines[0].replace('"q0"', '"q99"')]
    repository.write(DATA, "\n".join(lines) + "\n")
    cells = repository.state().suite("triage").cells
    assert (set(cells.modified), set(cells.new)) == ({"q1", "q99"}, {"q99"})
    assert cells.reasons == ("dataset: cases 1 added, 1 edited, 1 removed",)
