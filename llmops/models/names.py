"""Model names in LiteLLM's spelling, and the endpoint that each one leads to.

A key comes from the environment and nowhere else; it never appears in a
`repr`, an error or a cache key.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from llmops.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class _Provider:
    """Where an OpenAI-compatible provider is by default, and who says otherwise."""

    base_envs: tuple[str, ...] = ()
    key_env: str | None = None
    base: str | None = None
    key_required: bool = False


HTTP_PROVIDERS: Mapping[str, _Provider] = {
    "hosted_vllm": _Provider(
        ("HOSTED_VLLM_API_BASE",), "HOSTED_VLLM_API_KEY", "http://127.0.0.1:8000/v1"
    ),
    "openai": _Provider(
        ("OPENAI_BASE_URL", "OPENAI_API_BASE"),
        "OPENAI_API_KEY",
        "https://api.openai.com/v1",
        key_required=True,
    ),
    "custom_openai": _Provider(key_env="OPENAI_API_KEY"),
    "openai_like": _Provider(("OPENAI_LIKE_API_BASE",), "OPENAI_LIKE_API_KEY"),
}
"""Providers that speak OpenAI's chat completions, so that no client library is needed."""


@dataclass(frozen=True, slots=True)
class ModelName:
    """`provider/name`, as LiteLLM writes it.

    >>> ModelName.parse("openai/org/model")
    ModelName(provider='openai', served='org/model')
    """

    provider: str
    served: str

    @classmethod
    def parse(cls, text: str) -> ModelName:
        """Split at the first `/`; `UsageError` when a half is missing."""
        provider, slash, served = text.strip().partition("/")
        if not (slash and provider and served):
            raise UsageError(
                f"`{text}` names no provider",
                hint="write `provider/name`, such as `hosted_vllm/smollm2-135m`",
            )
        return cls(provider, served)

    def __str__(self) -> str:
        return f"{self.provider}/{self.served}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a model is called, under which name and with which key."""

    name: ModelName
    base: str
    """The address without a slash at its end, such as `http://127.0.0.1:8000/v1`."""
    key: str | None = field(default=None, repr=False)
    key_env: str | None = None
    """The variable that holds the key, or should."""

    @property
    def root(self) -> str:
        """The server's address above `/v1`, where vLLM has its own routes."""
        return self.base.removesuffix("/v1")

    @property
    def is_local(self) -> bool:
        """Whether the endpoint is on this machine."""
        return urlsplit(self.base).hostname in {"127.0.0.1", "localhost", "::1"}


def endpoint_of(
    model: str,
    *,
    api_base: str | None = None,
    key_env: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Endpoint:
    """The endpoint that an OpenAI-compatible model is called at.

    Raises `UsageError` when no address is known, the address is none, or the
    key's variable is needed and empty.
    """
    environ = os.environ if environ is None else environ
    name = ModelName.parse(model)
    provider = HTTP_PROVIDERS.get(name.provider, _Provider())
    base, source = api_base, "api_base"
    for variable in provider.base_envs:
        if base is None and environ.get(variable):
            base, source = environ[variable], variable
    base = base or provider.base
    if base is None:
        raise UsageError(
            f"`{model}` needs an address", hint="set `api_base`, up to and including `/v1`"
        )
    base = checked_base(base, source)
    variable_name = key_env or provider.key_env
    key = api_key(variable_name, environ)
    if key is None and (key_env or (provider.key_required and base == provider.base)):
        raise UsageError(
            f"`{model}` needs a key, and {variable_name} is not set",
            hint=f"export {variable_name}=…",
        )
    return Endpoint(name=name, base=base, key=key, key_env=variable_name)


def api_key(variable: str | None, environ: Mapping[str, str]) -> str | None:
    """The key in `variable`; `UsageError` for one that no HTTP header can carry."""
    key = environ.get(variable, "").strip() if variable else ""
    if not key:
        return None
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise UsageError(
            f"the value of {variable} is no key: it holds a blank, a line break or a letter"
            " outside of ASCII",
            hint="set it again; perhaps more than the key was copied",
        )
    return key


def checked_base(text: str, source: str) -> str:
    """The address `text` that `source` holds, without a slash at its end.

    Raises `UsageError`, which never repeats the address, when it is none or
    carries a user name, a password or a query.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise UsageError(f"{source} is not an address") from None
    if "@" in parts.netloc:
        raise UsageError(
            f"{source} carries a user name or password",
            hint="put the key into an environment variable and name it in `api_key_env`",
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise UsageError(f"{source} must begin with http:// or https:// and name a host")
    if parts.query or parts.fragment:
        raise UsageError(f"{source} must end with its path, such as `/v1`, without `?` or `#`")
    if not text.isascii() or any(not each.isprintable() or each == " " for each in text.strip()):
        raise UsageError(
            f"{source} holds a blank, a control character or a letter outside of ASCII",
            hint="spell an international host name in its `xn--` form",
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    return f"{parts.scheme}://{parts.netloc}{path}"
