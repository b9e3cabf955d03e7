"""References and versions: what parses, what does not, what matches what."""

from __future__ import annotations

import pytest

from llmops.core.errors import UsageError
from llmops.prompts import PromptRef
from llmops.prompts.refs import Alias, Digest, Revision
from llmops.prompts.versions import Version, VersionRange

DIGEST = "sha256:" + "0a" * 32

GOOD = {
    "a": None,
    "support/answer-v2.b_c": None,
    "a@1.2.0": Version(1, 2, 0),
    "a@1.2.0-rc.1": Version(1, 2, 0, ("rc", "1")),
    "a@^1": VersionRange((1,)),
    "a@^0.2.3": VersionRange((0, 2, 3)),
    "a@production": Alias("production"),
    f"a@{DIGEST}": Digest(DIGEST),
    "a@git:HEAD~2": Revision("HEAD~2"),
    "a@git:origin/main": Revision("origin/main"),
}
BAD = {
    "": "is not a prompt's name",
    "A": "is not a prompt's name",
    "../a": "is not a prompt's name",
    "/a": "is not a prompt's name",
    "a//b": "is not a prompt's name",
    "a/": "is not a prompt's name",
    "a/.b": "is not a prompt's name",
    "a\n": "is not a prompt's name",
    "a b": "is not a prompt's name",
    "a@": "is not a reference",
    "a@1.2": "`1.2` is not a version",
    "a@1.2.0+x": "is not a version",
    "a@^": "is not a version range",
    "a@^1.2.3.4": "is not a version range",
    "a@Production": "is not a reference",
    "a@sha256:12": "is not a reference",
    "a@git:": "is not a reference",
    "a@git:--upload-pack=x": "is not a reference",
    "a@b@c": "is not a reference",
}


@pytest.mark.parametrize("text", GOOD)
def test_a_reference_parses_and_prints_as_it_was(text: str) -> None:
    ref = PromptRef.parse(text)
    assert ref.selector == GOOD[text]
    assert str(ref) == text


@pytest.mark.parametrize("text", BAD)
def test_a_bad_reference_is_told_with_a_hint(text: str) -> None:
    with pytest.raises(UsageError, match=BAD[text]) as caught:
        PromptRef.parse(text)
    assert caught.value.hint


def test_versions_are_ordered_as_semver_says() -> None:
    ordered = [
        "0.0.1",
        "0.1.0",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.1",
        "1.10.0",
        "2.0.0",
    ]
    assert [str(each) for each in sorted(map(Version.parse, reversed(ordered)))] == ordered


@pytest.mark.parametrize(
    ("asked", "inside", "outside"),
    [
        ("^1", ["1.0.0", "1.9.9"], ["0.9.0", "2.0.0", "1.1.0-rc.1"]),
        ("^1.2", ["1.2.0", "1.10.0"], ["1.1.9", "2.2.0"]),
        ("^1.2.3", ["1.2.3", "1.3.0"], ["1.2.2"]),
        ("^0.2", ["0.2.0", "0.2.9"], ["0.3.0", "0.1.0", "1.2.0"]),
        ("^0.0.3", ["0.0.3"], ["0.0.4", "0.0.2"]),
        ("^0", ["0.0.1", "0.9.0"], ["1.0.0"]),
        ("^0.0", ["0.0.1"], ["0.1.0"]),
    ],
)
def test_a_caret_range_holds_what_is_compatible(
    asked: str, inside: list[str], outside: list[str]
) -> None:
    versions = VersionRange.parse(asked)
    assert all(versions.holds(Version.parse(each)) for each in inside)
    assert not any(versions.holds(Version.parse(each)) for each in outside)
