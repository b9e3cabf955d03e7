"""The pieces of a streamed answer, put together."""

from __future__ import annotations

import time
from typing import Any

from llmops.core.chat import ChatReply, TokenLogprob, Usage
from llmops.core.errors import BadResponse, ProviderUnavailable
from llmops.models.wire import finished, logprobs_of, usage_of


class Collected:
    """Takes a stream's events in; gives the reply at the end."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._parts: list[str] = []
        self._logprobs: list[TokenLogprob] = []
        self.finish = ""
        self._last: dict[str, Any] = {}
        self._usage = Usage()

    def add(self, event: Any) -> str:
        """Take one event in; the text that it brings."""
        try:
            for key in ("id", "model", "system_fingerprint"):
                if event.get(key):
                    self._last[key] = event[key]
            if event.get("usage"):
                self._usage = usage_of(event["usage"])
            if not event.get("choices"):
                return ""
            choice = event["choices"][0]
            self.finish = finished(choice.get("finish_reason")) or self.finish
            self._logprobs.extend(logprobs_of(choice.get("logprobs")))
            text = (choice.get("delta") or {}).get("content") or ""
            self._parts.append(text)
            return str(text)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise BadResponse(
                f"the stream does not look like a chat completion ({type(error).__name__})"
            ) from error

    def reply(self, base: str) -> ChatReply:
        """The whole answer; `ProviderUnavailable` when its end never came."""
        if not self.finish:
            raise ProviderUnavailable(
                f"{base} cut the stream off after {len(''.join(self._parts)):,} characters"
            )
        return ChatReply(
            text="".join(self._parts),
            finish_reason=self.finish,
            usage=self._usage,
            latency=time.perf_counter() - self._started,
            logprobs=tuple(self._logprobs),
            model=self._last.get("model", ""),
            system_fingerprint=self._last.get("system_fingerprint"),
            request_id=self._last.get("id"),
        )
