"""What the two sides of `prompt diff` mean, on a real git history."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmops.core.errors import DocumentError, NotFound, UsageError
from llmops.prompts import PromptRepository
from llmops.prompts.comparison import ChangeKind, Comparison, diff_prompts
from llmops.prompts.release import lock_prompts


def told(comparison: Comparison) -> dict[str, str]:
    return {each.name: str(each.kind) for each in comparison.prompts}


def test_without_sides_all_that_differs_from_head_is_compared(folder: Any) -> None:
    for name in ("same", "edited", "gone"):
        folder.prompt(name)
    folder.commit()
    folder.prompt("edited", "Good morning!")
    folder.prompt("new")
    (folder.root / "gone.prompty").unlink()

    found = diff_prompts(folder.repository)

    assert told(found) == {"edited": "behaviour", "gone": "breaking", "new": "behaviour"}
    assert (found.before, found.after) == ("HEAD", "working tree")
    gone, new = found.prompts[1], found.prompts[2]
    assert (gone.after, new.before) == (None, None)
    assert [each.what for each in (*gone.reasons, *new.reasons)] == [
        "prompt removed",
        "prompt added",
    ]


def test_staged_and_committed_changes_are_both_seen(folder: Any) -> None:
    folder.prompt("greet")
    folder.commit()
    folder.prompt("greet", "Staged")
    folder.git("add", "-A")
    assert told(diff_prompts(folder.repository)) == {"greet": "behaviour"}
    folder.commit()
    assert told(diff_prompts(folder.repository)) == {}
    assert told(diff_prompts(folder.repository, "HEAD~1")) == {"greet": "behaviour"}


def test_one_revision_is_compared_with_the_working_tree(folder: Any) -> None:
    folder.prompt("greet")
    folder.commit()
    folder.git("branch", "old")
    folder.prompt("greet", "Good morning!")
    folder.commit()
    folder.prompt("other")
    found = diff_prompts(folder.repository, "old")
    assert (found.before, told(found)) == ("old", {"greet": "behaviour", "other": "behaviour"})


def test_two_revisions_are_compared_whatever_the_working_tree_holds(folder: Any) -> None:
    folder.prompt("greet")
    folder.commit()
    folder.prompt("greet", "Good morning!")
    folder.commit()
    folder.prompt("greet", "What the working tree holds")
    found = diff_prompts(folder.repository, "HEAD~1", "git:main")
    assert (found.before, found.after) == ("HEAD~1", "main")
    (diff,) = found.prompts
    assert "".join(span.text for span in diff.messages[0].spans if span.change != "removed") == (
        "Good morning!"
    )


def test_a_name_is_that_prompt_at_head_against_the_working_tree(folder: Any) -> None:
    folder.prompt("support/greet")
    folder.prompt("other")
    folder.commit()
    folder.prompt("support/greet", "Good morning!")
    folder.prompt("other", "Good morning!")
    assert told(diff_prompts(folder.repository, "support/greet")) == {"support/greet": "behaviour"}


def test_a_name_that_is_new_or_gone_is_compared_with_nothing(folder: Any) -> None:
    folder.prompt("gone")
    folder.commit()
    (folder.root / "gone.prompty").unlink()
    folder.prompt("new")
    assert diff_prompts(folder.repository, "new").prompts[0].before is None
    assert diff_prompts(folder.repository, "gone").prompts[0].after is None


def test_a_locked_version_is_compared_with_the_working_tree(folder: Any) -> None:
    folder.prompt("greet")
    lock_prompts(folder.repository)
    folder.commit()
    folder.prompt("greet", "Good morning!")
    lock_prompts(folder.repository)
    folder.commit()
    folder.prompt("greet", "Good evening!", version="1.1.0")

    found = diff_prompts(folder.repository, "greet@1.0.0")

    (diff,) = found.prompts
    assert (found.before, found.after) == ("greet@1.0.0", "working tree")
    spans = diff.messages[0].spans
    assert [(span.change, span.text) for span in spans] == [
        ("removed", "Hello"),
        ("added", "Good evening"),
        ("same", "!"),
    ]
    between = diff_prompts(folder.repository, "greet@1.0.0", "greet@^1")
    assert [side.version for side in (between.prompts[0].before, between.prompts[0].after)] == [
        "1.0.0",
        "1.1.0",
    ]


def test_two_refs_may_be_different_prompts(folder: Any) -> None:
    folder.prompt("one")
    folder.prompt("other", "Good morning!", head="description: d\n")
    folder.commit()
    (diff,) = diff_prompts(folder.repository, "one", "other@git:HEAD").prompts
    assert [side.name for side in (diff.before, diff.after)] == ["one", "other"]
    assert diff.kind is ChangeKind.BEHAVIOUR


def test_a_prompt_wins_over_a_revision_of_its_name(folder: Any) -> None:
    folder.prompt("main")
    folder.prompt("other")
    folder.commit()
    folder.prompt("main", "Good morning!")
    folder.prompt("other", "Good morning!")
    assert told(diff_prompts(folder.repository, "main")) == {"main": "behaviour"}
    assert set(told(diff_prompts(folder.repository, "git:main"))) == {"main", "other"}


@pytest.mark.parametrize("revision", ["@", "main@{0}", "HEAD^{commit}"])
def test_what_only_git_can_read_is_a_revision(folder: Any, revision: str) -> None:
    folder.prompt("greet")
    folder.commit()
    folder.prompt("greet", "Good morning!")
    assert told(diff_prompts(folder.repository, revision)) == {"greet": "behaviour"}


def test_what_nothing_is_named_suggests_the_nearest(folder: Any) -> None:
    folder.prompt("support/greet")
    folder.commit()
    for text, hint in (
        ("support/gret", "did you mean `support/greet`?"),
        ("support/gret@1.0.0", "did you mean `support/greet`?"),
        ("mian", "did you mean `main`?"),
    ):
        with pytest.raises(NotFound, match="neither a prompt nor a git revision") as caught:
            diff_prompts(folder.repository, text)
        assert caught.value.hint == hint


def test_a_prompt_and_a_revision_are_no_pair(folder: Any) -> None:
    folder.prompt("greet")
    folder.commit()
    for sides in (("greet", "main"), ("main", "greet")):
        with pytest.raises(UsageError, match="`greet` is a prompt and `main` a git revision") as e:
            diff_prompts(folder.repository, *sides)
        assert e.value.hint == "compare two of a kind, such as `greet` and `greet@git:main`"


def test_a_shared_partial_changes_all_prompts_that_include_it(folder: Any) -> None:
    folder.write("shared/tone.jinja", "Be kind.\n")
    folder.write("shared/rules.jinja", '{% include "shared/tone" %} Be brief.\n')
    folder.prompt("direct", '{% include "shared/tone" %}')
    folder.prompt("indirect", '{% include "shared/rules" %}')
    folder.prompt("without", "shared or not")
    folder.commit()
    folder.write("shared/tone.jinja", "Be dry.\n")

    found = diff_prompts(folder.repository)

    assert told(found) == {"direct": "behaviour", "indirect": "behaviour"}
    (part,) = found.prompts[1].parts
    assert (part.path, part.state) == ("shared/tone.jinja", "changed")
    assert [(span.change, span.text.strip()) for span in part.spans] == [
        ("same", "Be"),
        ("removed", "kind"),
        ("added", "dry"),
        ("same", "."),
    ]


def test_examples_are_compared(folder: Any) -> None:
    folder.write("greet.jsonl", '{"reply": "Hi"}\n')
    said = "{% for each in examples %}{{ each.reply }}{% endfor %}"
    folder.prompt("greet", said, head="examples: greet.jsonl\n")
    folder.commit()
    folder.write("greet.jsonl", '{"reply": "Hi"}\n{"reply": "Hello"}\n')
    (diff,) = diff_prompts(folder.repository).prompts
    assert [each.what for each in diff.reasons] == ["examples `greet.jsonl` changed"]
    assert diff.parts[0].spans[-1].change == "added"


@pytest.mark.parametrize("edited", ["Be kind.{# always #}\n", "\nBe kind.\n\n"])
def test_a_partial_that_only_reads_differently_is_told_as_cosmetic(
    folder: Any, edited: str
) -> None:
    folder.write("shared/tone.jinja", "Be kind.\n")
    folder.prompt("greet", '{% include "shared/tone" %}')
    folder.commit()
    folder.write("shared/tone.jinja", edited)
    found = diff_prompts(folder.repository)
    assert told(found) == {"greet": "cosmetic"}
    (diff,) = found.prompts
    assert [(each.kind, each.what) for each in diff.reasons] == [
        (ChangeKind.COSMETIC, "partial `shared/tone.jinja` reads differently")
    ]
    assert [(part.path, part.state, part.cosmetic) for part in diff.parts] == [
        ("shared/tone.jinja", "changed", True)
    ]


def test_of_several_partials_each_is_told_by_its_own_weight(folder: Any) -> None:
    folder.write("shared/tone.jinja", "Be kind.\n")
    folder.write("shared/rules.jinja", "Be brief.\n")
    folder.write("greet.jsonl", '{"reply": "Hi"}\n')
    said = '{% include "shared/tone" %} {% include "shared/rules" %} {{ examples[0].reply }}'
    folder.prompt("greet", said, head="examples: greet.jsonl\n")
    folder.commit()
    folder.write("shared/tone.jinja", "Be kind.{# always #}\n")
    folder.write("shared/rules.jinja", "Be very brief.\n")
    folder.write("greet.jsonl", '{"reply":"Hi"}\n')
    (diff,) = diff_prompts(folder.repository).prompts
    assert [f"{each.kind}: {each.what}" for each in diff.reasons] == [
        "behaviour: partial `shared/rules.jinja` changed",
        "cosmetic: examples `greet.jsonl` reads differently",
        "cosmetic: partial `shared/tone.jinja` reads differently",
    ]


def test_only_what_changed_is_parsed(folder: Any) -> None:
    folder.write("broken.prompty", "no front matter at all")
    folder.prompt("greet")
    folder.commit()
    folder.prompt("greet", "Good morning!")
    assert told(diff_prompts(folder.repository)) == {"greet": "behaviour"}
    folder.write("broken.prompty", "no front matter, still")
    with pytest.raises(DocumentError, match="does not start with front matter"):
        diff_prompts(folder.repository)


def test_names_can_be_picked_by_a_pattern(folder: Any) -> None:
    folder.commit()
    folder.prompt("support/greet")
    folder.prompt("sales/greet")
    found = diff_prompts(folder.repository, only="support/*")
    assert told(found) == {"support/greet": "behaviour"}


def test_files_with_names_that_no_prompt_can_have_are_refused_here_and_passed_over_before(
    folder: Any,
) -> None:
    folder.prompt("Greet")
    folder.prompt(".hidden/greet")
    folder.commit()
    folder.git("mv", "prompts/Greet.prompty", "prompts/greet.prompty")
    assert told(diff_prompts(folder.repository)) == {"greet": "behaviour"}
    folder.prompt("No Name")
    with pytest.raises(DocumentError, match="`No Name` cannot name a prompt"):
        diff_prompts(folder.repository)


def test_a_repository_without_a_commit_says_so(folder: Any) -> None:
    folder.prompt("greet")
    for sides in ((), ("greet",), ("main",)):
        with pytest.raises(UsageError, match="has no commit yet"):
            diff_prompts(folder.repository, *sides)


def test_versions_that_are_here_are_compared_without_git(tmp_path: Path) -> None:
    for name, said in (("one", "Hello!"), ("other", "Goodbye!")):
        text = f"---\nmetadata: {{version: 1.0.0}}\n---\nuser:\n{said}\n"
        (tmp_path / f"{name}.prompty").write_text(text)
    found = diff_prompts(PromptRepository(tmp_path), "one", "other")
    assert told(found) == {"other": "behaviour"}
    with pytest.raises(UsageError, match="not in a git repository"):
        diff_prompts(PromptRepository(tmp_path))


def test_a_deprecated_prompt_is_compared_without_a_warning(folder: Any) -> None:
    head = "---\nmetadata: {version: 1.0.0, deprecated: {use: other}}\n---\nuser:\n"
    folder.write("greet.prompty", f"{head}Hello!\n")
    folder.commit()
    folder.write("greet.prompty", f"{head}Goodbye!\n")
    assert told(diff_prompts(folder.repository, "greet@git:HEAD", "greet")) == {
        "greet": "behaviour"
    }


def test_looking_changes_nothing(folder: Any) -> None:
    folder.prompt("greet")
    folder.commit()
    folder.prompt("greet", "Good morning!")
    status, index = folder.git("status", "--porcelain"), (folder.top / ".git/index").read_bytes()
    diff_prompts(folder.repository)
    diff_prompts(folder.repository, "greet@git:main", "greet")
    assert (folder.top / ".git/index").read_bytes() == index
    assert folder.git("status", "--porcelain") == status
