"""A metric of Ragas as a scorer: what a suite may set, what is recorded, what comes out."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Awaitable, Coroutine, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from llmops.core.errors import UsageError
from llmops.core.fingerprint import fingerprint
from llmops.core.scoring import Sample, Score
from llmops.scorers.configured import Configured
from llmops.scorers.ragas import package
from llmops.scorers.ragas.catalogue import CONTEXTS, SOURCES, Metric
from llmops.scorers.ragas.parts import Lacking, part
from llmops.scorers.references import references
from llmops.scorers.similarity import Encoder, SemanticSimilarity

_DIGITS = len("sha256:") + 12
BROKEN = (ValueError, TypeError, ArithmeticError, AssertionError, LookupError, EOFError)
"""What Ragas raises about a case that its formula cannot take."""


@dataclass(frozen=True, kw_only=True)
class RagasScorer(Configured):
    """Base of the scorers, and all of those that ask no language model.

    Of several acceptable texts the one that scores best counts. Unscored with
    the reason where Ragas gives NaN or raises. Values beyond the metric's
    range, such as a negative cosine, are taken to its end.
    """

    metric: ClassVar[Metric]
    unit: ClassVar[str] = ""

    def __post_init__(self) -> None:
        package.require()
        if self.metric.embeddings:
            _ = self._embedder

    @property
    def version(self) -> str:
        """The version of Ragas, and a digest of whatever else decides on the score."""
        made_from = dict(self.made_from)
        ragas = made_from.pop("ragas")
        return f"{self.method}[ragas {ragas}, {fingerprint(made_from)[:_DIGITS]}]"

    @property
    def made_from(self) -> Mapping[str, str]:
        """What decides on the score, each with its value or fingerprint."""
        hidden = {"services", "model", "embeddings"}
        options = {
            each.name: repr(getattr(self, each.name))
            for each in fields(self)
            if each.init and each.name not in hidden
        }
        found = {"ragas": package.version(), "metric": self.metric.kind, **options}
        if self.metric.embeddings:
            found["embeddings"] = self._embedder.version
        return found

    @property
    def needs(self) -> frozenset[str]:
        """What a case must have."""
        needs = set(self.metric.needs)
        if "reference_topics" in self.metric.inputs and not self._columns["topics"]:
            needs.add("expected")
        if "reference_contexts" in self.metric.inputs and not self._columns["reference_contexts"]:
            needs.add("contexts")
        return frozenset(needs)

    def warm_up(self) -> Awaitable[None] | None:
        """Import Ragas and load the embeddings, before any case."""
        package.collections()
        if self.metric.embeddings:
            self._embedder.warm_up()
        return None

    def look(self, sample: Sample) -> Score | Awaitable[Score]:
        """The metric's value for the sample."""
        if self.metric.embeddings:
            return self._by_embeddings(sample)
        try:
            return self._best(sample)
        except Lacking as error:
            return Score.unscored(str(error))

    def _best(self, sample: Sample) -> Score:
        """The best of the scores over the acceptable texts."""
        if "reference" not in self.metric.inputs:
            return self._compute(sample)
        found = [
            self._compute(replace(sample, expected=text))
            for text in references(sample.expected) or [None]
        ]
        return max(found, key=lambda score: -1.0 if score.value is None else score.value)

    def _compute(self, sample: Sample) -> Score:
        """The score of a metric that waits for nothing, with its warnings as the rationale."""
        metric = self._metric()
        given = self._given(sample)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                result = _at_once(metric.ascore(**given))
            except BROKEN as error:
                return Score.unscored(raised(error))
        return self._score(result, [str(each.message) for each in caught])

    async def _by_embeddings(self, sample: Sample) -> Score:
        from llmops.scorers.ragas.talk import Embeddings

        try:
            given = self._given(sample)
        except Lacking as error:
            return Score.unscored(str(error))
        vectors = Embeddings(self._encoder)
        await vectors.learn([given["reference"], given["response"] or " "])
        try:
            result = await self._metric(embeddings=vectors).ascore(**given)
        except BROKEN as error:
            return Score.unscored(raised(error))
        return self._score(result)

    def _given(self, sample: Sample) -> dict[str, Any]:
        """What `ascore` is called with; raises `Lacking`."""
        found = {
            self._argument(key): part(key, sample, self._columns) for key in self.metric.inputs
        }
        for key in self.metric.optional:
            if key == SOURCES and CONTEXTS in self.metric.optional and not self._columns[key]:
                continue  # they would be the contexts once more
            try:
                found[self._argument(key)] = part(key, sample, self._columns)
            except Lacking:
                continue
        return found

    def _argument(self, name: str) -> str:
        return "user_input" if name == "conversation" else name

    def _metric(self, **handed: Any) -> Any:
        """A new object of Ragas' class."""
        collections = package.collections()
        own = {key: getattr(self, key) for key in self.metric.options}
        if "distance_measure" in own:
            own["distance_measure"] = collections.DistanceMeasure(own["distance_measure"])
        try:
            return getattr(collections, self.metric.kind)(**own, **handed)
        except ValueError as error:
            raise UsageError(f"`{self.name}` cannot be built: {error}") from error

    def _score(self, result: Any, said: list[str] | None = None) -> Score:
        value = float(result.value)
        if self.metric.highest == 1.0:
            value = min(max(value, 0.0), 1.0) if value == value else value
        rationale = "; ".join(said or ([result.reason] if result.reason else []))
        return Score(value=value, rationale=short(rationale))

    @property
    def _columns(self) -> dict[str, str | None]:
        return {key: getattr(self, key) for key in columns_of(self.metric)}

    @functools.cached_property
    def _embedder(self) -> SemanticSimilarity:
        model: Any = getattr(self, "embeddings")  # noqa: B009 - a field of some subclasses
        return SemanticSimilarity(model=model)

    @property
    def _encoder(self) -> Encoder:
        return self._embedder._encoder


def columns_of(metric: Metric) -> list[str]:
    """The options that name a column."""
    parts = {*metric.inputs, *metric.optional}
    found = ["question"] if "user_input" in parts else []
    found += [key for key in ("conversation", "reference_contexts") if key in parts]
    found += ["topics"] if "reference_topics" in parts else []
    return [*found, *(["rubrics"] if "rubrics" in parts else [])]


def _at_once(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    raise TypeError("the metric waits for something")


def raised(error: Exception) -> str:
    """What Ragas raised, as the reason why there is no score."""
    return short(f"Ragas: {error}" if str(error) else f"Ragas: {type(error).__name__}")


def short(text: str, limit: int = 600) -> str:
    """`text`, cut for a rationale."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
