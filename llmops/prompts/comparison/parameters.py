"""Which model is asked, and how it is sampled: what changed there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llmops.prompts.comparison.values import quoted, shown
from llmops.prompts.prompt import Prompt, sampling_json

_SPELLED = {
    "max_tokens": "maxOutputTokens",
    "top_p": "topP",
    "top_k": "topK",
    "stop": "stopSequences",
    "frequency_penalty": "frequencyPenalty",
    "presence_penalty": "presencePenalty",
}
"""As a prompt's file has them, where that is another way than the request's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterChange:
    """The model, or one of the ways to sample it; `None` leaves it to the default."""

    name: str
    before: Any
    after: Any

    @property
    def told(self) -> str:
        """In words."""
        before, after = (
            "the default" if value is None else shown(value) for value in (self.before, self.after)
        )
        return f"{quoted(self.name)}: {before} → {after}"

    def to_json(self) -> dict[str, Any]:
        """The change, for programs."""
        return {"name": self.name, "before": self.before, "after": self.after}


def compare_parameters(old: Prompt, new: Prompt) -> tuple[ParameterChange, ...]:
    """The parameters that differ, spelled as in the file."""
    before, after = _parameters(old), _parameters(new)
    return tuple(
        ParameterChange(name=name, before=before.get(name), after=after.get(name))
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    )


def _parameters(prompt: Prompt) -> dict[str, Any]:
    sampling = sampling_json(prompt.sampling)
    extra = sampling.pop("extra", {})
    return {
        "model": prompt.model,
        **{_SPELLED.get(name, name): value for name, value in sampling.items()},
        **{f"additionalProperties.{name}": value for name, value in extra.items()},
    }
