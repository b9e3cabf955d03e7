from __future__ import annotations

from pathlib import Path

import pytest

from llmops.core.errors import NotFound, UsageError
from llmops.project import load_project
from llmops.project.config import load_config

GOOD = """version = 1
default_model = "local"

[models.local]
model = "hosted_vllm/smol"
api_base = "http://127.0.0.1:8000/v1"

[models.big-one]
model = "hosted_vllm/big"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "llmops.toml"
    path.write_text(GOOD)
    return path


def test_the_environment_overrides_the_file(config: Path) -> None:
    found = load_config(
        config,
        {
            "LLMOPS_MODELS__LOCAL__API_BASE": "http://127.0.0.1:9/v1",
            "LLMOPS_MODELS__BIG_ONE__CONCURRENCY": "3",
            "LLMOPS_MODELS__NEW__MODEL": "openai/new",
            "LLMOPS_DEFAULT_MODEL": "new",
            "LLMOPS_CACHE_DIR": "somewhere",
        },
    )
    assert found.models["local"].api_base == "http://127.0.0.1:9/v1"
    assert found.models["big-one"].concurrency == 3
    assert found.default_model == "new"


def test_a_misspelt_variable_is_an_error(config: Path) -> None:
    with pytest.raises(NotFound) as caught:
        load_config(config, {"LLMOPS_DEFAULT_MODLE": "x"})
    assert caught.value.hint == "did you mean `LLMOPS_DEFAULT_MODEL`?"


def test_a_misspelt_key_in_a_variable_is_an_error(config: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown key `models\.local\.api_bse`"):
        load_config(config, {"LLMOPS_MODELS__LOCAL__API_BSE": "x"})


def test_a_wrong_value_in_a_variable_is_not_blamed_on_the_file(config: Path) -> None:
    with pytest.raises(UsageError, match=r"^environment: `models\.local\.timeout`") as caught:
        load_config(config, {"LLMOPS_MODELS__LOCAL__TIMEOUT": "soon"})
    assert caught.value.hint == "a variable that begins with LLMOPS_ sets it"
    with pytest.raises(NotFound, match=r"^environment: no model is named `locla`"):
        load_config(config, {"LLMOPS_DEFAULT_MODEL": "locla"})


def test_a_wrong_value_in_the_file_is_blamed_on_it_whatever_the_environment(config: Path) -> None:
    config.write_text(GOOD.replace("[models.big-one]", "timeout = 'soon'\n[models.big-one]"))
    with pytest.raises(UsageError, match=r"llmops\.toml:8: `models\.local\.timeout`"):
        load_config(config, {"LLMOPS_MODELS__LOCAL__RETRIES": "1"})


def test_a_default_model_that_is_not_there_is_an_error_with_its_line(config: Path) -> None:
    config.write_text(GOOD.replace('"local"', '"locla"'))
    with pytest.raises(NotFound, match=r"llmops\.toml:2: no model is named `locla`"):
        load_config(config, {})


def test_an_unknown_key_is_an_error_with_its_line(config: Path) -> None:
    config.write_text(GOOD + 'api_key = "sk-secret"\n')
    with pytest.raises(UsageError) as caught:
        load_config(config, {})
    assert str(caught.value).startswith(f"{config}:10: unknown key `models.big-one.api_key`")
    assert "sk-secret" not in str(caught.value) + str(caught.value.hint)


def test_the_project_is_found_from_a_folder_below(config: Path, tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert load_project(below).root == tmp_path
    assert load_project(config).root == tmp_path


def test_without_a_project_the_hint_names_init(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_project(tmp_path)
    assert "llmops init" in str(caught.value.hint)


def test_a_folder_outside_of_the_project_is_refused(config: Path) -> None:
    config.write_text(GOOD.replace("[models.local]", '[paths]\nprompts = "../x"\n\n[models.local]'))
    with pytest.raises(UsageError, match="lies outside of the project"):
        _ = load_project(config).prompts


def test_a_model_is_named_by_the_config_or_by_its_litellm_name(config: Path) -> None:
    project = load_project(config)
    assert project.model().name == "hosted_vllm/smol"
    assert project.model("big-one").name == "hosted_vllm/big"
    assert project.model("hosted_vllm/other").name == "hosted_vllm/other"
    with pytest.raises(NotFound) as caught:
        project.model("bigone")
    assert caught.value.hint == "did you mean `big-one`?"
