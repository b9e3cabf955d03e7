"""A share of the cases, for one of several machines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b

from llmops.core.errors import UsageError

_WRITTEN = re.compile(r"(\d{1,6})/(\d{1,6})")


@dataclass(frozen=True, slots=True)
class Shard:
    """Share `index` (from 1) of `of` shares.

    Which share a case is in follows from its id alone, so every case is in
    exactly one, and a case that is added moves no other.
    """

    index: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read `i/n`; `UsageError` unless `1 <= i <= n`.

        >>> str(Shard.parse("2/5"))
        '2/5'
        """
        found = _WRITTEN.fullmatch(text)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise UsageError(
                f"`{text}` is not a shard", hint="write `1/4` for the first of four, up to `4/4`"
            )
        return cls(int(found[1]), int(found[2]))

    def holds(self, case: str) -> bool:
        """Whether the case of that id is in this shard."""
        digest = blake2b(case.encode("utf-8", "surrogatepass"), digest_size=8, person=b"shard")
        return int.from_bytes(digest.digest(), "big") % self.of == self.index - 1

    def __str__(self) -> str:
        return f"{self.index}/{self.of}"
