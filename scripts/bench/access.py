"""`koshu access` on a combined log of 1 GB with response times, beside DuckDB, chdb and GoAccess."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import process
from settings import Settings, median

PEERS = Path(__file__).with_name("peers.py")
WAYS = ["duckdb-regex", "duckdb-split", "chdb-regex", "chdb-split"]
# GoAccess always counts every panel that is not ignored; only the one of requests is asked for.
PANELS = [
    "VISITORS", "REQUESTS_STATIC", "NOT_FOUND", "HOSTS", "OS", "BROWSERS", "VISIT_TIMES", "VIRTUAL_HOSTS", "REFERRERS",
    "REFERRING_SITES", "KEYPHRASES", "STATUS_CODES", "REMOTE_USER", "CACHE_STATUS", "GEO_LOCATION", "MIME_TYPE",
    "TLS_TYPE",
]  # fmt: skip


def log_file(settings: Settings) -> Path:
    """The log; made once, always the same bytes."""
    path = settings.folder / f"access-{settings.megabytes}.log"
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("wb") as out:
            subprocess.run([settings.folder / "generate", str(settings.megabytes)], stdout=out, check=True)
        unfinished.rename(path)
    return path


def goaccess(log: Path) -> list[str]:
    ignored = [f"--ignore-panel={panel}" for panel in PANELS]
    log_format = '%h %^ %^ [%d:%t %^] "%r" %s %b "%R" "%u" %T'
    return ["goaccess", str(log), f"--log-format={log_format}", "--date-format=%d/%b/%Y", "--time-format=%H:%M:%S",
            "--no-query-string", "--no-progress", "--no-global-config", "--output-format=json", *ignored]  # fmt: skip


def measure(settings: Settings) -> dict:
    log = log_file(settings)
    lines = int(subprocess.run(["wc", "-l", log], capture_output=True, text=True, check=True).stdout.split()[0])
    commands = {"koshu": [str(settings.koshu), "access", str(log), "-o", "json"]}
    commands |= {way: [sys.executable, str(PEERS), way, str(log)] for way in WAYS}
    commands["goaccess"] = goaccess(log)
    runs = {name: [] for name in commands}
    reports = {}
    # One of each in turn: what else the machine does meets all of them.
    for _ in range(settings.runs):
        for name, command in commands.items():
            ran = process.run(command)
            settings.say(f"access {name}: {ran.cpu:.2f} CPU s, {ran.peak_mib:.0f} MiB")
            runs[name].append({"cpu": ran.cpu, "wall": ran.wall, "peak_mib": ran.peak_mib})
            reports[name] = ran.output
    check(reports, lines)
    return {
        "bytes": log.stat().st_size,
        "lines": lines,
        "runs": runs,
        "medians": {name: {key: median(run[key] for run in found) for key in found[0]} for name, found in runs.items()},
        "versions": versions(),
    }


def check(reports: dict[str, str], lines: int) -> None:
    """Everybody counted the same calls and errors, or the comparison is worth nothing."""
    ours = json.loads(reports["koshu"])
    want = {row["route"]: (row["count"], row["errors"]) for row in ours["rows"]}
    assert ours["parsed"] == lines, (ours["parsed"], lines)
    for way in WAYS:
        rows = json.loads(reports[way].splitlines()[-1])
        got = sum(int(row[1]) for row in rows), sum(int(row[2]) for row in rows)
        assert got == (lines, sum(errors for _, errors in want.values())), (way, got, lines)
        assert len(rows) == len(want), (way, len(rows), len(want))


def versions() -> dict[str, str]:
    said = subprocess.run(["goaccess", "--version"], capture_output=True, text=True, check=True).stdout
    found = next(word for word in said.split() if word[0].isdigit())
    return {"duckdb": version("duckdb"), "chdb": version("chdb"), "goaccess": found.rstrip(".")}
