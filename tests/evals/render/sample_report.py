"""A report as a real run leaves it: passes, failures, unscored cases, errors, odd texts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

from llmops.core.chat import Usage
from llmops.core.errors import ExitCode
from llmops.core.scoring import Check, Outcome, Rule, Score, Verdict
from llmops.evals.results import (
    CaseResult,
    CheckSummary,
    Decision,
    Estimate,
    GateLine,
    Report,
    Summary,
)

NASTY = (
    "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=1>"
    "<!--<script> {{7*7}} ]]> @octocat #1 ![](https://example.com/a.png) | a `b` ``` c"
    " https://example.com \x00\x1b[2J \u202e reversed \ud83d half 🤖 é"
)

PASSAGES = (
    (
        (
            "The Panthers defense gave up just 308 points, ranking sixth in the league, while "
            "also leading the NFL in interceptions with 24 and boasting four Pro Bowl selections. "
            "Pro Bowl defensive tackle Kawann Short led the team in sacks with 11, while also "
            "forcing three fumbles and recovering two."
        ),
        "How many points did the Panthers defense surrender?",
        ["308"],
        "The Panthers defense surrendered 308 points.",
        "sport",
    ),
    (
        (
            "Die Forschungsgruppe der Universität Würzburg untersuchte zwischen 1998 und 2004 die "
            "Wasserqualität von 42 Seen in Unterfranken. Die Ergebnisse zeigten einen deutlichen "
            "Rückgang der Nährstoffe."
        ),
        "Wie viele Seen wurden untersucht?",
        ["42", "42 Seen"],
        "Es wurden 42 Seen in Unterfranken untersucht. 👍",
        "wissenschaft",
    ),
    (
        "南京是中华人民共和国江苏省省会、地处中国东部、长江下游。总面积6587平方公里。",
        "南京的总面积是多少",
        ["6587平方公里"],
        "🤖 总面积为6587平方公里。",
        "geography",
    ),
    (
        (
            "Warsaw's mixture of architectural styles reflects the turbulent history of the city "
            "and country. During the Second World War, Warsaw was razed to the ground by bombing "
            "raids and planned destruction. After liberation, rebuilding began as in other cities "
            "of the PRL. Most of the historical buildings were thoroughly reconstructed."
        ),
        "What happened to most of the historical buildings after the war?",
        ["thoroughly reconstructed", "they were reconstructed"],
        (
            "After the liberation most of the buildings were thoroughly reconstructed, and some "
            "were replaced by new ones, which changed the look of the old town for ever."
        ),
        "history",
    ),
)

F1 = Check(name="f1", scorer=None, rule=Rule.parse(">= 0.5"))  # type: ignore[arg-type]
EXACT = Check(name="exact_match", scorer=None, rule=Rule.parse("== 1"))  # type: ignore[arg-type]
GROUNDED = Check(name="groundedness", scorer=None)  # type: ignore[arg-type]
LATENCY = Check(name="latency", scorer=None)  # type: ignore[arg-type]


def case(index: int, repeat: int = 0, *, hostile: bool = True) -> CaseResult:
    """The case of that index; the same index gives the same case."""
    rng = random.Random(index * 7 + repeat)
    passage, question, expected, answer, topic = PASSAGES[index % len(PASSAGES)]
    name = f"xquad-{index:04d}"
    inputs = {"passage": passage, "question": question}
    common = {"case": name, "repeat": repeat, "inputs": inputs, "expected": expected}
    common |= {"contexts": (passage,), "tags": (topic, "short" if index % 3 else "long")}
    if index % 37 == 5:
        failed = Score.unscored("the model was not reached")
        return CaseResult(
            **common,
            error="the server closed the connection after 3 attempts",
            verdicts=tuple(
                Verdict(check=check.name, outcome=Outcome.ERROR, score=failed)
                for check in (EXACT, F1, GROUNDED, LATENCY)
            ),
            attempts=4,
        )
    if hostile and index == 11:
        answer = NASTY
        common |= {"case": f"evil {NASTY[:60]}", "tags": (NASTY,), "inputs": {NASTY: NASTY}}
    if index == 17:
        answer = "A very long answer. " * 2_000
    value = round(min(1.0, max(0.0, rng.gauss(0.55, 0.28))), 3)
    at = answer.find(expected[0])
    spans = ((at, at + len(expected[0])),) if at >= 0 else ()
    grounded = (
        Score.unscored("the answer holds no word that counts")
        if index % 19 == 3
        else Score(
            value=round(min(1.0, value + 0.2), 3),
            rationale=f"{rng.randint(2, 9)} of 10 words stand in the passage",
            spans=((0, min(24, len(answer))),),
        )
    )
    latency = round(abs(rng.gauss(0.7, 0.25)) + 0.08, 3)
    exact = float(value > 0.8)
    return CaseResult(
        **common,
        output=answer,
        verdicts=(
            EXACT.judge(Score(value=exact, rationale="" if exact else "no reference is equal")),
            F1.judge(
                Score(
                    value=value,
                    rationale=f"{at} is where `{expected[0]}` stands" if at >= 0 else "no overlap",
                    spans=spans,
                )
            ),
            GROUNDED.judge(grounded),
            LATENCY.judge(Score(value=latency)),
        ),
        latency=latency,
        usage=Usage(input_tokens=180 + index, output_tokens=24, cached_tokens=96),
        finish_reason="length" if index == 17 else "stop",
        cached=index % 8 == 0,
        attempts=2 if index % 23 == 4 else 1,
    )


def summarize(check: Check, results: list[CaseResult], unit: str = "") -> CheckSummary:
    """The counts, mean, quantiles and histogram of one check."""
    verdicts = [v for result in results for v in result.verdicts if v.check == check.name]
    values = sorted(v.score.value for v in verdicts if v.score.value is not None)
    count = {outcome: sum(v.outcome is outcome for v in verdicts) for outcome in Outcome}
    mean = sum(values) / len(values)
    half = 1.96 * (sum((v - mean) ** 2 for v in values) / len(values) ** 2) ** 0.5
    top = 1.0 if not unit else values[-1]
    edges = [top * step / 12 for step in range(13)]
    bins = tuple(
        (low, high, sum(low <= v < high or (v == high == top) for v in values))
        for low, high in pairwise(edges)
    )
    judged = count[Outcome.PASSED] + count[Outcome.FAILED]
    rate = count[Outcome.PASSED] / judged
    wide = 1.96 * (rate * (1 - rate) / judged) ** 0.5
    at = {"min": 0.0, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95, "max": 1.0}
    return CheckSummary(
        name=check.name,
        scorer={"f1": "token_f1", "groundedness": "overlap"}.get(check.name, check.name),
        version="1",
        rule=str(check.rule) if check.rule else None,
        unit=unit,
        higher_is_better=unit != "s",
        passed=count[Outcome.PASSED],
        failed=count[Outcome.FAILED],
        unscored=count[Outcome.UNSCORED],
        errors=count[Outcome.ERROR],
        mean=Estimate(value=mean, low=mean - half, high=mean + half),
        pass_rate=Estimate(value=rate, low=rate - wide, high=rate + wide) if check.rule else None,
        quantiles={name: values[int(q * (len(values) - 1))] for name, q in at.items()},
        histogram=bins,
    )


DECISIONS = {
    "passed": Decision(
        outcome="passed",
        exit_code=ExitCode.PASSED,
        reason="all 2 thresholds hold",
        lines=(
            GateLine(
                check="f1",
                aggregate="mean",
                rule=">= 0.3",
                value=0.569,
                outcome="passed",
                reason="mean 0.569 is >= 0.3",
            ),
            GateLine(
                check="exact_match",
                aggregate="pass_rate",
                rule=">= 0.1",
                value=0.259,
                outcome="passed",
                reason="25.9 % of the judged cases pass",
            ),
        ),
    ),
    "failed": Decision(
        outcome="failed",
        exit_code=ExitCode.FAILED,
        reason="exact_match: pass rate 0.259 is not >= 0.5",
        lines=(
            GateLine(
                check="f1",
                aggregate="mean",
                rule=">= 0.3",
                value=0.569,
                outcome="passed",
                reason="mean 0.569 is >= 0.3",
            ),
            GateLine(
                check="exact_match",
                aggregate="pass_rate",
                rule=">= 0.5",
                value=0.259,
                outcome="failed",
                reason="pass rate 0.259 is not >= 0.5",
            ),
            GateLine(
                check="groundedness",
                aggregate="mean",
                rule=">= 0.6",
                value=0.737,
                outcome="inconclusive",
                reason="8.3 % of the results were not judged, more than the 5 % that are tolerated",
            ),
        ),
    ),
    "inconclusive": Decision(
        outcome="inconclusive",
        exit_code=ExitCode.INCONCLUSIVE,
        reason="12 % of the results were not judged, more than the 5 % that the gate tolerates",
    ),
}


def sample_report(
    cases: int = 120, *, repeats: int = 1, decision: str = "failed", hostile: bool = True
) -> Report:
    """A report of that many cases, which are made anew at every iteration."""

    def results() -> Iterator[CaseResult]:
        for index in range(cases):
            for repeat in range(repeats):
                yield case(index, repeat, hostile=hostile)

    some = [case(index, hostile=hostile) for index in range(min(cases, 500))]
    summary = Summary(
        suite="qa/xquad",
        description="The model answers from the passage, on questions of XQuAD (English).",
        run="qa-xquad-20260728T101512Z",
        started="2026-07-28T10:15:12Z",
        seconds=41.23,
        command="llmops eval run qa/xquad --limit 120",
        subject={
            "prompt": "qa/answer",
            "prompt_version": "1.2.0",
            "prompt_fingerprint": "sha256:9f2b6f4fd0e5ac1b3b7f1f0d5c2b8a6e",
            "model": "hosted_vllm/smollm2-135m",
            "model_identity": "http://127.0.0.1:18000/v1 smollm2-135m",
            "system_fingerprint": "vllm-0.30.0-tp1-2f2c9d1a",
            "sampling": {"temperature": 0, "seed": 7, "max_tokens": 64},
        },
        dataset={
            "path": "data/xquad.jsonl",
            "sha256": "5a1f" * 16,
            "rows": 240,
            "selected": cases,
        },
        environment={
            "llmops": "0.1.0",
            "python": "3.11.7",
            "platform": "Linux x86_64",
            "git_commit": "2f7c9e1",
        },
        cases=cases,
        repeats=repeats,
        calls=cases * repeats - cases // 8,
        cached=cases // 8,
        usage=Usage(input_tokens=28_412, output_tokens=2_790, cached_tokens=11_520, cost=0.0213),
        checks=(
            summarize(EXACT, some),
            summarize(F1, some),
            summarize(GROUNDED, some),
            summarize(LATENCY, some, "s"),
        ),
        decision=DECISIONS[decision],
        made_from={
            "prompt": "sha256:9f2b6f4f",
            "dataset": "sha256:5a1f5a1f",
            "checks": "sha256:07",
        },
    )
    return Report(summary=summary, results=results)
