"""A prompt rendered by us and by plain Jinja2, in turns, in one process; prints JSON."""

from __future__ import annotations

import json
import statistics
import timeit
from pathlib import Path
from typing import Any

import jinja2

from llmops.prompts.prompt import parse_prompt
from llmops.prompts.trees import MemoryTree

ROUNDS, NUMBER = 15, 300
PARTIALS = {
    "shared/tone": "Be kind, and keep it short.",
    "shared/rules": "Cite the passage. Do not guess.",
}

PLAIN = """\
system:
Answer the question from the passage, in {{ language }}.

user:
<passage>
{{ passage }}
</passage>

<question>
{{ question }}
</question>
{% if note %}Note: {{ note }}{% endif %}
"""
INCLUDING = PLAIN.replace(
    "system:\n", 'system:\n{% include "shared/tone" %}\n{% include "shared/rules" %}\n'
)
LOOPING = PLAIN + "{% for item in items %}- {{ item.name }}: {{ item.price }}\n{% endfor %}"

VALUES: dict[str, Any] = {
    "language": "English",
    "passage": "The bridge was closed after engineers found cracks in two pillars. " * 12,
    "question": "What did the engineers find?",
    "note": "none",
    "items": [{"name": f"item {number}", "price": number} for number in range(20)],
}
HEAD = """---
metadata: {version: 1.0.0}
inputs:
  - {name: language, kind: string}
  - {name: passage, kind: string}
  - {name: question, kind: string}
  - {name: note, kind: string}
"""
ITEMS = """\
  - name: items
    kind: array
    items:
      kind: object
      properties: [{name: name, kind: string}, {name: price, kind: integer}]
"""


def compared(body: str, items: str = "") -> dict[str, float]:
    """Medians of both, in µs a rendering, and of the paired ratios."""
    tree = MemoryTree(
        {f"{name}.jinja": text for name, text in PARTIALS.items()}, shown=Path("prompts")
    )
    values = VALUES if items else {key: each for key, each in VALUES.items() if key != "items"}
    prompt = parse_prompt(f"{HEAD}{items}---\n{body}", Path("p.prompty"), name="p", tree=tree)
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(PARTIALS), undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(body)
    ours, plain = [], []
    for _ in range(ROUNDS):
        ours.append(timeit.timeit(lambda: prompt.render(**values), number=NUMBER))
        plain.append(timeit.timeit(lambda: template.render(**values), number=NUMBER))
    return {
        "ours_us": statistics.median(ours) / NUMBER * 1e6,
        "jinja_us": statistics.median(plain) / NUMBER * 1e6,
        "ratio": statistics.median(own / other for own, other in zip(ours, plain, strict=True)),
    }


if __name__ == "__main__":
    print(
        json.dumps(
            {
                "four values": compared(PLAIN),
                "and two partials": compared(INCLUDING),
                "and a loop of 20 objects": compared(LOOPING, ITEMS),
            }
        )
    )
