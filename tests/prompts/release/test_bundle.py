"""Bundles: what aliases and `--keep` name, in one file that needs no git and notices every bit."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from llmops.core.errors import DocumentError, LlmopsError, NotFound, UsageError
from llmops.prompts.deprecation import PromptDeprecated
from llmops.prompts.release import PromptBundle, write_bundle


@pytest.fixture
def shop(released: Any) -> Any:
    """Two aliases of `answer`; `support/triage` has a partial and examples."""
    released.put("shared/tone.jinja", "Größe 🤖 \u2028 zählt.\n")
    released.put("shots.jsonl", '{"q": "Why?"}\n')
    text = released.text("support/triage").replace("inputs:", "examples: shots.jsonl\ninputs:")
    body = '{% include "shared/tone" %}{% for one in examples %}{{ one.q }}{% endfor %}'
    released.put("support/triage.prompty", text.replace("Sort it.", body))
    released.lock()
    released.commit()
    released.promote("answer", "1.1.0")
    released.promote("answer", "1.2.0", to="canary")
    released.commit()
    return released


@pytest.fixture
def without_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Call it, and there is no git any more."""
    return lambda: monkeypatch.setenv("PATH", str(tmp_path))


def pack(shop: Any, *keep: str) -> PromptBundle:
    path = shop.top.parent / "prompts.bundle"
    write_bundle(shop.repository, path, keep=keep)
    return PromptBundle(path)


def test_what_aliases_and_keep_name_is_packed_and_nothing_else(
    shop: Any, without_git: Any, tmp_path: Path
) -> None:
    path = tmp_path / "out" / "prompts.bundle"
    with shop.untouched():
        packed = write_bundle(shop.repository, path, keep=["support/triage@^1.1"])
    without_git()
    bundle = PromptBundle(path)
    versions = [f"{one.prompt}@{one.version}" for one in bundle.versions()]
    assert versions == ["answer@1.1.0", "answer@1.2.0", "support/triage@1.1.0"]
    assert tuple(bundle.versions()) == packed.versions
    assert bundle.names() == ["answer", "support/triage"]
    assert [prompt.version for prompt in bundle.list()] == ["1.1.0", "1.2.0", "1.1.0"]
    assert packed.sha256 in path.read_text().splitlines()[0]


@pytest.mark.parametrize(
    "ref",
    [
        "answer@1.1.0",
        "answer@production",
        "answer@canary",
        "answer@^1",
        "support/triage@^1.0",
        "support/triage@1.0.0",
    ],
)
def test_a_ref_means_the_very_text_that_it_means_in_the_repository(
    ref: str, shop: Any, without_git: Any
) -> None:
    expected = shop.repository.get(ref)
    messages = expected.render(question="q")
    bundle = pack(shop, "support/triage@1.0.0", "support/triage")
    without_git()
    found = bundle.get(ref)
    assert (found.source, found.version) == (expected.source, expected.version)
    assert found.fingerprint == expected.fingerprint
    assert found.render(question="q") == messages
    assert bundle.get(f"{found.name}@{found.fingerprint}").source == expected.source


def test_every_bit_counts(workshop: Any, tmp_path: Path) -> None:
    workshop.put("a.prompty", "---\nmetadata: {version: 1.0.0}\n---\nuser:\nA\n")
    workshop.lock()
    small = pack(workshop, "a@1.0.0")
    assert small.get("a@^1").render()[0].content == "A"
    raw = small.path.read_bytes()
    broken = tmp_path / "broken"
    for at in range(len(raw)):
        for bit in range(8):
            flipped = bytearray(raw)
            flipped[at] ^= 1 << bit
            broken.write_bytes(flipped)
            with pytest.raises(DocumentError) as told:
                PromptBundle(broken)
            assert str(told.value).startswith(f"{broken}: ")
            assert "llmops prompt bundle -o FILE" in (told.value.hint or "")


def test_a_bundle_that_was_cut_off_or_has_more_is_refused(shop: Any, tmp_path: Path) -> None:
    whole = pack(shop).path.read_bytes()
    broken = tmp_path / "broken"
    cuts = [*range(0, len(whole), 97), len(whole) - 1]
    for raw in (*(whole[:cut] for cut in cuts), whole + b"\n", whole * 2, b"\xef\xbb\xbf" + whole):
        broken.write_bytes(raw)
        with pytest.raises(DocumentError):
            PromptBundle(broken)


EMPTY = json.dumps({"lock": '{"schema": "llmops.prompts.lock/1"}'}).encode() + b"\n"
BODIES = [
    b"",
    b"\n",
    b"{}\n",
    b"[]\n",
    b"1\n",
    b"\xff\n",
    b'{"lock": 1}\n',
    b'{"lock": ""}\n',
    b'{"lock": "{}"}\n',
    EMPTY + b"[]\n",
    EMPTY + b'{"path": "a"}\n',
    EMPTY + b'{"path": [], "blob": {}, "text": "a"}\n',
    EMPTY + b'{"path": "a", "blob": "b", "text": "\\ud800"}\n',
    b"[" * 100_000,
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_a_true_digest_does_not_make_a_bundle(body: bytes, tmp_path: Path) -> None:
    path = tmp_path / "made.bundle"
    head = json.dumps({"schema": "llmops.bundle/1", "sha256": hashlib.sha256(body).hexdigest()})
    path.write_bytes(head.encode() + b"\n" + body)
    with pytest.raises(DocumentError) as told:
        PromptBundle(path)
    assert str(path) in str(told.value)


def test_another_text_under_a_true_digest_is_refused(shop: Any) -> None:
    path = pack(shop).path
    _, _, body = path.read_bytes().partition(b"\n")
    body = body.replace(b"Two.", b"Too.")
    head = json.dumps({"schema": "llmops.bundle/1", "sha256": hashlib.sha256(body).hexdigest()})
    path.write_bytes(head.encode() + b"\n" + body)
    bundle = PromptBundle(path)
    with pytest.raises(
        DocumentError, match=re.escape("not the text that was locked as `answer@1.1")
    ):
        bundle.get("answer@production")
    assert bundle.get("answer@canary").version == "1.2.0"


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"PK\x03\x04", "is no bundle of prompts"), (b"", "is no bundle"), (None, "no such file")],
)
def test_a_file_that_is_no_bundle_is_told(
    content: bytes | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "other"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DocumentError, match=message) as told:
        PromptBundle(path)
    assert str(told.value).startswith(f"{path}: ")
    with pytest.raises(DocumentError, match="cannot be read"):
        PromptBundle(tmp_path)


def test_the_same_lock_and_the_same_keep_give_the_same_bytes(shop: Any, tmp_path: Path) -> None:
    keep = ["support/triage@1.0.0", "support/triage@1.1.0"]
    one = write_bundle(shop.repository, tmp_path / "one", keep=keep)
    clone = shop.clone(tmp_path / "clone")
    other = write_bundle(clone.repository, tmp_path / "two", keep=reversed(keep))
    assert one == other
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize(
    ("ref", "message", "hint"),
    [
        ("answer@1.0.0", "`answer@1.0.0` is not in this bundle", "--keep answer@1.0.0"),
        ("answer@1.3.0", "prompt `answer` has no version `1.3.0`", "`1.2.0`"),
        ("answer@prod", "prompt `answer` has no alias `prod`", "`production`"),
        ("anser@1.0.0", "no prompt is named `anser`", "did you mean `answer`?"),
        ("answer", "means a checkout", "`answer@production`"),
        ("answer@git:HEAD", "means a checkout", "`answer@1.1.0`"),
        ("support/triage@^1", "`support/triage@1.1.0` is not in this bundle", "none of its"),
    ],
)
def test_what_a_bundle_does_not_hold_says_what_to_do(
    ref: str, message: str, hint: str, shop: Any
) -> None:
    bundle = pack(shop)
    with pytest.raises(UsageError, match=re.escape(message)) as told:
        bundle.get(ref)
    assert hint in (told.value.hint or "")


@pytest.mark.parametrize(
    ("keep", "error", "message"),
    [
        ("answer@9.0.0", NotFound, "has no version `9.0.0`"),
        ("anser@1.0.0", NotFound, "no locked prompt is named `anser`"),
        ("anser", NotFound, "no prompt is named `anser`"),
        ("answer@git:HEAD", UsageError, "is no locked version"),
        ("answer@", UsageError, "is not a reference"),
    ],
)
def test_what_cannot_be_packed_leaves_no_file(
    keep: str, error: type[LlmopsError], message: str, shop: Any, tmp_path: Path
) -> None:
    path = tmp_path / "prompts.bundle"
    with shop.untouched(), pytest.raises(error, match=re.escape(message)):
        write_bundle(shop.repository, path, keep=[keep])
    assert not path.exists()
    path.write_text("the one before")
    with pytest.raises(error):
        write_bundle(shop.repository, path, keep=[keep])
    assert path.read_text() == "the one before"


def test_nothing_to_pack_is_an_error(released: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no alias points to a version") as told:
        write_bundle(released.repository, tmp_path / "prompts.bundle")
    assert "--keep" in (told.value.hint or "")


def test_a_clone_that_lacks_a_text_cannot_pack_it(shop: Any, tmp_path: Path) -> None:
    shallow = shop.clone(tmp_path / "shallow", "--depth", "1")
    with shallow.untouched(), pytest.raises(UsageError, match="not in this clone") as told:
        write_bundle(shallow.repository, tmp_path / "prompts.bundle")
    assert "git fetch --unshallow" in (told.value.hint or "")
    assert not (tmp_path / "prompts.bundle").exists()


def test_a_draft_that_is_kept_is_packed_as_it_is(shop: Any) -> None:
    shop.write("answer", "Four.")
    shop.lock()
    assert "Four." in pack(shop, "answer@1.3.0").get("answer@1.3.0").body


def test_the_line_ends_and_the_mark_of_a_text_are_packed(workshop: Any) -> None:
    path = workshop.write("answer")
    raw = b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n")
    path.write_bytes(raw)
    workshop.lock()
    workshop.commit()
    bundle = pack(workshop, "answer@1.0.0")
    assert bundle.get("answer@1.0.0").source == raw.decode("utf-8-sig")
    assert json.loads(bundle.path.read_text().splitlines()[2])["text"].encode() == raw


def test_a_deprecated_version_warns_from_a_bundle_too(released: Any) -> None:
    released.release("answer", "Three.", metadata=", deprecated: {use: support/triage}")
    bundle = pack(released, "answer@1.2.1")
    with pytest.warns(PromptDeprecated, match="use `support/triage`") as told:
        bundle.get("answer@1.2.1")
    assert Path(told[0].filename) == Path(__file__)


def test_who_moved_an_alias_and_why_stays_at_home(shop: Any) -> None:
    shop.promote("answer", "1.2.0", why="a secret reason")
    shop.rollback("answer", why="another secret")
    bundle = pack(shop)
    (mover,) = {move.who for move in shop.repository.lock().moves("answer")}
    text = bundle.path.read_text()
    assert "secret" not in text
    assert mover not in text
    assert mover.split("<")[1] not in text
    assert bundle.get("answer@production").version == "1.1.0"
    assert bundle.get("answer@canary").version == "1.2.0"
