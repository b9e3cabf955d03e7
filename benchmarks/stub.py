"""A chat completions endpoint that always gives one answer, after a fixed latency.

It counts what it answered (`GET /calls`), so that a harness which looks fast
because it called nothing is found out. Kept bare: its own CPU is not counted,
but it is spent on the same machine.
"""

from __future__ import annotations

import asyncio
import json
import sys

ANSWER = "42"

COMPLETION = {
    "id": "chatcmpl-0",
    "object": "chat.completion",
    "created": 1,
    "model": "bench",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": ANSWER},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
}
MODELS = {"object": "list", "data": [{"id": "bench", "object": "model", "created": 1}]}


def reply(document: object) -> bytes:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


async def main(port: int, latency: float) -> None:
    completion, models, calls = reply(COMPLETION), reply(MODELS), 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                for line in head.split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        await reader.readexactly(int(line.split(b":")[1]))
                if head.startswith(b"post"):
                    calls += 1
                    await asyncio.sleep(latency)
                    writer.write(completion)
                else:
                    writer.write(reply(calls) if head.startswith(b"get /calls ") else models)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
