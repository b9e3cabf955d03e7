"""MLflow as the registry: addresses, a silent and lazy client, and what goes wrong out there."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import sqlite3
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from llmops.core.errors import (
    AuthenticationFailed,
    BadResponse,
    ExitCode,
    LlmopsError,
    NotFound,
    ProviderUnavailable,
    RequestRejected,
    ServerFault,
    UsageError,
)
from llmops.core.registry import RegisteredPrompt
from llmops.registry import open_prompt_registry
from llmops.testing import FaultyEndpoint, faults

PROMPT = RegisteredPrompt(name="greeting", template="Hi {{ name }}")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second try, and two seconds for the first."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")


@pytest.fixture
def endpoint(impatient: None) -> Iterator[FaultyEndpoint]:
    """A web server that is no MLflow, on a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    made = FaultyEndpoint()
    asyncio.run_coroutine_threadsafe(made.start(), loop).result()
    yield made
    asyncio.run_coroutine_threadsafe(made.stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


# Addresses


def test_an_address_comes_from_the_call_then_mlflows_variables_then_the_default() -> None:
    environ = {"MLFLOW_TRACKING_URI": "http://tracking", "MLFLOW_REGISTRY_URI": "http://registry"}
    where = open_prompt_registry("http://asked", default="http://d", environ=environ)
    assert where.location == "http://asked"
    assert open_prompt_registry(default="http://d", environ=environ).location == "http://registry"
    del environ["MLFLOW_REGISTRY_URI"]
    assert open_prompt_registry(environ=environ).location == "http://tracking"
    assert open_prompt_registry(default="http://d", environ={}).location == "http://d"
    with pytest.raises(UsageError, match="no registry is named"):
        open_prompt_registry(environ={})


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("sqlite:///a/b.db", "sqlite:///a/b.db"),
        ("http://me:secret@host:5000/x", "http://me:***@host:5000/x"),
        ("https://host/x?a=1", "https://host/x?a=1"),
        ("postgresql+psycopg2://me:se%2Fcret@db/m", "postgresql+psycopg2://me:***@db/m"),
        ("postgresql://me:s@cr/et@db/m", "postgresql://me:***@db/m"),
        ("mysql://db/m?user=me&password=secret&ssl=1", "mysql://db/m?user=me&password=***&ssl=1"),
        ("mssql+pyodbc://me@db/m?PWD=secret", "mssql+pyodbc://me@db/m?PWD=***"),
    ],
)
def test_no_password_is_shown(uri: str, shown: str) -> None:
    assert open_prompt_registry(uri).location == shown


@pytest.mark.parametrize(
    "uri",
    [
        *("mlruns", "/tmp/x", "file:///tmp/x", "databricks", "databricks-uc://x", "uc:http://x"),
        *("http://", "http://host:port/", "http://[::1", "ftp://x", "postgresql:///db"),
        *("sqlite://", "sqlite:///", "sqlite:///:memory:"),
    ],
)
def test_an_address_that_leads_to_no_registry_is_refused(uri: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_prompt_registry(uri)
    assert "sqlite:///FILE" in (caught.value.hint or "")


# The embedded database


def test_a_database_is_made_when_the_first_prompt_is_published(tmp_path: Path) -> None:
    path = tmp_path / "state" / "mlflow.db"
    registry = open_prompt_registry(f"sqlite:///{path}")
    assert registry.names() == registry.versions("greeting") == []
    with pytest.raises(NotFound):
        registry.get("greeting")
    with pytest.raises(NotFound):
        registry.set_alias("greeting", "production", 1)
    assert not path.parent.exists()
    assert registry.publish(PROMPT).number == 1
    assert open_prompt_registry(f"sqlite:///{path}").names() == ["greeting"]
    assert [each.name for each in tmp_path.iterdir()] == ["state"]


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_text("this is a text\n" * 100)
    with pytest.raises(UsageError, match="file is not a database"):
        open_prompt_registry(f"sqlite:///{path}").names()
    with pytest.raises(UsageError, match="unable to open database file"):
        open_prompt_registry(f"sqlite:///{tmp_path}").names()
    with pytest.raises(UsageError):
        open_prompt_registry(f"sqlite:///{path}/mlflow.db").publish(PROMPT)
    assert path.read_text().startswith("this is a text")


def test_a_database_of_another_mlflow_is_left_as_it_is(mlflow_database: str) -> None:
    path = Path(mlflow_database.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    before = path.read_bytes()
    with pytest.raises(UsageError, match="made by another version of MLflow") as caught:
        open_prompt_registry(mlflow_database).names()
    assert "mlflow db upgrade" in (caught.value.hint or "")
    assert path.read_bytes() == before


def test_a_model_of_the_same_name_is_left_alone(mlflow_database: str) -> None:
    import mlflow

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = mlflow.MlflowClient(mlflow_database, mlflow_database)
    client.create_registered_model("greeting")
    registry = open_prompt_registry(mlflow_database)
    assert registry.names() == registry.versions("greeting") == []
    with pytest.raises(LlmopsError, match="has a model of that name"):
        registry.publish(PROMPT)
    assert client.get_registered_model("greeting").latest_versions == []


def test_a_prompt_without_a_version_has_none(mlflow_database: str) -> None:
    registry = open_prompt_registry(mlflow_database)
    registry._ask(lambda client: client.create_prompt("greeting"))  # type: ignore[attr-defined]
    assert registry.names() == ["greeting"]
    assert registry.versions("greeting") == []
    for version in (None, 1):
        with pytest.raises(NotFound, match="`greeting` has no version in sqlite"):
            registry.get("greeting", version)
    assert registry.publish(PROMPT).number == 1


def test_a_version_that_fails_leaves_no_empty_prompt_behind(mlflow_database: str) -> None:
    registry = open_prompt_registry(mlflow_database)
    wrong = RegisteredPrompt(name="greeting", template="Hi", model_config={"temperature": -1})
    with pytest.raises(LlmopsError, match="temperature"):
        registry.publish(wrong)
    assert registry.names() == []


def test_a_database_server_that_is_down_is_noticed_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        registry = open_prompt_registry(f"postgresql://me:secret@127.0.0.1:{port}/mlflow")
        with pytest.raises(ProviderUnavailable, match=r"me:\*\*\*@.* cannot be reached") as caught:
            registry.names()
    assert "secret" not in str(caught.value)
    assert caught.value.exit_code is ExitCode.INCONCLUSIVE


def test_a_driver_that_is_not_installed_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        registry = open_prompt_registry(f"postgresql+pg8000://127.0.0.1:{port}/mlflow")
        with pytest.raises(LlmopsError, match="needs a database driver") as caught:
            registry.names()
    assert caught.value.hint == "pip install pg8000"


# A server


def test_a_server_that_is_not_there_is_noticed_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        registry = open_prompt_registry(f"http://me:secret@127.0.0.1:{free.getsockname()[1]}")
        with pytest.raises(ProviderUnavailable, match=r"me:\*\*\*@.* cannot be reached") as caught:
            registry.names()
    assert "secret" not in str(caught.value)
    assert caught.value.exit_code is ExitCode.INCONCLUSIVE


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        (faults.html(), BadResponse, "does not answer as MLflow does"),
        (faults.html(404), BadResponse, "does not answer as MLflow does"),
        (faults.status(404), BadResponse, "does not answer as MLflow does"),
        (faults.raw(b"[1, 2]"), BadResponse, "does not answer as MLflow does"),
        (faults.half_json(), BadResponse, "does not answer as MLflow does"),
        (faults.raw(b'{"registered_models": [{"name": 7}]}'), BadResponse, "not understood"),
        (faults.raw(b"no", code=401), AuthenticationFailed, "wants to know who asks"),
        (faults.raw(b"no", code=403), AuthenticationFailed, "does not allow this"),
        (
            faults.raw(b'{"error_code": "PERMISSION_DENIED", "message": "no"}', code=403),
            AuthenticationFailed,
            "does not allow this",
        ),
        (
            faults.raw(b'{"error_code": "INVALID_PARAMETER_VALUE", "message": "no"}', code=400),
            RequestRejected,
            "refuses this: .*no",
        ),
        (faults.status(500), ServerFault, "failed on its own side"),
        (faults.status(503), ServerFault, "failed on its own side"),
        (faults.close(), ProviderUnavailable, "cannot be reached"),
        (faults.hang(), ProviderUnavailable, "did not answer in time"),
    ],
    ids=lambda value: getattr(value, "kind", None) and f"{value.kind}-{value.status}",
)
def test_a_server_that_does_wrong_is_told_by_what_it_did(
    fault: faults.Fault, error: type[LlmopsError], message: str, endpoint: FaultyEndpoint
) -> None:
    registry = open_prompt_registry(endpoint.api_base.removesuffix("/v1"))
    endpoint.fail_always(fault)
    with pytest.raises(error, match=message) as caught:
        registry.get("greeting")
    assert caught.value.exit_code is ExitCode.INCONCLUSIVE
    assert registry.location in str(caught.value)


def test_a_server_that_goes_away_in_the_middle_is_told(endpoint: FaultyEndpoint) -> None:
    registry = open_prompt_registry(endpoint.api_base.removesuffix("/v1"))
    endpoint.fail_always(faults.raw(b"{}"))
    assert registry.names() == []
    endpoint.fail_always(faults.close())
    with pytest.raises(ProviderUnavailable):
        registry.names()


# Manners


def test_nothing_is_said_and_nobody_is_called(tmp_path: Path) -> None:
    """Whatever MLflow prints, logs, warns of or reports home, in a process of its own."""
    code = f"""
import socket, sys, warnings, json
warnings.simplefilter("error")
called = []
def refuse(*arguments, **named):
    called.append(repr(arguments))
    raise OSError("no network here")
socket.getaddrinfo = socket.socket.connect = socket.create_connection = refuse
from llmops.registry import open_prompt_registry
from llmops.core.registry import RegisteredPrompt
registry = open_prompt_registry("sqlite:///{tmp_path}/mlflow.db")
assert not [name for name in sys.modules if name.split(".")[0] in ("mlflow", "pandas")]
registry.publish(RegisteredPrompt(name="greeting", template="Hi {{{{ name }}}}"))
registry.set_alias("greeting", "production", 1)
registry.set_tags("greeting", 1, {{"a": "b"}})
assert registry.get("greeting", "production").tags == {{"a": "b"}}
registry.delete_alias("greeting", "production")
assert called == [], called
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert {each.name for each in tmp_path.iterdir()} == {"mlflow.db"}


@pytest.mark.parametrize("package", ["mlflow", "sqlalchemy"])
def test_without_the_extra_the_install_line_is_said(package: str, tmp_path: Path) -> None:
    code = f"""
import sys
sys.modules[{package!r}] = None
from llmops.core.errors import MissingExtra
from llmops.registry import open_prompt_registry
open("x.db", "w").close()
try:
    open_prompt_registry("sqlite:///x.db").names()
except MissingExtra as error:
    print(error.hint)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout == "pip install 'llmops[mlflow]'\n"


def test_an_apps_own_logging_of_mlflow_stays_as_it_was(mlflow_database: str) -> None:
    import mlflow  # noqa: F401 - as the app does, which sets its logger up

    logger = logging.getLogger("mlflow")
    level = logger.level
    open_prompt_registry(mlflow_database).publish(PROMPT)
    assert logger.level == level


def test_what_mlflow_says_of_a_prompt_is_what_was_published(mlflow_database: str) -> None:
    open_prompt_registry(mlflow_database).publish(PROMPT)
    with closing(sqlite3.connect(mlflow_database.removeprefix("sqlite:///"))) as database:
        rows = dict(database.execute("SELECT key, value FROM model_version_tags").fetchall())
        prompt_tags = database.execute("SELECT key FROM registered_model_tags").fetchall()
    assert json.loads(json.dumps(rows))["mlflow.prompt.text"] == "Hi {{ name }}"
    assert prompt_tags == [("mlflow.prompt.is_prompt",)]
