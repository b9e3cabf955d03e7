"""Several files that are written together, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from llmops.core.errors import UsageError, Where
from llmops.core.files import check_writable, read_document, write_text


class State(StrEnum):
    """What writing does to a file."""

    NEW = "new"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, kw_only=True)
class FileChange:
    """One file that is about to be written."""

    name: str
    """Of the prompt."""
    path: Path
    text: str
    state: State
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """What happens, for listings."""
        return {
            "name": self.name,
            "path": str(self.path),
            "state": self.state.value,
            "notes": list(self.notes),
        }


def planned(path: Path, text: str, *, name: str, notes: tuple[str, ...] = ()) -> FileChange:
    """The change that makes `text` the content of a file."""
    old = text_of(path)
    state = State.UNCHANGED if old == text else State.NEW if old is None else State.REPLACED
    return FileChange(name=name, path=path, text=text, state=state, notes=notes)


def refuse_replacing(changes: Sequence[FileChange], *, otherwise: str) -> None:
    """Raise `UsageError` if a file is there with other content; `otherwise` says what to do."""
    others = [each for each in changes if each.state is State.REPLACED]
    if others:
        more = f" (and {len(others) - 1} more)" if len(others) > 1 else ""
        raise UsageError(
            f"is there with other content{more}; nothing was written",
            hint=f"`--replace` overwrites it{otherwise}",
            where=Where(others[0].path),
        )


def write_all(changes: Sequence[FileChange]) -> None:
    """Write what changes; when one file cannot be written, the others are as they were."""
    wanted = [each for each in changes if each.state is not State.UNCHANGED]
    for each in wanted:
        check_writable(each.path)
    before = {each.path: text_of(each.path) for each in wanted}
    try:
        for each in wanted:
            write_text(each.path, each.text)
    except BaseException:
        for path, text in before.items():
            if text is None:
                path.unlink(missing_ok=True)
            else:
                write_text(path, text)
        raise


def text_of(path: Path) -> str | None:
    """The text of a file, `None` if it is not there."""
    return read_document(path) if path.exists() else None
