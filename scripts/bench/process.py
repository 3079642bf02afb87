"""CPU time and memory of other processes, as the kernel counts them."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process, ended ones too, in nanosecond steps.

    The same clock as utime + stime of /proc/PID/stat, which only counts hundredths.
    """
    return time.clock_gettime((~pid << 3) | 2)


def memory_mib(pid: int, key: str) -> float:
    """`VmHWM` (the peak of what was in memory) or `VmRSS` of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) / 1024
    return 0.0


@dataclass
class Ran:
    """A command that ran to its end."""

    cpu: float
    wall: float
    peak_mib: float
    output: str


def run(command: list[str]) -> Ran:
    """Runs a command; its peak is asked for while it runs, because ru_maxrss also remembers the parent of a fork."""
    output = subprocess.PIPE
    begin = time.monotonic()
    child = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL)
    peak = 0.0
    os.set_blocking(child.stdout.fileno(), False)
    text = b""
    while True:
        done, status, usage = os.wait4(child.pid, os.WNOHANG)
        try:
            text += os.read(child.stdout.fileno(), 1 << 20)
        except BlockingIOError:
            pass
        if done:
            break
        try:
            peak = max(peak, memory_mib(child.pid, "VmHWM"))
        except OSError:
            pass
        time.sleep(0.01)
    child.returncode = os.waitstatus_to_exitcode(status)
    while more := os.read(child.stdout.fileno(), 1 << 20):
        text += more
    child.stdout.close()
    said = text.decode(errors="replace")
    if child.returncode != 0:
        raise SystemExit(f"{command[0]} ended with {child.returncode}:\n{said[-3000:]}")
    return Ran(usage.ru_utime + usage.ru_stime, time.monotonic() - begin, peak, said)


def folder_bytes(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def forget_cached(folder: Path) -> None:
    """Asks the kernel to drop these files, and no others, from its cache: what is read next comes from the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
