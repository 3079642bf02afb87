"""Computes burn, budget and what the burn rules say without any of our code, in exact fractions.

Reads one JSON document from standard input and prints one: see `crates/watch/src/burn/tests.rs`, which compares.
Counts come as `[minute, good, valid]`, seen time as `[from_minute, to_minute]`, minutes since the epoch.
"""

import datetime
import itertools
import json
import sys
import zoneinfo
from fractions import Fraction

MINUTES_KEPT = 3 * 24 * 60 + 120
ROWS = [
    ("alert", Fraction(2, 100), 60),
    ("alert", Fraction(5, 100), 360),
    ("ticket", Fraction(10, 100), 1440),
    ("ticket", Fraction(10, 100), 4320),
    ("alert", None, 60),
    ("alert", None, 1440),
    ("ticket", None, 4320),
]


def period(window, zone, second):
    """First second of the window and the one after it, for a window that holds `second`."""
    if window.endswith("d"):
        return second - int(window[:-1]) * 86400, second
    tz = zoneinfo.ZoneInfo(zone)
    day = datetime.datetime.fromtimestamp(second, tz).date()
    if window == "week":
        first = day - datetime.timedelta(days=day.weekday())
        after = first + datetime.timedelta(days=7)
    else:
        months = {"month": 1, "quarter": 3}[window]
        first = day.replace(day=1, month=day.month - (day.month - 1) % months)
        months_since = first.year * 12 + first.month - 1 + months
        after = datetime.date(months_since // 12, months_since % 12 + 1, 1)
    start_of = lambda d: int(datetime.datetime(d.year, d.month, d.day, tzinfo=tz).timestamp())
    return start_of(first), start_of(after)


class Counts:
    def __init__(self, case):
        minutes = [minute for minute, _, _ in case["counts"]] + [minute for pair in case["seen"] for minute in pair]
        self.first, last = min(minutes), max(minutes)
        length = last - self.first + 1
        good, valid, seen = [0] * length, [0] * length, [0] * length
        for minute, good_now, valid_now in case["counts"]:
            good[minute - self.first] += good_now
            valid[minute - self.first] += valid_now
            seen[minute - self.first] = 1
        for start, end in case["seen"]:
            for minute in range(start, end):
                seen[minute - self.first] = 1
        # Sums up to each minute.
        self.sums = [[0, *itertools.accumulate(values)] for values in (good, valid, seen)]

    def sum(self, start, end, now):
        """Good, valid and seen minutes of whole minutes; before the kept minutes, of whole hours."""
        if start < now - MINUTES_KEPT + 1:
            start -= start % 60
        last = len(self.sums[0]) - 1
        low, high = (min(max(minute - self.first, 0), last) for minute in (start, max(start, end)))
        return tuple(sums[high] - sums[low] for sums in self.sums)


def burn(good, valid, budget):
    return Fraction(valid - good, valid) / budget if valid else None


def said(counts, share, long, length, budget, min_bad, end, now):
    if counts.first > end - long:
        return "mute"
    short = long // 12
    good, valid, seen = counts.sum(end - long, end, now)
    good_short, valid_short, seen_short = counts.sum(end - short, end, now)
    if seen < short or seen_short == 0:
        return "unseen"

    def exceeds(good, valid):
        rate = burn(good, valid, budget)
        if rate is None or rate <= 1:
            return False
        if share is None:
            return Fraction(valid - good, valid) >= Fraction(1, 2)
        return rate > share * length / (long * 60)

    if not exceeds(good, valid) or valid - good < min_bad:
        return "fine"
    empty = share is None and valid_short == 0
    return "burning" if empty or exceeds(good_short, valid_short) else "easing"


def number(value):
    return None if value is None else float(value)


def answer(case, counts, second):
    budget = 1 - Fraction(case["target"]) / 100
    now, end = second // 60, -(-second // 60)
    start, after = period(case["window"], case["zone"], end * 60 if case["window"].endswith("d") else second)
    length = after - start
    until = min(end, after // 60)
    good, valid, _ = counts.sum(start // 60, until, now)
    spent = burn(good, valid, budget)
    hour_good, hour_valid, _ = counts.sum(until - 60, until, now)
    return {
        "from": start,
        "to": after,
        "good": good,
        "valid": valid,
        "left": number(None if spent is None else 1 - spent),
        "burn_1h": number(burn(hour_good, hour_valid, budget)),
        "rows": [
            {
                "said": said(counts, share, long, length, budget, case["min_bad"], end, now),
                "threshold": number(max(1, Fraction(1, 2) / budget if share is None else share * length / (long * 60))),
            }
            for _, share, long in ROWS
        ],
    }


def main():
    cases = json.load(sys.stdin)
    answers = []
    for case in cases:
        counts = Counts(case)
        answers.append([answer(case, counts, second) for second in case["seconds"]])
    json.dump(answers, sys.stdout)


main()
