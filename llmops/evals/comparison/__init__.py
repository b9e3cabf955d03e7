"""Two runs of the same cases, laid side by side: better, worse, the same, or not to be told.

Owns what a side of a comparison is, how cases are paired, the verdict on each
metric, and what a comparison found. It reads no files and calls no model.
"""
