from __future__ import annotations

import pytest

from llmops import run_sync


async def answer() -> int:
    return 42


async def fail() -> int:
    raise ValueError("said so")


def test_a_coroutine_runs_from_sync_code() -> None:
    assert run_sync(answer()) == 42


@pytest.mark.anyio
async def test_a_coroutine_runs_where_a_loop_is_already_running() -> None:
    assert run_sync(answer()) == 42


@pytest.mark.anyio
async def test_an_error_reaches_the_caller_from_the_other_thread() -> None:
    with pytest.raises(ValueError, match="said so"):
        run_sync(fail())
