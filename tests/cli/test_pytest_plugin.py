"""The pytest plugin, in a pytest run of its own over a project's suites."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from llmops.testing import faults

ONE_LINE = "from llmops.testing.pytest_plugin import *\n"


@pytest.fixture
def run_pytest(shell):
    """Runs pytest in the project, with the plugin in `evals/conftest.py`."""
    (shell.folder / "evals" / "conftest.py").write_text(ONE_LINE)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
            cwd=shell.folder,
            env=shell.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_a_suite_whose_gate_holds_passes_and_calls_the_model_once_a_case(run_pytest, shell) -> None:
    ran = run_pytest("evals", "--llmops-limit", "4", "-v")
    assert ran.returncode == 0, ran.stdout
    assert "evals/capitals.yaml::names_capital PASSED" in ran.stdout
    assert len(shell.endpoint.chats) == 4


def test_a_missed_threshold_is_a_failure_with_reason_and_cases(run_pytest) -> None:
    ran = run_pytest("evals", "--junit-xml", "junit.xml")
    assert ran.returncode == 1
    assert "the pass rate of `names_capital` is 0.4" in ran.stdout
    assert "spain: 'No idea.'" in ran.stdout
    assert "1 failed" in ran.stdout
    assert "Traceback" not in ran.stdout


def test_a_dead_provider_is_an_error_and_not_a_failure(run_pytest, shell) -> None:
    shell.endpoint.fail_always(faults.status(503))
    ran = run_pytest("evals", "--junit-xml", "junit.xml")
    assert ran.returncode == 1
    assert "1 error" in ran.stdout
    assert "failed" not in ran.stdout.splitlines()[-1]
    cases = list(ET.parse(shell.folder / "junit.xml").getroot().iter("testcase"))
    assert [[child.tag for child in case] for case in cases] == [["error"]]
    assert "another exception" not in ran.stdout
    assert ".py" not in ran.stdout  # the message, and not the code that came upon it


def test_an_inconclusive_gate_is_an_error_that_says_what_is_missing(run_pytest, shell) -> None:
    suite = shell.folder / "evals" / "capitals.yaml"
    suite.write_text(suite.read_text().replace('pass_rate: ">= 0.6"', 'drop: "<= 0.02"'))
    ran = run_pytest("evals")
    assert "1 error" in ran.stdout
    assert "add `--base main`" in ran.stdout


def test_each_check_of_a_gate_is_an_item_and_the_suite_runs_once(run_pytest, shell) -> None:
    suite = shell.folder / "evals" / "capitals.yaml"
    suite.write_text(suite.read_text() + '    - {check: latency, mean: "<= 60"}\n')
    ran = run_pytest("evals", "-v")
    assert "capitals.yaml::names_capital FAILED" in ran.stdout
    assert "capitals.yaml::latency PASSED" in ran.stdout
    asked = len(shell.endpoint.chats)
    assert run_pytest("evals", "-k", "latency").returncode == 0
    assert len(shell.endpoint.chats) == asked  # answered from the cache


def test_a_broken_suite_is_a_collection_error_with_its_line(run_pytest, shell) -> None:
    (shell.folder / "evals" / "broken.yaml").write_text("version: 1\nsubjekt: x\n")
    ran = run_pytest("evals")
    assert ran.returncode == 2
    assert "broken.yaml:2: unknown key `subjekt`" in ran.stdout
    assert "did you mean `subject`?" in ran.stdout


def test_a_run_from_the_root_takes_the_suites_along_without_options(run_pytest, shell) -> None:
    (shell.folder / "test_app.py").write_text("def test_it(): pass\n")
    (shell.folder / "other.yaml").write_text("a: 1\n")
    ran = run_pytest("-v")
    assert "test_app.py::test_it PASSED" in ran.stdout
    assert "evals/capitals.yaml::names_capital FAILED" in ran.stdout
    assert "other.yaml" not in ran.stdout


def test_two_conftest_files_that_bring_it_are_as_one(run_pytest, shell) -> None:
    (shell.folder / "conftest.py").write_text('pytest_plugins = ["llmops.testing.pytest_plugin"]\n')
    ran = run_pytest("evals", "--llmops-limit", "4", "-v")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout
    assert len(shell.endpoint.chats) == 4


def test_nothing_of_it_is_loaded_where_nobody_asks_for_it(run_pytest, shell) -> None:
    (shell.folder / "evals" / "conftest.py").unlink()
    (shell.folder / "test_app.py").write_text(
        "import sys\n"
        "def test_it():\n"
        "    assert not [name for name in sys.modules if name.startswith('llmops')]\n"
    )
    ran = run_pytest()
    assert ran.returncode == 0, ran.stdout
    assert "1 passed" in ran.stdout


def test_an_app_checks_its_own_answers_with_scorers_of_the_project(run_pytest, shell) -> None:
    (shell.folder / "conftest.py").write_text('pytest_plugins = ["llmops.testing.pytest_plugin"]\n')
    (shell.folder / "test_app.py").write_text(
        """
import asyncio

import pytest

from llmops.core.chat import ChatRequest, Message


def test_good(assert_score):
    assert assert_score("contains", "It is Paris.", expected="Paris").value == 1.0


def test_bad(assert_score):
    assert_score("length", "far too long an answer", passes="<= 3")


def test_not_judged(assert_score):
    assert_score("contains", "It is Paris.")


def test_project(llmops_project):
    assert llmops_project.prompt("geography/capital").render(country="Peru")


def test_model(scripted_model):
    model = scripted_model({"France": "Paris"})
    request = ChatRequest(messages=(Message(role="user", content="France?"),))
    assert asyncio.run(model.chat(request)).text == "Paris"
"""
    )
    ran = run_pytest("test_app.py")
    assert "3 passed" in ran.stdout
    assert "2 failed" in ran.stdout
    assert "AssertionError: length is 5, which is not <= 3" in ran.stdout
    assert "NotJudged: contains gave no score: the case has no expected value" in ran.stdout
