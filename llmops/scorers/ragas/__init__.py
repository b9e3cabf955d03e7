"""Adapter of Ragas: its metrics as scorers, asked through our own model client.

A suite names them `ragas.faithfulness`, `ragas.context_recall`, …
`catalogue` knows which there are without importing Ragas, which takes two
seconds; `package` imports it, without its telemetry. `scorer` is what a
metric looks like from outside; `talk` stands in for the language model that
Ragas wants to be given, and asks ours, whose answers `bounds` keeps to a JSON
Schema that they cannot outgrow. Ragas keeps what it is good at: the prompts,
the steps and the formula of each metric.
"""
