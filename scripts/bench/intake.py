"""One million JSON access lines over HTTP: durable, sealed, rolled up, compacted. Fills the lake of the other parts too."""

import json
import queue
import shutil
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from server import Busy, Server
from settings import Settings, median

SERVICE = "shop"
CONNECTIONS = 2
DAY_SECONDS = 86_400
# A day of requests is this many times the lines of one measurement.
CHUNKS = 10


def first_moment() -> datetime:
    """Three days ago, off the hour: compaction takes whole past days, and no window begins where a roll-up does."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=3) + timedelta(minutes=17)


def text_of(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def make_lines(settings: Settings, chunk: int, first: datetime) -> Path:
    """Request bodies of one tenth of the day."""
    folder = settings.folder / "lines"
    shutil.rmtree(folder, ignore_errors=True)
    span = DAY_SECONDS // CHUNKS
    start = int(first.timestamp()) + span * chunk
    command = [settings.folder / "json_lines", folder, settings.lines, start, span, chunk + 1]
    subprocess.run([str(word) for word in command], check=True)
    return folder


def send(server: Server, folder: Path) -> tuple[int, int]:
    """Posts every file over two connections; returns lines that were accepted, and how often it was pushed back."""
    waiting: queue.SimpleQueue = queue.SimpleQueue()
    for file in sorted(folder.iterdir()):
        waiting.put(file)
    accepted, pushed_back, failures = [], [], []

    def one_connection() -> None:
        connection = server.connect()
        while True:
            try:
                body = waiting.get_nowait().read_bytes()
            except queue.Empty:
                return
            while True:
                try:
                    answer = server.ask("POST", f"/api/v1/ingest/{SERVICE}?format=json", body, connection)
                    break
                except Busy as busy:
                    pushed_back.append(busy)
                    time.sleep(busy.seconds)
            accepted.append(json.loads(answer)["accepted"])

    def guarded() -> None:
        try:
            one_connection()
        except (SystemExit, Exception) as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise SystemExit(f"sending failed: {failures[0]}\n{server.said.read_text()[-2000:]}")
    return sum(accepted), len(pushed_back)


def one_run(settings: Settings, data: Path, bodies: Path) -> dict:
    shutil.rmtree(data, ignore_errors=True)
    with Server(settings, data) as server:
        before, begin = server.cpu(), time.monotonic()
        accepted, pushed_back = send(server, bodies)
        assert accepted == settings.lines, accepted
        acknowledged_cpu, acknowledged = server.cpu() - before, time.monotonic() - begin
        server.wait_until_sealed(settings.lines)
        sealed_cpu, sealed_peak = server.cpu() - before, server.peak_mib()
        tables = server.tables()
        server.wait_until_compacted(days=1)
        compacted = server.tables()
        assert compacted["requests"]["rows"] == settings.lines, compacted
        return {
            "acknowledged_cpu": acknowledged_cpu,
            "acknowledged_wall": acknowledged,
            "cpu": sealed_cpu,
            "peak_mib": sealed_peak,
            "sealed_bytes_a_row": bytes_a_row(tables, settings.lines),
            "compaction_cpu": server.cpu() - before - sealed_cpu,
            "compaction_peak_mib": server.peak_mib(),
            "bytes_a_row": bytes_a_row(compacted, settings.lines),
            "rollup_bytes_a_row": compacted["rollup_1m"]["bytes"] / settings.lines,
            "rollup_rows": compacted["rollup_1m"]["rows"],
            "pushed_back": pushed_back,
        }


def bytes_a_row(tables: dict, lines: int) -> float:
    """Requests and roll-ups together: what these lines cost on disk."""
    return (tables["requests"]["bytes"] + tables["rollup_1m"]["bytes"]) / lines


def measure(settings: Settings) -> dict:
    bodies = make_lines(settings, 0, first_moment())
    size = sum(file.stat().st_size for file in bodies.iterdir())
    runs = []
    for _ in range(settings.runs):
        run = one_run(settings, settings.folder / "lake-1m", bodies)
        settings.say("intake " + ", ".join(f"{key} {value:.2f}" for key, value in run.items()))
        runs.append(run)
    medians = {key: median(run[key] for run in runs) for key in runs[0]}
    return {"lines": settings.lines, "bytes": size, "runs": runs, "medians": medians}


def day_lake(settings: Settings) -> tuple[Path, datetime]:
    """A lake with a day of requests; made when there is none, or when what is there grew old."""
    data, stamp = settings.folder / "lake-day", settings.folder / "lake-day.json"
    if stamp.exists():
        known = json.loads(stamp.read_text())
        first = datetime.fromisoformat(known["first"])
        if known["lines"] == settings.lines and datetime.now(UTC) - first < timedelta(days=20):
            return data, first
    stamp.unlink(missing_ok=True)
    shutil.rmtree(data, ignore_errors=True)
    first = first_moment()
    with Server(settings, data) as server:
        for chunk in range(CHUNKS):
            accepted, _ = send(server, make_lines(settings, chunk, first))
            assert accepted == settings.lines, accepted
            settings.say(f"lake of a day: {(chunk + 1) * settings.lines:,} requests, peak {server.peak_mib():.0f} MiB")
        server.wait_until_sealed(CHUNKS * settings.lines)
        server.wait_until_compacted(days=2)
    stamp.write_text(json.dumps({"first": first.isoformat(), "lines": settings.lines}))
    return data, first
