"""Offline evaluation: suite, dataset, selection, runner, statistics, gate, report.

    suite ── plan ──→ execution ──→ journal ──→ report ──→ render

Owns how cases become verdicts and verdicts an exit code. A model, a prompt and
the scorers are handed in; this room imports no adapter and opens no
connection.
"""
