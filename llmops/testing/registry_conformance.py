"""What every registry of prompts does, as tests. Subclass, and give a `registry` fixture.

class TestMyRegistry(PromptRegistryConformance):
    @pytest.fixture
    def registry(self): ...

Each test needs an empty registry.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from llmops.core.errors import NotFound, UsageError
from llmops.core.registry import MOST_MESSAGE, MOST_TEXT, PromptRegistry, RegisteredPrompt, Turn

CHAT = RegisteredPrompt(
    name="support.answer",
    template=(
        Turn("system", "You are kind.\n\n„Ja“ ≠ “no” 🙂\t{{ tone }}"),
        Turn("user", "{{question}}\r\n"),
    ),
    commit_message="The first one: größer",
    tags={"llmops.version": "1.0.0", "text": "two\nlines  \n", "empty": ""},
    model_config={
        "model_name": "m",
        "temperature": 0.0,
        "top_p": 0.9,
        "seed": 0,
        "deep": {"a": []},
    },
    response_format={"type": "object", "properties": {"answer": {"type": "string"}}},
)
TEXT = RegisteredPrompt(name="a-Text_2", template="{% if x %}Hello {{ x }}{% endif %}\n")


class PromptRegistryConformance:
    """The tests."""

    def test_it_says_where_it_is(self, registry: PromptRegistry) -> None:
        assert isinstance(registry, PromptRegistry)
        assert registry.location

    def test_an_empty_one_has_nothing(self, registry: PromptRegistry) -> None:
        assert registry.names() == []
        assert registry.versions("support.answer") == []
        for version in (None, 1, "production"):
            with pytest.raises(NotFound, match=r"support\.answer"):
                registry.get("support.answer", version)

    @pytest.mark.parametrize("prompt", [CHAT, TEXT], ids=["chat", "text"])
    def test_what_is_published_comes_back_whole(
        self, registry: PromptRegistry, prompt: RegisteredPrompt
    ) -> None:
        made = registry.publish(prompt)
        assert made == replace(prompt, number=1)
        assert registry.get(prompt.name) == made
        assert registry.get(prompt.name, 1) == made
        assert registry.versions(prompt.name) == [made]

    def test_numbers_count_up_under_each_name(self, registry: PromptRegistry) -> None:
        numbers = [registry.publish(one).number for one in (CHAT, TEXT, CHAT, CHAT)]
        assert numbers == [1, 1, 2, 3]
        assert registry.names() == ["a-Text_2", "support.answer"]
        assert [one.number for one in registry.versions(CHAT.name)] == [1, 2, 3]
        assert registry.get(CHAT.name).number == 3

    def test_an_alias_names_one_version_until_it_is_moved(self, registry: PromptRegistry) -> None:
        for _ in range(3):
            registry.publish(CHAT)
        registry.set_alias(CHAT.name, "production", 1)
        registry.set_alias(CHAT.name, "staging", 1)
        assert registry.get(CHAT.name, "production").aliases == ("production", "staging")
        registry.set_alias(CHAT.name, "production", 2)
        assert registry.get(CHAT.name, "production").number == 2
        aliases = [one.aliases for one in registry.versions(CHAT.name)]
        assert aliases == [("staging",), ("production",), ()]

    def test_a_deleted_alias_is_gone_and_its_version_is_not(self, registry: PromptRegistry) -> None:
        registry.publish(CHAT)
        registry.set_alias(CHAT.name, "production", 1)
        registry.delete_alias(CHAT.name, "production")
        registry.delete_alias(CHAT.name, "production")
        with pytest.raises(NotFound, match="production"):
            registry.get(CHAT.name, "production")
        assert registry.get(CHAT.name, 1).aliases == ()

    def test_tags_are_set_beside_those_that_are_there(self, registry: PromptRegistry) -> None:
        registry.publish(CHAT)
        registry.publish(CHAT)
        registry.set_tags(CHAT.name, 1, {"llmops.version": "2.0.0", "more": "x" * MOST_TEXT})
        first, second = registry.versions(CHAT.name)
        assert first.tags == {**CHAT.tags, "llmops.version": "2.0.0", "more": "x" * MOST_TEXT}
        assert second.tags == CHAT.tags

    def test_more_than_a_hundred_versions_and_names_are_all_there(
        self, registry: PromptRegistry
    ) -> None:
        for number in range(101):
            registry.publish(replace(TEXT, template=f"version {number + 1}"))
            registry.publish(replace(TEXT, name=f"prompt-{number:03}"))
        assert len(registry.names()) == 102
        assert [one.number for one in registry.versions(TEXT.name)] == list(range(1, 102))
        assert registry.get(TEXT.name).template == "version 101"

    def test_what_is_not_there_is_not_found(self, registry: PromptRegistry) -> None:
        registry.publish(CHAT)
        registry.set_alias(CHAT.name, "production", 1)
        with pytest.raises(NotFound, match="version 7") as missing:
            registry.get(CHAT.name, 7)
        assert missing.value.hint == "the newest is 1"
        with pytest.raises(NotFound) as missing:
            registry.get(CHAT.name, "prodution")
        assert missing.value.hint == "did you mean `production`?"
        with pytest.raises(NotFound) as missing:
            registry.get("support.anwser")
        assert missing.value.hint == "did you mean `support.answer`?"

    def test_what_is_not_there_cannot_be_changed(self, registry: PromptRegistry) -> None:
        for existing in ([], [CHAT.name]):
            for prompt in existing:
                registry.publish(replace(CHAT, name=prompt))
            for name in (CHAT.name, "other"):
                with pytest.raises(NotFound, match=name):
                    registry.set_alias(name, "production", 7)
                with pytest.raises(NotFound, match=name):
                    registry.set_tags(name, 7, {"a": "b"})
            with pytest.raises(NotFound, match="other"):
                registry.delete_alias("other", "production")
            assert registry.names() == existing
        assert registry.get(CHAT.name) == replace(CHAT, number=1)

    @pytest.mark.parametrize("name", ["support/answer", "", "a b", "..", "é", "a:b", "x" * 251])
    def test_a_name_that_cannot_be_is_refused(self, registry: PromptRegistry, name: str) -> None:
        for ask in (registry.versions, registry.get):
            with pytest.raises(UsageError, match="cannot name a prompt"):
                ask(name)
        with pytest.raises(UsageError, match="cannot name a prompt"):
            registry.publish(replace(CHAT, name=name))

    @pytest.mark.parametrize("alias", ["latest", "Latest", "v1", "7", "a.b", "", "a b"])
    def test_an_alias_that_cannot_be_is_refused(self, registry: PromptRegistry, alias: str) -> None:
        registry.publish(CHAT)
        with pytest.raises(UsageError, match="cannot be an alias"):
            registry.set_alias(CHAT.name, alias, 1)
        assert registry.get(CHAT.name).aliases == ()

    @pytest.mark.parametrize(
        "change",
        [
            {"template": ""},
            {"template": ()},
            {"template": "x" * (MOST_TEXT + 1)},
            {"template": (Turn("user", "\u00e4" * (MOST_TEXT // 6)),)},
            {"commit_message": "x" * (MOST_MESSAGE + 1)},
            {"tags": {"long": "x" * (MOST_TEXT + 1)}},
            {"tags": {"mlflow.prompt.text": "mine"}},
            {"tags": {"a/b": "x"}},
        ],
        ids=["no text", "no turn", "text", "chat", "message", "tag", "reserved", "key"],
    )
    def test_what_does_not_fit_is_refused_and_leaves_nothing(
        self, registry: PromptRegistry, change: dict[str, object]
    ) -> None:
        with pytest.raises(UsageError):
            registry.publish(replace(CHAT, **change))  # type: ignore[arg-type]
        assert registry.names() == []

    def test_what_just_fits_comes_back(self, registry: PromptRegistry) -> None:
        prompt = replace(TEXT, template="ü" * MOST_TEXT, commit_message="ß" * MOST_MESSAGE)
        assert registry.publish(prompt) == registry.get(TEXT.name)
        assert registry.get(TEXT.name) == replace(prompt, number=1)
