"""How a model samples, from the words of other tools to those of the front matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_KEYS = {
    "temperature": "temperature",
    "maxtokens": "maxOutputTokens",
    "maxcompletiontokens": "maxOutputTokens",
    "maxoutputtokens": "maxOutputTokens",
    "numpredict": "maxOutputTokens",
    "topp": "topP",
    "topk": "topK",
    "seed": "seed",
    "stop": "stopSequences",
    "stopsequences": "stopSequences",
    "frequencypenalty": "frequencyPenalty",
    "presencepenalty": "presencePenalty",
}
"""Keys without case, `_` and `-`."""

_REQUEST = frozenset(
    {"min_p", "min_tokens", "typical_p", "repetition_penalty", "length_penalty"}
    | {"logit_bias", "reasoning_effort", "verbosity"}
)
"""Fields of a chat request that have no key of their own, and hold no secret."""

NO_TEMPERATURE = "no temperature is given: it is 0 here, and the provider's own choice there"


def read_options(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """`model.options`, and the keys that have no place there.

    >>> read_options({"max_tokens": 9, "stop": "END", "apiKey": "…"})
    ({'maxOutputTokens': 9, 'stopSequences': ['END']}, ['apiKey'])
    """
    options: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    left: list[str] = []
    for key, value in given.items():
        known = _KEYS.get(key.lower().replace("_", "").replace("-", ""))
        if value is None:
            continue
        if known == "stopSequences":
            options[known] = [value] if isinstance(value, str) else value
        elif known:
            options[known] = plain_number(value)
        elif key in _REQUEST:
            extra[key] = value
        else:
            left.append(key)
    if extra:
        options["additionalProperties"] = extra
    return options, left


def plain_number(value: Any) -> Any:
    """A whole number without its decimal point, as people write it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def option_notes(options: Mapping[str, Any], left: Iterable[str]) -> list[str]:
    """What to tell about settings that are missing or were left out, without their values."""
    notes = [] if "temperature" in options else [NO_TEMPERATURE]
    if named := ", ".join(f"`{key}`" for key in left):
        notes.append(f"settings that have no place here: {named}")
    return notes
