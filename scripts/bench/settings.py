"""What all measurements are told."""

import math
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    koshu: Path
    folder: Path
    runs: int
    megabytes: int
    lines: int

    def say(self, text: str) -> None:
        """Progress, for whoever waits."""
        print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


def median(values) -> float:
    return statistics.median(list(values))


def percentile(values: list[float], share: float) -> float:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]
