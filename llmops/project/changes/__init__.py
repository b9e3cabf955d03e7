"""What differs between a project now and a revision of it, from files up to single cases.

files ──→ prompts, models, data, code ──→ suites ──→ cells

Everything is read from git's objects and the working tree; nothing is checked
out, and no model is called. What cannot be told counts as changed.
"""
