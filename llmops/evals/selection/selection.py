"""A selection as it was asked for, and as one suite reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from llmops.core.errors import UsageError
from llmops.evals.dataset import Case
from llmops.evals.selection.sampling import Sampled
from llmops.evals.selection.terms import (
    Alternatives,
    SuiteFacts,
    SuiteStates,
    any_holds,
    asks,
    left_open,
    parse_terms,
    spelled,
)
from llmops.evals.shards import Shard

States = Callable[[str], SuiteStates]
"""How the cases of a suite differ from the base, by the suite's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """What a selection means in one suite; called with a case, whether it is selected."""

    wanted: Alternatives | None
    """`None` for every case."""
    unwanted: Alternatives
    states: SuiteStates | None

    @property
    def is_empty(self) -> bool:
        """Whether no case of the suite can be selected, whatever its dataset holds."""
        return self.wanted == () or () in self.unwanted

    @property
    def is_of_changes(self) -> bool:
        """Whether only cases with a `state:` can be selected."""
        return self.wanted is not None and all(
            any(term.method == "state" for term in terms) for terms in self.wanted
        )

    def __call__(self, case: Case) -> bool:
        """Whether the case is selected."""
        if self.wanted is not None and not any_holds(self.wanted, case, self.states):
            return False
        return not any_holds(self.unwanted, case, self.states)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which suites and which of their cases run."""

    text: str = ""
    """As written; empty for everything."""
    excluded: str = ""
    """As written; empty for nothing."""
    sample: Sampled | None = None
    """Of each suite."""
    limit: int | None = None
    """Of each suite, the first so many."""
    shard: Shard | None = None
    states: States | None = None
    """Needed where `state:` stands."""

    @classmethod
    def parse(
        cls,
        text: str | None = None,
        exclude: str | None = None,
        *,
        sample: int | None = None,
        seed: int = 0,
        limit: int | None = None,
        shard: str | None = None,
        states: States | None = None,
    ) -> Selection:
        """Read a selection; `None` selects everything, and excludes nothing.

        Raises `UsageError` for what cannot be read: an unknown method or
        state, an empty term, a number below 1, a shard that is none.

        >>> Selection.parse("tag:smoke  q1*", "tag:slow", shard="1/4").words
        ('--select', 'tag:smoke q1*', '--exclude', 'tag:slow', '--shard', '1/4')
        """
        for written in (text, exclude):
            if written is not None:
                parse_terms(written)
        if limit is not None and limit < 1:
            raise UsageError(f"`limit` must be at least 1, not {limit}")
        return cls(
            text=" ".join((text or "").split()),
            excluded=" ".join((exclude or "").split()),
            sample=Sampled(sample, seed) if sample is not None else None,
            limit=limit,
            shard=Shard.parse(shard) if shard is not None else None,
            states=states,
        )

    @property
    def asks_for_state(self) -> bool:
        """Whether it can be told only beside a base."""
        return asks(self._wanted or (), "state") or asks(self._unwanted, "state")

    @property
    def words(self) -> tuple[str, ...]:
        """The options of the command line that select the same."""
        found: list[str] = []
        for option, value in (
            ("--select", self.text),
            ("--exclude", self.excluded),
            ("--sample", self.sample and self.sample.size),
            ("--seed", self.sample and self.sample.seed),
            ("--limit", self.limit),
            ("--shard", self.shard),
        ):
            if value or (option == "--seed" and value is not None):
                found += [option, str(value)]
        return tuple(found)

    def __str__(self) -> str:
        """The selection in words, without the shard; empty for everything."""
        said = self.text
        if self.excluded:
            said = f"{said or 'everything'} without {self.excluded}"
        if self.sample:
            said += f" (sample of {self.sample.size:,}, seed {self.sample.seed})"
        return said.strip()

    def against(self, states: States) -> Selection:
        """The same selection, with the base that `state:` is about."""
        return replace(self, states=states)

    def whatever_changed(self) -> Selection:
        """The same selection as if everything had the state that is asked for.

        What it does not select is left out by other words than `state:`.

        >>> str(Selection.parse("state:modified,tag:smoke", "tag:slow").whatever_changed())
        'tag:smoke without tag:slow'
        """
        kept = [
            tuple(term for term in terms if term.method != "state") for terms in self._wanted or ()
        ]
        left_out = [
            terms for terms in self._unwanted if all(term.method != "state" for term in terms)
        ]
        return replace(
            self,
            text="" if () in kept else spelled(kept),
            excluded=spelled(left_out),
            states=None,
        )

    def of(self, suite: SuiteFacts) -> CaseFilter:
        """What it means in a suite, before sample, limit and shard.

        Raises `UsageError` where `state:` stands and no base was given.
        """
        if self.asks_for_state and self.states is None:
            raise UsageError(
                "`state:` says how a case differs from a base, and none is named",
                hint="add `--base REVISION`, such as `--base origin/main`",
            )
        wanted = self._wanted
        unwanted = left_open(self._unwanted, suite)
        kept = None if wanted is None else left_open(wanted, suite)
        if kept is not None and () in kept:
            kept = None  # one of the alternatives holds for the suite as a whole
        needed = asks(kept or (), "state") or asks(unwanted, "state")
        return CaseFilter(
            wanted=kept,
            unwanted=unwanted,
            states=self.states(suite.name) if needed and self.states else None,
        )

    def suites(self, suites: Iterable[SuiteFacts]) -> list[SuiteFacts]:
        """The suites of which cases may be selected, as far as can be told without their cases."""
        return [suite for suite in suites if not self.of(suite).is_empty]

    def narrowed(self, chosen: CaseFilter, cases: Iterable[Case]) -> Callable[[Case], bool]:
        """The filter with the sample drawn from `cases`, which are all of the dataset's."""
        if self.sample is None:
            return chosen
        sample = self.sample
        highest = sample.highest(case.id for case in cases if chosen(case))
        return lambda case: sample.rank(case.id) <= highest and chosen(case)

    @property
    def _wanted(self) -> Alternatives | None:
        return parse_terms(self.text) if self.text else None

    @property
    def _unwanted(self) -> Alternatives:
        return parse_terms(self.excluded) if self.excluded else ()
