"""Shards of one suite, run apart, put together to one run with one verdict.

Each shard's journal says where its cases stand among those of all shards, so
the whole is known to be whole without the dataset, and keeps its order.
"""

from __future__ import annotations

import json
import shlex
import shutil
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from llmops.core.errors import UsageError
from llmops.core.files import replacing
from llmops.evals.journal import JOURNAL, scan_journal
from llmops.evals.ledger import Ledger
from llmops.evals.records import encode_line
from llmops.evals.report import BASE, BLESSED, load_report, resume_command
from llmops.evals.results import Report

NOBODY = -1


@dataclass(frozen=True, kw_only=True)
class Part:
    """The journal of one shard."""

    folder: Path
    header: Mapping[str, Any]
    ledger: Ledger

    @property
    def shard(self) -> str:
        """Which it is: `2/5`."""
        return str(self.header["made_from"]["shard"])

    @property
    def positions(self) -> Sequence[int]:
        """Where its cases stand among those of all shards."""
        return list(self.header["shard"]["positions"])

    def open(self) -> IO[bytes]:
        """Its journal, to be handed to `lines`."""
        return (self.folder / JOURNAL).open("rb")

    def lines(self, file: IO[bytes], index: int) -> Iterator[dict[str, Any]]:
        """The results of its case number `index`, one a repeat."""
        repeats = self.header["repeats"]
        for offset in self.ledger.offsets[index * repeats : (index + 1) * repeats]:
            file.seek(offset)
            yield json.loads(file.readline())


def merge_runs(folders: Sequence[Path], output: Path) -> Report:
    """The run in `output` that holds the results of all `folders`, judged as a whole.

    Raises `UsageError`, naming the folder, for a run that is no shard or is not
    finished, for runs that were made from different things, and for a whole
    with a case missing or doubled.
    """
    if (output / JOURNAL).exists():
        raise UsageError(f"{output} holds a run already", hint="name another folder")
    if output.exists() and not output.is_dir():
        raise UsageError(
            f"{output} cannot be a folder: there is a file in its place",
            hint="name the folder of a new run",
        )
    parts = [_part(folder) for folder in folders]
    owners = _whole(parts)
    against = parts[0].header["base"]
    if against is not None and against["kind"] == "revision":
        below = [_part(folder / BASE, run=folder) for folder in folders]
        _write(below, _whole(below), output / BASE)
    elif against is not None and against["kind"] == "file":
        (output / BASE).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folders[0] / BASE / BLESSED, output / BASE / BLESSED)
    _write(parts, owners, output)
    return load_report(output)


def _part(folder: Path, *, run: Path | None = None) -> Part:
    """The shard in `folder`, which may be the base of the `run` that it is resumed with."""
    header, ledger = scan_journal(folder / JOURNAL)
    if header.get("shard") is None:
        raise UsageError(
            f"the run in {folder} is whole: it is no shard",
            hint="shards are made by `llmops eval run SUITE --shard 1/4`, up to `4/4`",
        )
    if ledger.missing:
        raise UsageError(
            f"the run in {folder} is not finished: "
            f"{ledger.missing:,} of {ledger.wanted:,} results are missing",
            hint=resume_command(header["command"], run or folder),
        )
    return Part(folder=folder, header=header, ledger=ledger)


def _whole(parts: Sequence[Part]) -> array[int]:
    """Which part has the case at each position; raises unless every case is there once."""
    first = parts[0]
    for part in parts[1:]:
        _refuse_difference(first, part)
    owners: array[int] = array("q", [NOBODY]) * first.header["shard"]["cases"]
    for number, part in enumerate(parts):
        for index, position in enumerate(part.positions):
            if owners[position] != NOBODY:
                raise _doubled(parts[owners[position]], part, index)
            owners[position] = number
    _refuse_gaps(parts, owners)
    return owners


def _doubled(one: Part, other: Part, index: int) -> UsageError:
    with other.open() as file:
        case = next(other.lines(file, index))["case"]
    return UsageError(
        f"the case `{case}` is in {one.folder} and in {other.folder}",
        hint=f"they are the shards {one.shard} and {other.shard}; name each shard once",
    )


def _refuse_difference(first: Part, other: Part) -> None:
    one, two = ({**part.header["made_from"]} for part in (first, other))
    shards = [made_from.pop("shard").rpartition("/")[2] for made_from in (one, two)]
    named = dict.fromkeys([*one, *two])
    differing = [
        f"{name}: {one.get(name)} and {two.get(name)}"
        for name in named
        if one.get(name) != two.get(name)
    ]
    if first.header["shard"]["cases"] != other.header["shard"]["cases"]:
        differing.append("cases selected in all")
    if shards[0] != shards[1]:
        differing.append(f"number of shards: {shards[0]} and {shards[1]}")
    if differing:
        raise UsageError(
            f"{first.folder} and {other.folder} were made from different things:\n  "
            + "\n  ".join(differing),
            hint="merge the shards of one run: the same revision, options and model",
        )


def _refuse_gaps(parts: Sequence[Part], owners: array[int]) -> None:
    missing = owners.count(NOBODY)
    if not missing:
        return
    count = int(parts[0].shard.rpartition("/")[2])
    here = {part.shard for part in parts}
    absent = [f"{index}/{count}" for index in range(1, count + 1) if f"{index}/{count}" not in here]
    raise UsageError(
        f"{missing:,} of {len(owners):,} cases are missing: "
        f"there is no run of shard {', '.join(absent)}",
        hint="run it too; a shard that got no case needs no run",
    )


def _write(parts: Sequence[Part], owners: array[int], output: Path) -> None:
    """The journal of the whole, in the dataset's order."""
    header = _header(parts, len(owners))
    repeats = header["repeats"]
    taken = [0] * len(parts)
    with ExitStack() as stack:
        files = [stack.enter_context(part.open()) for part in parts]
        file = stack.enter_context(replacing(output / JOURNAL))
        file.write(encode_line(header).decode())
        for position, owner in enumerate(owners):
            for line in parts[owner].lines(files[owner], taken[owner]):
                line["slot"] = position * repeats + line["repeat"]
                file.write(encode_line(line).decode())
            taken[owner] += 1


def _header(parts: Sequence[Part], cases: int) -> dict[str, Any]:
    first = parts[0].header
    return {
        **first,
        "started": min(part.header["started"] for part in parts),
        "command": _without_shard(first["command"]),
        "cases": cases,
        "untouched": first["shard"]["untouched"],
        "shard": None,
        "dataset": {**first["dataset"], "selected": cases},
        "made_from": {**first["made_from"], "shard": "none"},
    }


def _without_shard(command: str) -> str:
    """The command that runs all shards at once.

    >>> _without_shard("llmops eval run qa --shard 2/4 --limit 9")
    'llmops eval run qa --limit 9'
    """
    words = shlex.split(command)
    if "--shard" in words:
        at = words.index("--shard")
        del words[at : at + 2]
    return shlex.join(words)
