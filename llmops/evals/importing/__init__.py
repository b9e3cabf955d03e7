"""Evaluations of other tools as suites: promptfoo's configs and lm-evaluation-harness tasks.

A source becomes a suite, a dataset and prompts. What it checks is checked here
in the same way; what cannot be is refused, or, when asked for, left out and
told: a check that is missing silently would make a red run green.
"""
