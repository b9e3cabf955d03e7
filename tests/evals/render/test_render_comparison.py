"""A comparison as Markdown and as a page: all of it said, bounded, and nothing in it alive."""

from __future__ import annotations

import re
import shutil
import subprocess
import tracemalloc
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest

from llmops.evals.render.comparison_html import comparison_html, write_comparison_html
from llmops.evals.render.comparison_markdown import comparison_markdown, write_comparison_markdown
from llmops.evals.render.figures import difference, difference_interval
from llmops.evals.render.turned_cases import first_of_each
from llmops.evals.results import Change, Estimate, Turn

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NASTY = (
    "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=1>"
    "</pre></td></table></details> @octocat #1 ![](https://example.com/a.png) | a `b` ``` c"
    " https://example.com \x00\x1b[2J ‮ reversed 🤖 é"
)

HEAD = """\
## ❌ Failed: `qa/xquad`

`main (1a2b3c4)` → `working tree`

the pass rate of `exact_match` falls by 12.1 points (95 %: 5.4 to 18.7)

- **✗ regression** `exact_match` pass rate 61.2 % → 49.1 %, -12.1 points \
(95 %: -18.7 to -5.4 points)
- **? inconclusive** `groundedness` mean 0.737 → 0.720, -0.017 (95 %: -0.048 to +0.014)

120 of 240 cases on both sides · ✗ 17 newly failing, ✓ 3 newly passing, ~ 2 flaky, ! 1 broken

| Metric | Base | Head | Difference | 95 % interval | Pairs | p | Verdict |
|:--|--:|--:|--:|:--:|--:|--:|:--|
| `exact_match` pass rate | 61.2 % | 49.1 % | -12.1 points | -18.7 to -5.4 points | 116 | 0.001 \
| ✗ regression |
| `groundedness` mean | 0.737 | 0.720 | -0.017 | -0.048 to +0.014 | 110 | 0.58 \
| ? inconclusive: needs 380 cases |
| `f1` mean | 0.569 | 0.571 | +0.002 | -0.011 to +0.015 | 116 | 0.77 | = same |
| `latency` mean | 805 ms | 701 ms | -104 ms | -130 to -80 ms | 116 | < 0.001 \
| ↑ better (measured) |
| `exact_match` pass rate, `language=de` | 50.0 % | 55.0 % | +5.0 points | -10.0 to +20.0 points \
| 24 | 0.60 | ? inconclusive (measured) |

| A case costs | Base | Head | Change | 95 % interval |
|:--|--:|--:|--:|:--:|
| input tokens | 186 tokens | 231 tokens | +45 tokens (+24 %) | +45 to +45 tokens |
| output tokens | 24 tokens | 23.1 tokens | -0.9 tokens (-4 %) | -2.6 to +0.8 tokens |
| latency | 805 ms | 701 ms | -104 ms (-13 %) | -130 to -80 ms |
| cost of 1,000 cases | 0.213 | 0.26 | +0.047 (+22 %) | +0.04 to +0.055 |

> the latency of answers from the cache is left out


**✗ 17 cases newly failing, the first 5**

"""

CASE = """\
<details><summary>✗ <code>xquad-0000</code> ✓✓✓ → ✗✗✗ <code>exact&#95;match</code></summary>

`question`:

```text
How many points did the Panthers defense surrender?
```

expected:

```text
308
```

<table><tr><th>base</th><th>head</th></tr><tr><td>

```text
The Panthers defense gave up just 308 points, which was \n\
the sixth-best in the league.
```

</td><td>

```text
The Panthers defense gave up about three hundred points, \n\
sixth-best in the league.
```

✗ `exact_match` `` `308` is not in it ``

</td></tr></table>

</details>
"""


class Page(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.words: list[str] = []
        self._hidden = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._hidden = tag in ("script", "style")
        for name, value in attrs:
            assert name != "style"
            assert not name.startswith("on")
            if name in ("src", "href", "action", "srcset", "data", "xlink:href") and value:
                self.addresses.append(value)

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.words).split())


def without_code(text: str) -> str:
    text = re.sub(r"^(`{3,})\w*\n.*?\n\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", text)


def test_markdown_says_verdict_metrics_costs_and_both_answers(
    compared: ModuleType, tmp_path: Path
) -> None:
    write_comparison_markdown(compared.sample_comparison(), tmp_path / "c.md", title="qa/xquad")
    text = (tmp_path / "c.md").read_text(encoding="utf-8")
    assert text.startswith(HEAD + CASE)
    assert text.count("<details>") == text.count("</details>") == 5 + 3 + 2 + 1


def test_the_page_says_the_same_and_marks_the_words_that_differ(compared: ModuleType) -> None:
    page = comparison_html(compared.sample_comparison(), title="qa/xquad", command="llmops x")
    said = Page(page).said
    for each in (
        "qa/xquad: failed",
        "exact_match pass rate 61.2 % → 49.1 %, -12.1 points (95 %: -18.7 to -5.4 points)",
        "120 of 240 cases on both sides 17 newly failing 3 newly passing 2 flaky 1 broken",
        "17 cases fail now that passed, 3 the other way round",
        "cost of 1,000 cases +0.047 +22 %",
        "language=de",
        "2 cases flaky",
        "the server closed the connection after 3 attempts",
        "the latency of answers from the cache is left out",
    ):
        assert each in said
    assert "gave up <del>just 308</del> points" in page
    assert "gave up <ins>about three hundred</ins> points" in page
    assert page.count('<svg class="forest"') == 5 + 4 + 1  # metrics, costs, and the key


def test_the_forest_plot_shades_what_is_worse_on_the_side_where_it_is_worse(
    compared: ModuleType,
) -> None:
    page = comparison_html(compared.sample_comparison())
    rows = re.findall(r'<tr class="(\w+)">.*?<rect class="beyond" x="([\d.]+)"', page)
    assert [float(x) == 0 for _, x in rows] == [True, True, True, False, True]  # latency


def test_the_page_asks_for_nothing_from_outside(compared: ModuleType) -> None:
    page = Page(comparison_html(compared.sample_comparison(), command="llmops x"))
    assert all(each.startswith(("#", "data:image/svg+xml,")) for each in page.addresses)


def evil(compared: ModuleType) -> object:
    """A comparison with markup in every text that a suite, a dataset or a model brings."""

    def changes() -> object:
        for turn in (Turn.NEWLY_FAILING, Turn.FLAKY):
            made = compared.change(1, turn, text=NASTY)
            sides = [
                tuple(replace(each, inputs={NASTY: NASTY}, expected=[NASTY]) for each in side)
                for side in (made.base, made.head)
            ]
            yield replace(made, case=NASTY, checks=(NASTY,), base=sides[0], head=sides[1])

    metrics = tuple(
        replace(each, check=NASTY, slice=NASTY, reason=NASTY, method=NASTY, unit=NASTY)
        for each in compared.METRICS
    )
    return compared.sample_comparison(
        base=NASTY,
        head=NASTY,
        metrics=metrics,
        effort=tuple(replace(each, name=NASTY, unit=NASTY) for each in compared.EFFORT),
        notes=(NASTY,),
        turns={Turn.NEWLY_FAILING: 1, Turn.FLAKY: 1},
        decision=replace(compared.sample_comparison().decision, reason=NASTY),
        changes=changes,
    )


def test_nothing_foreign_stands_outside_of_code_in_markdown(compared: ModuleType) -> None:
    text = comparison_markdown(evil(compared), title=NASTY)  # type: ignore[arg-type]
    active = without_code(text)
    for each in ("<script", "<img", "@octocat", "](http", "https://", "#1 "):
        assert each not in active
    assert active.count("</details>") == active.count("<details>") == 2
    assert active.count("</table>") == 2
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)


def test_nothing_foreign_becomes_an_element_of_the_page(compared: ModuleType) -> None:
    plain = Page(comparison_html(compared.sample_comparison()))
    page = Page(comparison_html(evil(compared), title=NASTY, command=NASTY))  # type: ignore[arg-type]
    assert set(page.tags) <= set(plain.tags) | {"button", "code", "h2"}
    assert page.tags.count("script") == 1
    assert "<img src=x onerror=window.pwned=1>" in page.said


def test_answers_of_a_megabyte_are_cut_and_compared_where_they_differ(
    compared: ModuleType,
) -> None:
    long = "A long answer that goes on. " * 40_000
    other = long[:600_000] + "DIFFERENT " + long[600_000:]
    one = compared.change(0, Turn.NEWLY_FAILING)
    made = replace(
        one,
        base=(replace(one.base[0], output=long),),
        head=(replace(one.head[0], output=other),),
    )
    comparison = compared.sample_comparison(
        turns={Turn.NEWLY_FAILING: 1}, changes=lambda: iter([made])
    )
    page = comparison_html(comparison)
    assert len(page) < 80_000
    assert "599,600 characters that both begin with" in page
    assert "DIFFERENT" in page
    assert len(comparison_markdown(comparison)) < 12_000


def test_markdown_of_a_thousand_cases_with_long_texts_fits_into_a_comment(
    compared: ModuleType,
) -> None:
    def changes() -> object:
        for index in range(1_000):
            made = compared.change(index, Turn.NEWLY_FAILING, text="`" * 50_000)
            yield replace(made, case=f"{index}" * 100)

    comparison = compared.sample_comparison(
        turns={Turn.NEWLY_FAILING: 1_000},
        changes=changes,
        metrics=tuple(replace(compared.METRICS[0], check=f"check {n}") for n in range(500)),
    )
    text = comparison_markdown(comparison)
    assert len(text) <= 60_000
    assert "… and 400 metrics more" in text
    assert "1,000 newly failing" in text


def test_cases_are_read_one_by_one_and_no_further_than_needed(compared: ModuleType) -> None:
    read = []

    def changes() -> object:
        for index in range(100_000):
            read.append(index)
            yield compared.change(index, Turn.NEWLY_FAILING)

    comparison = compared.sample_comparison(turns={Turn.NEWLY_FAILING: 100_000}, changes=changes)
    assert len(list(first_of_each(comparison, 7))) == 7
    assert len(read) == 7


def test_a_page_of_very_many_changes_takes_little_memory(compared: ModuleType) -> None:
    def changes() -> object:
        for turn in (Turn.NEWLY_FAILING, Turn.NEWLY_PASSING):
            for index in range(5_000):
                yield compared.change(index, turn)

    counts = {Turn.NEWLY_FAILING: 5_000, Turn.NEWLY_PASSING: 5_000}
    comparison = compared.sample_comparison(turns=counts, changes=changes)
    tracemalloc.start()
    page = comparison_html(comparison)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "5,000 cases newly failing" in page
    assert peak < 20_000_000


def test_a_comparison_of_nothing_is_still_a_page(compared: ModuleType) -> None:
    empty = compared.sample_comparison(metrics=(), effort=(), turns={}, notes=(), changes=tuple)
    assert "120 of 240 cases" in Page(comparison_html(empty)).said
    assert "| Metric |" not in comparison_markdown(empty)


def test_an_error_is_never_shown_as_a_difference(compared: ModuleType) -> None:
    broken = replace(
        compared.METRICS[0], base=None, difference=None, verdict=Change.ERROR, reason="model down"
    )
    comparison = compared.sample_comparison(metrics=(broken,))
    text = comparison_markdown(comparison)
    assert "| `f1` mean | - | 0.571 | - | - |" in text
    assert "- `f1` mean: model down" in text
    assert "model down" in Page(comparison_html(comparison)).said


@pytest.mark.parametrize(
    ("value", "unit", "rate", "said"),
    [
        (0.0, "", True, "±0.0 points"),
        (-0.0001, "", False, "±0.000"),
        (-1.5, "s", False, "-1.50 s"),
        (1200.0, "tokens", False, "+1,200 tokens"),
    ],
)
def test_a_difference_always_has_a_sign(value: float, unit: str, rate: bool, said: str) -> None:
    assert difference(Estimate(value=value), unit, rate=rate) == said


def test_both_ends_of_an_interval_have_their_unit_where_it_differs() -> None:
    ends = Estimate(value=0.4, low=-0.18, high=1.32)
    assert difference_interval(ends, "s") == "-180 ms to +1.32 s"


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_a_browser_runs_nothing_of_a_hostile_comparison(
    compared: ModuleType, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    write_comparison_html(evil(compared), page, title=NASTY)  # type: ignore[arg-type]
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"script-src '[^']+'", "script-src 'unsafe-inline'", text)
    act = "<script>document.title = `${window.pwned} ${document.images.length}`</script>"
    page.write_text(text.replace("</body>", f"{act}</body>"), encoding="utf-8")
    command = [
        str(CHROMIUM),
        *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
        *("--disable-background-networking", "--disable-component-update", "--dump-dom"),
        *(f"--user-data-dir={tmp_path / 'p'}", "--virtual-time-budget=2000", page.as_uri()),
    ]
    ran = subprocess.run(command, capture_output=True, timeout=120, check=True)
    assert b"<title>undefined 0</title>" in ran.stdout
