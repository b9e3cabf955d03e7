"""Sides that cannot be compared, said before anything is counted."""

from __future__ import annotations

from collections.abc import Sequence

from llmops.core.errors import UsageError
from llmops.evals.comparison.sides import Side, SideCheck


def common_checks(base: Side, head: Side) -> tuple[SideCheck, ...]:
    """The checks that both sides have, as head has them.

    Raises `UsageError`, saying what differs, when the sides are of different
    suites or datasets, when a check was measured by different versions of its
    scorer or under different rules, and when no check is on both.
    """
    _refuse_other_identity(base, head)
    on_base = {check.name: check for check in base.checks}
    common = tuple(check for check in head.checks if check.name in on_base)
    if not common:
        raise UsageError(
            "no check is on both sides",
            hint=f"{base.label} has {_names(base)}; {head.label} has {_names(head)}",
        )
    for check in common:
        _refuse_other_measure(on_base[check.name], check, base, head)
    return common


def one_sided_checks(base: Side, head: Side) -> tuple[str, ...]:
    """A note for each side that has checks of its own."""
    notes = []
    for side, other in ((base, head), (head, base)):
        known = {check.name for check in other.checks}
        alone = [check.name for check in side.checks if check.name not in known]
        if alone:
            notes.append(f"on {side.label} only, and not compared: {_listed(alone)}")
    return tuple(notes)


def _refuse_other_identity(base: Side, head: Side) -> None:
    differences = [
        f"{name}: {_shown(base.identity[name])} on {base.label}, "
        f"{_shown(head.identity[name])} on {head.label}"
        for name in base.identity
        if name in head.identity and base.identity[name] != head.identity[name]
    ]
    if not differences:
        return
    about = " and ".join(
        name for name in base.identity if base.identity[name] != head.identity.get(name)
    )
    raise UsageError(
        f"the two sides have another {about}:\n  " + "\n  ".join(differences),
        hint="only runs of the same suite on the same data can be compared; "
        "`llmops eval run SUITE --base REV` runs both sides on the data of today",
    )


def _refuse_other_measure(then: SideCheck, now: SideCheck, base: Side, head: Side) -> None:
    for what, before, after in (
        (
            "scored by",
            f"{then.scorer} {then.version}".strip(),
            f"{now.scorer} {now.version}".strip(),
        ),
        ("passed at", then.rule or "", now.rule or ""),
        ("counted in", then.unit or "no unit", now.unit or "no unit"),
        ("better", _direction(then), _direction(now)),
    ):
        if before and after and before != after:
            raise UsageError(
                f"the check `{now.name}` is {what} `{before}` on {base.label} "
                f"and `{after}` on {head.label}",
                hint="scores of two measures cannot be compared: run both sides again, "
                "with `llmops eval run SUITE --base REV` in one go",
            )


def no_common_case(
    base: Side, head: Side, only_base: Sequence[str], only_head: Sequence[str]
) -> UsageError:
    """The error for sides without a case in common."""
    return UsageError(
        "no case is on both sides",
        hint=f"cases are paired by id: {base.label} has {_listed(only_base)}; "
        f"{head.label} has {_listed(only_head)}",
    )


def _direction(check: SideCheck) -> str:
    return "when higher" if check.higher_is_better else "when lower"


def _names(side: Side) -> str:
    return _listed([check.name for check in side.checks])


def _listed(names: Sequence[str], most: int = 3) -> str:
    shown = ", ".join(f"`{each}`" for each in names[:most]) or "none"
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


def _shown(value: str) -> str:
    return value[: len("sha256:") + 12] + "…" if value.startswith("sha256:") else value
