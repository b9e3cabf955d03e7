"""Which of several subjects is meant: a file may hold the results of many."""

from __future__ import annotations

from pathlib import Path

from llmops.core.errors import NotFound, UsageError, Where

LONGEST = 60


class Subjects:
    """The subjects of a file: each has a model, or provider, and a prompt."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], str] = {}

    def add(self, model: str, prompt: str) -> None:
        """Note a subject."""
        self._found.setdefault((model, prompt), _name(model, prompt))

    def choose(self, wanted: str | None, path: Path) -> tuple[str, str] | None:
        """The subject that is called so, by model and prompt, or by one of the two.

        Without a name it is the only one. Raises `UsageError` that lists them
        when it is not clear which is meant.
        """
        if wanted is None and len(self._found) <= 1:
            return next(iter(self._found), None)
        fitting = [key for key, name in self._found.items() if wanted in (name, *key)]
        if wanted is not None and not fitting:
            raise NotFound.among("subject", wanted, self._found.values(), where=Where(path))
        if len(fitting) == 1:
            return fitting[0]
        names = [self._found[key] for key in fitting or self._found]
        shown = ", ".join(f"`{name}`" for name in sorted(names)[:12])
        raise UsageError(
            f"holds the results of {len(names)} subjects"
            + (f" called `{wanted}`" if wanted is not None else ""),
            hint=f"choose one with `--subject`: {shown}",
            where=Where(path),
        )


def _name(model: str, prompt: str) -> str:
    line = " ".join(prompt.split())
    short = line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
    return f"{model} | {short}"
