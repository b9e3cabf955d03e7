"""Result files of other tools, read as one side of a comparison.

    open_side(Path("results.json"))  # promptfoo's, Inspect's, DeepEval's, …

Owns what those files look like. A *container* (`containers.py`) hands out the
records of a file one by one, a *format* (one module a tool) says what a record
means, `reading.py` puts the two together. No tool is imported, and nothing is
run; what a tool did not judge stays unjudged here.
"""
