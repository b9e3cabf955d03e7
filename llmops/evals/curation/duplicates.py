"""Rows that stand in a dataset twice, alike, or in another file too."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from llmops.evals.curation.sketches import BANDS, KEPT, Bands, Hashes, shingles, similarity

TRIED = 8
"""Rows of a bucket that each further one is compared with before it is given up as another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Rows that are the same, or nearly: their numbers in the order in which they came."""

    rows: tuple[int, ...]
    similarity: float
    """The least between two that were laid side by side; 1 of rows that are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A row that stands in another file too."""

    row: int
    other: int
    """The number of the row there."""
    similarity: float


class Sketches:
    """The rows of one file: some hundred bytes each, whatever their length."""

    def __init__(self, columns: int):
        self._bands = Bands(columns)
        self._columns = columns
        self._hashes = array("I")
        self._ends = array("q", [0])
        self._keys = array("Q")
        self._digests = array("q")
        self._groups = array("q")

    def __len__(self) -> int:
        return len(self._digests)

    def add(self, texts: Sequence[str], group: int = -1) -> None:
        """Take a row; rows of one `group` are alike on purpose, and never reported."""
        row = [shingles(text) for text in texts]
        for each in row:
            self._hashes.frombytes(each[:KEPT].tobytes())
            self._ends.append(len(self._hashes))
        self._keys.frombytes(self._bands.keys(row).tobytes())
        spelled = json.dumps(list(texts)).encode()
        digest = hashlib.blake2b(spelled, digest_size=8).digest()
        self._digests.append(int.from_bytes(digest, "big", signed=True))
        self._groups.append(group)

    @property
    def keys(self) -> npt.NDArray[np.uint64]:
        """A row's keys, one a band."""
        return np.frombuffer(self._keys, np.uint64).reshape(-1, BANDS)

    @property
    def digests(self) -> npt.NDArray[np.int64]:
        """What tells rows apart that differ at all."""
        return np.frombuffer(self._digests, np.int64)

    def apart(self, one: int, other: int) -> bool:
        """Whether the two may be compared."""
        return self._groups[one] < 0 or self._groups[one] != self._groups[other]

    def of(self, row: int) -> list[Hashes]:
        """The sketches of a row's texts."""
        hashes = np.frombuffer(self._hashes, np.uint32)
        first = row * self._columns
        return [
            hashes[self._ends[first + column] : self._ends[first + column + 1]]
            for column in range(self._columns)
        ]


def duplicates(rows: Sketches) -> list[Alike]:
    """The rows that agree to the letter in all texts, in groups."""
    return [Alike(rows=found, similarity=1.0) for found in _equal(rows.digests)]


def near_duplicates(rows: Sketches, least: float) -> list[Alike]:
    """The rows of which every text is at least so similar, in groups.

    Of rows that are the same the first stands for all. Rows that are alike
    through a third one are one group.
    """
    skipped = {row for same in _equal(rows.digests) for row in same[1:]}
    joined: dict[int, int] = {}
    lowest: dict[int, float] = {}

    def root(row: int) -> int:
        while joined.get(row, row) != row:
            row = joined[row]
        return row

    for bucket in _buckets(rows.keys):
        seen: list[int] = []
        for row in bucket:
            if row in skipped:
                continue
            for other in seen[:TRIED]:
                one, two = root(row), root(other)
                if one == two:
                    break
                if not rows.apart(row, other):
                    continue
                found = _similarity(rows.of(row), rows.of(other), least)
                if found >= least:
                    first, second = min(one, two), max(one, two)
                    joined[second] = joined[first] = first
                    lowest[first] = min(found, lowest.get(one, 1.0), lowest.get(two, 1.0))
                    break
            else:
                seen.append(row)
    members: dict[int, list[int]] = {}
    for row in sorted(joined):
        members.setdefault(root(row), []).append(row)
    return [
        Alike(rows=tuple(found), similarity=lowest[first])
        for first, found in sorted(members.items())
    ]


def overlap(rows: Sketches, others: Sketches, least: float) -> list[Match]:
    """The rows that stand in another file too, each with the most similar row found there."""
    best: dict[int, tuple[float, int]] = {}
    first_of: dict[int, int] = {}
    for other, digest in enumerate(others.digests.tolist()):
        first_of.setdefault(digest, other)
    for row, digest in enumerate(rows.digests.tolist()):
        if digest in first_of:
            best[row] = (1.0, first_of[digest])
    count = len(rows)
    for bucket in _buckets(np.concatenate([rows.keys, others.keys])):
        there = [each - count for each in bucket if each >= count][:TRIED]
        for row in bucket:
            if row >= count or not there:
                break
            if row in best and best[row][0] == 1.0:
                continue
            for other in there:
                found = _similarity(rows.of(row), others.of(other), least)
                if found >= least and found > best.get(row, (0.0, 0))[0]:
                    best[row] = (found, other)
    return [
        Match(row=row, other=other, similarity=found)
        for row, (found, other) in sorted(best.items())
    ]


def _similarity(one: list[Hashes], other: list[Hashes], least: float) -> float:
    """That of the columns which differ most; not told exactly below `least`."""
    found = 1.0
    for mine, theirs in zip(one, other, strict=True):
        found = min(found, similarity(mine, theirs))
        if found < least:
            break
    return found


def _equal(values: npt.NDArray[np.int64]) -> list[tuple[int, ...]]:
    return sorted(tuple(each) for each in _runs(values))


def _buckets(keys: npt.NDArray[np.uint64]) -> Iterator[list[int]]:
    """The rows that agree in a band, in order, band by band."""
    for band in range(BANDS):
        yield from _runs(keys[:, band])


def _runs(values: npt.NDArray[np.generic]) -> Iterator[list[int]]:
    """The places of each value that stands more than once."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    ends = np.r_[starts[1:], len(ordered)]
    for start, end in zip(starts, ends, strict=True):
        if end - start > 1:
            yield order[start:end].tolist()
