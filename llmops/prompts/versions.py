"""Semantic versions (semver.org 2.0.0, without build metadata) and caret ranges."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

from llmops.core.errors import UsageError

_NUMBER = "0|[1-9][0-9]*"
_IDENTIFIER = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION = re.compile(
    rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
)
_RANGE = re.compile(rf"\^({_NUMBER})(?:\.({_NUMBER}))?(?:\.({_NUMBER}))?")


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """`major.minor.patch`, with an optional pre-release; ordered as semver says.

    >>> Version.parse("1.10.0") > Version.parse("1.9.3") > Version.parse("1.9.3-rc.1")
    True
    """

    major: int
    minor: int
    patch: int
    prerelease: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read a full version; `UsageError` for anything less."""
        match = _VERSION.fullmatch(text)
        if not match:
            raise UsageError(
                f"`{text}` is not a version",
                hint="write major.minor.patch, such as `1.0.0`",
            )
        major, minor, patch, prerelease = match.groups()
        return cls(
            int(major), int(minor), int(patch), tuple(prerelease.split(".")) if prerelease else ()
        )

    @property
    def release(self) -> tuple[int, int, int]:
        """The three numbers."""
        return self.major, self.minor, self.patch

    def __lt__(self, other: Version) -> bool:
        return self._precedence() < other._precedence()

    def _precedence(self) -> tuple[object, ...]:
        # Numeric identifiers compare as numbers and come before names; a
        # version without a pre-release comes after all of its pre-releases.
        identifiers = tuple(
            (0, int(each), "") if each.isdigit() else (1, 0, each) for each in self.prerelease
        )
        return (*self.release, not self.prerelease, identifiers)

    def __str__(self) -> str:
        number = f"{self.major}.{self.minor}.{self.patch}"
        return f"{number}-{'.'.join(self.prerelease)}" if self.prerelease else number


@dataclass(frozen=True, slots=True)
class VersionRange:
    """A caret range: the given version and all that promise to be compatible with it.

    The leftmost number that is not zero stays as it is. Pre-releases are never
    in a range; they are asked for by their full version.

    >>> VersionRange.parse("^1.2").holds(Version.parse("1.9.0"))
    True
    >>> VersionRange.parse("^0.2").holds(Version.parse("0.3.0"))
    False
    """

    given: tuple[int, ...]
    """One to three numbers, as written."""

    @classmethod
    def parse(cls, text: str) -> VersionRange:
        """Read `^1`, `^1.2` or `^1.2.3`."""
        match = _RANGE.fullmatch(text)
        if not match:
            raise UsageError(
                f"`{text}` is not a version range", hint="write `^1`, `^1.2` or `^1.2.3`"
            )
        return cls(tuple(int(number) for number in match.groups() if number is not None))

    def holds(self, version: Version) -> bool:
        """Whether `version` lies in the range."""
        if version.prerelease:
            return False
        fixed = next(
            (place + 1 for place, number in enumerate(self.given) if number), len(self.given)
        )
        lowest = (*self.given, 0, 0)[:3]
        return version.release[:fixed] == self.given[:fixed] and version.release >= lowest

    def __str__(self) -> str:
        return "^" + ".".join(str(number) for number in self.given)
