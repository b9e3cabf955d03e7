"""How close the answer's meaning is to a reference's, by sentence embeddings."""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import os
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from llmops.core.errors import MissingExtra, UsageError, needs
from llmops.core.scoring import Sample, Score
from llmops.scorers.configured import Configured
from llmops.scorers.references import references, shown
from llmops.scorers.weights import locate, weights_digest

MOST_AT_ONCE = 64
"""Samples whose texts go into one call of the model."""
CHARACTERS_PER_TOKEN = 64
"""No sensible text has more; what lies beyond could not reach the model anyway."""


@dataclass(frozen=True, kw_only=True)
class SemanticSimilarity(Configured):
    """The cosine of the answer's and the closest reference's embedding, in [0, 1].

    Source: Reimers and Gurevych, "Sentence-BERT" (EMNLP 2019). `model` is a
    folder, the name of a package that carries one, or a hub id; by default
    all-MiniLM-L6-v2 (English, reads the first 256 word pieces). A negative
    cosine counts as 0. It sees the topic well and polarity badly: a sentence
    and its negation are close.

    Concurrent samples share one call of the model, which runs in a thread of
    its own with `threads` threads (1, since more fight with a server on the
    same machine) on `device`. The version names the weights by their digest.

    >>> scorer = SemanticSimilarity()
    >>> scorer.version
    '1[sha256:53aa51172d14]'
    """

    name: ClassVar[str] = "semantic_similarity"
    unit: ClassVar[str] = ""

    model: str | Path | None = None
    threads: int = 1
    device: str = "cpu"
    _encoder: Encoder = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.threads < 1:
            raise UsageError("`threads` of `semantic_similarity` must be at least 1")
        if importlib.util.find_spec("sentence_transformers") is None:
            raise MissingExtra("embeddings", cause="No module named 'sentence_transformers'")
        object.__setattr__(self, "_encoder", encoder(locate(self.model), self.device, self.threads))

    @property
    def version(self) -> str:
        """The method's version and the digest of the weights, wherever they lie."""
        digest = weights_digest(self._encoder.folder)
        return f"{self.method}[{digest[: len('sha256:') + 12]}]"

    @property
    def needs(self) -> frozenset[str]:
        """An expected text."""
        return frozenset({"expected"})

    def warm_up(self) -> None:
        """Load the model now rather than with the first answer; raises what makes it unusable."""
        self._encoder.load()

    async def look(self, sample: Sample) -> Score:
        """The score against the closest reference."""
        texts = [text for text in references(sample.expected) if text.strip()]
        if not texts:
            return Score.unscored("the expected value holds no text to compare with")
        if not sample.output.strip():
            return Score(value=0.0, rationale="the answer is empty")
        answer, *others = await self._encoder.encode([sample.output, *texts])
        cosines = [float(answer @ other) for other in others]
        nearest = max(range(len(cosines)), key=cosines.__getitem__)
        # Rounded: which texts share a batch changes the last bits.
        value = round(min(max(cosines[nearest], 0.0), 1.0), 5)
        return Score(value=value, rationale=f"closest to {shown(texts[nearest])}")


@functools.lru_cache(maxsize=8)
def encoder(folder: Path, device: str, threads: int) -> Encoder:
    """The encoder of a model, loaded once a process however many scorers use it."""
    return Encoder(folder, device=device, threads=threads)


class Encoder:
    """Sentence embeddings of length 1, computed in batches in one worker thread.

    Texts that are asked for while the worker is busy go together into its next
    call, up to 64 samples. Usable from several event loops.
    """

    def __init__(self, folder: Path, *, device: str, threads: int):
        self.folder = folder
        self._device = device
        self._threads = threads
        self._model: Any = None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="embeddings")
        self._queues: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Queue] = (
            weakref.WeakKeyDictionary()
        )

    def load(self) -> None:
        """Load the model, and wait for it."""
        self._worker.submit(self._loaded).result()

    async def encode(self, texts: Sequence[str]) -> Sequence[Any]:
        """One vector (a numpy array) a text."""
        loop = asyncio.get_running_loop()
        queue = self._queues.setdefault(loop, _Queue())
        future: asyncio.Future[Sequence[Any]] = loop.create_future()
        queue.waiting.append((texts, future))
        if queue.drain is None:
            queue.drain = loop.create_task(self._drain(queue))
        return await future

    async def _drain(self, queue: _Queue) -> None:
        try:
            await asyncio.sleep(0)  # let the requests that are ready now join the first batch
            while queue.waiting:
                batch = queue.waiting[:MOST_AT_ONCE]
                del queue.waiting[:MOST_AT_ONCE]
                await self._answer([each for each in batch if not each[1].done()])
        finally:
            queue.drain = None
            for _, future in queue.waiting:
                future.cancel()

    async def _answer(self, batch: Sequence[Request]) -> None:
        """One call of the model for the texts of a whole batch."""
        texts = list(dict.fromkeys(text for one, _ in batch for text in one))
        loop = asyncio.get_running_loop()
        try:
            vectors = await loop.run_in_executor(self._worker, self._encode, texts)
        except asyncio.CancelledError:
            for _, future in batch:
                future.cancel()
            raise
        except Exception as error:  # whatever it is, all who wait for this batch hear of it
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for one, future in batch:
            if not future.done():
                future.set_result([vectors[text] for text in one])

    def _encode(self, texts: Sequence[str]) -> dict[str, Any]:
        if not texts:
            return {}
        model = self._loaded()
        limit = CHARACTERS_PER_TOKEN * int(model.max_seq_length or 8192)
        cut = [
            text[:limit].encode("utf-8", "replace").decode("utf-8")  # no lone surrogates
            for text in texts
        ]
        vectors = model.encode(
            cut, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
        )
        return dict(zip(texts, vectors, strict=True))

    def _loaded(self) -> Any:
        if self._model is None:
            os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
            os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
            os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
            with needs("embeddings"):
                import torch
                from sentence_transformers import SentenceTransformer
            # Of this worker thread only: the number of threads is kept per thread.
            torch.set_num_threads(self._threads)
            self._model = SentenceTransformer(
                str(self.folder), device=self._device, local_files_only=True
            )
        return self._model


Request = tuple[Sequence[str], "asyncio.Future[Sequence[Any]]"]


class _Queue:
    """The requests of one event loop that wait for the worker."""

    def __init__(self) -> None:
        self.waiting: list[Request] = []
        self.drain: asyncio.Task[None] | None = None
