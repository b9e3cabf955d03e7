"""Judges: scorers that ask a model, with a prompt of the project, which label an answer deserves.

Owns how a sample fills a judge's prompt (`filling`), how one of a few labels is
asked for so that no answer can fail to be read (`asking`), and the judges
themselves. A judge is handed its model and prompt through
`llmops.core.services.Services`; it imports neither `models` nor `prompts`.
"""
