"""A promptfoo config as suites: a suite a prompt, its tests as the dataset.

promptfoo passes a test when all its assertions hold, or, with a `threshold`,
when enough of their weight does. What all tests assert becomes a check of the
suite; what differs from test to test stands in the dataset, with the scorer
`assertions`. Without a gate, a suite passes when every check does on every
case, which is when promptfoo exits with 0.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from llmops.core.documents import Parsed
from llmops.core.errors import DocumentError, Where
from llmops.evals.foreign.values import made_id
from llmops.evals.importing.assertions import Inexpressible, read_assertion
from llmops.evals.importing.dividing import Test, divided
from llmops.evals.importing.promptfoo_tests import read_tests
from llmops.evals.importing.values import Assertion, ImportedSuite, ImportedSuites
from llmops.prompts.exchange.importing import read_source
from llmops.prompts.exchange.turns import as_text
from llmops.prompts.exchange.values import Imported
from llmops.prompts.prompt import SUFFIX, Prompt, parse_prompt

_TEST_KEYS = frozenset({"description", "vars", "assert", "threshold", "metadata", "options"})
_CONFIG_KEYS = frozenset(
    {
        *("description", "tags", "prompts", "providers", "targets", "tests", "defaultTest"),
        *("env", "outputPath", "evaluateOptions", "commandLineOptions", "sharing", "metadata"),
    }
)


def read_promptfoo_suites(
    parsed: Parsed, *, name: str, into: str | None, leave_out: bool
) -> ImportedSuites:
    """The suites of a config: one named `name`, or one for each of several prompts.

    Raises `DocumentError` for a config that is broken, and for an assertion,
    variable or option that cannot be kept; with `leave_out`, such assertions
    are told and left out.
    """
    _refuse_others(parsed, parsed.data, _CONFIG_KEYS, ())
    read = read_source(parsed.path, into=into or f"{name}/")
    left_out: list[str] = [
        each for each in read.left_out if not each.startswith("tests and assertions")
    ]
    tests = list(_tests(parsed, leave_out, left_out))
    checks, rows = divided(tests)
    notes = list(_notes(parsed))
    suites = tuple(
        _suite(parsed, prompt, _suite_name(name, prompt, read.prompts), checks, tests, rows)
        for prompt in read.prompts
    )
    return ImportedSuites(
        suites=suites, notes=tuple(notes), left_out=tuple(dict.fromkeys(left_out))
    )


def _suite_name(name: str, prompt: Imported, prompts: Sequence[Imported]) -> str:
    return name if len(prompts) == 1 else f"{name}-{prompt.name.rpartition('/')[2]}"


def _suite(
    parsed: Parsed,
    imported: Imported,
    name: str,
    checks: Sequence[Mapping[str, Any]],
    tests: Sequence[Test],
    expected: Sequence[Any],
) -> ImportedSuite:
    prompt = parse_prompt(imported.text, Path(imported.name + SUFFIX), name=imported.name)
    own = any(each is not None for each in expected)
    return ImportedSuite(
        name=name,
        description=str(parsed.data.get("description") or ""),
        prompt=imported,
        rows=tuple(
            {"id": test.id, **_row(prompt, test), **({"expected": each} if own else {})}
            for test, each in zip(tests, expected, strict=True)
        ),
        inputs=tuple(each.name for each in prompt.inputs),
        checks=tuple(checks),
        repeat=_repeat(parsed),
        expected=own,
    )


def _row(prompt: Prompt, test: Test) -> dict[str, Any]:
    """The variables that the prompt asks for; one that a test lacks is empty, as in promptfoo."""
    row: dict[str, Any] = {}
    for declared in prompt.inputs:
        value = test.variables.get(declared.name, "")
        row[declared.name] = as_text(value) if declared.kind.value == "string" else value
    return row


def _tests(parsed: Parsed, leave_out: bool, left_out: list[str]) -> Iterator[Test]:
    shared = parsed.data.get("defaultTest") or {}
    at = parsed.where("defaultTest")
    if isinstance(shared, str):
        raise DocumentError("`defaultTest` is in a file", where=at)
    if not isinstance(shared, Mapping):
        raise DocumentError("`defaultTest` is no test", where=at)
    _refuse_others(parsed, shared, _TEST_KEYS, ("defaultTest",))
    _check_parts(shared, at)
    seen: dict[str, int] = {}
    for where, test in read_tests(parsed):
        _refuse_others(parsed, test, _TEST_KEYS, (), where)
        _check_parts(test, where)
        given = {**(shared.get("vars") or {}), **(test.get("vars") or {})}
        asserted = [*(shared.get("assert") or ()), *(test.get("assert") or ())]
        threshold = test.get("threshold", shared.get("threshold"))
        for variables in _expanded(given, where):
            described = str(test.get("description") or "")
            made = _asserted(asserted, variables, where, leave_out, left_out)
            if not made:
                raise DocumentError(
                    "a test that asserts nothing: promptfoo passes it whatever is answered",
                    hint="give it an `assert`, or take it out",
                    where=where,
                )
            yield Test(
                id=_id(described, variables, seen),
                variables=variables,
                assertions=tuple(made),
                threshold=None if threshold is None else float(threshold),
            )
    if not seen:
        raise DocumentError("has no tests", where=parsed.where("tests"))


def _check_parts(test: Mapping[str, Any], where: Where) -> None:
    """Raise for a part of a test that is something else than promptfoo takes."""
    for key, kind, what in (
        ("vars", Mapping, "a mapping of names to values"),
        ("assert", list, "a list of assertions"),
        ("threshold", int | float, "a number"),
    ):
        value = test.get(key)
        if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            raise DocumentError(f"`{key}` should be {what}", where=where)


def _repeat(parsed: Parsed) -> int:
    options = parsed.data.get("evaluateOptions") or {}
    times = options.get("repeat") if isinstance(options, Mapping) else options
    if times is None:
        return 1
    if isinstance(times, bool) or not isinstance(times, int) or times < 1:
        raise DocumentError(
            "`evaluateOptions.repeat` should be a whole number from 1 on",
            where=parsed.where("evaluateOptions"),
        )
    return times


def _id(described: str, variables: Mapping[str, Any], seen: dict[str, int]) -> str:
    """The id by which promptfoo's own results are paired, too."""
    first = next((value for value in variables.values() if isinstance(value, str)), "")
    made = made_id(described or first, [described, variables])
    seen[made] = seen.get(made, 0) + 1
    return made if seen[made] == 1 else f"{made}-{seen[made]}"


def _expanded(given: Mapping[str, Any], where: Where) -> Iterator[dict[str, Any]]:
    """One set of variables for each combination of the values that are lists."""
    for name, value in given.items():
        for each in value if isinstance(value, list) else [value]:
            text = each if isinstance(each, str) else ""
            if text.startswith(("file://", "package:")) or "{{" in text or "{%" in text:
                raise DocumentError(
                    f"the variable `{name}` is a file or a template",
                    hint="write the value itself",
                    where=where,
                )
    names = list(given)
    values = [value if isinstance(value, list) else [value] for value in given.values()]
    for combination in itertools.product(*values):
        yield dict(zip(names, combination, strict=True))


def _asserted(
    assertions: Sequence[Any],
    variables: Mapping[str, Any],
    where: Where,
    leave_out: bool,
    left_out: list[str],
) -> list[Assertion]:
    made: list[Assertion] = []
    for each in assertions:
        kind = each.get("type") if isinstance(each, Mapping) else each
        try:
            made += read_assertion(each, variables)
        except Inexpressible as reason:
            if not leave_out:
                raise DocumentError(
                    f"the assertion `{kind}` cannot be taken over: {reason}",
                    hint="change it, or pass `--leave-out`: then it is not checked any more",
                    where=where,
                ) from None
            left_out.append(f"the assertion `{kind}` ({where}): {reason}")
    return made


def _notes(parsed: Parsed) -> Iterator[str]:
    providers = parsed.data.get("providers", parsed.data.get("targets"))
    if isinstance(providers, list) and len(providers) > 1:
        yield (
            f"the config asks {len(providers)} models; the suite asks the project's default one, "
            "or that of `--model`"
        )


def _refuse_others(
    parsed: Parsed,
    data: Mapping[str, Any],
    known: frozenset[str],
    keys: tuple[str, ...],
    where: Where | None = None,
) -> None:
    """Raise for what is not taken over, and could decide on a result."""
    others = [str(key) for key in data if str(key) not in known and not str(key).startswith("$")]
    options = data.get("options") if isinstance(data.get("options"), Mapping) else {}
    others += [f"options.{key}" for key in options or {} if options]
    if others:
        raise DocumentError(
            f"`{others[0]}` cannot be taken over",
            hint="take it out of the config, if no result hangs on it",
            where=where or parsed.where(*keys, *others[0].split(".")),
        )
