"""What every page of ours is made of: one file, nothing from outside, nothing that could run.

A page holds one block of style and one of script, and its policy allows
exactly these two, so that nothing could be run or fetched even if something
slipped through the escaping.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from urllib.parse import quote

POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; img-src data:;"
    " base-uri 'none'; form-action 'none'"
)
STYLES = ("page.css", "comparison.css", "views.css")
REPORT_SCRIPTS = ("frame.js", "page.js")
SCRIPTS = ("frame.js",)


def fill(template: str, parts: Mapping[str, str]) -> str:
    """`template` with each `{{name}}` replaced, in one pass: what is filled in stays as it is."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], template)


def opening(*, title: str, outcome: str, scripts: tuple[str, ...] = SCRIPTS) -> str:
    """The page from its first line to the start of its body; `title` is escaped already."""
    style, script = joined(*STYLES), joined(*scripts)
    return fill(
        asset("frame.html").partition("{{before}}")[0],
        {
            "policy": POLICY.format(script=_digest(script), style=_digest(style)),
            "title": title,
            "icon": favicon(outcome),
            "style": style,
        },
    )


def closing(*, crumb: str, main: str, after: str = "", scripts: tuple[str, ...] = SCRIPTS) -> str:
    """The rest of the page: bar, what a person reads, and the script."""
    return fill(
        asset("frame.html").partition("{{before}}")[2] + "\n",
        {"crumb": crumb, "main": main, "after": after, "script": joined(*scripts)},
    )


def page(*, title: str, outcome: str, crumb: str, main: str) -> str:
    """A whole page; `title`, `crumb` and `main` are escaped already."""
    return opening(title=title, outcome=outcome) + closing(crumb=crumb, main=main)


def favicon(outcome: str) -> str:
    """An icon of the verdict, as a `data:` address."""
    colour = {"passed": "#0d8a72", "failed": "#d1481f"}.get(outcome, "#a8730a")
    path = {"passed": "M9 17l5 5 10-12", "failed": "M10 10l12 12M22 10L10 22"}.get(
        outcome, "M12 13a4 4 0 1 1 5 4q-1 1-1 3M16 24v.5"
    )
    return "data:image/svg+xml," + quote(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32"'
        f' rx="9" fill="{colour}"/><path d="{path}" fill="none" stroke="#fff" stroke-width="3.5"'
        ' stroke-linecap="round" stroke-linejoin="round"/></svg>'
    )


@cache
def asset(name: str) -> str:
    """A file beside this module."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8").strip()


@cache
def joined(*names: str) -> str:
    """Several of them as one block."""
    return "\n".join(map(asset, names))


def _digest(text: str) -> str:
    """The hash by which a content security policy allows an inline block."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
