"""The results as one Markdown page and one JSON file, with the machine they hold for."""

from __future__ import annotations

import json
import os
import platform
import resource
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


def machine() -> dict[str, Any]:
    """What the numbers depend on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "floor_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6, 1),
        "load": [round(each, 2) for each in os.getloadavg()],
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def write(results: dict[str, Any], parts: dict[str, ModuleType], folder: Path) -> Path:
    """Write `<started>.json` and `.md`, print the page; gives the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = results["started"].replace(":", "").replace("-", "")
    page = "\n".join(markdown(results, parts)) + "\n"
    (folder / f"{stem}.json").write_text(json.dumps(results, indent=1) + "\n")
    path = folder / f"{stem}.md"
    path.write_text(page)
    sys.stdout.write(page)
    return path


def markdown(results: dict[str, Any], parts: dict[str, ModuleType]) -> list[str]:
    before, after = results["machine"], results["machine_after"]
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    lines = [
        f"# Benchmarks of {results['started']}",
        "",
        ", ".join(str(before[key]) for key in ("processor", "system"))
        + f", {before['cores']} cores, {before['memory_gb']} GB, Python {before['python']}; "
        + f"load average {before['load'][0]} before and {after['load'][0]} after.",
        "",
        f"Versions: {versions}.",
    ]
    for name, part in parts.items():
        if name in results:
            told = (part.__doc__ or "").splitlines()[0]
            lines += ["", f"## {name}", "", told, "", *part.table(results[name])]
    return lines
