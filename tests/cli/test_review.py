"""`llmops review`: from an edit to a verdict, a comment, a page, and an exit code."""

from __future__ import annotations

import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

PROMPT = "prompts/geography/capital.prompty"
LANDS = {"France": "Paris", "Germany": "Berlin", "Italy": "Rome", "Japan": "Tokyo"}


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def project(shell) -> Path:
    """The starter project in git, with forty cases that the endpoint answers right."""
    folder: Path = shell.folder
    rows = [f"{land.lower()}-{n},{land},{city}" for n in range(10) for land, city in LANDS.items()]
    data = folder / "evals/data/capitals.csv"
    data.write_text("\n".join(["id,country,capital", *rows]) + "\n", encoding="utf-8")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "base")
    git(folder, "switch", "-q", "-c", "change")
    return folder


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_nothing_changed_asks_no_model_and_passes(shell, project: Path) -> None:
    ran = shell("review", "--base", "main", "--markdown", "review.md")
    assert ran.code == 0, ran.err
    assert "nothing changed" in ran.out
    assert len((project / "review.md").read_text(encoding="utf-8")) < 300
    assert shell.endpoint.chats == []


def test_without_a_run_it_says_what_changed_and_what_that_touches(shell, project: Path) -> None:
    edit(project / PROMPT, "one short sentence", "one word")
    (project / "guardrails/strict.yaml").write_text("version: 1\n", encoding="utf-8")
    ran = shell("review", "--base", "main", "--no-run")
    assert ran.code == 0, ran.err
    assert "behaviour (minor)" in ran.out
    assert "policy guardrails/strict.yaml added" in ran.out
    assert "The change touches 1 of 1 suite." in ran.out
    assert "40 of 40" in ran.out
    assert shell.endpoint.chats == []


def test_a_change_that_no_model_sees_runs_nothing(shell, project: Path) -> None:
    edit(project / PROMPT, "Names the capital of a country.", "Tells a country's capital.")
    ran = shell("review", "--base", "main")
    assert ran.code == 0, ran.err
    assert "cosmetic (patch)" in ran.out
    assert "no suite is touched" in ran.out
    assert shell.endpoint.chats == []


def test_a_change_that_makes_it_worse_fails_at_the_line_of_the_prompt(shell, project: Path) -> None:
    edit(project / PROMPT, "{{ country }}?", "{{ country | upper }}?")
    ran = shell(
        *("review", "--base", "main", "--markdown", "r.md", "--html", "r.html"),
        *("--sarif", "r.sarif", "--json", "r.json", "--summary", "--annotations"),
        GITHUB_STEP_SUMMARY=str(project / "summary.md"),
    )
    assert ran.code == 1, ran.err
    results = json.loads((project / "r.sarif").read_text(encoding="utf-8"))["runs"][0]["results"]
    assert {each["ruleId"] for each in results} == {"eval-regression", "eval-gate"}
    (place,) = {
        json.dumps(each["locations"][0]["physicalLocation"], sort_keys=True) for each in results
    }
    line = (project / PROMPT).read_text(encoding="utf-8").splitlines().index("user:") + 1
    assert json.loads(place) == {
        "artifactLocation": {"uri": PROMPT},
        "region": {"startLine": line + 1},
    }
    assert f"::error file={PROMPT},line={line + 1},title=eval-regression::" in ran.out
    comment = (project / "r.md").read_text(encoding="utf-8")
    assert "pass rate 100.0 % → 0.0 %, -100.0 points" in comment
    assert "**✗ 40 cases newly failing, the first 5**" in comment
    assert "It is Paris." in comment
    assert (project / "summary.md").read_text(encoding="utf-8") == comment
    assert "40 cases newly failing" in (project / "r.html").read_text(encoding="utf-8")
    data = json.loads((project / "r.json").read_text(encoding="utf-8"))
    assert (data["outcome"], data["cases_run"], data["cases_total"]) == ("failed", 40, 40)


def test_only_the_cases_that_the_change_touches_are_run(shell, project: Path) -> None:
    edit(project / "evals/data/capitals.csv", "japan-7,Japan", "japan-7,Japan!")
    ran = shell("review", "--base", "main", "--json", "r.json")
    assert ran.code in (0, 3), ran.err
    data = json.loads((project / "r.json").read_text(encoding="utf-8"))
    assert (data["cases_run"], data["cases_total"]) == (1, 40)
    assert "Ran 1 of 40 cases" in ran.out


def test_a_suite_that_the_base_does_not_have_is_judged_alone(shell, project: Path) -> None:
    text = (project / "evals/capitals.yaml").read_text(encoding="utf-8")
    (project / "evals/again.yaml").write_text(text, encoding="utf-8")
    ran = shell("review", "--base", "main", "--markdown", "r.md", "--json", "r.json")
    assert ran.code == 0, ran.err
    (suite,) = json.loads((project / "r.json").read_text(encoding="utf-8"))["suites"]
    assert (suite["suite"], suite["state"], suite["comparison"]) == ("again", "added", None)
    assert "### ✅ `again`" in (project / "r.md").read_text(encoding="utf-8")


def test_a_suite_that_is_gone_is_told(shell, project: Path) -> None:
    (project / "evals/capitals.yaml").rename(project / "evals/other.yaml")
    ran = shell("review", "--base", "main", "--no-run")
    assert ran.code == 0, ran.err
    assert "removed with this change, and judged no more: `capitals`" in ran.err


def test_what_main_did_meanwhile_is_no_change_of_the_branch(shell, project: Path) -> None:
    git(project, "switch", "-q", "main")
    edit(project / PROMPT, "one short sentence", "a haiku")
    git(project, "commit", "-q", "-am", "meanwhile")
    git(project, "switch", "-q", "change")
    ran = shell("review", "--base", "main", "--no-run")
    assert ran.code == 0, ran.err
    assert "nothing changed" in ran.out


def test_a_model_that_is_down_is_inconclusive_and_still_reported(shell, project: Path) -> None:
    edit(project / PROMPT, "one short sentence", "one word")
    ran = shell(
        *("review", "--base", "main", "--markdown", "r.md"),
        LLMOPS_MODELS__LOCAL__API_BASE="http://127.0.0.1:9/v1",
        LLMOPS_MODELS__LOCAL__RETRIES="0",
    )
    assert ran.code == 3, ran.err
    comment = (project / "r.md").read_text(encoding="utf-8")
    assert comment.startswith("<!-- llmops:review -->\n## ⚠️ Review: inconclusive")
    assert "behaviour (minor)" in comment


def test_a_base_that_is_not_there_is_a_mistake_of_the_call(shell, project: Path) -> None:
    ran = shell("review", "--base", "mian", "--no-run")
    assert ran.code == 2
    assert "did you mean `main`?" in ran.err


def test_posting_outside_of_a_pipeline_is_refused_before_anything_runs(
    shell, project: Path
) -> None:
    edit(project / PROMPT, "one short sentence", "one word")
    ran = shell("review", "--base", "main", "--post", GITHUB_REPOSITORY="", CI_API_V4_URL="")
    assert ran.code == 2
    assert "--markdown FILE" in ran.err
    assert shell.endpoint.chats == []


class ReadOnly(BaseHTTPRequestHandler):
    """A host that lets everybody read and nobody write, as for a pull request from a fork."""

    def do_GET(self) -> None:
        self._answer(200, b"[]")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(403, b'{"message": "Resource not accessible by integration"}')

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_token_that_may_only_read_changes_no_exit_code_and_is_never_shown(
    shell, project: Path
) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), ReadOnly)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    event = project.parent / "event.json"
    event.write_text('{"pull_request": {"number": 7}}', encoding="utf-8")
    try:
        ran = shell(
            *("review", "--base", "main", "--post", "--markdown", "r.md"),
            GITHUB_REPOSITORY="octo/shop",
            GITHUB_EVENT_PATH=str(event),
            GITHUB_TOKEN="token-of-a-test",
            GITHUB_API_URL=f"http://127.0.0.1:{server.server_address[1]}",
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert ran.code == 0, ran.err
    assert "the comment was not posted: the token may not write comments (403)" in ran.err
    assert "token-of-a-test" not in ran.out + ran.err
    assert "token-of-a-test" not in (project / "r.md").read_text(encoding="utf-8")


def test_a_summary_outside_of_a_workflow_is_refused_before_anything_runs(
    shell, project: Path
) -> None:
    edit(project / PROMPT, "one short sentence", "one word")
    ran = shell("review", "--base", "main", "--summary", GITHUB_STEP_SUMMARY="")
    assert ran.code == 2
    assert "`--summary` needs GITHUB_STEP_SUMMARY" in ran.err
    assert shell.endpoint.chats == []


def test_a_blessed_baseline_is_called_one(shell, project: Path) -> None:
    baseline = project / "evals" / "baselines" / "capitals.json"
    baseline.parent.mkdir()
    baseline.write_text("{}")
    ran = shell("review", "--base", "main", "--no-run")
    assert "baseline evals/baselines/capitals.json added" in ran.out


def test_a_summary_that_is_full_is_left_as_it_is(shell, project: Path) -> None:
    summary = project / "summary.md"
    summary.write_text("x" * (1024 * 1024 - 10), encoding="utf-8")
    ran = shell("review", "--base", "main", "--summary", GITHUB_STEP_SUMMARY=str(summary))
    assert ran.code == 0
    assert "the job's summary is full" in ran.err
    assert summary.stat().st_size == 1024 * 1024 - 10


def test_the_command_to_run_again_is_the_one_that_ran(shell, project: Path, tmp_path: Path) -> None:
    edit(project / PROMPT, "one short sentence", "one word")
    words = ("review", "--base", "main", "--select", "suite:cap*", "--limit", "3", "--no-run")
    shell(*words, "--markdown", str(tmp_path / "r.md"))
    text = (tmp_path / "r.md").read_text(encoding="utf-8")
    assert "llmops review --base main --select 'suite:cap*' --limit 3 --no-run" in text
