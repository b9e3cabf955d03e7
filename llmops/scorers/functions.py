"""The `@scorer` decorator: a function that looks at a sample becomes a scorer.

    >>> from llmops.core.scoring import Sample, Score
    >>> @scorer(version="1", needs=["contexts"])
    ... def cites_source(sample: Sample, *, mark: str = "[doc:") -> Score:
    ...     \"\"\"Whether the answer names at least one retrieved document.\"\"\"
    ...     return Score(value=mark in sample.output, rationale=f"looks for {mark}… marks")
    >>> cites_source.score(Sample(output="See [doc:3]", contexts=("…",))).value
    1.0
    >>> cites_source.score(Sample(output="See [doc:3]")).rationale
    'the case has no contexts'

A suite names it as `module:cites_source` or `scorers.py:cites_source`; its
options are the function's keyword-only parameters.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from llmops.core.errors import UsageError
from llmops.core.scoring import Sample, Score
from llmops.scorers.configured import versioned
from llmops.scorers.measuring import Returned, as_score, awaited, lacking

NEEDS = frozenset({"expected", "contexts", "latency"})

Function = Callable[..., Returned | Awaitable[Returned]]


@dataclass(frozen=True, kw_only=True)
class FunctionScorer:
    """A function, sync or async, as a scorer.

    Calling it calls the function, so that its own tests read as if there were
    no decorator.
    """

    function: Function
    name: str
    method: str
    """The version that the author declared; options come on top in `version`."""
    unit: str = ""
    higher_is_better: bool = True
    default_rule: str | None = None
    needs: frozenset[str] = frozenset()
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # As `functools.wraps` would, had a frozen object let it: for help and doctests.
        for key in ("__doc__", "__module__", "__name__", "__qualname__"):
            object.__setattr__(self, key, getattr(self.function, key, None))
        object.__setattr__(self, "__wrapped__", self.function)

    @property
    def version(self) -> str:
        """The declared version and the options that were given."""
        defaults = self.function.__kwdefaults__ or {}
        given = {
            key: value
            for key, value in self.options.items()
            if key not in defaults or defaults[key] != value
        }
        return versioned(self.method, given)

    def with_options(self, options: Mapping[str, Any]) -> FunctionScorer:
        """The same scorer with other options, which must fit the function."""
        return replace(self, options=dict(options))

    def score(self, sample: Sample) -> Score | Awaitable[Score]:
        """The function's answer as a `Score`; unscored when the case lacks what is needed."""
        reason = lacking(self.needs, sample)
        if reason is not None:
            return Score.unscored(reason)
        found = self.function(sample, **self.options)
        if inspect.isawaitable(found):
            return awaited(found, self.name)
        return as_score(found, self.name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function itself returns."""
        return self.function(*args, **kwargs)


def scorer(
    *,
    version: str,
    name: str | None = None,
    unit: str = "",
    higher_is_better: bool = True,
    default_rule: str | None = None,
    needs: Iterable[str] = (),
) -> Callable[[Function], FunctionScorer]:
    """Make a scorer of a function `Sample → Score | float | bool`, sync or async.

    Change `version` whenever the same sample could get another score. `unit`
    is empty for a ratio in [0, 1]; `default_rule` is the pass rule of a check
    that names none (`"== 1"` for yes/no); `needs` names what a case must have
    (`expected`, `contexts`, `latency`): without it the case is unscored.
    Raises `UsageError` for needs that no case has, or a function that does not
    take exactly one positional parameter, the sample.
    """
    wanted = frozenset(needs)
    if not wanted <= NEEDS:
        unknown = ", ".join(f"`{each}`" for each in sorted(wanted - NEEDS))
        raise UsageError(
            f"a scorer cannot need {unknown}",
            hint="known: " + ", ".join(f"`{each}`" for each in sorted(NEEDS)),
        )

    def decorate(function: Function) -> FunctionScorer:
        check_shape(function)
        return FunctionScorer(
            function=function,
            name=name or function.__name__,
            method=version,
            unit=unit,
            higher_is_better=higher_is_better,
            default_rule=default_rule,
            needs=wanted,
        )

    return decorate


def check_shape(function: Function) -> None:
    """Raise `UsageError` unless `function` takes the sample and keyword-only options."""
    positional = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind not in (parameter.KEYWORD_ONLY, parameter.VAR_KEYWORD)
    ]
    if len(positional) != 1:
        called = getattr(function, "__name__", "the function")
        raise UsageError(
            f"`{called}` does not take exactly one positional parameter, the sample",
            hint=f"write `def {called}(sample, *, option=default)`",
        )
