"""What a change does, told to whoever reviews it: what changed, and what came of it.

Owns the review as a value, its decision, and every form it is read in: comment,
page, SARIF, annotations, JSON, and the comment's way to the pull request. It
reads no project and runs no suite: what it tells is handed in.
"""
