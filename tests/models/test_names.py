"""A model's name leads to one endpoint, and its key comes from the environment alone."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from llmops.core.errors import UsageError
from llmops.models import ModelConfig, open_model
from llmops.models.names import endpoint_of


@pytest.mark.parametrize(
    ("model", "environ", "base", "key"),
    [
        ("hosted_vllm/m", {}, "http://127.0.0.1:8000/v1", None),
        (
            "hosted_vllm/m",
            {"HOSTED_VLLM_API_BASE": "http://gpu:9/v1/", "HOSTED_VLLM_API_KEY": " k \n"},
            "http://gpu:9/v1",
            "k",
        ),
        ("openai/gpt", {"OPENAI_API_KEY": "k"}, "https://api.openai.com/v1", "k"),
        ("openai/gpt", {"OPENAI_BASE_URL": "http://proxy/v1"}, "http://proxy/v1", None),
    ],
)
def test_a_name_leads_to_an_endpoint(
    model: str, environ: dict[str, str], base: str, key: str | None
) -> None:
    endpoint = endpoint_of(model, environ=environ)
    assert (endpoint.base, endpoint.key) == (base, key)


def test_a_configured_address_and_key_variable_come_before_the_providers() -> None:
    environ = {"OPENAI_BASE_URL": "http://other/v1", "OPENAI_API_KEY": "no", "MINE": "yes"}
    endpoint = endpoint_of(
        "openai/m", api_base="http://mine/v1/chat/completions", key_env="MINE", environ=environ
    )
    assert (endpoint.base, endpoint.key) == ("http://mine/v1", "yes")


@pytest.mark.parametrize("model", ["smollm2", "/m", "openai/", ""])
def test_a_name_without_a_provider_is_a_usage_error(model: str) -> None:
    with pytest.raises(UsageError) as raised:
        endpoint_of(model, environ={})
    assert "provider/name" in (raised.value.hint or "")


@pytest.mark.parametrize(
    "base",
    [
        "http://user:hunter2@host/v1",
        "http://hunter2@host/v1",
        "host:8000/v1?hunter2",
        "ftp://hunter2/v1",
        "http://host:hunter2/v1",
        "http:///hunter2",
        "http://host/v1?key=hunter2",
        "http://host/v1#hunter2",
        "http://host/hun ter2",
        "http://[hunter2/v1",
    ],
)
def test_a_bad_address_is_refused_and_not_repeated(base: str) -> None:
    with pytest.raises(UsageError) as raised:
        endpoint_of("openai/m", api_base=base, environ={})
    assert "hunter2" not in f"{raised.value} {raised.value.hint}"
    with pytest.raises(ValidationError) as invalid:
        ModelConfig(model="openai/m", api_base=base)
    assert "hunter2" not in invalid.value.errors()[0]["msg"]


@pytest.mark.parametrize("key", ["two words", "line\r\nX-Evil: 1", "schlüssel", "a\x00b"])
def test_a_key_that_no_header_can_carry_names_its_variable_only(key: str) -> None:
    with pytest.raises(UsageError, match="OPENAI_API_KEY") as raised:
        endpoint_of("openai/m", environ={"OPENAI_API_KEY": key})
    assert key not in str(raised.value)


@pytest.mark.parametrize("transport", ["http", "litellm"])
def test_a_needed_key_that_is_not_set_is_a_usage_error(transport: str) -> None:
    config = ModelConfig.model_validate({"model": "openai/gpt", "transport": transport})
    with pytest.raises(UsageError, match="OPENAI_API_KEY is not set"):
        open_model(config, cache=None, environ={})


def test_a_key_is_in_no_repr() -> None:
    assert "hidden" not in repr(endpoint_of("openai/m", environ={"OPENAI_API_KEY": "hidden"}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"modle": 1},
        {"concurrency": 0},
        {"timeout": 0},
        {"retries": -1},
        {"requests_per_minute": 0},
        {"price": {}},
        {"price": {"input_per_million": 1}},
        {"price": {"per_gpu_hour": 1, "input_per_million": 1, "output_per_million": 1}},
        {"transport": "carrier pigeon"},
    ],
)
def test_a_table_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ModelConfig.model_validate({"model": "openai/m", **wrong})


def test_neither_litellm_nor_httpx_is_loaded_before_a_model_needs_it() -> None:
    code = """
import sys
from llmops.models import ModelConfig, open_model
heavy = {"litellm", "openai", "httpx", "httpcore", "yaml"}
print(sorted(heavy & set(sys.modules)))
open_model(ModelConfig(model="hosted_vllm/m"), cache=None, environ={})
print(sorted({"litellm", "openai"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "[]"]
