"""Care for datasets: what a file holds, what stands in it twice, and what stands in another too.

Tells by ids and counts and never shows a text, so that what it prints can go
into a log. Reads files row by row and asks no model.
"""
