"""What is wrong with prompts, found without a model, a network or a rendering.

Owns the rules, how they are configured and suppressed, and the forms in which
findings leave: text, JSON, SARIF, GitHub annotations. Nothing here changes a
prompt or the lock file. The template engine is loaded with `lint_prompts`, on
first use: a project reads its configuration without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmops.core.lazy import on_first_use
from llmops.prompts.lint.config import LintConfig as LintConfig
from llmops.prompts.lint.findings import Finding as Finding
from llmops.prompts.lint.findings import Level as Level

if TYPE_CHECKING:
    from llmops.prompts.lint.engine import lint_prompt as lint_prompt
    from llmops.prompts.lint.engine import lint_prompts as lint_prompts

__all__ = ["Finding", "Level", "LintConfig", "lint_prompt", "lint_prompts"]

__getattr__ = on_first_use(__name__, {"lint_prompt": "engine", "lint_prompts": "engine"})
