"""Naming scorers: built in, from packages, from the project; and what is said when it is wrong."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from llmops.core import plugins
from llmops.core.errors import NotFound, UsageError
from llmops.core.scoring import Sample, Score, Scorer
from llmops.scorers import BUILT_IN, build, measure, names, scorer

OWN = '''
from __future__ import annotations
from typing import TYPE_CHECKING
from dataclasses import dataclass
from pathlib import Path
from llmops.scorers import scorer, Score
if TYPE_CHECKING:
    from llmops.scorers import Sample

@scorer(version="3", unit="words", needs=["expected"])
def shared(sample: Sample, *, least: int = 1, words: Path | None = None) -> Score:
    """Counts."""
    return Score(value=least, rationale=str(words))

@scorer(version="1")
async def slow(sample: Sample, *, factor: float) -> float:
    return factor * len(sample.output)

def plain(sample, *, flag: bool = False):
    return flag

@dataclass(frozen=True, kw_only=True)
class Own:
    name = "own"
    limit: int
    def __post_init__(self):
        if self.limit < 0:
            raise ValueError("limit is negative")
    @property
    def version(self): return f"1[{self.limit}]"
    def score(self, sample): return 0.5

@dataclass
class Loose:
    limit: int = 1
    name: str = "loose"
    version: str = "1"
    def score(self, sample): return self.limit

class Heir(Loose):
    pass

ready = Own(limit=1)
number = 3
def two(a, b): return 1
@scorer(version="1")
def several(sample, *, words: tuple[str, ...] = ()): return len(words) / 4
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "llmops.toml").write_text("")
    (tmp_path / "evals").mkdir()
    (tmp_path / "evals" / "own.py").write_text(OWN)
    return tmp_path


def make(project: Path, name: str, **options: Any) -> Scorer:
    return build(name, options, base=project / "evals")


@pytest.mark.anyio
async def test_a_file_beside_the_suite_brings_scorers(project: Path) -> None:
    sample = Sample(output="four", expected="x")
    shared = make(project, "own.py:shared", least=2)
    assert (shared.name, shared.version) == ("shared", "3[least=2]")
    assert shared.unit == "words"  # type: ignore[attr-defined]
    assert await measure(shared, sample) == Score(value=2.0, rationale="None")
    assert await measure(make(project, "own.py:slow", factor=0.5), sample) == Score(value=2.0)
    assert await measure(make(project, "own.py:plain", flag=True), sample) == Score(value=1.0)
    assert await measure(make(project, "own.py:Own", limit=3), sample) == Score(value=0.5)
    assert await measure(make(project, "own.py:ready"), sample) == Score(value=0.5)
    for name in ("Loose", "Heir"):
        loose = make(project, f"own.py:{name}", limit=2)
        assert await measure(loose, sample) == Score(value=2.0)


@pytest.mark.anyio
async def test_a_list_in_the_suite_is_a_tuple_where_the_scorer_wants_one(project: Path) -> None:
    several = make(project, "own.py:several", words=["a", "b"])
    assert await measure(several, Sample(output="")) == Score(value=0.5)


@pytest.mark.anyio
async def test_a_path_option_starts_at_the_suites_folder(project: Path) -> None:
    shared = make(project, "own.py:shared", words="list.txt")
    found = await measure(shared, Sample(output="", expected="x"))
    assert found.rationale == str(project / "evals" / "list.txt")


def test_a_plain_functions_version_is_its_source(project: Path) -> None:
    before = make(project, "own.py:plain").version
    assert before.startswith("source:")
    (project / "evals" / "own.py").write_text(OWN.replace("return flag", "return not flag"))
    assert make(project, "own.py:plain").version != before


def test_a_module_in_the_project_is_found_and_the_import_path_is_left_alone(project: Path) -> None:
    package = project / "our_metrics_q7"
    package.mkdir()
    (package / "__init__.py").write_text("from our_metrics_q7.inner import shared\n")
    (package / "inner.py").write_text(OWN)
    before = list(sys.path)
    assert make(project, "our_metrics_q7:shared").name == "shared"
    assert make(project, "our_metrics_q7.inner:Own", limit=1).name == "own"
    assert sys.path == before


def test_two_projects_do_not_share_a_module_by_accident(project: Path, tmp_path: Path) -> None:
    (project / "metrics_q8.py").write_text(OWN)
    make(project, "metrics_q8:shared")
    other = tmp_path / "other"
    (other / "evals").mkdir(parents=True)
    (other / "llmops.toml").write_text("")
    (other / "metrics_q8.py").write_text(OWN.replace('version="3"', 'version="4"'))
    (other / "evals" / "own.py").write_text(OWN.replace('version="3"', 'version="4"'))
    with pytest.raises(UsageError, match="is loaded already") as caught:
        make(other, "metrics_q8:shared")
    assert caught.value.hint == "name the file instead: `metrics_q8.py:…`"
    assert make(project, "own.py:shared").version == "3"
    assert make(other, "own.py:shared").version == "4"


@pytest.mark.parametrize(
    ("name", "options", "message", "hint"),
    [
        ("exact_mach", {}, "no scorer is named `exact_mach`", "did you mean `exact_match`?"),
        (
            "exact_match",
            {"ignorecase": True},
            "no option of `exact_match` is named `ignorecase`",
            "did you mean `ignore_case`?",
        ),
        (
            "exact_match",
            {"ignore_case": "yes"},
            "option `ignore_case` of `exact_match`: Input should be a valid boolean",
            None,
        ),
        ("token_f1", {"x": 1}, "`token_f1` takes no options, and `x` is given", None),
        ("regex", {}, "`regex` needs the option `pattern`", None),
        (
            "regex",
            {"pattern": 3},
            "option `pattern` of `regex`: Input should be a valid string",
            None,
        ),
        (
            "contains",
            {"any": ["a", 3]},
            "option `any.1` of `contains`: Input should be a valid string",
            None,
        ),
        (
            "length",
            {"unit": "lines"},
            "option `unit` of `length`: Input should be 'words', 'characters' or 'tokens'",
            None,
        ),
        ("own.py:shard", {}, "no attribute of `own.py` is named `shard`", "did you mean `shared`?"),
        ("own.py:slow", {}, "`own.py:slow` needs the option `factor`", None),
        ("own.py:Own", {"limit": -1}, "`own.py:Own` cannot be built: limit is negative", None),
        ("own.py:ready", {"limit": 1}, "`own.py:ready` is a ready-made scorer", None),
        ("own.py:number", {}, "`own.py:number` is a int, not a scorer", None),
        ("own.py:two", {}, "`two` does not take exactly one positional parameter", None),
        ("nowhere_q9:x", {}, "`nowhere_q9` cannot be loaded: ModuleNotFoundError", None),
        ("gone.py:x", {}, "no such file", None),
        ("../../away.py:x", {}, "lies outside of the project", None),
        (":x", {}, "`:x` names no scorer", None),
        ("own.py:", {}, "`own.py:` names no scorer", None),
    ],
)
def test_what_is_wrong_is_said_before_the_run(
    project: Path, name: str, options: dict[str, Any], message: str, hint: str | None
) -> None:
    with pytest.raises(UsageError) as caught:
        make(project, name, **options)
    assert message in str(caught.value)
    if hint:
        assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("x = 1\ndef broken(:\n", 2, "not valid Python"),
        ("import json\n\njson.loads('{')\n", 3, "JSONDecodeError"),
        ("raise SystemExit(3)\n", 1, "SystemExit"),
        ("import no_such_module_q1\n", 1, "ModuleNotFoundError"),
    ],
)
def test_own_code_that_fails_is_named_with_its_line(
    project: Path, source: str, line: int, message: str
) -> None:
    path = project / "evals" / "bad.py"
    path.write_text(source)
    with pytest.raises(UsageError, match=message) as caught:
        make(project, "bad.py:x")
    assert caught.value.where is not None
    assert (caught.value.where.path, caught.value.where.line) == (path, line)


def test_a_package_offers_a_scorer_by_an_entry_point(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @scorer(version="2")
    def polite(sample: Sample) -> bool:
        return "please" in sample.output

    class Point(EntryPoint):
        def load(self) -> Any:
            return polite

    def entry_points(*, group: str, name: str | None = None) -> list[EntryPoint]:
        points = [Point("polite", "pkg:polite", group), Point("token_f1", "pkg:polite", group)]
        return [each for each in points if name in (None, each.name)]

    monkeypatch.setattr(plugins, "entry_points", entry_points)
    assert "polite" in names()
    assert make(project, "polite").version == "2"
    assert make(project, "token_f1").name == "token_f1"  # a built-in name cannot be taken over
    with pytest.raises(NotFound) as caught:
        make(project, "polit")
    assert caught.value.hint == "did you mean `polite`?"


def test_other_options_are_another_version() -> None:
    plain, spelled, long = (
        build("contains", options, base=Path()).version
        for options in ({"text": "a"}, {"text": "b"}, {"text": "b" * 200})
    )
    assert plain == '1[text="a"]'
    assert len({plain, spelled, long}) == 3
    assert long.startswith("1[sha256:")
    assert build("exact_match", {"strip": True}, base=Path()).version == "1"


def test_a_function_that_needs_what_no_case_has_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot need `context`"):
        scorer(version="1", needs=["context"])


def test_a_decorated_function_can_still_be_called() -> None:
    @scorer(version="1")
    def polite(sample: Sample) -> bool:
        """Whether it says please."""
        return "please" in sample.output

    assert polite(Sample(output="please")) is True
    assert polite.__doc__ == "Whether it says please."


@pytest.mark.anyio
async def test_a_scorer_that_returns_nothing_is_an_error_and_no_score() -> None:
    @scorer(version="1")
    def forgot(sample: Sample) -> Any:
        return None

    with pytest.raises(TypeError, match="`forgot` returned NoneType"):
        await measure(forgot, Sample(output=""))


@pytest.mark.anyio
async def test_numbers_of_numpy_are_numbers() -> None:
    import numpy

    for found in (numpy.bool_(True), numpy.float32(1), numpy.int64(1), numpy.array(1.0)):

        @scorer(version="1")
        def one(sample: Sample, *, found: Any = found) -> Any:
            return found

        score = await measure(one, Sample(output=""))
        assert score == Score(value=1.0)
        assert type(score.value) is float


def test_a_scorer_costs_only_its_own_imports() -> None:
    program = """
import sys
from pathlib import Path
import llmops.scorers
assert not [m for m in sys.modules if m.startswith("llmops.scorers.") and m.rpartition(".")[2] in
            ("squad", "rouge", "patterns", "similarity", "translation", "structure", "custom")]
for name in ("token_f1", "exact_match", "contains", "rouge_l", "context_overlap", "latency"):
    llmops.scorers.build(name, {}, base=Path())
heavy = {"numpy", "torch", "jsonschema", "sacrebleu", "sentence_transformers", "regex", "scipy",
         "importlib.metadata", "pydantic", "asyncio"} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_built_in_scorer_is_there_and_documented() -> None:
    assert set(BUILT_IN) <= set(names())
    for target in BUILT_IN.values():
        module, _, attribute = target.partition(":")
        found = getattr(__import__(module, fromlist=[attribute]), attribute)
        assert ">>>" in (found.__doc__ or ""), target
