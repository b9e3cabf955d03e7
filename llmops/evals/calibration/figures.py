"""From judgements and labels to the figures of a calibration."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from llmops.evals.calibration import agreement
from llmops.evals.calibration.agreement import Floats, Indexes, Level
from llmops.evals.calibration.artifact import (
    Bias,
    Confusion,
    Consistency,
    Counts,
    Figure,
    Health,
    Threshold,
)
from llmops.evals.calibration.file import CalibrationFile
from llmops.evals.calibration.judging import Judgements
from llmops.evals.results import Estimate
from llmops.evals.statistics import mean_interval, wilson


@dataclass(frozen=True, kw_only=True)
class Found:
    """All that a calibration says of a judge."""

    counts: Counts
    level: Level
    figures: dict[str, Figure | None]
    confusion: Confusion
    threshold: Threshold | None
    bias: Bias
    consistency: Consistency | None
    health: Health


def figures_of(found: Judgements, values: Mapping[str, float], file: CalibrationFile) -> Found:
    """The figures, over the cases that the judge scored and people agreed on.

    The judge's label is the one whose value is closest to its score; people's
    is what most of the raters said. Intervals are percentiles of a bootstrap
    over cases, of rates Wilson's.
    """
    ordered = sorted(values, key=lambda label: (values[label], label))
    worth = np.array([values[label] for label in ordered])
    scores = np.asarray(found.scores)
    ratings = np.asarray(found.ratings).reshape(len(scores), found.raters)
    people = _majority(ratings, worth)
    scored = ~np.isnan(scores)
    both = scored & (people >= 0)
    judged = _nearest(scores[both], worth)
    level: Level = file.level or ("nominal" if len(ordered) == 2 else "ordinal")
    study = _Study(
        scores=scores[both],
        judged=judged,
        people=people[both],
        lengths=np.asarray(found.lengths)[both],
        ratings=ratings[scored],
        said=worth[_nearest(scores[scored], worth)],
        labels=len(ordered),
        level=level,
        resamples=file.resamples,
        seed=file.seed,
    )
    return Found(
        counts=Counts(
            rows=len(scores),
            raters=found.raters,
            scored=int(scored.sum()),
            unscored=int((~scored).sum()) - found.errors,
            errors=found.errors,
            unlabelled=int((scored & (people < 0)).sum()),
        ),
        level=level,
        figures=study.figures(),
        confusion=Confusion(
            labels=ordered,
            counts=agreement.confusion(study.people, judged, len(ordered)).tolist(),
        ),
        threshold=study.threshold(),
        bias=_bias(found, study),
        consistency=_consistency(found.again, worth, file),
        health=_health(found),
    )


@dataclass(frozen=True, kw_only=True)
class _Study:
    """The cases on which judge and people can be laid side by side."""

    scores: Floats
    judged: Indexes
    """The judge's label, as its rank."""
    people: Indexes
    lengths: Floats
    ratings: Floats
    """Of all scored cases, those without a majority among them."""
    said: Floats
    """The worth of the judge's label in the same cases."""
    labels: int
    level: Level
    resamples: int
    seed: int

    def figures(self) -> dict[str, Figure | None]:
        """Every figure; `None` where it is undefined or does not apply."""
        count = len(self.people)
        same = int((self.judged == self.people).sum())
        common = int(np.bincount(self.people).max()) if count else 0
        several = self.labels > 2
        return {
            "agreement": _figure(wilson(same, count)) if count else None,
            "baseline": _figure(wilson(common, count)) if count else None,
            "kappa": self._kappa(weighted=False),
            "weighted_kappa": self._kappa(weighted=True) if several else None,
            "alpha": self._alpha(np.column_stack([self.ratings, self.said])),
            "human_alpha": self._alpha(self.ratings) if self.ratings.shape[1] > 1 else None,
            "auroc": None
            if several
            else self._over(
                lambda rows: agreement.auroc(self.scores[rows], self.people[rows] == 1)
            ),
            "spearman": self._over(
                lambda rows: agreement.correlation(
                    self.scores[rows], self.people[rows].astype(float)
                )
            ),
        }

    def threshold(self) -> Threshold | None:
        """Where to cut a continuous score; only between two labels."""
        positive = self.people == 1
        if self.labels != 2 or not positive.any() or positive.all():
            return None
        score, accuracy = agreement.best_threshold(self.scores, positive)
        return Threshold(
            score=_rounded(score),
            balanced_accuracy=_rounded(accuracy),
            cross_validated=_maybe(agreement.cross_validated(self.scores, positive, self.seed)),
        )

    def length_bias(self) -> Figure | None:
        """How the score goes with the length where people said the same."""
        people = self.people.astype(float)
        return self._over(
            lambda rows: agreement.partial_correlation(
                self.scores[rows], self.lengths[rows], people[rows]
            )
        )

    def _kappa(self, *, weighted: bool) -> Figure | None:
        return self._over(
            lambda rows: agreement.cohen_kappa(
                agreement.confusion(self.people[rows], self.judged[rows], self.labels),
                weighted=weighted,
            )
        )

    def _alpha(self, ratings: Floats) -> Figure | None:
        return _figure(
            agreement.alpha_interval(ratings, self.level, resamples=self.resamples, seed=self.seed)
        )

    def _over(self, statistic: agreement.Statistic) -> Figure | None:
        found = agreement.bootstrap(len(self.people), statistic, self.resamples, self.seed)
        return _figure(found)


def _majority(ratings: Floats, worth: Floats) -> Indexes:
    """The rank of the label that most raters gave; -1 without any, and where two are level."""
    counts = (ratings[:, :, None] == worth).sum(axis=1)
    best = counts.max(axis=1)
    decided = (best > 0) & ((counts == best[:, None]).sum(axis=1) == 1)
    found: Indexes = np.where(decided, counts.argmax(axis=1), -1)
    return found


def _nearest(scores: Floats, worth: Floats) -> Indexes:
    """The rank of the label whose worth is closest; of two the lower one."""
    found: Indexes = np.abs(scores[:, None] - worth).argmin(axis=1)
    return found


def _bias(found: Judgements, study: _Study) -> Bias:
    first = _told(found, "first")
    turned = _told(found, "inconsistent")
    return Bias(
        length=study.length_bias(),
        first=_figure(mean_interval(first)) if first else None,
        inconsistent=_figure(wilson(math.fsum(turned), len(turned))) if turned else None,
    )


def _consistency(
    again: Sequence[tuple[float, ...]], worth: Floats, file: CalibrationFile
) -> Consistency | None:
    if file.consistency is None:
        return None
    whole = [each for each in again if len(each) == file.consistency.repeats]
    same = sum(len(set(_nearest(np.array(each), worth).tolist())) == 1 for each in whole)
    return Consistency(
        cases=len(whole),
        repeats=file.consistency.repeats,
        temperature=file.consistency.temperature,
        same_label=_figure(wilson(same, len(whole))) if whole else None,
        spread=_rounded(float(np.mean([np.std(each, ddof=1) for each in whole])))
        if whole
        else None,
    )


def _health(found: Judgements) -> Health:
    mass = _told(found, "mass")
    scores, masses = np.asarray(found.scores), found.details.get("mass")
    low = int((np.isnan(scores) & ~np.isnan(np.asarray(masses))).sum()) if masses else 0
    return Health(
        mass=_rounded(math.fsum(mass) / len(mass)) if mass else None,
        low_mass=low,
        unparsed=int(math.fsum(_told(found, "unparsed"))),
    )


def _told(found: Judgements, name: str) -> list[float]:
    return [value for value in found.details.get(name, ()) if not math.isnan(value)]


def _figure(estimate: Estimate | None) -> Figure | None:
    if estimate is None:
        return None
    return Figure(
        value=_rounded(estimate.value), low=_maybe(estimate.low), high=_maybe(estimate.high)
    )


def _maybe(value: float | None) -> float | None:
    return None if value is None else _rounded(value)


def _rounded(value: float) -> float:
    """Four decimals: what lies beyond is noise, and would make every new artifact a diff."""
    return round(value, 4) + 0.0  # no minus before a zero
