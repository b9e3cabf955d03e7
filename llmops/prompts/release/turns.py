"""One writer of `prompts.lock` at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from llmops.prompts.repository import PromptRepository


@contextmanager
def only_writer(repository: PromptRepository) -> Iterator[None]:
    """Wait until no other process writes this lock file; others wait for the block's end.

    Nothing is left behind, be the process killed.
    """
    with ExitStack() as stack:
        # A folder that is not there has its own error, and some network file systems
        # cannot lock one.
        with suppress(OSError):
            descriptor = os.open(repository.root, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
