"""A random sample of the cases that stays nearly the same while the dataset grows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from heapq import heappush, heappushpop

from llmops.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Sampled:
    """So many cases, drawn without replacement by a seed.

    Each case gets a random number, a hash of the seed and its id, and the
    `size` lowest are taken (a bottom-k sketch: Cohen and Kaplan, "Summarizing
    data using bottom-k sketches", PODC 2007). Every subset of that size is as
    likely as any other over the seeds; with one seed, a case that is added to
    the dataset can push out one other at most.
    """

    size: int
    seed: int = 0

    def __post_init__(self) -> None:
        if self.size < 1:
            raise UsageError(f"`sample` must be at least 1, not {self.size}")

    def rank(self, case: str) -> int:
        """The random number of the case with that id."""
        text = f"{self.seed}\0{case}".encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(text, digest_size=16, person=b"sample").digest(), "big")

    def highest(self, cases: Iterable[str]) -> int:
        """The highest rank that is still in the sample of `cases`.

        With fewer cases than the sample's size, all of them are in it.

        >>> one = Sampled(2, seed=7)
        >>> sum(one.rank(case) <= one.highest("abcd") for case in "abcd")
        2
        """
        lowest: list[int] = []  # a heap of negated ranks: the highest of them on top
        for case in cases:
            rank = -self.rank(case)
            if len(lowest) < self.size:
                heappush(lowest, rank)
            else:
                heappushpop(lowest, rank)
        return -lowest[0] if lowest else 0
