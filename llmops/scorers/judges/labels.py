"""The labels among which a judge chooses, and what each is worth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from llmops.core.errors import UsageError

YES_NO: Mapping[str, float] = {"Yes": 1.0, "No": 0.0}
ONE_TO_FIVE: Mapping[str, float] = {str(value): float(value) for value in range(1, 6)}

_AROUND = " \t\r\n.!,;:\"'`*()[]"


def read_labels(given: Mapping[Any, float]) -> dict[str, float]:
    """`given` as texts and finite values; `UsageError` for labels that cannot be told apart.

    >>> read_labels({"good": 1, "bad": 0}), read_labels({1: 0, 2: 1})
    ({'good': 1.0, 'bad': 0.0}, {'1': 0.0, '2': 1.0})
    """
    labels: dict[str, float] = {}
    for key, value in given.items():
        if isinstance(key, bool):
            raise UsageError(
                "YAML reads a bare yes, no, on or off as a truth value, which is no label",
                hint='put the labels in quotes: `labels: {"Yes": 1, "No": 0}`',
            )
        label = str(key)
        if not label.strip(_AROUND) or label != label.strip():
            raise UsageError(f"`{label}` is no label: it needs a letter or digit, and no space")
        if not math.isfinite(value):
            raise UsageError(f"the label `{label}` is worth {value}, which is no number")
        labels[label] = float(value)
    if len({label.casefold() for label in labels}) < max(2, len(labels)):
        raise UsageError(
            "a judge needs at least two labels, which differ in more than capital letters",
            hint='write `labels: {"Yes": 1, "No": 0}`',
        )
    if len(set(labels.values())) < 2:
        raise UsageError("all labels are worth the same: no answer could make a difference")
    return labels


def label_in(text: str, labels: Mapping[str, float]) -> str | None:
    """The label that `text` is, apart from capitals and what stands around it; `None` if none.

    Strict on purpose: a sentence that holds a label may as well deny it.

    >>> label_in(" **yes**.", YES_NO), label_in("Yes, but", YES_NO)
    ('Yes', None)
    """
    said = text.strip(_AROUND).casefold()
    return next((each for each in labels if each.strip(_AROUND).casefold() == said), None)


def nearest(value: float, labels: Mapping[str, float]) -> str:
    """The label whose value is closest; of two at the same distance the lower one.

    >>> nearest(0.7, YES_NO), nearest(3.5, ONE_TO_FIVE)
    ('Yes', '3')
    """
    return min(labels, key=lambda label: (abs(labels[label] - value), labels[label]))
