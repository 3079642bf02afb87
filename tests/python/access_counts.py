"""Counts an access log without any of our code: lines, statuses, durations in seconds by route.

Prints one JSON object. A line that none of the rules below reads counts as unread.
"""

import collections
import json
import re
import sys

PLAIN = re.compile(r'\[[^\]]+\] "(?P<request>.*?)" (?P<status>\d{3}) (?P<bytes>\d+|-)(?P<rest>.*)$')
CUT_SHORT = re.compile(r' "[^"]*$')
TIME_AT_END = re.compile(r'" (?:- )?(?P<seconds>\d+\.\d+)$')


def first_number(*values):
    """The first of the values that is a number, as nginx writes `-` where there was none."""
    for value in values:
        try:
            return float(value)
        except (TypeError, ValueError):
            pass
    return None


def read(line):
    """Status, request line without query, seconds or None; or None when the line can't be read."""
    if line.startswith("{"):
        fields = json.loads(line)
        request = f"{fields['method']} {fields['uri']}"
        return str(fields["status"]), request, first_number(fields.get("response_time"), fields.get("request_time"))
    if line.startswith("time:"):
        fields = dict(part.split(":", 1) for part in line.split("\t"))
        request = f"{fields['method']} {fields['uri']}"
        return fields["status"], request, first_number(fields.get("apptime"), fields.get("reqtime"))
    found = PLAIN.search(line)
    if not found or CUT_SHORT.search(found["rest"]):
        return None
    timed = TIME_AT_END.search(found["rest"])
    return found["status"], found["request"], float(timed["seconds"]) if timed else None


def main(path):
    lines = unread = 0
    statuses = collections.Counter()
    routes = collections.defaultdict(list)
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as log:
        for raw in log:
            lines += 1
            record = read(raw.rstrip("\r\n"))
            if record is None:
                unread += 1
                continue
            status, request, seconds = record
            statuses[status] += 1
            if seconds is not None:
                method, target = request.split(" ")[:2]
                route = re.sub(r"/\d+(?=/|$)", "/:id", target.split("?")[0])
                routes[f"{method} {route}"].append(seconds)
    print(json.dumps({"lines": lines, "unread": unread, "statuses": statuses, "seconds_by_route": routes}))


main(sys.argv[1])
