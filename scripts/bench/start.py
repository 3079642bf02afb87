"""How long a start takes with a day of requests stored, or with 1 GiB of journal; and what an idle server takes."""

import shutil
import struct
import time
from pathlib import Path

import intake
import process
from server import Server
from settings import Settings, median

JOURNAL_BYTES = 1 << 30
IDLE_SECONDS = 60
# Close below a whole segment (64 MiB), which would be sealed at once.
SEGMENT_BYTES = 20 << 20
HEADER_BYTES = 32


def measure(settings: Settings) -> dict:
    data, _ = intake.day_lake(settings)
    cached = [one_start(settings, data, cold=False) for _ in range(settings.runs)]
    cold = [one_start(settings, data, cold=True) for _ in range(settings.runs)]
    replays = [one_replay(settings) for _ in range(settings.runs)]
    return {
        "ready": median(run["ready"] for run in cached),
        "ready_cpu": median(run["cpu"] for run in cached),
        "ready_uncached": median(run["ready"] for run in cold),
        "replay": {key: median(run[key] for run in replays) for key in replays[0]},
        "idle_empty": idle(settings, None),
        "idle_day": idle(settings, data),
    }


def one_start(settings: Settings, data: Path, cold: bool) -> dict:
    if cold:
        process.forget_cached(data)
    with Server(settings, data) as server:
        found = {"ready": server.ready_seconds, "cpu": server.ready_cpu}
    settings.say(f"start with a day stored, cold {cold}: {found}")
    return found


def idle(settings: Settings, data: Path | None) -> dict:
    """Memory a minute after the start, without anybody asking anything."""
    empty = settings.folder / "lake-empty"
    shutil.rmtree(empty, ignore_errors=True)
    with Server(settings, data or empty) as server:
        time.sleep(IDLE_SECONDS)
        before = server.cpu()
        time.sleep(10)
        found = {
            "resident_mib": server.resident_mib(),
            "peak_mib": server.peak_mib(),
            "cpu_share": (server.cpu() - before) / 10,
        }
    settings.say(f"idle {'with a day stored' if data else 'empty'}: {found}")
    return found


def one_replay(settings: Settings) -> dict:
    data = settings.folder / "lake-replay"
    rows = fill_journal(settings, data)
    journal = sum(path.stat().st_size for path in (data / "journal").glob("*.journal"))
    with Server(settings, data) as server:
        found = {"ready": server.ready_seconds, "cpu": server.ready_cpu, "peak_mib": server.peak_mib()}
        server.wait_until_sealed(rows)
        found |= {"sealed_cpu": server.cpu(), "sealed_peak_mib": server.peak_mib()}
        stored = server.tables()["requests"]["rows"]
        assert stored == rows, (stored, rows)
    found |= {"bytes": journal, "rows": rows}
    settings.say(f"replay: {found}")
    shutil.rmtree(data)
    return found


def fill_journal(settings: Settings, data: Path) -> int:
    """1 GiB of segments: one that a killed server left, under many numbers. Returns the rows in them."""
    shutil.rmtree(data, ignore_errors=True)
    bodies = sorted(intake.make_lines(settings, 0, intake.first_moment()).iterdir())
    with Server(settings, data) as server:
        rows, segment = 0, None
        for body in bodies:
            server.ask("POST", f"/api/v1/ingest/{intake.SERVICE}?format=json", body.read_bytes())
            rows += len(body.read_bytes().splitlines())
            # Measurements of this host are in a segment too, so it is the largest that counts.
            segment = max((data / "journal").glob("*.journal"), key=lambda path: path.stat().st_size)
            if segment.stat().st_size >= SEGMENT_BYTES:
                break
        server.kill()
    content = segment.read_bytes()
    number = max(int(path.stem) for path in (data / "journal").glob("*.journal"))
    copies = 0
    while (copies + 1) * len(content) < JOURNAL_BYTES:
        copies += 1
        copy = header(content, number + copies) + content[HEADER_BYTES:]
        (segment.parent / f"{number + copies:012}.journal").write_bytes(copy)
    return rows * (copies + 1)


def header(content: bytes, number: int) -> bytes:
    """The header of a segment, with another number in it."""
    fields = content[:8] + struct.pack("<Q", number)
    return fields + struct.pack("<I", crc32c(fields)) + bytes(HEADER_BYTES - len(fields) - 4)


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
