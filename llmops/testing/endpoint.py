"""A small OpenAI-compatible server that does wrong on request.

    async with FaultyEndpoint() as endpoint:
        endpoint.fail_next(faults.status(429, retry_after="1"))
        ...  # call endpoint.api_base

It listens on 127.0.0.1 and is a real server: whatever a client does with
sockets, it does here. `python -m llmops.testing.endpoint --port 8101
--latency 0.02` runs one for benchmarks.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal

from llmops.testing.faults import Fault

Body = dict[str, Any]
Obeys = Literal["structured_outputs", "response_format", "nothing"]

_REASONS = {200: "OK", 308: "Permanent Redirect", 404: "Not Found"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A request as it came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Body = field(default_factory=dict)


class FaultyEndpoint:
    """Answers like a model server, until told otherwise.

    `answer` gives the text for a request's body; `latency` is in seconds.
    `obeys` says which field for constrained answers is heeded; others are
    ignored, as real servers do. With a `key`, requests need it.
    """

    def __init__(
        self,
        answer: str | Callable[[Body], str] = "forty-two",
        *,
        model: str = "fake",
        latency: float = 0.0,
        obeys: Obeys = "structured_outputs",
        version: str | None = None,
        key: str | None = None,
        record: bool = True,
    ):
        self._answer = answer
        self.model = model
        self.latency = latency
        self.obeys = obeys
        self.version = version
        self.key = key
        self.requests: list[Recorded] = []
        """Every request so far, in order."""
        self.connections = 0
        """Connections that were opened so far."""
        self.busiest = 0
        """Most chat requests that were answered at once."""
        self._record = record
        self._faults: deque[Fault | None] = deque()
        self._always: Fault | None = None
        self._flying = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def api_base(self) -> str:
        """The address that a model's configuration names."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def chats(self) -> list[Body]:
        """The bodies of the chat requests so far."""
        return [each.body for each in self.requests if each.path == "/v1/chat/completions"]

    def fail_next(self, *faults: Fault | None) -> None:
        """Answer the next chat requests by these faults, one each; `None` is a good answer."""
        self._faults.extend(faults)

    def fail_always(self, fault: Fault | None) -> None:
        """Answer every request, whatever its path, by this fault; `None` ends that."""
        self._always = fault

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; port 0 takes a free one."""
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", port, limit=64 * 1024 * 1024
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and drop open connections."""
        if self._server is not None:
            self._server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._server.wait_closed()
            self._server = None

    async def __aenter__(self) -> FaultyEndpoint:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - start_server runs this as a task
        self._tasks.add(task)
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether the connection stays open."""
        request = _parsed(await reader.readuntil(b"\r\n\r\n"))
        length = int(request.headers.get("content-length", 0))
        payload = await reader.readexactly(length) if length else b""
        body = json.loads(payload) if payload else {}
        if self._record:
            self.requests.append(
                Recorded(
                    method=request.method, path=request.path, headers=request.headers, body=body
                )
            )
        is_chat = request.path == "/v1/chat/completions"
        fault = self._always or (self._faults.popleft() if is_chat and self._faults else None)
        if fault is not None and fault.kind != "cut":
            return await self._misbehave(fault, writer)
        if self.key is not None and request.headers.get("authorization") != f"Bearer {self.key}":
            return await _send(writer, _json({"error": {"message": "wrong key"}}, 401))
        if not is_chat:
            return await _send(writer, self._side_answer(request.path))
        return await self._chat(body, fault, writer)

    async def _chat(self, body: Body, fault: Fault | None, writer: asyncio.StreamWriter) -> bool:
        self._flying += 1
        self.busiest = max(self.busiest, self._flying)
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
        finally:
            self._flying -= 1
        if body.get("model") != self.model:
            message = f"The model `{body.get('model')}` does not exist."
            return await _send(writer, _json({"error": {"message": message, "code": 404}}, 404))
        text, finish = _cut(self._text(body), body.get("max_tokens"))
        if not body.get("stream"):
            return await _send(writer, _json(_completion(self.model, text, finish, body)))
        pieces = list(_chunks(self.model, text, finish, body))
        if fault is not None:
            pieces = pieces[: fault.after]
        return await _send(writer, _event_stream(pieces))

    def _text(self, body: Body) -> str:
        wanted: Any = None
        if self.obeys == "structured_outputs":
            wanted = body.get("structured_outputs")
        elif self.obeys == "response_format" and body.get("response_format"):
            wanted = {"json": body["response_format"]["json_schema"]["schema"]}
        if wanted and "choice" in wanted:
            return str(wanted["choice"][0])
        if wanted and "json" in wanted:
            return json.dumps(_instance(wanted["json"]))
        return self._answer if isinstance(self._answer, str) else self._answer(body)

    def _side_answer(self, path: str) -> bytes:
        match path:
            case "/v1/models":
                return _json({"object": "list", "data": [{"id": self.model, "object": "model"}]})
            case "/health":
                return _json({})
            case "/version" if self.version:
                return _json({"version": self.version})
            case _:
                return _json({"detail": "Not Found"}, 404)

    async def _misbehave(self, fault: Fault, writer: asyncio.StreamWriter) -> bool:
        if fault.kind == "hang":
            await asyncio.Event().wait()
        if fault.kind == "close":
            writer.write(_head(200, {"content-type": "application/json"}, 1000) + b'{"id": "x", ')
            await writer.drain()
            return False
        return await _send(writer, _head(fault.status, fault.headers, len(fault.body)) + fault.body)


def _parsed(head: bytes) -> Recorded:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    headers = {name.lower(): value.strip() for name, value in pairs}
    return Recorded(method=method, path=path, headers=headers)


async def _send(writer: asyncio.StreamWriter, data: bytes) -> bool:
    writer.write(data)
    await writer.drain()
    return True


def _head(status: int, headers: Mapping[str, str], length: int) -> bytes:
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Injected')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"content-length: {length}", "", ""]
    return "\r\n".join(lines).encode()


def _json(data: Any, status: int = 200) -> bytes:
    body = json.dumps(data).encode()
    return _head(status, {"content-type": "application/json"}, len(body)) + body


def _event_stream(events: list[Any]) -> bytes:
    parts = [f"data: {e if isinstance(e, str) else json.dumps(e)}\n\n".encode() for e in events]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
        b"transfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    )


def _usage(text: str, body: Body) -> dict[str, int]:
    words = sum(len(message["content"].split()) for message in body["messages"])
    told = len(text.split())
    return {"prompt_tokens": words, "completion_tokens": told, "total_tokens": words + told}


def _completion(model: str, text: str, finish: str, body: Body) -> Body:
    return {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "system_fingerprint": "fake-1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": finish,
            }
        ],
        "usage": _usage(text, body),
    }


def _chunks(model: str, text: str, finish: str, body: Body) -> Iterator[Any]:
    """The events of a stream: a piece a word, the finish reason, the usage, the end mark."""
    common = {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": 1}
    common |= {"model": model, "system_fingerprint": "fake-1"}

    def event(delta: Body, reason: str | None) -> Body:
        return {**common, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

    first, *rest = text.split(" ")
    yield event({"role": "assistant", "content": first}, None)
    for word in rest:
        yield event({"content": f" {word}"}, None)
    yield event({}, finish)
    if (body.get("stream_options") or {}).get("include_usage"):
        yield {**common, "choices": [], "usage": _usage(text, body)}
    yield "[DONE]"


def _cut(text: str, most: int | None) -> tuple[str, str]:
    """The text within the token limit, a token a word, and the finish reason."""
    words = text.split(" ")
    if most is not None and len(words) > most:
        return " ".join(words[:most]), "length"
    return text, "stop"


def _instance(schema: Any) -> Any:
    """Some value that satisfies a simple JSON Schema."""
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    match schema.get("type"):
        case "object":
            return {name: _instance(each) for name, each in schema.get("properties", {}).items()}
        case "array":
            return [_instance(schema.get("items", {}))]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case _:
            return "text"


async def _run(port: int, latency: float, answer: str, model: str) -> None:
    endpoint = FaultyEndpoint(answer, model=model, latency=latency, record=False)
    await endpoint.start(port)
    print(endpoint.api_base, flush=True)  # noqa: T201 - the caller reads the address
    await asyncio.Event().wait()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="A stub of an OpenAI-compatible endpoint.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds per chat request")
    parser.add_argument("--answer", default="forty-two")
    parser.add_argument("--model", default="fake")
    chosen = parser.parse_args()
    try:
        asyncio.run(_run(chosen.port, chosen.latency, chosen.answer, chosen.model))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
