"""The version in a prompt's file: found wherever it stands, replaced with nothing else touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.core.errors import DocumentError, UsageError
from llmops.prompts.prompt import parse_prompt
from llmops.prompts.version_line import version_span, with_version

BODY = "---\nuser:\nHello!\n"

SPELLINGS = {
    "block mapping": "---\nmetadata:\n  version: {}\n",
    "last key without a line end of its own": "---\nmetadata:\n  tags: [a]\n  version: {}\n",
    "flow mapping": "---\nmetadata: {{version: {}}}\n",
    "flow mapping over lines": "---\nmetadata: {{tags: [a],\n  version:\n    {},}}\n",
    "single quotes": "---\nmetadata: {{version: '{}'}}\n",
    "double quotes": '---\nmetadata:\n  version: "{}"\n',
    "quoted keys": '---\n"metadata": {{"version": "{}"}}\n',
    "a comment behind it": "---\nmetadata:\n  version: {}   # was 1.0.0\n",
    "a tag before it": "---\nmetadata:\n  version: !!str {}\n",
    "an anchor": "---\nmetadata:\n  version: &v {}\n",
    "a block scalar": "---\nmetadata:\n  version: |-\n    {}\n",
    "the number in other places, too": (
        "---\ndescription: since {} # {}\ndisplayName: '{}'\n"
        "metadata: {{tags: ['{}'], version: {}}}\n"
    ),
    "a version elsewhere": "---\ninputs:\n  version: {{kind: string}}\nmetadata: {{version: {}}}\n",
    "letters beyond the first plane": "---\ndescription: 🦜 ünï 𐍈\nmetadata: {{version: {}}}\n",
    "blanks behind the fence": "--- \t\nmetadata: {{version: {}}}\n",
}


def written(spelling: str, version: str) -> str:
    return spelling.format(*[version] * spelling.count("{}")) + BODY


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "BOM"])
def test_only_the_version_is_replaced(spelling: str, line_end: str, mark: str) -> None:
    source = mark + written(spelling, "1.2.3").replace("\n", line_end)
    start, end = version_span(source)
    assert source[start:end] == "1.2.3"

    changed = with_version(source, "10.0.0-rc.1")

    assert changed == source[:start] + "10.0.0-rc.1" + source[end:]
    prompt = parse_prompt(changed.removeprefix("\ufeff"), Path("p.prompty"), name="p")
    assert prompt.version == "10.0.0-rc.1"


def test_the_same_version_changes_nothing() -> None:
    source = written(SPELLINGS["double quotes"], "1.2.3")
    assert with_version(source, "1.2.3") == source


def test_a_body_that_speaks_of_versions_is_left_alone() -> None:
    source = (
        "---\nmetadata: {version: 1.2.3}\n---\n"
        "user:\nversion: 1.2.3\n---\nmetadata: {version: 1.2.3}\n---\n"
    )
    changed = with_version(source, "2.0.0")
    assert changed.partition("\n---\n")[2] == source.partition("\n---\n")[2]


def test_a_prompt_without_a_line_end_at_its_end() -> None:
    assert with_version("---\nmetadata: {version: 1.2.3}\n---\nuser:\nHi", "1.2.4").endswith("\nHi")


@pytest.mark.parametrize(
    "front",
    [
        "description: &v 1.2.3\nmetadata: {version: *v}\n",
        'metadata: {version: "1\\x2e2.3"}\n',
    ],
    ids=["alias", "escaped"],
)
def test_a_version_that_is_not_written_out_is_refused_with_its_line(front: str) -> None:
    source = f"---\n{front}{BODY}"
    with pytest.raises(UsageError, match="not written out under `metadata`") as caught:
        with_version(source, "2.0.0", path=Path("a.prompty"))
    assert caught.value.where is not None
    assert caught.value.where.line == 1 + front.count("\n")


def test_a_version_that_something_else_refers_to_is_not_replaced() -> None:
    source = f"---\nmetadata: {{version: &v 1.2.3}}\ndescription: *v\n{BODY}"
    with pytest.raises(UsageError, match="without changing something else"):
        with_version(source, "2.0.0")


@pytest.mark.parametrize("version", ["1", "1.2", "v1.2.3", "1.2.3\n", "1.2.3}, x: {", ""])
def test_only_a_full_version_is_written(version: str) -> None:
    with pytest.raises(UsageError, match="is not a version"):
        with_version(written(SPELLINGS["flow mapping"], "1.2.3"), version)


def test_a_broken_file_is_an_error_with_its_line() -> None:
    with pytest.raises(DocumentError, match=r"a\.prompty:2"):
        version_span("---\nmetadata: {version: 1}\n---\nuser:\nHi\n", path=Path("a.prompty"))


versions = st.builds(
    "{}.{}.{}{}".format,
    *[st.integers(0, 10**6)] * 3,
    st.sampled_from(["", "-rc.1", "-0", "-alpha-2.7"]),
)
texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="'$<>\x85\u2028\u2029\ufeff"),
    max_size=40,
)
line_ends = st.sampled_from(["\n", "\r\n", "\r"])


@given(
    spelling=st.sampled_from([each for each in SPELLINGS.values() if "displayName" not in each]),
    title=texts,
    body=texts,
    old=versions,
    new=versions,
    line_end=line_ends,
)
def test_there_and_back_is_the_same_file(
    spelling: str, title: str, body: str, old: str, new: str, line_end: str
) -> None:
    fence, _, rest = written(spelling, old).partition("\n")
    source = f"{fence}\ndisplayName: '{title}'\n{rest}{body}\n".replace("\n", line_end)

    changed = with_version(source, new)

    start, end = version_span(changed)
    assert changed[start:end] == new
    assert with_version(changed, old) == source
