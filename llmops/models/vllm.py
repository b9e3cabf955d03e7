"""What only vLLM can tell: exact probabilities of labels, and of a given text."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from llmops.core.chat import ChatRequest, LabelProbabilities, Messages, TokenLogprob
from llmops.core.errors import BadResponse, ModelNotFound, RequestRejected, Unsupported, UsageError
from llmops.models.connection import Connection
from llmops.models.wire import request_body, usage_of

_AS_ID = "token_id:"


class VllmAbilities:
    """Questions to a vLLM server beyond OpenAI's protocol."""

    def __init__(self, connection: Connection, served: str):
        self._connection = connection
        self._served = served
        self._chat = f"{connection.endpoint.base}/chat/completions"
        self._tokenize = f"{connection.endpoint.root}/tokenize"
        self._first_tokens: dict[str, int] = {}

    async def label_probabilities(
        self, request: ChatRequest, labels: Sequence[str]
    ) -> LabelProbabilities:
        """The model's own probability (before temperature) of each label's first token."""
        if not labels:
            raise UsageError("label probabilities need at least one label")
        first = {label: await self._first_token(label) for label in labels}
        for token in first.values():
            sharing = [label for label in first if first[label] == token]
            if len(sharing) > 1:
                raise Unsupported(
                    f"the labels {_quoted(sharing)} start with the same token",
                    hint="choose labels that differ from their first letters on",
                )
        body = request_body(self._served, request)
        body.pop("structured_outputs", None)
        body.pop("top_logprobs", None)
        body |= {
            "max_tokens": 1,
            "logprobs": True,
            "logprob_token_ids": sorted(first.values()),
            "return_tokens_as_token_ids": True,
        }
        answer = await self._post(self._chat, body)
        found = _first_position(answer)
        missing = [label for label, token in first.items() if token not in found]
        if missing:
            raise Unsupported(
                f"the server gave no probability for {_quoted(missing)}",
                hint="it needs vLLM with `logprob_token_ids` (0.30 or newer)",
            )
        return LabelProbabilities(
            probabilities={
                label: min(1.0, math.exp(found[token])) for label, token in first.items()
            },
            usage=usage_of(answer.get("usage")),
        )

    async def score_text(self, messages: Messages, text: str) -> tuple[TokenLogprob, ...]:
        """The log-probability of each token of `text` as the answer to `messages`."""
        if not text:
            return ()
        before = [message.to_json() for message in messages]
        opening = await self._post(
            self._tokenize,
            {"model": self._served, "messages": before, "add_generation_prompt": True},
        )
        answer = await self._post(
            self._chat,
            {
                "model": self._served,
                "messages": [*before, {"role": "assistant", "content": text}],
                "add_generation_prompt": False,
                "continue_final_message": True,
                "prompt_logprobs": 0,
                "return_token_ids": True,
                "max_tokens": 1,
                "temperature": 0.0,
                "seed": 0,
            },
        )
        positions, tokens = answer.get("prompt_logprobs"), answer.get("prompt_token_ids")
        if not positions or not tokens or len(positions) != len(tokens):
            raise Unsupported(
                "the server gives no log-probabilities of a prompt",
                hint="serve the model with vLLM (`llmops serve`)",
            )
        start = _common_length(opening.get("tokens") or [], tokens)
        return tuple(
            _scored(position, token)
            for position, token in zip(positions[start:], tokens[start:], strict=True)
        )

    async def count_tokens(self, messages: Messages) -> int:
        """How many tokens the model reads for `messages`, with those of its chat template."""
        answer = await self._post(
            self._tokenize,
            {
                "model": self._served,
                "messages": [message.to_json() for message in messages],
                "add_generation_prompt": True,
            },
        )
        count = answer.get("count")
        if not isinstance(count, int):
            raise BadResponse(f"{self._tokenize} answered without a count")
        return count

    async def _first_token(self, label: str) -> int:
        """The token that an answer of `label` starts with, after the template's own tokens."""
        if not label:
            raise UsageError("a label may not be empty")
        if label not in self._first_tokens:
            user = {"role": "user", "content": "?"}
            opening = await self._post(
                self._tokenize,
                {"model": self._served, "messages": [user], "add_generation_prompt": True},
            )
            answered = await self._post(
                self._tokenize,
                {
                    "model": self._served,
                    "messages": [user, {"role": "assistant", "content": label}],
                    "add_generation_prompt": False,
                    "continue_final_message": True,
                },
            )
            before, after = opening["tokens"], answered["tokens"]
            if after[: len(before)] != before or len(after) == len(before):
                alone = await self._post(
                    self._tokenize,
                    {"model": self._served, "prompt": label, "add_special_tokens": False},
                )
                before, after = [], alone["tokens"]
            self._first_tokens[label] = after[len(before)]
        return self._first_tokens[label]

    async def _post(self, url: str, body: dict[str, Any]) -> Any:
        try:
            return await self._connection.post(url, json.dumps(body).encode())
        except RequestRejected as error:
            lacks_route = error.status in (404, 405) and not isinstance(error, ModelNotFound)
            if url == self._tokenize and lacks_route:
                raise Unsupported(
                    f"{self._connection.endpoint.base} is not vLLM: it has no /tokenize",
                    hint="only vLLM tells exact probabilities; serve the model with it",
                ) from error
            raise


def _first_position(answer: Any) -> dict[int, float]:
    """Token id to log-probability at the answer's first position."""
    try:
        entry = answer["choices"][0]["logprobs"]["content"][0]
        rows = [entry, *entry["top_logprobs"]]
        return {
            int(row["token"].removeprefix(_AS_ID)): float(row["logprob"])
            for row in rows
            if row["token"].startswith(_AS_ID)
        }
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise BadResponse(f"the answer holds no log-probabilities ({error!r})") from error


def _scored(position: Any, token: int) -> TokenLogprob:
    try:
        found = position[str(token)]
        return TokenLogprob(token=found["decoded_token"] or "", logprob=float(found["logprob"]))
    except (KeyError, TypeError, ValueError) as error:
        raise BadResponse(f"the answer lacks a token's log-probability ({error!r})") from error


def _common_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both start with; where the text's begin, whatever merged at the seam."""
    for index, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return index
    return min(len(one), len(other))


def _quoted(labels: Sequence[str]) -> str:
    return ", ".join(f"`{label}`" for label in labels)
