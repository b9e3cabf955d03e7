"""Fairness probes: one question asked of several groups of people, word for word but for the group.

Owns the file format of probes and how its templates become the rows of a
dataset. Asks no model and judges nothing: the rows are cases like any others,
and `evals.slices` compares those that differ in one attribute only.
"""
