"""Prompts into a registry and back: published once, aliases as the lock has them, byte for byte."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from llmops.cli.prompt import app
from llmops.core.errors import DocumentError, LlmopsError, NotFound, UsageError
from llmops.core.registry import PromptRegistry, RegisteredPrompt, Turn
from llmops.prompts import PromptRepository
from llmops.prompts.exchange.registered import prompt_name, registry_name
from llmops.prompts.exchange.registry import Exported, MovedAlias, export_prompts, import_prompts
from llmops.prompts.prompt import parse_prompt
from llmops.prompts.release import lock_prompts, promote
from llmops.registry import open_prompt_registry
from llmops.testing.registry import InMemoryPromptRegistry

TEXT = """---
description: Answers.
metadata: {{version: 1.0.0}}
model:
  id: openai/gpt-4o
  options: {{temperature: 0.5, maxOutputTokens: 64, topP: 0.9, stopSequences: [END]}}
inputs:
  - {{name: question, kind: string}}
outputs:
  - {{name: answer, kind: string}}
---
system:
{words} # ä "quoted"

user:
{{{{ question }}}}
"""


class Shop:
    """A folder of prompts under git, and what is done with it."""

    def __init__(self, top: Path):
        self.top = top
        self.root = top / "prompts"
        self.root.mkdir(parents=True)
        for words in (
            ["init", "-q"],
            ["config", "user.name", "A"],
            ["config", "user.email", "a@b"],
        ):
            subprocess.run(["git", "-C", str(top), *words], check=True, capture_output=True)

    @property
    def repository(self) -> PromptRepository:
        return PromptRepository(self.root)

    def write(self, name: str, words: str = "Be kind.", text: str = TEXT) -> Path:
        path = self.root / f"{name}.prompty"
        path.parent.mkdir(parents=True, exist_ok=True)
        old = self.repository.get(name).version if path.exists() else "1.0.0"
        path.write_text(text.format(words=words).replace("version: 1.0.0", f"version: {old}"))
        return path

    def release(self, name: str, words: str, *aliases: str) -> str:
        """Write, lock and commit; the version."""
        self.write(name, words)
        lock_prompts(self.repository)
        for words_ in (["add", "-A"], ["commit", "-qm", "x"]):
            subprocess.run(["git", "-C", str(self.top), *words_], check=True, capture_output=True)
        version = self.repository.get(name).version
        for alias in aliases:
            promote(self.repository, name, version, to=alias, why="test", force=True)
        return version


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "work")


@pytest.fixture
def memory() -> InMemoryPromptRegistry:
    return InMemoryPromptRegistry()


@pytest.fixture(params=["memory", "mlflow"])
def registry(request: pytest.FixtureRequest) -> PromptRegistry:
    if request.param == "memory":
        return InMemoryPromptRegistry()
    return open_prompt_registry(request.getfixturevalue("mlflow_database"))


def told(exported: list[Exported]) -> list[tuple[str, str, int, str]]:
    return [(each.name, each.version, each.number, each.status.value) for each in exported]


def test_what_is_published_says_what_it_is(shop: Shop, registry: PromptRegistry) -> None:
    shop.release("support/answer", "Be kind.")
    (made,) = export_prompts(shop.repository, registry)
    assert told([made]) == [("support/answer", "1.0.0", 1, "published")]
    assert made.notes == ()
    prompt = shop.repository.get("support/answer")
    there = registry.get("support.answer")
    assert there == RegisteredPrompt(
        name="support.answer",
        number=1,
        template=(Turn("system", 'Be kind. # ä "quoted"'), Turn("user", "{{ question }}")),
        commit_message="llmops support/answer 1.0.0",
        tags={
            "llmops.name": "support/answer",
            "llmops.version": "1.0.0",
            "llmops.content": prompt.fingerprint,
            "llmops.interface": prompt.interface_fingerprint,
            "llmops.source": prompt.source,
        },
        model_config={
            "provider": "openai",
            "model_name": "gpt-4o",
            "temperature": 0.5,
            "seed": 0,
            "max_tokens": 64,
            "top_p": 0.9,
            "stop_sequences": ["END"],
        },
        response_format=prompt.output_schema,
    )


def test_exporting_again_publishes_nothing(shop: Shop, registry: PromptRegistry) -> None:
    shop.release("a", "One.", "production")
    shop.release("a", "Two.", "staging")
    shop.release("a", "Three.")
    first = export_prompts(shop.repository, registry, message="the first")
    assert told(first) == [
        ("a", "1.0.0", 1, "published"),
        ("a", "1.1.0", 2, "published"),
        ("a", "1.2.0", 3, "published"),
    ]
    assert {each.commit_message for each in registry.versions("a")} == {"the first"}
    before = registry.versions("a")
    again = export_prompts(shop.repository, registry, message="another")
    assert [each.status.value for each in again] == ["unchanged"] * 3
    assert not any(each.moved for each in again)
    assert registry.versions("a") == before


def test_aliases_follow_the_lock_and_others_are_left_alone(
    shop: Shop, registry: PromptRegistry
) -> None:
    shop.release("a", "One.", "production", "latest")
    export_prompts(shop.repository, registry)
    registry.set_alias("a", "champion", 1)
    assert registry.get("a", "production").number == 1
    version = shop.release("a", "Two.", "production")
    (old, new) = export_prompts(shop.repository, registry)
    assert new.moved == (MovedAlias(alias="production", came_from=1),)
    assert registry.get("a", "production").tags["llmops.version"] == version
    assert registry.get("a", "champion").number == 1
    assert new.notes == ("the alias `champion` is only there, on number 1: left alone",)
    assert "`latest` cannot be an alias there" in old.notes[0]


def test_chosen_versions_alone_are_published_with_their_aliases(
    shop: Shop, memory: InMemoryPromptRegistry
) -> None:
    for words, alias in (("One.", "old"), ("Two.", "production"), ("Three.", "staging")):
        shop.release("a", words, alias)
    shop.release("b", "Other.")
    made = export_prompts(shop.repository, memory, ["a@production", "a@1.0.0", "a@^1"])
    assert told(made) == [
        ("a", "1.0.0", 1, "published"),
        ("a", "1.1.0", 2, "published"),
        ("a", "1.2.0", 3, "published"),
    ]
    assert memory.names() == ["a"]
    shop.release("a", "Four.", "production")
    export_prompts(shop.repository, memory, ["a@1.2.0"])
    assert memory.get("a", "production").number == 2
    with pytest.raises(NotFound, match=r"no version `9\.0\.0`"):
        export_prompts(shop.repository, memory, ["a@9.0.0"])
    with pytest.raises(NotFound, match="no prompt is named `c`"):
        export_prompts(shop.repository, memory, ["c"])


def test_an_edit_that_is_not_locked_is_refused_before_anything_is_published(
    shop: Shop, memory: InMemoryPromptRegistry
) -> None:
    shop.release("a", "One.")
    shop.release("b", "One.")
    shop.write("b", "Edited.")
    with pytest.raises(UsageError, match="`b` has changed since it was locked") as caught:
        export_prompts(shop.repository, memory)
    assert "llmops prompt lock" in (caught.value.hint or "")
    assert memory.names() == []
    export_prompts(shop.repository, memory, ["b@1.0.0"])
    assert "One." in memory.get("b").tags["llmops.source"]


def test_a_prompt_without_a_lock_is_published_as_it_is_and_held_to_its_version(
    shop: Shop, memory: InMemoryPromptRegistry
) -> None:
    shop.write("a", "One.")
    assert told(export_prompts(shop.repository, memory)) == [("a", "1.0.0", 1, "published")]
    assert told(export_prompts(shop.repository, memory)) == [("a", "1.0.0", 1, "unchanged")]
    shop.write("a", "{# why #}One.")
    (same,) = export_prompts(shop.repository, memory)
    assert same.status == "unchanged"
    assert same.notes == ("the text that is there differs in comments or words for people",)
    shop.write("a", "Two.")
    shop.write("0", "New.")
    with pytest.raises(UsageError, match=r"`a@1\.0\.0` is in memory with other content"):
        export_prompts(shop.repository, memory)
    assert memory.names() == ["a"]


def test_a_version_that_only_the_lock_knows_is_published_from_git(
    shop: Shop, memory: InMemoryPromptRegistry
) -> None:
    path = shop.write("a", "One.")
    shop.release("a", "One.", "production")
    before = path.read_text()
    shop.write("a", "Two.")
    lock_prompts(shop.repository)
    path.unlink()
    shop.write("b")
    lock_prompts(shop.repository)
    made = export_prompts(shop.repository, memory)
    assert told(made)[0] == ("a", "1.0.0", 1, "published")
    assert memory.get("a", "production").tags["llmops.source"] == before


def test_words_that_are_there_already_are_recognised(shop: Shop, registry: PromptRegistry) -> None:
    shop.write("a")
    export_prompts(shop.repository, (scratch := InMemoryPromptRegistry()))
    there = registry.publish(replace(scratch.get("a"), tags={"mine": "yes"}, commit_message=""))
    registry.set_alias("a", "champion", 1)
    made = export_prompts(shop.repository, registry)
    assert told(made) == [("a", "1.0.0", 1, "recognised")]
    assert registry.get("a").tags == {**scratch.get("a").tags, "mine": "yes"}
    assert registry.get("a").template == there.template
    assert told(export_prompts(shop.repository, registry)) == [("a", "1.0.0", 1, "unchanged")]


def test_words_of_others_are_recognised_as_one_version_only(
    shop: Shop, memory: InMemoryPromptRegistry
) -> None:
    shop.release("a", "Same.", "production")
    path = shop.root / "a.prompty"
    path.write_text(path.read_text().replace("Answers.", "Answers well."))
    lock_prompts(shop.repository)
    export_prompts(shop.repository, (scratch := InMemoryPromptRegistry()))
    memory.publish(replace(scratch.get("a", 1), tags={}))
    made = export_prompts(shop.repository, memory)
    assert told(made) == [("a", "1.0.0", 1, "recognised"), ("a", "1.0.1", 2, "published")]
    assert [each.status for each in export_prompts(shop.repository, memory)] == ["unchanged"] * 2


def test_a_draft_under_the_number_of_a_release_gets_none_of_its_aliases(
    shop: Shop, memory: InMemoryPromptRegistry
) -> None:
    shop.release("a", "One.", "production")
    shop.write("a", "Draft.")
    for words in (["add", "-A"], ["commit", "-qm", "draft"]):
        subprocess.run(["git", "-C", str(shop.top), *words], check=True, capture_output=True)
    with pytest.raises(UsageError, match=r"two texts of `a` are both version 1\.0\.0"):
        export_prompts(shop.repository, memory, ["a@git:HEAD", "a@1.0.0"])
    (made,) = export_prompts(shop.repository, memory, ["a@git:HEAD"])
    assert made.moved == ()
    with pytest.raises(UsageError, match="with other content"):
        export_prompts(shop.repository, memory, ["a@production"])


def test_a_name_that_another_prompt_has_is_refused(
    shop: Shop, memory: InMemoryPromptRegistry
) -> None:
    shop.write("a")
    memory.publish(RegisteredPrompt(name="a", template="x", tags={"llmops.name": "team/a"}))
    with pytest.raises(UsageError, match="is the prompt `team/a`, and not `a`"):
        export_prompts(shop.repository, memory)


@pytest.mark.parametrize(
    "name", ["a", "support/answer", "a.b", "a/b.c", "a./b", "a../b", "a.b./c.d/e_f-g", "v1.2"]
)
def test_names_come_back_and_never_meet(name: str) -> None:
    assert prompt_name(registry_name(name)) == name


def test_every_source_comes_back_byte_for_byte(shop: Shop, registry: PromptRegistry) -> None:
    long = "€" * 40_000  # in a comment, which only the source has
    sources = {
        "plain": TEXT.format(words="Be kind."),
        "windows": TEXT.format(words="Be kind.").replace("\n", "\r\n"),
        "comments": "---\n# why\nmetadata:\n    version: 2.0.1\n---\n\n\nuser:\n{# no #}Hi  \n\n",
        "long": f"---\nmetadata: {{version: 1.0.0}}\n---\nuser:\nHi{{# {long} #}}\n",
        "made/of-parts": "---\nmetadata: {version: 1.0.0}\nexamples: data/few.jsonl\n---\n"
        'user:\n{% include "shared/tone" %}{% for e in examples %}{{ e.q }}{% endfor %}\n',
    }
    parts = {
        "shared/tone.jinja": 'Be {% include "shared/kind" %}.\r\n\n',
        "shared/kind.jinja": "kind{# ä #}",
        "data/few.jsonl": '{"q": 1}\n\n{"q": 2}\n',
    }
    for name, text in ({f"{n}.prompty": t for n, t in sources.items()} | parts).items():
        path = shop.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    export_prompts(shop.repository, registry)
    imported = import_prompts(registry, registry.names())
    assert {each.name: each.text for each in imported} == sources
    assert {path: text for each in imported for path, text in each.parts.items()} == parts
    assert all(each.as_published and not each.notes for each in imported)


def test_an_import_is_named_by_number_alias_uri_and_in_both_spellings(
    shop: Shop, memory: InMemoryPromptRegistry
) -> None:
    for words, alias in (("One.", "production"), ("Two.", "staging")):
        shop.release("support/answer", words, alias)
    export_prompts(shop.repository, memory)
    for ref, version in (
        ("support.answer", "1.1.0"),
        ("support/answer@latest", "1.1.0"),
        ("support/answer@production", "1.0.0"),
        ("support.answer@1", "1.0.0"),
        ("prompts:/support.answer/2", "1.1.0"),
        ("prompts:/support.answer@production", "1.0.0"),
    ):
        (imported,) = import_prompts(memory, [ref])
        assert imported.name == "support/answer"
        assert f"version: {version}" in imported.text
    with pytest.raises(NotFound, match="no alias `prod`"):
        import_prompts(memory, ["support/answer@prod"])
    assert import_prompts(memory, ["support.answer"], into="a/b")[0].name == "a/b"
    assert import_prompts(memory, ["support.answer"], into="a/")[0].name == "a/support/answer"
    with pytest.raises(UsageError, match="two of the prompts would be named"):
        import_prompts(memory, ["support.answer@1", "support.answer@2"])


@pytest.mark.parametrize("key", ["llmops.source", "llmops.content"])
def test_a_source_that_was_tampered_with_is_not_imported(
    key: str, shop: Shop, memory: InMemoryPromptRegistry
) -> None:
    shop.write("a")
    export_prompts(shop.repository, memory)
    memory.set_tags("a", 1, {key: memory.get("a").tags[key].replace("a", "b")})
    with pytest.raises(DocumentError, match="is not the one that was published"):
        import_prompts(memory, ["a"])


def test_a_prompt_that_others_wrote_is_taken_over_and_says_what_it_lost(
    registry: PromptRegistry,
) -> None:
    registry.publish(
        RegisteredPrompt(
            name="Team_Summary",
            template=(Turn("system", "Be {{tone}}."), Turn("human", "{{ user.text }}\n")),
            commit_message="shorter",
            tags={"owner": "me"},
            model_config={
                "provider": "anthropic",
                "model_name": "claude-3",
                "max_tokens": 9,
                "api_key": "k",
            },
            response_format={
                "type": "json_schema",
                "json_schema": {
                    "name": "x",
                    "schema": {"type": "object", "properties": {"a": {"type": "string"}}},
                },
            },
        )
    )
    registry.set_alias("Team_Summary", "production", 1)
    (imported,) = import_prompts(registry, ["Team_Summary@production"])
    assert imported.name == "team_summary"
    assert not imported.as_published
    prompt = parse_prompt(imported.text, Path("p.prompty"), name="team_summary")
    assert prompt.model == "anthropic/claude-3"
    assert prompt.sampling.max_tokens == 9
    assert [each.name for each in prompt.inputs] == ["tone", "user_text"]
    assert [each.name for each in prompt.outputs] == ["a"]
    messages = prompt.render(tone="kind", user_text="T")
    assert [(one.role, one.content) for one in messages] == [
        ("system", "Be kind."),
        ("user", "T\n"),
    ]
    notes = "\n".join(imported.notes)
    for lost in ("`api_key`", "temperature", "`user_text`", "`production`", "`owner`", "commit"):
        assert lost in notes
    assert "k" not in json.dumps(imported.text.split("api")[1:])


def test_a_role_that_a_prompt_cannot_have_is_refused(memory: InMemoryPromptRegistry) -> None:
    memory.publish(RegisteredPrompt(name="a", template=(Turn("tool", "x"),)))
    with pytest.raises(DocumentError, match="`tool` is not a role here"):
        import_prompts(memory, ["a"])


def test_mlflow_itself_loads_and_formats_what_was_exported(
    shop: Shop, mlflow_database: str
) -> None:
    """With MLflow's own functions, in a process of its own, as an app has it."""
    shop.release("support/answer", "Be kind.", "production")
    export_prompts(shop.repository, open_prompt_registry(mlflow_database))
    question = "Why?\n\\n {single} ä"
    code = f"""
import json, mlflow
prompt = mlflow.genai.load_prompt("prompts:/support.answer@production")
print(json.dumps([prompt.format(question={question!r}), prompt.version, sorted(prompt.variables)]))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={
            "MLFLOW_TRACKING_URI": mlflow_database,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "PATH": "/usr/bin:/bin",
        },
    )
    messages = shop.repository.get("support/answer").render(question=question)
    assert json.loads(done.stdout) == [[one.to_json() for one in messages], 1, ["question"]]


def test_the_commands_move_a_prompt_through_a_registry_in_the_state_folder(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(shop.top)
    shop.release("support/answer", "Be kind.", "production")

    def run(*words: str) -> tuple[int, str, str]:
        done = CliRunner().invoke(app, [*words])
        assert done.exception is None or isinstance(done.exception, LlmopsError), done.exception
        code = done.exception.exit_code if isinstance(done.exception, LlmopsError) else 0
        return int(code), done.stdout, done.stderr

    code, out, err = run("import", "mlflow:support/answer", "--into", "copy")
    assert (code, out) == (2, "")
    assert not (shop.top / ".llmops").exists()
    code, out, err = run("export", "--to", "mlflow", "-m", "a reason")
    assert code == 0
    assert "published  support/answer@1.0.0  support.answer/1" in out
    assert "support.answer@production is 1 now" in out
    assert ".llmops/mlflow.db" in err
    code, out, _ = run("export", "--to", "mlflow", "--json", "support/answer")
    (again,) = json.loads(out)["prompts"]
    assert (again["status"], again["number"], again["moved"]) == ("unchanged", 1, [])
    code, out, _ = run("import", "mlflow:support/answer@production", "--into", "copy")
    copied = shop.root / "copy.prompty"
    assert copied.read_bytes() == (shop.root / "support/answer.prompty").read_bytes()
