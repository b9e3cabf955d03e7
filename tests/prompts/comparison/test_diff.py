"""Everything that differs between two versions, and how it reads."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from llmops.core.errors import ProviderUnavailable, UsageError
from llmops.prompts import Prompt
from llmops.prompts.comparison import ChangeKind, Comparison, PromptDiff, compare
from llmops.prompts.comparison.markdown import to_markdown
from llmops.prompts.comparison.text import to_text
from llmops.prompts.prompt import parse_prompt

OLD = """---
description: Answers.
metadata: {version: 1.2.0}
model: {id: local, options: {temperature: 0.2, maxOutputTokens: 300}}
inputs:
  question: {kind: string}
  tone: {kind: string, enumValues: [kind, dry, plain], default: kind}
  notes: {kind: object, properties: {age: {kind: integer}}}
outputs:
  answer: {kind: string}
---
system:
You are a helpful agent. Answer in a {{ tone }} tone.
Use only what you know.

Rules:
- Be short.
- Never promise a refund.
- Never speak of competitors.
- Quote the document that you used.
- Use the customer's language.

user:
{{ question }}
"""

NEW = """---
description: Answers questions.
metadata: {version: 2.0.0}
model: {id: local, options: {temperature: 0.7, topP: 0.9, additionalProperties: {min_p: 0.1}}}
inputs:
  question: {kind: string}
  tone: {kind: string, enumValues: [kind, dry], default: dry}
  notes: {kind: object, properties: {age: {kind: integer}, name: {kind: string}}}
outputs:
  answer: {kind: string, nullable: true}
  source: {kind: string}
---
system:
You are a senior agent. Answer in a {{tone}} tone.
Use only what you know.

Rules:
- Be short.
- Never promise a refund.
- Never speak of competitors.
- Quote the document that you used.
- Never use emoji.
- Use the customer's language.

user:
Hello!

assistant:
Hello.

user:
{{ question }}
"""


def prompt(text: str, name: str = "support/answer") -> Prompt:
    return parse_prompt(text, Path("prompts") / f"{name}.prompty", name=name)


def saying(*messages: str, version: str = "1.0.0") -> Prompt:
    body = "\n\n".join(messages)
    return prompt(f"---\nmetadata: {{version: {version}}}\n---\n{body}\n")


def comparison(diff: PromptDiff) -> Comparison:
    return Comparison(before="HEAD", after="working tree", prompts=(diff,))


def test_the_text_form_shows_a_whole_review() -> None:
    assert to_text(comparison(compare(prompt(OLD), prompt(NEW)))) == (
        """support/answer 1.2.0 → 2.0.0: breaking (major)
  breaking   input `tone` may not be `"plain"` any more (line 7)
  breaking   required input `notes.name` added (line 8)
  breaking   output `answer` can be null now (line 10)
  behaviour  input `tone` has another default: `"kind"` → `"dry"` (line 7)
  behaviour  required output `source` added (line 11)
  behaviour  `temperature`: `0.2` → `0.7`
  behaviour  `maxOutputTokens`: `300` → the default
  behaviour  `topP`: the default → `0.9`
  behaviour  `additionalProperties.min_p`: the default → `0.1`
  behaviour  `system` message reworded (line 13)
  behaviour  `user` message added (line 25)
  behaviour  `assistant` message added (line 28)
  cosmetic   another description
  system (line 13):
    You are a [-helpful-]{+senior+} agent. Answer in a {{tone}} tone.
    Use only what you know.

    … 3 unchanged lines
    - Never speak of competitors.
    - Quote the document that you used.
    {+- Never use emoji.+}
    - Use the customer's language.
  user (line 25, added):
    {+Hello!+}
  assistant (line 28, added):
    {+Hello.+}
  tokens: not counted (not asked for)

HEAD → working tree: 1 prompt differs (1 breaking)"""
    )


def test_the_json_form_holds_every_part_of_it() -> None:
    told = json.loads(json.dumps(comparison(compare(prompt(OLD), prompt(NEW))).to_json()))
    assert (told["schema"], told["kind"]) == ("llmops.prompts.diff/1", "breaking")
    (diff,) = told["prompts"]
    assert (diff["name"], diff["kind"], diff["bump"]) == ("support/answer", "breaking", "major")
    assert [diff[side]["version"] for side in ("before", "after")] == ["1.2.0", "2.0.0"]
    assert diff["reasons"][0] == {
        "kind": "breaking",
        "what": 'input `tone` may not be `"plain"` any more',
        "file": "prompts/support/answer.prompty",
        "line": 7,
    }
    assert [(each["name"], each["state"]) for each in diff["inputs"]] == [
        ("tone", "changed"),
        ("notes", "changed"),
    ]
    assert [(each["name"], each["state"]) for each in diff["outputs"]] == [
        ("answer", "changed"),
        ("source", "added"),
    ]
    assert diff["parameters"][0] == {"name": "temperature", "before": 0.2, "after": 0.7}
    assert [(each["role"], each["state"]) for each in diff["messages"]] == [
        ("system", "changed"),
        ("user", "added"),
        ("assistant", "added"),
        ("user", "same"),
    ]
    assert diff["messages"][0]["words"][:3] == [
        {"change": "same", "text": "You are a "},
        {"change": "removed", "text": "helpful"},
        {"change": "added", "text": "senior"},
    ]
    assert diff["tokens"] == {"before": None, "after": None, "reason": "not asked for"}


def test_the_weightiest_reasons_come_first_and_the_kind_is_theirs() -> None:
    diff = compare(prompt(OLD), prompt(NEW))
    kinds = [each.kind for each in diff.reasons]
    assert kinds == sorted(kinds, reverse=True)
    assert diff.kind is kinds[0]


@pytest.mark.parametrize(
    ("old", "new", "kind", "what"),
    [
        (
            "user:\nHi {# a #}\n",
            "user:\nHi {# b #}\n",
            "cosmetic",
            "comments, order or white space",
        ),
        ("user:\n{{- 1 }}\n", "user:\n{{ 1 }}\n", "cosmetic", "`user` message written"),
        ("user:\na{{- 1 }}\n", "user:\na{{ 1 }}\n", "cosmetic", "`user` message written"),
    ],
)
def test_every_change_has_a_reason(old: str, new: str, kind: str, what: str) -> None:
    (reason,) = compare(saying(old), saying(new)).reasons
    assert (reason.kind, reason.what[: len(what)]) == (kind, what)


def test_another_version_number_alone_has_none() -> None:
    diff = compare(saying("user:\nHi"), saying("user:\nHi", version="1.0.1"))
    assert (diff.kind, diff.reasons) == (ChangeKind.NONE, ())
    assert to_text(comparison(diff)).startswith("support/answer 1.0.0 → 1.0.1: no change\n")


def states(old: tuple[str, ...], new: tuple[str, ...]) -> list[tuple[str | None, str]]:
    diff = compare(saying(*old), saying(*new))
    return [(each.role, each.state) for each in diff.messages]


def test_messages_are_matched_by_what_they_say() -> None:
    asked, answered = "user:\nWhat is the capital of France?", "assistant:\nThe capital is Paris."
    other = "user:\nWhat is the capital of Spain?"
    assert states((asked, answered, other), (answered, other)) == [
        ("user", "removed"),
        ("assistant", "same"),
        ("user", "same"),
    ]
    assert states((other,), (asked, answered, "user:\nWhat is the capital of Italy or Spain?")) == [
        ("user", "added"),
        ("assistant", "added"),
        ("user", "changed"),
    ]


def test_a_message_that_is_rewritten_is_still_that_message() -> None:
    assert states(("system:\nBe kind.", "user:\nHi"), ("system:\nNever lie", "user:\nHi")) == [
        ("system", "changed"),
        ("user", "same"),
    ]


def test_a_message_whose_role_changed_is_one_change() -> None:
    diff = compare(
        saying("system:\nAnswer in short sentences.", "user:\nHi"),
        saying("developer:\nAnswer in short sentences.", "user:\nHi"),
    )
    assert [each.what for each in diff.reasons] == [
        "a message of `system` is one of `developer` now"
    ]
    assert "system → developer (line 4):" in to_text(comparison(diff))


def test_tokens_are_counted_once_for_the_same_content() -> None:
    asked: list[str] = []

    def count(prompt: Prompt) -> int:
        asked.append(prompt.version)
        return len(prompt.body)

    same = compare(saying("user:\nHi"), saying("user:\nHi", version="1.0.1"), count_tokens=count)
    assert (same.tokens.before, same.tokens.after, asked) == (9, 9, ["1.0.0"])
    more = compare(saying("user:\nHi"), saying("user:\nHi there"), count_tokens=count)
    assert "tokens: 9 → 15 (+6)" in to_text(comparison(more))
    gone = compare(saying("user:\nHi"), None, count_tokens=count)
    assert "tokens: 9 before" in to_text(comparison(gone))


def test_tokens_that_cannot_be_counted_say_why() -> None:
    def count(prompt: Prompt) -> int:
        if "there" in prompt.body:
            raise ProviderUnavailable("nothing answers at `http://here`")
        return 1

    diff = compare(saying("user:\nHi"), saying("user:\nHi there"), count_tokens=count)
    reason = "not counted (nothing answers at `http://here`)"
    assert f"tokens: 1 before, {reason}" in to_text(comparison(diff))
    assert "- tokens: 1 before, not counted (`nothing answers at 'http://here'`)" in to_markdown(
        comparison(diff)
    )


def test_there_has_to_be_a_prompt_on_one_side() -> None:
    with pytest.raises(ValueError, match="no prompt on either side"):
        compare(None, None)


def test_a_broken_template_is_an_error_with_its_place() -> None:
    with pytest.raises(UsageError, match=r"answer\.prompty:5"):
        compare(saying("user:\nHi"), saying("user:\n{{ ] }}"))


def test_long_unchanged_stretches_of_a_line_are_left_out() -> None:
    long = " ".join(f"word{number}" for number in range(100))
    text = to_text(
        comparison(
            compare(saying(f"user:\n{long} a {long} b"), saying(f"user:\n{long} c {long} b"))
        )
    )
    line = next(line for line in text.splitlines() if "[-a-]" in line)
    assert line.startswith("    … word9")
    assert line.endswith(" …")
    assert len(line) < 200


def test_characters_that_steer_a_terminal_or_hide_are_spelled_out() -> None:
    diff = compare(saying("user:\nHi"), saying("user:\nHi \x1b[2J and \u202eback\u200b 👩‍💻"))
    for shown in (to_text(comparison(diff)), to_markdown(comparison(diff))):
        assert "\\u001b[2J" in shown
        assert "\\u202eback\\u200b" in shown
        assert "👩‍💻" in shown


NASTY = "</pre><script>alert(1)</script> @octocat #1 `x` **b** ~~c~~ | ![i](http://x) <!-- <del>"


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.outside: list[str] = []
        self._within = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self._within += tag in ("pre", "code")

    def handle_endtag(self, tag: str) -> None:
        self._within -= tag in ("pre", "code")

    def handle_data(self, data: str) -> None:
        if not self._within:
            self.outside.append(data)


def test_a_prompts_text_cannot_leave_its_place_in_markdown() -> None:
    raw = "{% raw %}" + NASTY + "{% endraw %}"
    head = "---\nmetadata: {{version: 1.0.0}}\ninputs: [{{name: x, kind: string, {}}}]\n---\n"
    old = prompt(head.format("default: a") + f"user:\nHi\n{raw}\n")
    new = prompt(head.format(f"default: '{NASTY}'") + f"user:\nHi you\n{raw} twice {raw}\n")
    read = Tags()
    read.feed(MarkdownIt("commonmark").render(to_markdown(comparison(compare(old, new)))))
    assert not read.seen & {"script", "img", "a"}
    outside = "".join(read.outside)
    assert "behaviour" in outside
    assert not any(each in outside for each in ("@", "octocat", "#1", "alert"))


def test_markdown_is_a_table_a_list_and_the_words() -> None:
    markdown = to_markdown(comparison(compare(saying("user:\nBe kind."), saying("user:\nBe dry."))))
    assert (
        markdown
        == """## Prompts

`HEAD → working tree`: 1 prompt differs (1 behaviour)

| Prompt | Version | Change |
| --- | --- | --- |
| `support/answer` | 1.0.0 | behaviour (minor) |

### `support/answer` 1.0.0: behaviour (minor)

- **behaviour** `user` message reworded (line 4)
- tokens: not counted (`not asked for`)

<details open><summary><code>user (line 4)</code></summary>

<pre>
Be <del>kind</del><ins><b>dry</b></ins>.
</pre>

</details>"""
    )


def test_long_lines_are_wrapped_where_github_would_not() -> None:
    long = " ".join(f"word{number}" for number in range(60))
    markdown = to_markdown(comparison(compare(saying("user:\nHi"), saying(f"user:\nHi {long}"))))
    lines = [re.sub("<[^>]*>", "", line) for line in markdown.splitlines()]
    assert max(map(len, lines)) <= 110
    assert sum(line.startswith("↳ ") for line in lines) == 4
