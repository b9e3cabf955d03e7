"""MLflow's client: imported when it is first used, and kept quiet, off its telemetry and bounded.

Left to itself, MLflow tries for minutes to reach what is not there, logs to
stderr, and warns about its own use of SQLAlchemy.
"""

from __future__ import annotations

import logging
import os
import socket
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from llmops.core.errors import LlmopsError, ProviderUnavailable, needs
from llmops.registry.address import Address
from llmops.registry.mlflow_errors import translated

T = TypeVar("T")

_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # MLflow's own are 7 and 120: a server that hangs would be given up after 20 minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
"""Variables that MLflow reads; set where the environment does not say otherwise."""

_REACH_TIMEOUT = 5.0
"""Seconds in which a host must take a connection."""


class MlflowConnection:
    """One registry, asked through `mlflow.MlflowClient`, which is made for the first question."""

    def __init__(self, address: Address):
        self._address = address
        self._client: Any = None

    def ask(self, question: Callable[[Any], T]) -> T:
        """What `question` gives for the client.

        Raises `MissingExtra` without MLflow, and every failure of it as the
        `LlmopsError` that it is.
        """
        if self._client is None:
            self._client = self._open()
        with self._translating():
            return question(self._client)

    def _open(self) -> Any:
        for name, value in _SETTINGS.items():
            os.environ.setdefault(name, value)
        with needs("mlflow"), _unwarned():
            import mlflow
            import sqlalchemy  # noqa: F401 - used below, where its absence is not told
        with self._translating():
            self._reach()
            with needs("mlflow"):
                return mlflow.MlflowClient(
                    tracking_uri=self._address.uri, registry_uri=self._address.uri
                )

    def _reach(self) -> None:
        """Fail at once where MLflow would try again and again."""
        import requests
        import sqlalchemy

        address = self._address
        if address.is_server:
            # It is there if it is slow or not trusted, and MLflow has settings for both.
            with suppress(requests.exceptions.SSLError, requests.exceptions.ReadTimeout):
                requests.head(address.uri, timeout=_REACH_TIMEOUT).close()
            return
        if address.database_host:
            try:
                socket.create_connection(address.database_host, _REACH_TIMEOUT).close()
            except OSError as error:
                raise ProviderUnavailable(
                    f"the database of the registry {address.shown} cannot be reached: "
                    f"{error.strerror or error}"
                ) from error
        elif address.file is not None:
            address.file.parent.mkdir(parents=True, exist_ok=True)
        engine = sqlalchemy.create_engine(address.uri)
        try:
            sqlalchemy.inspect(engine).has_table("alembic_version")
        finally:
            engine.dispose()

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            with _quiet():
                yield
        except LlmopsError:
            raise
        except Exception as error:  # MLflow passes on whatever its parts raise
            told = translated(error, self._address)
            if told is None:
                raise
            raise told from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what MLflow logs and warns of: failures come as errors, the rest is its own."""
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with _unwarned():
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _unwarned() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
