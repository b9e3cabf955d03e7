"""The linter, which compiles nothing, refuses what cannot be compiled or lacks a variable."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.core.errors import DocumentError
from llmops.prompts.lint import lint_prompt
from llmops.prompts.prompt import parse_prompt
from llmops.prompts.trees import MemoryTree

TREE = MemoryTree(
    {"p.jinja": "Part {{ x }}{{ a }}", "q.jinja": "\nuser:\nQ {% include 'p' %}"}, Path("p")
)
OPENED = {
    "for a in x": "for",
    "for a, b in x.items()": "for",
    "if x": "if",
    "macro m(a, b=x)": "macro",
    "set b": "set",
    "with c = x": "with",
    "filter upper": "filter",
    "call m()": "call",
}
PIECES = [
    *("text", "\nsystem:\n", "{{ x }}", "{{ y }}", "{{ a }}{{ loop.index }}", "{{ b }}{{ c }}"),
    *("{% set y = x %}", "{% set a, b = x %}", "{{ m(x) | upper }}", "{{ x | nope }}"),
    *("{% include 'p' %}", "{% include 'q' %}", "{{ caller() }}", "{{ x is nope }}", "{% else %}"),
    *("{% macro m(a, a) %}{% endmacro %}", "{% for loop in x %}{% endfor %}", "{{ x.__class__ }}"),
    *(
        "{% set n = namespace() %}{% set n.a = x %}{{ n.a }}",
        "{% if x %}{% set y = 1 %}{% endif %}",
    ),
]
NESTED = st.recursive(
    st.lists(st.sampled_from(PIECES), max_size=3).map("".join),
    lambda inner: st.tuples(st.sampled_from(sorted(OPENED)), inner, inner).map(
        lambda made: f"{{% {made[0]} %}}{made[1]}{{% end{OPENED[made[0]]} %}}{made[2]}"
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(NESTED)
def test_what_the_linter_lets_pass_can_be_compiled_and_nothing_else(body: str) -> None:
    text = (
        "---\nmetadata: {version: 1.0.0}\ninputs: {x: {kind: array, description: X.}}\n---\n"
        f"user:\nHi {body}"
    )
    prompt = parse_prompt(text, Path("p/z.prompty"), name="z", tree=TREE)
    try:
        prompt.check()
        refused = False
    except DocumentError:
        refused = True
    rules = {each.rule for each in lint_prompt(prompt)}
    assert refused == bool(rules & {"broken", "undeclared-variable"})
