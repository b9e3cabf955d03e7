"""`llmops eval power`: what a suite can see, and what more cases would buy."""

from __future__ import annotations

import json
from typing import Any

import pytest


@pytest.fixture
def ran_once(shell: Any) -> Any:
    assert shell("eval", "run", "capitals").code == 1
    return shell


def test_a_suite_that_was_not_run_says_so_and_how_to_run_it(shell: Any) -> None:
    ran = shell("eval", "power", "capitals")
    assert (ran.code, ran.out) == (2, "")
    assert "`capitals` has not been run here" in ran.err
    assert "llmops eval run capitals --repeat 3" in ran.err


def test_a_suite_that_does_not_exist_is_not_found(shell: Any) -> None:
    ran = shell("eval", "power", "capitls")
    assert ran.code == 2
    assert "did you mean `capitals`?" in ran.err


def test_without_repeats_two_assumptions_stand_beside_each_other(ran_once: Any) -> None:
    ran = ran_once("eval", "power", "capitals")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("capitals: 10 cases, asked once")
    assert "typically, when one answer of fifty comes out otherwise" in ran.out
    assert "at worst, when every answer is drawn anew" in ran.out
    assert len(ran_once.endpoint.chats) == 10  # it calls no model


def test_with_repeats_the_spread_is_what_was_observed(shell: Any) -> None:
    shell("eval", "run", "capitals", "--repeat", "3")
    ran = shell("eval", "power", "capitals", "--json")
    found = json.loads(ran.out)
    (metric,) = found["metrics"]
    assert (found["repeats"], metric["assumption"], metric["flake"]) == (3, "observed", 0.0)
    assert metric["needed"] == 189  # no answer varies: statistics.cases_needed(0.02, flaky(0.0))


def test_the_newest_run_with_repeats_goes_before_a_newer_one_without(shell: Any) -> None:
    shell("eval", "run", "capitals", "--repeat", "2")
    shell("eval", "run", "capitals")
    found = json.loads(shell("eval", "power", "capitals", "--json").out)
    assert {each["assumption"] for each in found["metrics"]} == {"observed"}


def test_more_cases_see_smaller_drops_and_a_wider_margin_takes_fewer_cases(ran_once: Any) -> None:
    narrow = json.loads(ran_once("eval", "power", "capitals", "--json").out)
    wide = json.loads(ran_once("eval", "power", "capitals", "--margin", "0.1", "--json").out)
    for metric, other in zip(narrow["metrics"], wide["metrics"], strict=True):
        assert (metric["margin"], other["margin"]) == (0.02, 0.1)
        assert other["needed"] < metric["needed"]
        once = [each for each in metric["table"] if each["repeats"] == 1]
        kept = [each["margin"] for each in once]
        assert kept == sorted(kept, reverse=True)
        drops = [each["drop"] for each in once if each["drop"] is not None]
        assert drops == sorted(drops, reverse=True)
        assert drops[-1] > metric["margin"]


def test_a_run_can_be_named(shell: Any) -> None:
    shell("eval", "run", "capitals", "--limit", "4", "--output", "some")
    for path in ("some", "some/report.json"):
        found = json.loads(shell("eval", "power", "capitals", "--report", path, "--json").out)
        assert (found["run"], found["cases"]) == ("some", 4)
    ran = shell("eval", "power", "capitals", "--report", "nowhere")
    assert (ran.code, "nowhere: no such report" in ran.err) == (2, True)
