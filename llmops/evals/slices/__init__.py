"""Slices: the cases by language, topic or any other column, each looked at by itself.

Owns what a slice is, how far its values are apart, and whether a rule on them
holds. It counts nothing (`evals.slice_counts` does), reads no files and calls
no model.
"""
