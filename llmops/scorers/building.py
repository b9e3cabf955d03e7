"""From a name and options, as a suite or policy writes them, to a scorer.

A name is one of the built-in scorers, one that an installed package offers by
an entry point in the group `llmops.scorers`, or a reference to the project's
own code: `module:attribute` or `file.py:attribute`. Built-in names come first
and cannot be taken over.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from llmops.core.errors import NotFound, UsageError
from llmops.core.scoring import Scorer
from llmops.core.services import Services
from llmops.scorers.functions import FunctionScorer, check_shape
from llmops.scorers.options import Folders, accepted, wants_services

BUILT_IN: Mapping[str, str] = {
    "assertions": "llmops.scorers.assertions:Assertions",
    "bleu": "llmops.scorers.translation:Bleu",
    "chrf": "llmops.scorers.translation:Chrf",
    "contains": "llmops.scorers.matching:Contains",
    "context_overlap": "llmops.scorers.overlap:context_overlap",
    "exact_match": "llmops.scorers.matching:exact_match",
    "judge": "llmops.scorers.judges.rubric:Judge",
    "judge_geval": "llmops.scorers.judges.geval:JudgeGEval",
    "judge_pairwise": "llmops.scorers.judges.pairwise:JudgePairwise",
    "judge_reference": "llmops.scorers.judges.rubric:JudgeReference",
    "json_schema": "llmops.scorers.structure:JsonSchema",
    "latency": "llmops.scorers.measures:latency",
    "length": "llmops.scorers.measures:Length",
    "output_tokens": "llmops.scorers.measures:output_tokens",
    "refusal": "llmops.scorers.refusal:refusal",
    "regex": "llmops.scorers.patterns:Regex",
    "rouge_l": "llmops.scorers.rouge:rouge_l",
    "semantic_similarity": "llmops.scorers.similarity:SemanticSimilarity",
    "sentiment": "llmops.scorers.sentiment:Sentiment",
    "squad_exact_match": "llmops.scorers.squad:squad_exact_match",
    "token_f1": "llmops.scorers.squad:token_f1",
}
"""Where each built-in scorer lives; it is imported when something names it."""


def names() -> list[str]:
    """The scorers that can be named here, built in or brought by packages, sorted."""
    from llmops.core import plugins
    from llmops.scorers.ragas import catalogue as ragas_metrics

    return sorted({*BUILT_IN, *ragas_metrics.names(), *plugins.names(plugins.SCORERS)})


def build(
    name: str,
    options: Mapping[str, Any] | None = None,
    *,
    base: Path,
    root: Path | None = None,
    services: Services | None = None,
) -> Scorer:
    """The scorer called `name`, with its options checked.

    `base` is the folder against which paths in options are resolved, the
    suite's; `root` the project's, which they may not leave and where modules
    are found. Left out, it is the nearest folder above `base` that holds an
    `llmops.toml`. A class that has a parameter `services: Services` is handed
    `services`, the project's models and prompts; no file can set it.

    Raises `NotFound` for an unknown name or option, `UsageError` for options
    that do not fit, and `MissingExtra` when the scorer's package is not
    installed: before any model is called.
    """
    folders = Folders(base=base.resolve(), root=root or _project_above(base))
    found = _find(name, folders)
    if isinstance(found, type) and _scores(found):
        return _instance(name, found, accepted(name, found, options or {}, folders), services)
    return _configured(name, found, options or {}, folders)


def _project_above(base: Path) -> Path | None:
    here = base.resolve()
    return next((each for each in (here, *here.parents) if (each / "llmops.toml").is_file()), None)


def _find(name: str, folders: Folders) -> Any:
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        return getattr(import_module(module), attribute)
    if name.startswith("ragas.") and ":" not in name:
        from llmops.scorers.ragas.making import scorer

        return scorer(name)
    from llmops.scorers import custom

    if ":" in name:
        return custom.load(name, folders)
    if found := custom.plugin(name):
        return found.scorer
    raise NotFound.among("scorer", name, names())


def _configured(name: str, found: Any, options: Mapping[str, Any], folders: Folders) -> Scorer:
    if isinstance(found, FunctionScorer):
        return found.with_options(accepted(name, found.function, options, folders))
    if inspect.isfunction(found):
        return _undeclared(found).with_options(accepted(name, found, options, folders))
    if not isinstance(found, type) and _scores(type(found)):
        if options:
            raise UsageError(f"`{name}` is a ready-made scorer and takes no options")
        ready: Scorer = found
        return ready
    raise UsageError(
        f"`{name}` is a {type(found).__name__}, not a scorer",
        hint="name a function decorated with `@scorer(version=…)`, or a class with "
        "`name`, `version` and `score`",
    )


def _instance(
    name: str, found: type, options: Mapping[str, Any], services: Services | None
) -> Scorer:
    handed: dict[str, Any] = {}
    if wants_services(found):
        if services is None:
            raise UsageError(
                f"`{name}` asks a model with a prompt of the project, and there is no project",
                hint="name it in a suite of a project: a folder with an `llmops.toml`",
            )
        handed["services"] = services
    try:
        made: Scorer = found(**options, **handed)
    except (TypeError, ValueError) as error:
        raise UsageError(f"`{name}` cannot be built: {error}") from error
    return made


def _scores(kind: type) -> bool:
    """Whether objects of `kind` are scorers, told without reading their properties.

    A version may be costly: the digest of a model's weights.
    """
    return all(hasattr(kind, each) for each in ("name", "version")) and callable(
        getattr(kind, "score", None)
    )


def _undeclared(function: Any) -> FunctionScorer:
    """A plain function as a scorer; its source stands for the version that nobody declared."""
    import hashlib

    check_shape(function)
    try:
        source = inspect.getsource(function)
    except OSError:
        source = function.__code__.co_code.hex()
    digest = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()
    return FunctionScorer(function=function, name=function.__name__, method=f"source:{digest[:12]}")
