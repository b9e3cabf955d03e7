"""Scorers: what looks at a `Sample` and says what it saw, as a `Score`.

Owns the built-in scorers, the `@scorer` decorator, and `build`, which turns a
name and options from a suite or a policy into a scorer. Imports `core` only;
a scorer that needs a chat model or a detector is handed one. Importing this
package imports no scorer: each is loaded when something names it.

    >>> from pathlib import Path
    >>> exact = build("exact_match", {"ignore_case": True}, base=Path())
    >>> exact.score(Sample(output="Paris", expected="paris")).value
    1.0
"""

from __future__ import annotations

from llmops.core.scoring import Sample as Sample
from llmops.core.scoring import Score as Score
from llmops.scorers.building import BUILT_IN, build, names
from llmops.scorers.functions import FunctionScorer, scorer
from llmops.scorers.measuring import measure

__all__ = ["BUILT_IN", "FunctionScorer", "Sample", "Score", "build", "measure", "names", "scorer"]
