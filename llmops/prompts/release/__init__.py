"""Releasing prompts: versions in the lock file, aliases that point to them, bundles.

Owns everything that writes `prompts.lock`. Never calls a model. The public
names are loaded on first use: reading a bundle needs neither comparison nor
linter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmops.core.lazy import on_first_use

if TYPE_CHECKING:
    from llmops.prompts.release.bundle import PromptBundle as PromptBundle
    from llmops.prompts.release.bundle import write_bundle as write_bundle
    from llmops.prompts.release.checking import CheckResult as CheckResult
    from llmops.prompts.release.checking import check_prompts as check_prompts
    from llmops.prompts.release.locking import LockResult as LockResult
    from llmops.prompts.release.locking import lock_prompts as lock_prompts
    from llmops.prompts.release.promotion import promote as promote
    from llmops.prompts.release.promotion import rollback as rollback

__all__ = [
    "CheckResult",
    "LockResult",
    "PromptBundle",
    "check_prompts",
    "lock_prompts",
    "promote",
    "rollback",
    "write_bundle",
]

__getattr__ = on_first_use(
    __name__,
    {
        "CheckResult": "checking",
        "LockResult": "locking",
        "PromptBundle": "bundle",
        "check_prompts": "checking",
        "lock_prompts": "locking",
        "promote": "promotion",
        "rollback": "promotion",
        "write_bundle": "bundle",
    },
)
