"""Which version a change needs: the least that semantic versioning allows.

Breaking changes raise the major number, changes of behaviour the minor one,
cosmetic ones the patch (semver.org 2.0.0). 0.x has no rules of its own, so
that the kind of a change can always be read off its number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llmops.prompts.comparison.kinds import ChangeKind
from llmops.prompts.versions import Version


def bumped(version: Version, kind: ChangeKind) -> Version:
    """The next release after `version` for a change of that kind.

    >>> str(bumped(Version.parse("1.4.2"), ChangeKind.BEHAVIOUR))
    '1.5.0'
    """
    match kind:
        case ChangeKind.BREAKING:
            return Version(version.major + 1, 0, 0)
        case ChangeKind.BEHAVIOUR:
            return Version(version.major, version.minor + 1, 0)
    return Version(version.major, version.minor, version.patch + 1)


def predecessor(versions: Iterable[Version]) -> Version | None:
    """The version that the next one is measured against: the newest that is no pre-release."""
    known = sorted(versions)
    stable = [one for one in known if not one.prerelease]
    return max(stable or known, default=None)


def least(versions: Sequence[Version], kind: ChangeKind) -> Version:
    """The least version that may follow `versions` after a change of that kind.

    It is above all of them, pre-releases too.

    >>> known = [Version.parse("1.0.0"), Version.parse("2.0.0-rc.1")]
    >>> str(least(known, ChangeKind.COSMETIC)), str(least(known[:1], ChangeKind.COSMETIC))
    ('2.0.0', '1.0.1')
    """
    base = predecessor(versions)
    if base is None:
        return Version(1, 0, 0)
    highest = Version(*max(versions).release)
    return highest if base.prerelease else max(bumped(base, kind), highest)


def enough(asked: Version, versions: Sequence[Version], kind: ChangeKind) -> bool:
    """Whether `asked` may follow `versions`; a pre-release counts as the release it leads to."""
    return asked > max(versions) and asked.release >= least(versions, kind).release
