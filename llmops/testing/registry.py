"""A registry that forgets: prompts by name, number and alias, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from llmops.core.errors import NotFound
from llmops.core.registry import (
    RegisteredPrompt,
    check_alias,
    check_content,
    check_name,
    check_tags,
)


class InMemoryPromptRegistry:
    """Behaves as MLflow's registry does; `prompts` are put into it first, numbered anew.

    >>> registry = InMemoryPromptRegistry([RegisteredPrompt(name="greeting", template="Hi")])
    >>> registry.get("greeting").number
    1
    """

    def __init__(self, prompts: list[RegisteredPrompt] | None = None):
        self._versions: dict[str, dict[int, RegisteredPrompt]] = {}
        self._aliases: dict[str, dict[str, int]] = {}
        for prompt in prompts or []:
            made = self.publish(prompt)
            for alias in prompt.aliases:
                self.set_alias(prompt.name, alias, made.number or 0)

    @property
    def location(self) -> str:
        """Here."""
        return "memory"

    def names(self) -> list[str]:
        """The names of all prompts, sorted."""
        return sorted(self._versions)

    def versions(self, name: str) -> list[RegisteredPrompt]:
        """All versions of a prompt, oldest first; empty if the name is unknown."""
        check_name(name)
        return [self._shown(prompt) for prompt in self._versions.get(name, {}).values()]

    def get(self, name: str, version: int | str | None = None) -> RegisteredPrompt:
        """The version of that number or alias; left out, the newest."""
        if isinstance(version, int):
            return self._shown(self._known(name, version))
        newest = self._newest(name)
        if version is None:
            return self._shown(newest)
        number = self._aliases[name].get(version)
        if number is None:
            near = NotFound.among("alias", version, self._aliases[name])
            raise NotFound(f"`{name}` has no alias `{version}` in memory", hint=near.hint)
        return self._shown(self._known(name, number))

    def publish(self, prompt: RegisteredPrompt) -> RegisteredPrompt:
        """Add a version under `prompt.name`, and give it back with its number."""
        check_content(prompt)
        versions = self._versions.setdefault(prompt.name, {})
        self._aliases.setdefault(prompt.name, {})
        number = max(versions, default=0) + 1
        versions[number] = replace(prompt, number=number, aliases=(), tags=dict(prompt.tags))
        return versions[number]

    def set_alias(self, name: str, alias: str, number: int) -> None:
        """Point an alias to a version, wherever it pointed before."""
        check_alias(alias)
        self._known(name, number)
        self._aliases[name][alias] = number

    def delete_alias(self, name: str, alias: str) -> None:
        """Remove an alias; the version stays."""
        check_alias(alias)
        self._newest(name)
        self._aliases[name].pop(alias, None)

    def set_tags(self, name: str, number: int, tags: Mapping[str, str]) -> None:
        """Set tags of a version; others stay as they are."""
        check_tags(tags)
        known = self._known(name, number)
        self._versions[name][number] = replace(known, tags={**known.tags, **tags})

    def _newest(self, name: str) -> RegisteredPrompt:
        check_name(name)
        if name not in self._versions:
            near = NotFound.among("prompt", name, self.names())
            raise NotFound(f"{near.message} in memory", hint=near.hint)
        return self._versions[name][max(self._versions[name])]

    def _known(self, name: str, number: int) -> RegisteredPrompt:
        newest = self._newest(name)
        if number not in self._versions[name]:
            raise NotFound(
                f"`{name}` has no version {number} in memory",
                hint=f"the newest is {newest.number}",
            )
        return self._versions[name][number]

    def _shown(self, prompt: RegisteredPrompt) -> RegisteredPrompt:
        aliases = self._aliases[prompt.name]
        return replace(
            prompt, aliases=tuple(sorted(a for a, n in aliases.items() if n == prompt.number))
        )
