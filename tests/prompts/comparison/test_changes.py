"""Every rule of what is breaking, behaviour, cosmetic or nothing, one test a rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmops.prompts import Prompt
from llmops.prompts.comparison import ChangeKind, classify
from llmops.prompts.prompt import parse_prompt
from llmops.prompts.trees import MemoryTree

BREAKING = ChangeKind.BREAKING
BEHAVIOUR = ChangeKind.BEHAVIOUR
COSMETIC = ChangeKind.COSMETIC
NONE = ChangeKind.NONE

BODY = "user:\nSay hello.\n"


def prompt(head: str = "", body: str = BODY, version: str = "1.0.0") -> Prompt:
    text = f"---\nmetadata: {{version: {version}}}\n{head}\n---\n{body}"
    return parse_prompt(text, Path("p.prompty"), name="p")


def inputs(*declared: str) -> Prompt:
    return prompt("inputs: [" + ", ".join(f"{{{each}}}" for each in declared) + "]")


def outputs(*declared: str) -> Prompt:
    return prompt("outputs: [" + ", ".join(f"{{{each}}}" for each in declared) + "]")


TONE = "name: tone, kind: string"
LIST = "name: list, kind: array"
ORDER = "name: order, kind: object"


def test_a_required_input_that_is_added_breaks_callers() -> None:
    assert classify(inputs(), inputs(TONE)) is BREAKING


def test_an_optional_input_that_is_added_is_behaviour() -> None:
    assert classify(inputs(), inputs(f"{TONE}, default: kind")) is BEHAVIOUR
    assert classify(inputs(), inputs(f"{TONE}, required: false")) is BEHAVIOUR


def test_an_input_that_is_removed_breaks_callers() -> None:
    assert classify(inputs(TONE), inputs()) is BREAKING
    assert classify(inputs(f"{TONE}, default: kind"), inputs()) is BREAKING


def test_a_renamed_input_breaks_callers() -> None:
    assert classify(inputs(TONE), inputs("name: style, kind: string")) is BREAKING


def test_an_input_whose_kind_changes_breaks_callers() -> None:
    assert classify(inputs(TONE), inputs("name: tone, kind: integer")) is BREAKING
    assert classify(inputs("name: n, kind: integer"), inputs("name: n, kind: number")) is BREAKING


def test_another_word_for_the_same_kind_is_cosmetic() -> None:
    assert classify(inputs("name: n, kind: float"), inputs("name: n, kind: number")) is COSMETIC


def test_an_optional_input_that_becomes_required_breaks_callers() -> None:
    assert classify(inputs(f"{TONE}, required: false"), inputs(TONE)) is BREAKING


def test_an_input_that_loses_its_default_and_is_required_breaks_callers() -> None:
    assert classify(inputs(f"{TONE}, default: kind"), inputs(TONE)) is BREAKING


def test_an_input_that_loses_its_default_and_stays_optional_is_behaviour() -> None:
    old, new = inputs(f"{TONE}, default: kind"), inputs(f"{TONE}, required: false")
    assert classify(old, new) is BEHAVIOUR


def test_a_required_input_that_becomes_optional_is_behaviour() -> None:
    assert classify(inputs(TONE), inputs(f"{TONE}, required: false")) is BEHAVIOUR
    assert classify(inputs(TONE), inputs(f"{TONE}, default: kind")) is BEHAVIOUR


def test_another_default_is_behaviour() -> None:
    assert classify(inputs(f"{TONE}, default: kind"), inputs(f"{TONE}, default: dry")) is BEHAVIOUR


def test_another_default_of_a_property_is_behaviour() -> None:
    old = inputs(f"{ORDER}, properties: [{{{TONE}, default: kind}}]")
    new = inputs(f"{ORDER}, properties: [{{{TONE}, default: dry}}]")
    assert classify(old, new) is BEHAVIOUR


def test_an_input_that_cannot_be_null_any_more_breaks_callers() -> None:
    assert classify(inputs(f"{TONE}, nullable: true"), inputs(TONE)) is BREAKING


def test_an_input_that_can_be_null_is_behaviour() -> None:
    assert classify(inputs(TONE), inputs(f"{TONE}, nullable: true")) is BEHAVIOUR


def test_a_default_where_callers_could_give_null_breaks_those_who_do() -> None:
    old, new = inputs(f"{TONE}, required: false"), inputs(f"{TONE}, default: kind")
    assert old.accept({"tone": None}) == {"tone": None}
    assert classify(old, new) is BREAKING
    assert classify(old, inputs(f"{TONE}, default: kind, nullable: true")) is BEHAVIOUR


def test_an_allowed_value_taken_from_an_input_breaks_callers() -> None:
    old, new = inputs(f"{TONE}, enumValues: [a, b]"), inputs(f"{TONE}, enumValues: [b]")
    assert classify(old, new) is BREAKING


def test_an_allowed_value_added_to_an_input_is_behaviour() -> None:
    old, new = inputs(f"{TONE}, enumValues: [b]"), inputs(f"{TONE}, enumValues: [a, b]")
    assert classify(old, new) is BEHAVIOUR


def test_a_list_of_allowed_values_put_on_an_input_breaks_callers() -> None:
    assert classify(inputs(TONE), inputs(f"{TONE}, enumValues: [a]")) is BREAKING


def test_a_list_of_allowed_values_taken_off_an_input_is_behaviour() -> None:
    assert classify(inputs(f"{TONE}, enumValues: [a]"), inputs(TONE)) is BEHAVIOUR


def test_a_required_property_added_to_an_input_breaks_callers() -> None:
    old = inputs(f"{ORDER}, properties: [{{{LIST}}}]")
    new = inputs(f"{ORDER}, properties: [{{{LIST}}}, {{{TONE}}}]")
    assert classify(old, new) is BREAKING


def test_an_optional_property_added_to_an_input_is_behaviour() -> None:
    old = inputs(f"{ORDER}, properties: [{{{LIST}}}]")
    new = inputs(f"{ORDER}, properties: [{{{LIST}}}, {{{TONE}, required: false}}]")
    assert classify(old, new) is BEHAVIOUR


def test_a_property_taken_from_an_input_breaks_callers() -> None:
    old = inputs(f"{ORDER}, properties: [{{{LIST}}}, {{{TONE}, required: false}}]")
    new = inputs(f"{ORDER}, properties: [{{{LIST}}}]")
    assert classify(old, new) is BREAKING


def test_a_property_of_another_kind_breaks_callers() -> None:
    old = inputs(f"{ORDER}, properties: [{{{TONE}}}]")
    new = inputs(f"{ORDER}, properties: [{{name: tone, kind: boolean}}]")
    assert classify(old, new) is BREAKING


def test_properties_put_on_an_object_that_held_anything_break_callers() -> None:
    old, new = inputs(ORDER), inputs(f"{ORDER}, properties: [{{{TONE}, required: false}}]")
    assert classify(old, new) is BREAKING
    assert classify(new, old) is BEHAVIOUR


def test_items_of_another_kind_break_callers() -> None:
    old, new = (
        inputs(f"{LIST}, items: {{kind: string}}"),
        inputs(f"{LIST}, items: {{kind: number}}"),
    )
    assert classify(old, new) is BREAKING


def test_items_put_on_an_array_that_held_anything_break_callers() -> None:
    old, new = inputs(LIST), inputs(f"{LIST}, items: {{kind: string}}")
    assert classify(old, new) is BREAKING
    assert classify(new, old) is BEHAVIOUR


def test_rules_reach_the_deepest_property() -> None:
    def deep(last: str) -> Prompt:
        item = f"{{kind: object, properties: [{{{last}}}]}}"
        return inputs(f"{ORDER}, properties: [{{{LIST}, items: {item}}}]")

    assert (
        classify(deep(f"{TONE}, enumValues: [a, b]"), deep(f"{TONE}, enumValues: [a]")) is BREAKING
    )
    assert (
        classify(deep(f"{TONE}, enumValues: [a]"), deep(f"{TONE}, enumValues: [a, b]")) is BEHAVIOUR
    )


def test_an_answer_that_becomes_json_breaks_readers() -> None:
    assert classify(outputs(), outputs(TONE)) is BREAKING


def test_an_answer_that_becomes_free_text_breaks_readers() -> None:
    assert classify(outputs(TONE), outputs()) is BREAKING


def test_an_output_that_is_removed_breaks_readers() -> None:
    assert classify(outputs(TONE, LIST), outputs(LIST)) is BREAKING


def test_an_output_that_is_added_is_behaviour() -> None:
    assert classify(outputs(LIST), outputs(LIST, TONE)) is BEHAVIOUR


def test_an_output_of_another_kind_breaks_readers() -> None:
    assert classify(outputs(TONE), outputs("name: tone, kind: integer")) is BREAKING


def test_an_output_that_may_be_missing_breaks_readers() -> None:
    assert classify(outputs(TONE), outputs(f"{TONE}, required: false")) is BREAKING


def test_an_output_that_always_comes_is_behaviour() -> None:
    assert classify(outputs(f"{TONE}, required: false"), outputs(TONE)) is BEHAVIOUR


def test_an_output_that_can_be_null_breaks_readers() -> None:
    assert classify(outputs(TONE), outputs(f"{TONE}, nullable: true")) is BREAKING


def test_an_output_that_cannot_be_null_any_more_is_behaviour() -> None:
    assert classify(outputs(f"{TONE}, nullable: true"), outputs(TONE)) is BEHAVIOUR


def test_an_allowed_value_added_to_an_output_breaks_readers() -> None:
    old, new = outputs(f"{TONE}, enumValues: [a]"), outputs(f"{TONE}, enumValues: [a, b]")
    assert classify(old, new) is BREAKING
    assert classify(new, old) is BEHAVIOUR


def test_an_output_that_may_be_anything_breaks_readers() -> None:
    assert classify(outputs(f"{TONE}, enumValues: [a]"), outputs(TONE)) is BREAKING
    assert classify(outputs(TONE), outputs(f"{TONE}, enumValues: [a]")) is BEHAVIOUR


def test_outputs_are_judged_down_to_the_deepest_property() -> None:
    def deep(last: str) -> Prompt:
        return outputs(f"{LIST}, items: {{kind: object, properties: [{last}]}}")

    assert classify(deep(f"{{{TONE}}}"), deep(f"{{{TONE}, nullable: true}}")) is BREAKING
    assert classify(deep(f"{{{TONE}}}, {{{LIST}}}"), deep(f"{{{TONE}}}")) is BREAKING
    assert classify(deep(f"{{{TONE}}}"), deep(f"{{{TONE}}}, {{{LIST}}}")) is BEHAVIOUR


def test_an_output_whose_items_may_be_anything_breaks_readers() -> None:
    old, new = outputs(f"{LIST}, items: {{kind: string}}"), outputs(LIST)
    assert classify(old, new) is BREAKING
    assert classify(new, old) is BEHAVIOUR


def test_the_description_of_an_output_reaches_the_model() -> None:
    assert classify(outputs(TONE), outputs(f"{TONE}, description: How")) is BEHAVIOUR


def test_the_order_of_outputs_reaches_the_model() -> None:
    assert classify(outputs(TONE, LIST), outputs(LIST, TONE)) is BEHAVIOUR
    tone, each = f"{TONE}, required: false", f"{LIST}, required: false"
    assert classify(outputs(tone, each), outputs(each, tone)) is BEHAVIOUR


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (prompt(body="user:\nSay hello.\n"), prompt(body="user:\nSay goodbye.\n")),
        (prompt(body="user:\nSay hello.\n"), prompt(body="system:\nSay hello.\n")),
        (prompt(body="user:\nSay hello.\n"), prompt(body="user:\nSay hello.\n\nuser:\nMore.\n")),
        (prompt(body="user:\nSay hello.\n"), prompt(body="user:\nSay  hello.\n")),
        (prompt("model: {id: a}"), prompt("model: {id: b}")),
        (prompt("model: {options: {temperature: 0.1}}"), prompt()),
        (prompt("model: {options: {stopSequences: [END]}}"), prompt()),
        (prompt("model: {options: {additionalProperties: {min_p: 0.1}}}"), prompt()),
    ],
    ids=["wording", "role", "message", "spacing", "model", "sampling", "stop", "extra"],
)
def test_what_reaches_the_model_is_behaviour(old: Prompt, new: Prompt) -> None:
    assert classify(old, new) is BEHAVIOUR
    assert classify(new, old) is BEHAVIOUR


def test_other_examples_are_behaviour(tmp_path: Path) -> None:
    def with_example(reply: str) -> Prompt:
        tree = MemoryTree({"p.jsonl": f'{{"reply": "{reply}"}}\n'}, tmp_path)
        body = "user:\n{% for each in examples %}{{ each.reply }}{% endfor %} Go!\n"
        text = f"---\nmetadata: {{version: 1.0.0}}\nexamples: p.jsonl\n---\n{body}"
        return parse_prompt(text, Path("p.prompty"), name="p", tree=tree)

    assert classify(with_example("yes"), with_example("no")) is BEHAVIOUR
    assert classify(with_example("yes"), with_example("y\\u0065s")) is COSMETIC
    assert classify(with_example("yes"), with_example("yes")) is NONE


def test_another_partial_is_behaviour_and_a_comment_in_it_is_not(tmp_path: Path) -> None:
    def with_partial(text: str) -> Prompt:
        tree = MemoryTree({"shared/tone.jinja": text}, tmp_path)
        source = '---\nmetadata: {version: 1.0.0}\n---\nsystem:\n{% include "shared/tone" %}\n'
        return parse_prompt(source, Path("p.prompty"), name="p", tree=tree)

    assert classify(with_partial("Be kind."), with_partial("Be dry.")) is BEHAVIOUR
    for same in ("Be kind.{# always #}", "Be kind.\n", "Be kind.\n\n", "\n\nBe kind."):
        assert classify(with_partial("Be kind."), with_partial(same)) is COSMETIC
        assert classify(with_partial(same), with_partial("Be kind.")) is COSMETIC
    assert classify(with_partial("Be\nkind.\n"), with_partial("Be\r\nkind.\r\n")) is NONE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (prompt(), prompt("description: Greets.")),
        (prompt(), prompt("displayName: Greeting")),
        (prompt(), prompt("# for the shop")),
        (prompt(), prompt(body="user:\n{# for the shop #}Say hello.\n")),
        (prompt(), prompt(body="\n\nuser:\n\nSay hello.\n\n\n")),
        (inputs(TONE), inputs(f"{TONE}, description: How")),
        (inputs(TONE), inputs(f"{TONE}, example: kind")),
        (inputs(TONE), inputs(f"{TONE}, trusted: true")),
        (inputs(TONE, LIST), inputs(LIST, TONE)),
    ],
    ids=[
        "description",
        "title",
        "comment",
        "comment in the body",
        "blank lines",
        "an input's description",
        "an input's example",
        "an input's trust",
        "the order of inputs",
    ],
)
def test_what_no_model_sees_is_cosmetic(old: Prompt, new: Prompt) -> None:
    assert classify(old, new) is COSMETIC
    assert classify(new, old) is COSMETIC


def test_metadata_is_cosmetic() -> None:
    head = "---\nmetadata:\n  version: 1.0.0\n{}---\n" + BODY
    old, new = (
        parse_prompt(head.format(more), Path("p.prompty"), name="p")
        for more in ("", "  tags: [greeting]\n")
    )
    assert classify(old, new) is COSMETIC


def test_another_version_number_alone_is_no_change() -> None:
    assert classify(prompt(version="1.0.0"), prompt(version="2.0.0-rc.1")) is NONE
    assert classify(prompt(version="1.0.0"), prompt(version="'1.0.0'")) is COSMETIC


def test_the_line_ends_of_a_checkout_are_no_change() -> None:
    source = prompt().source
    other = parse_prompt(source.replace("\n", "\r\n"), Path("p.prompty"), name="p")
    assert classify(prompt(), other) is NONE


def test_a_version_given_by_a_yaml_alias_is_compared_as_text() -> None:
    def aliased(version: str) -> Prompt:
        text = f"---\ndescription: &v {version}\nmetadata: {{version: *v}}\n---\n{BODY}"
        return parse_prompt(text, Path("p.prompty"), name="p")

    assert classify(aliased("1.0.0"), aliased("1.0.0")) is NONE
    assert classify(aliased("1.0.0"), aliased("1.0.1")) is COSMETIC


def test_kinds_are_ordered_by_weight() -> None:
    assert NONE < COSMETIC < BEHAVIOUR < BREAKING
    assert max(COSMETIC, BREAKING, BEHAVIOUR) is BREAKING
    assert [kind.bump for kind in ChangeKind] == [None, "patch", "minor", "major"]
