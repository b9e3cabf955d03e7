"""The registry in MLflow: a server over HTTP, or a database.

Prompts are published by `create_prompt_version` and not by `register_prompt`:
that one copies every tag of a version to the prompt itself, where a value may
have 5,000 characters, and starts a thread.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from llmops.core.errors import NotFound
from llmops.core.registry import (
    RegisteredPrompt,
    Template,
    Turn,
    check_alias,
    check_content,
    check_name,
    check_tags,
)
from llmops.registry.address import Address
from llmops.registry.mlflow_client import MlflowConnection


class MlflowPromptRegistry:
    """The prompts of an MLflow registry; made by `open_prompt_registry`."""

    def __init__(self, address: Address):
        self._address = address
        self._ask = MlflowConnection(address).ask

    @property
    def location(self) -> str:
        """The address without a password."""
        return self._address.shown

    def names(self) -> list[str]:
        """The names of all prompts, sorted."""
        if self._is_absent():
            return []
        return sorted(self._ask(lambda client: [one.name for one in _all(client.search_prompts)]))

    def versions(self, name: str) -> list[RegisteredPrompt]:
        """All versions of a prompt, oldest first; empty if the name is unknown."""
        check_name(name)
        aliases = self._aliases(name)
        if aliases is None:
            return []
        found = self._ask(lambda client: list(_all(client.search_prompt_versions, name)))
        return sorted((_read(one, aliases) for one in found), key=lambda one: one.number or 0)

    def get(self, name: str, version: int | str | None = None) -> RegisteredPrompt:
        """The version of that number or alias; left out, the newest."""
        check_name(name)
        aliases = self._aliases(name)
        if aliases is None:
            raise self._no_prompt(name)
        number = aliases.get(version) if isinstance(version, str) else version
        if isinstance(version, str) and number is None:
            near = NotFound.among("alias", version, aliases)
            raise NotFound(f"`{name}` has no alias `{version}` in {self.location}", hint=near.hint)
        try:
            found = self._ask(
                lambda client: (
                    client.get_prompt_version(name, number)
                    if number is not None
                    else client.search_prompt_versions(name, max_results=1)[0]  # newest first
                )
            )
        except (NotFound, IndexError):
            raise self._no_version(name, number) from None
        return _read(found, aliases)

    def publish(self, prompt: RegisteredPrompt) -> RegisteredPrompt:
        """Add a version under `prompt.name`, and give it back with its number."""
        check_content(prompt)
        name = prompt.name
        is_new = self._aliases(name) is None
        if is_new:
            self._ask(lambda client: client.create_prompt(name))
        try:
            made = self._ask(
                lambda client: client.create_prompt_version(
                    name,
                    template=_spelled(prompt.template),
                    description=prompt.commit_message or None,
                    tags=dict(prompt.tags),
                    model_config=dict(prompt.model_config) or None,
                    response_format=dict(prompt.response_format or {}) or None,
                )
            )
        except BaseException:
            if is_new:  # or a prompt without a version would stay behind
                self._ask(lambda client: client.delete_prompt(name))
            raise
        return _read(made, {})

    def set_alias(self, name: str, alias: str, number: int) -> None:
        """Point an alias to a version, wherever it pointed before."""
        check_alias(alias)
        self._change(name, number, lambda client: client.set_prompt_alias(name, alias, number))

    def delete_alias(self, name: str, alias: str) -> None:
        """Remove an alias; the version stays."""
        check_alias(alias)
        self._change(name, None, lambda client: client.delete_prompt_alias(name, alias))

    def set_tags(self, name: str, number: int, tags: Mapping[str, str]) -> None:
        """Set tags of a version; others stay as they are."""
        check_tags(tags)

        def change(client: Any) -> None:
            for key, value in tags.items():
                client.set_prompt_version_tag(name, number, key, value)

        self._change(name, number, change)

    def _change(self, name: str, number: int | None, change: Callable[[Any], None]) -> None:
        check_name(name)
        if self._aliases(name) is None:
            raise self._no_prompt(name)
        try:
            self._ask(change)
        except NotFound:
            raise self._no_version(name, number) from None

    def _aliases(self, name: str) -> dict[str, int] | None:
        """Where the aliases of a prompt point; `None` if there is no such prompt."""
        if self._is_absent():
            return None
        # By a search: asked for by name, MLflow hides prompts here, and aliases there.
        wanted = f"name = '{name}' AND tags.`mlflow.prompt.is_prompt` = 'true'"
        for found in self._ask(lambda client: client.search_registered_models(wanted)):
            if found.name == name:
                return {alias: int(number) for alias, number in found.aliases.items()}
        return None

    def _is_absent(self) -> bool:
        """Whether there is nothing to ask yet: MLflow would make the file to look into it."""
        file = self._address.file
        return file is not None and not file.exists()

    def _no_prompt(self, name: str) -> NotFound:
        near = NotFound.among("prompt", name, self.names())
        return NotFound(f"{near.message} in {self.location}", hint=near.hint)

    def _no_version(self, name: str, number: int | None) -> NotFound:
        numbers = [one.number for one in self.versions(name)]
        if not numbers:
            return NotFound(f"`{name}` has no version in {self.location}")
        return NotFound(
            f"`{name}` has no version {number} in {self.location}",
            hint=f"the newest is {numbers[-1]}",
        )


def _all(search: Callable[..., Any], *arguments: Any) -> Iterator[Any]:
    """What a search finds, page after page."""
    token = None
    while True:
        page = search(*arguments, max_results=100, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _read(found: Any, aliases: Mapping[str, int]) -> RegisteredPrompt:
    """MLflow's `PromptVersion`; a search leaves the aliases out, so they are handed in."""
    template = found.template
    return RegisteredPrompt(
        name=found.name,
        number=found.version,
        template=template
        if isinstance(template, str)
        else tuple(Turn(turn["role"], _text(turn.get("content"))) for turn in template),
        commit_message=found.commit_message or "",
        tags=dict(found.tags),
        aliases=tuple(sorted(name for name, number in aliases.items() if number == found.version)),
        model_config=found.model_config or {},
        response_format=found.response_format,
    )


def _text(content: Any) -> str:
    """The text of a message; a part that is no text, such as an image, is left as its JSON."""
    if isinstance(content, str):
        return content
    return "".join(
        part["text"] if part.get("type") == "text" else json.dumps(part) for part in content or ()
    )


def _spelled(template: Template) -> str | list[dict[str, str]]:
    return template if isinstance(template, str) else [turn._asdict() for turn in template]
