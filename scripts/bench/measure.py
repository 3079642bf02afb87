"""Runs the chosen measurements, keeps their figures, and writes docs/benchmarks.md. Started by scripts/bench/run."""

import argparse
import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import access
import intake
import protocols
import queries
import report
import start
import watch
from settings import Settings

PARTS = {
    "access": access.measure,
    "intake": intake.measure,
    "protocols": protocols.measure,
    "queries": queries.measure,
    "start": start.measure,
    "watch": watch.measure,
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench/run", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} or report; all by default")
    parser.add_argument("--koshu", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=3, help="how often each is run; the median counts")
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the combined log")
    parser.add_argument("--lines", type=int, default=1_000_000, help="JSON lines of one intake")
    chosen = parser.parse_args()
    unknown = set(chosen.parts) - set(PARTS) - {"report"}
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)} and report")
    return chosen


def machine() -> dict:
    def said(*command: str) -> str:
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        return ran.stdout.strip()

    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())  # fmt: skip
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / (1 << 20)
    return {
        "cores": os.cpu_count(),
        "model": model,
        "memory_gib": memory,
        "kernel": platform.release(),
        "load": os.getloadavg()[1],
        "at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": said("git", "rev-parse", "--short=10", "HEAD"),
        "changed": bool(said("git", "status", "--porcelain", "--untracked-files=no", "crates", "Cargo.lock")),
    }


def main() -> None:
    chosen = arguments()
    settings = Settings(chosen.koshu, chosen.folder, chosen.runs, chosen.megabytes, chosen.lines)
    kept = settings.folder / "results.json"
    results = json.loads(kept.read_text()) if kept.exists() else {}
    for name in chosen.parts or PARTS:
        if name in PARTS:
            before = machine()
            results[name] = PARTS[name](settings) | {"machine": before, "runs_asked": settings.runs}
            kept.write_text(json.dumps(results, indent=1))
    report.write(results)


if __name__ == "__main__":
    main()
