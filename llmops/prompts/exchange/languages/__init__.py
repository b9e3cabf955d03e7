"""The template languages of other tools, each read into texts, variables and Jinja2 code."""
