"""Benchmarks of llmops, side by side with its peers.

    python benchmarks/run.py startup       what it costs to start
    python benchmarks/run.py harness       100 and 1,000 cases against a 20 ms endpoint
    python benchmarks/run.py throughput    tokens/s against vLLM's own `bench serve`
    python benchmarks/run.py prompts       lint, check, lock and diff against `git status`
    python benchmarks/run.py simulation    false alarms and power of the gate; calls of `auto`
    python benchmarks/run.py comparing     two runs of 100,000 cases: seconds and memory
    python benchmarks/run.py killing       `kill -9` at random points of a run: what is lost
    python benchmarks/run.py selecting     cells, calls and seconds of `--select state:modified`
    python benchmarks/run.py ragas_metrics every metric of Ragas that asks a model, on a served one
    python benchmarks/run.py all
    python benchmarks/run.py --install-peers

A peer that is not installed is reported as absent. The results are printed and
written to `benchmarks/results/`.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
import tempfile
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import harness
import peers
import report
import startup
import throughput

import prompts

PARTS = {"startup": startup, "harness": harness, "throughput": throughput, "prompts": prompts}
LATE = ("simulation", "comparing", "selecting", "ragas_metrics", "killing")
"""Parts that load the package; the others must stay small to measure small processes."""


def main() -> None:
    options = parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, which stops children
    if options.install_peers:
        peers.install()
    if options.part is None:
        if not options.install_peers:
            raise SystemExit(__doc__)
        return
    chosen = [*PARTS, *LATE] if options.part == "all" else [options.part]
    results: dict[str, Any] = {
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "command": " ".join(["python", *sys.argv]),
        "machine": report.machine(),
        "versions": dict(peers.versions()),
    }
    with tempfile.TemporaryDirectory(prefix="llmops-bench-") as temporary:
        work = options.work or Path(temporary)
        for name in chosen:
            print(f"{name} …", file=sys.stderr)
            results[name] = measured(name, work / name, options)
    results["machine_after"] = report.machine()
    parts = PARTS | {name: importlib.import_module(name) for name in LATE if name in results}
    path = report.write(results, parts, options.output)
    print(f"written to {path}", file=sys.stderr)
    if "reason" in results.get("harness", {}).get("tools", {}).get("llmops", {}):
        raise SystemExit("llmops did not do its work")


def measured(name: str, work: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The results of one part; `--quick` only shows that it runs."""
    quick, repeats = options.quick, options.repeats
    if name == "startup":
        return startup.run(repeats=repeats or (1 if quick else 11))
    if name == "harness":
        return harness.run(
            work,
            repeats=repeats or (1 if quick else 5),
            cases=options.cases or ([4, 12] if quick else [100, 1000]),
            latency=0.001 if quick else 0.02,
            only=options.only,
        )
    if name == "prompts":
        return prompts.run(
            work,
            repeats=repeats or (1 if quick else 7),
            sizes=[10, 20] if quick else [500, 5000],
            versions=1 if quick else 20,
        )
    if name == "simulation":
        return importlib.import_module(name).run(
            simulations=repeats or (20 if quick else 2000),
            cases=tuple(options.cases or ([50] if quick else [50, 100, 200, 500, 1000])),
        )
    if name == "comparing":
        return importlib.import_module(name).run(
            work,
            cases=(options.cases or [200 if quick else 100_000])[0],
            repeats=repeats or (1 if quick else 3),
        )
    if name == "selecting":
        return importlib.import_module(name).run(
            work,
            suites=8 if quick else 20,
            cases=(options.cases or [10 if quick else 500])[0],
            repeats=repeats or (1 if quick else 5),
        )
    if name == "ragas_metrics":
        with server(options) as served:
            return importlib.import_module(name).run(
                api_base=served.api_base,
                model=served.model,
                cases=(options.cases or [1 if quick else 24])[0],
                stock=0 if quick else 15,
            )
    if name == "killing":
        return importlib.import_module(name).run(
            work,
            cases=(options.cases or [40 if quick else 1000])[0],
            kills=repeats or (3 if quick else 100),
        )
    with server(options) as served:
        return throughput.run(
            work,
            repeats=repeats or (1 if quick else 5),
            requests=8 if quick else 120,
            only=options.only,
            server=served,
        )


def server(options: argparse.Namespace) -> AbstractContextManager[throughput.Server]:
    """The server that was named, or one of our own."""
    if options.api_base is None:
        return throughput.own_server()
    named = throughput.Server(
        api_base=options.api_base, model=options.model, python=options.vllm_python
    )
    return nullcontext(named)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("part", nargs="?", choices=[*PARTS, *LATE, "all"])
    made.add_argument("--install-peers", action="store_true", help="install them first, 2 GB")
    made.add_argument("--quick", action="store_true", help="one small round: does it run at all")
    made.add_argument("--repeats", type=int, metavar="N", help="rounds (11 for startup, else 5)")
    made.add_argument(
        "--cases",
        type=int,
        nargs="+",
        metavar="N",
        help="sizes of `harness`, `simulation` and `comparing`",
    )
    made.add_argument(
        "--only",
        action="append",
        default=[],
        choices=[*(each.name for each in harness.HARNESSES), "vllm bench serve"],
        help="a tool of `harness` or a side of `throughput`; may be given several times",
    )
    made.add_argument(
        "--api-base",
        help="a running vLLM server for `throughput`, which nobody else calls meanwhile; "
        "left out, one is started and stopped",
    )
    made.add_argument(
        "--model", default="smollm2-135m", help="with --api-base: the name that it serves"
    )
    made.add_argument(
        "--vllm-python",
        type=Path,
        metavar="FILE",
        help="with --api-base: Python of an environment with vLLM, for its `bench serve`; "
        "left out, only ours is measured",
    )
    made.add_argument(
        "--output", type=Path, default=peers.HERE / "results", metavar="DIR", help="for results"
    )
    made.add_argument("--work", type=Path, metavar="DIR", help="keep the generated projects here")
    return made


if __name__ == "__main__":
    main()
