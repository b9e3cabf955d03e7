"""Texts as small sketches, from which their similarity is told without the texts.

The similarity of two texts is the Jaccard index of their sets of five
characters in a row, with case and white space evened out: in any language, and
no model is asked. A. Z. Broder, "On the resemblance and containment of
documents", SEQUENCES 1997, gives both sketches: the smallest hashes of a text,
from which the index is estimated (exactly, of texts up to 512 different
shingles), and minima under random permutations, which agree as often as the
texts do. P. Indyk and R. Motwani, STOC 1998: only rows whose minima agree in a
whole band are laid side by side.
"""

from __future__ import annotations

import unicodedata

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint32]
Keys = npt.NDArray[np.uint64]

SHINGLE = 5
"""Characters in a row that are one element of a text's set."""

KEPT = 512
"""Hashes of a text that are kept."""

LONGEST = 100_000
"""Characters of a text that are looked at."""

BANDS = 20
_ROWS = 4
"""Minima of a band, shared out among the columns: texts of similarity 0.8 agree in one of the
bands with probability 0.9999, those of 0.3 with 0.15."""

_CHUNK = 4096
_SEED = 1997
_MIX = np.uint64(0xFF51AFD7ED558CCD)
_FIRST = np.random.default_rng(_SEED).integers(1, 2**63, SHINGLE, np.uint64) * np.uint64(2) + 1


def shingles(text: str) -> Hashes:
    """The hashes of a text's shingles, sorted, each once; one of a text that has no five."""
    folded = " ".join(unicodedata.normalize("NFKC", text[:LONGEST]).casefold().split())
    codes = np.frombuffer(folded.encode("utf-32-le", "surrogatepass"), np.uint32)
    padded = np.zeros(max(len(codes), SHINGLE), np.uint64)
    padded[: len(codes)] = codes
    count = len(padded) - SHINGLE + 1
    mixed = np.zeros(count, np.uint64)
    for offset, factor in enumerate(_FIRST):
        mixed += padded[offset : offset + count] * factor
    mixed ^= mixed >> np.uint64(33)
    mixed *= _MIX
    return np.unique((mixed >> np.uint64(32)).astype(np.uint32))


class Bands:
    """Makes the keys of rows with a number of texts each."""

    def __init__(self, columns: int):
        self._rows = max(1, round(_ROWS / columns))
        random = np.random.default_rng(_SEED + 1)
        size = BANDS * self._rows
        # Odd, so that each hash goes to another: a permutation of all 32-bit numbers.
        self._factors = random.integers(0, 2**31, (size, 1), np.uint32) * np.uint32(2) + 1
        self._terms = random.integers(0, 2**32, (size, 1), np.uint32)
        self._weights = random.integers(1, 2**63, (columns, self._rows), np.uint64)

    def keys(self, row: list[Hashes]) -> Keys:
        """One key a band; rows that are similar in every column have one in common."""
        keys = np.zeros(BANDS, np.uint64)
        for weights, hashes in zip(self._weights, row, strict=True):
            minima = self._minima(hashes).reshape(BANDS, self._rows)
            keys += (minima * weights).sum(axis=1, dtype=np.uint64)
        return keys

    def _minima(self, hashes: Hashes) -> Keys:
        found = np.full(len(self._factors), np.iinfo(np.uint32).max, np.uint32)
        for start in range(0, len(hashes), _CHUNK):
            permuted = hashes[start : start + _CHUNK] * self._factors + self._terms
            np.minimum(found, permuted.min(axis=1), out=found)
        return found.astype(np.uint64)


def similarity(one: Hashes, other: Hashes) -> float:
    """The Jaccard index of two texts from the smallest of their hashes.

    >>> similarity(shingles("Where is the tower?"), shingles("Where  is the TOWER?"))
    1.0
    >>> round(similarity(shingles("Where is the tower?"), shingles("Where is the power?")), 2)
    0.5
    """
    both = np.intersect1d(one, other, assume_unique=True)
    if len(one) < KEPT and len(other) < KEPT:
        return len(both) / (len(one) + len(other) - len(both))
    union = np.union1d(one, other)[:KEPT]
    return int(np.count_nonzero(both <= union[-1])) / len(union)
