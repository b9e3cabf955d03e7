"""HTTP to one endpoint: bytes there and back, every failure a `ProviderError`.

A thin use of httpx: requests are built here, once and whole, and sent by its
client, which knows proxies, certificates and connections. Follows no redirect,
asks for no compression, keeps no cookie, and stops reading at a bound.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from llmops.core.errors import BadResponse, ProviderError, ProviderUnavailable, UsageError
from llmops.models.faults import error_in_answer, error_of_status, not_json
from llmops.models.names import Endpoint

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes of one answer; more is no chat completion."""

_CONNECT_TIMEOUT = 10.0
_IDLE = 4.0
"""Seconds after which an idle connection is dropped: before uvicorn's 5, so that we do it."""


class Connection:
    """A pool of connections to one endpoint, opened on first use."""

    def __init__(self, endpoint: Endpoint, *, timeout: float, size: int):
        self.endpoint = endpoint
        self.timeout = timeout
        self._size = size
        self._client: httpx.AsyncClient | None = None
        self._headers = [
            (b"host", urlsplit(endpoint.base).netloc.encode("ascii")),
            (b"accept", b"application/json, text/event-stream"),
            (b"user-agent", b"llmops"),
        ]
        if endpoint.key:
            self._headers.append((b"authorization", b"Bearer " + endpoint.key.encode("ascii")))
        self._urls: dict[str, httpx.URL] = {}

    async def get(self, url: str) -> Any:
        """The JSON at `url`."""
        return await self._whole("GET", url, None)

    async def post(self, url: str, body: bytes) -> Any:
        """The JSON that `url` answers `body` with."""
        return await self._whole("POST", url, body)

    async def events(self, url: str, body: bytes) -> AsyncGenerator[Any, None]:
        """The JSON events of a stream, as they come; ends at `[DONE]` or the stream's end."""
        async with self._answer("POST", url, body, read_timeout=self.timeout) as response:
            if response.status_code != 200:
                raise self._error(response, await self._bounded(response))
            if "text/event-stream" not in response.headers.get("content-type", ""):
                data = self._json(await self._bounded(response))
                raise (
                    BadResponse(
                        f"{self.endpoint.base} does not stream", hint="call it without streaming"
                    )
                    if data
                    else not_json(self.endpoint, b"")
                )
            async for line in self._lines(response):
                if not line.startswith(b"data:"):
                    continue  # comments, event names and blank lines
                payload = line[5:].strip()
                if payload == b"[DONE]":
                    return
                yield self._json(payload)

    async def aclose(self) -> None:
        """Close the connections; the next call opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _whole(self, method: str, url: str, body: bytes | None) -> Any:
        try:
            async with asyncio.timeout(self.timeout):
                async with self._answer(method, url, body, read_timeout=None) as response:
                    raw = await self._bounded(response)
        except TimeoutError:
            raise ProviderUnavailable(
                f"{self.endpoint.base} did not answer within {self.timeout:g} s",
                hint="raise the model's `timeout`, or lower its `concurrency`",
            ) from None
        if response.status_code != 200:
            raise self._error(response, raw)
        return self._json(raw)

    @asynccontextmanager
    async def _answer(
        self, method: str, url: str, body: bytes | None, *, read_timeout: float | None
    ) -> AsyncIterator[httpx.Response]:
        with self._translated():
            request = self._request(method, url, body, read_timeout)
            response = await self._opened().send(request, stream=True)
            try:
                yield response
            finally:
                await response.aclose()

    def _request(
        self, method: str, url: str, body: bytes | None, read_timeout: float | None
    ) -> httpx.Request:
        headers = self._headers
        if body is not None:
            length = str(len(body)).encode("ascii")
            headers = [
                *headers,
                (b"content-type", b"application/json"),
                (b"content-length", length),
            ]
        target = self._urls.get(url)
        if target is None:
            target = self._urls[url] = httpx.URL(url)
        timeouts = {
            "connect": _CONNECT_TIMEOUT,
            "read": read_timeout,
            "write": read_timeout,
            "pool": None,
        }
        return httpx.Request(
            method,
            target,
            headers=headers,
            content=body,
            extensions={"timeout": timeouts},
        )

    async def _bounded(self, response: httpx.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_raw():
            size += len(part)
            if size > LARGEST_ANSWER:
                raise BadResponse(
                    f"{self.endpoint.base} answered with more than {LARGEST_ANSWER >> 20} MB"
                )
            parts.append(part)
        return b"".join(parts)

    async def _lines(self, response: httpx.Response) -> AsyncIterator[bytes]:
        pending: list[bytes] = []
        size = 0
        async for part in response.aiter_raw():
            size += len(part)
            if size > LARGEST_ANSWER:
                raise BadResponse(
                    f"{self.endpoint.base} streamed more than {LARGEST_ANSWER >> 20} MB"
                )
            pending.append(part)
            if b"\n" not in part:
                continue
            *lines, rest = b"".join(pending).split(b"\n")
            pending = [rest]
            for line in lines:
                yield line

    def _json(self, raw: bytes) -> Any:
        try:
            data = json.loads(raw)
        except (ValueError, RecursionError):
            raise not_json(self.endpoint, raw) from None
        if not isinstance(data, dict):
            raise BadResponse(f"{self.endpoint.base} answered with JSON that is no object")
        if data.get("error"):
            raise error_in_answer(self.endpoint, data["error"])
        return data

    def _error(self, response: httpx.Response, raw: bytes) -> ProviderError:
        return error_of_status(self.endpoint, response.status_code, response.headers, raw)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        at = self.endpoint.base
        try:
            yield
        except httpx.ConnectError as error:
            raise ProviderUnavailable(
                f"nothing answers at {at} ({_reason(error)})", hint=self._start_hint()
            ) from error
        except httpx.TimeoutException as error:
            waited = _CONNECT_TIMEOUT if isinstance(error, httpx.ConnectTimeout) else self.timeout
            raise ProviderUnavailable(f"{at} did not answer within {waited:g} s") from error
        except (httpx.NetworkError, httpx.ProtocolError, httpx.ProxyError) as error:
            raise ProviderUnavailable(f"{at} cut the answer off ({_reason(error)})") from error

    def _start_hint(self) -> str:
        if self.endpoint.is_local:
            return "start a model with `llmops serve`, or set `api_base`"
        return "check `api_base` and the network"

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            try:
                self._client = self._built()
            except (ImportError, ValueError, OSError) as error:
                reason = str(error) if isinstance(error, OSError) else type(error).__name__
                raise UsageError(
                    "the proxy or the certificates that the environment names cannot be used "
                    f"({reason})",
                    hint="check ALL_PROXY, HTTPS_PROXY, HTTP_PROXY, NO_PROXY (`http://…`; SOCKS "
                    "needs `pip install 'httpx[socks]'`), SSL_CERT_FILE and SSL_CERT_DIR",
                ) from error
        return self._client

    def _built(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            # Loading certificates takes 20 ms, and plain HTTP checks none.
            verify=self.endpoint.base.startswith("https:"),
            # A proxy of the environment never stands before this machine.
            trust_env=not self.endpoint.is_local,
            limits=httpx.Limits(
                max_connections=None,
                max_keepalive_connections=self._size,
                keepalive_expiry=_IDLE,
            ),
        )


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
