"""Stands in for the language model and the embeddings that Ragas' metrics want.

Imported after `package.collections()`, since it derives from Ragas' classes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ValidationError
from ragas.embeddings.base import BaseRagasEmbedding
from ragas.llms.base import InstructorBaseRagasLLM
from ragas.prompt.metrics.base_prompt import BasePrompt

from llmops.core.chat import ChatModel, ChatReply, ChatRequest, Constraint, Message, Sampling, Usage
from llmops.core.errors import BadResponse, ContextTooLong, ProviderError, Unsupported
from llmops.scorers.ragas.bounds import Bounded, Room, bounded, misfit
from llmops.scorers.ragas.spelling import pattern
from llmops.scorers.similarity import Encoder

FEWEST_TOKENS = 96
"""With less room for its answers no model judges anything."""


class Stop(BaseException):
    """Ends a metric from inside one of its calls.

    No `Exception`: some metrics swallow those, ask four times more, and go on
    with NaN or with the other judge alone.
    """

    def __init__(self, reason: str, error: ProviderError | None = None):
        super().__init__(reason)
        self.reason = reason
        self.error = error
        """The provider's failure; `None` when the answer is no use."""


class Asked(str):
    """A prompt that remembers what it was made from."""

    given: dict[str, Any]

    def __new__(cls, text: str, given: dict[str, Any]) -> Asked:
        """`text`, with the values that went into it."""
        asked = super().__new__(cls, text)
        asked.given = given
        return asked


class Remembering:
    """One of Ragas' prompts, whose texts remember what they were made from."""

    def __init__(self, prompt: Any):
        self._prompt = prompt
        self.takes: type[BaseModel] = prompt.input_model
        """The model of its inputs."""
        self.gives: type[BaseModel] = prompt.output_model
        """The model of the answer."""

    def to_string(self, data: BaseModel) -> Asked:
        """The prompt's text, as Ragas writes it."""
        return Asked(self._prompt.to_string(data), data.model_dump())


class Talk(InstructorBaseRagasLLM):  # type: ignore[misc]
    """The calls of one metric for one case."""

    def __init__(self, model: ChatModel, sampling: Sampling, tokens: int, also: Mapping[str, Any]):
        self._model = model
        self._sampling = sampling
        self._tokens = tokens
        self._also = also
        self._times: Counter[str] = Counter()
        self._begun: dict[str, asyncio.Task[Any]] = {}
        self.calls = 0
        """Answers so far, kept ones too."""
        self.usage = Usage()
        """What they cost; kept ones cost nothing."""
        self.answers: list[BaseModel] = []
        """What the model said, in order."""

    def listen(self, metric: Any) -> None:
        """Let the metric's prompts say what they were made from."""
        for name, value in vars(metric).items():
            if isinstance(value, BasePrompt):
                setattr(metric, name, Remembering(value))

    def begin(self, prompt: Remembering, inputs: Iterable[dict[str, Any]]) -> None:
        """Ask at once what the metric will ask one after the other."""
        for given in inputs:
            asked = prompt.to_string(prompt.takes.model_validate(given))
            if asked not in self._begun:
                self._begun[asked] = asyncio.create_task(self._ask(asked, prompt.gives))

    async def end(self) -> None:
        """Let go of questions whose answers nobody waits for any more."""
        for task in self._begun.values():
            task.cancel()
        await asyncio.gather(*self._begun.values(), return_exceptions=True)

    def generate(self, prompt: str, response_model: type[BaseModel]) -> Any:
        """Never called by a metric that is awaited."""
        raise NotImplementedError("ask with `agenerate`")

    async def agenerate(self, prompt: str, response_model: type[BaseModel]) -> Any:
        """The model's answer; the same prompt again gets the next seed."""
        task = self._begun.pop(prompt, None)
        answer = await (task or self._ask(prompt, response_model))
        if isinstance(answer, Stop):
            raise answer
        self.answers.append(answer)
        return answer

    async def _ask(self, prompt: str, response_model: type[BaseModel]) -> BaseModel | Stop:
        """The answer, or why there is none: a task may not end with a `BaseException`."""
        seed = self._sampling.seed + self._times[prompt]
        self._times[prompt] += 1
        given = {**self._also, **(prompt.given if isinstance(prompt, Asked) else {})}
        try:
            reply, shape = await self._reply(prompt, given, response_model, seed)
            answer = response_model.model_validate_json(reply.text)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            return Stop(f"the model's answer is not what was asked for: {first['msg']}")
        except (BadResponse, ContextTooLong) as error:
            return Stop(_told(error), error if error.retryable else None)
        except ProviderError as error:
            return Stop(str(error), error)
        problem = misfit(shape.schema, answer.model_dump(mode="json")) or unfair(answer)
        return (
            Stop(f"the model's answer is not what was asked for: {problem}") if problem else answer
        )

    async def _reply(
        self, prompt: str, given: dict[str, Any], response_model: type[BaseModel], seed: int
    ) -> tuple[ChatReply, Bounded]:
        """The answer; half as long a one where prompt and answer do not fit the context."""
        schema = response_model.model_json_schema()
        room = Room(self._tokens).for_script(str(given))
        while True:
            shape = bounded(schema, given, room)
            try:
                reply = await self._held(prompt, shape, seed)
            except (BadResponse, ContextTooLong) as error:
                shorter = min(room.tokens, shape.tokens) // 2
                if error.retryable or shorter < FEWEST_TOKENS:
                    raise
                room = replace(room, tokens=shorter)
                continue
            self.calls += 1
            if not reply.cached:
                self.usage += reply.usage
            return reply, shape

    async def _held(self, prompt: str, shape: Bounded, seed: int) -> ChatReply:
        """The answer, held to the shape in the strictest way that the endpoint has."""
        request = ChatRequest(
            messages=(Message(role="user", content=str(prompt)),),
            sampling=replace(self._sampling, seed=seed, max_tokens=shape.tokens),
            constraint=Constraint(kind="regex", value=pattern(shape.schema)),
        )
        try:
            return await self._model.chat(request)
        except Unsupported:  # by all but vLLM, and told without a call
            constraint = Constraint(kind="json", value=shape.schema)
            return await self._model.chat(replace(request, constraint=constraint))


def _told(error: ProviderError) -> str:
    long = isinstance(error, ContextTooLong)
    return f"the case is too long for the model: {error}" if long else str(error)


def unfair(answer: BaseModel) -> str | None:
    """Why an answer of the right shape would mislead its metric; names missing once only once."""
    missing = getattr(answer, "FN", None)
    if missing:
        missing[:] = {each.statement: each for each in missing}.values()
    groups = [getattr(answer, name, ()) for name in ("TP", "FP")]
    times = Counter(each.statement for group in groups for each in group)
    repeated = [text for text, count in times.items() if count > 1]
    return f"it sorts {repeated[0]!r} twice" if repeated else None


class Embeddings(BaseRagasEmbedding):  # type: ignore[misc]
    """Our sentence embeddings, as Ragas asks for them."""

    def __init__(self, encoder: Encoder):
        super().__init__()
        self._encoder = encoder
        self._known: dict[str, list[float]] = {}

    async def learn(self, texts: Sequence[str]) -> None:
        """Compute the vectors of texts that will be asked for without `await`."""
        await self.aembed_texts(list(texts))

    def embed_text(self, text: str, **kwargs: Any) -> list[float]:  # noqa: ARG002
        """The vector of a text that was learned."""
        return self._known[text]

    async def aembed_text(self, text: str, **kwargs: Any) -> list[float]:  # noqa: ARG002
        """The vector of a text."""
        return (await self.aembed_texts([text]))[0]

    async def aembed_texts(self, texts: list[str], **kwargs: Any) -> list[list[float]]:  # noqa: ARG002
        """The vectors of texts, computed together."""
        vectors = await self._encoder.encode(texts)
        self._known.update(
            {text: vector.tolist() for text, vector in zip(texts, vectors, strict=True)}
        )
        return [self._known[text] for text in texts]
