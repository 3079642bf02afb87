"""Answers over a stored day: pages in wall time, SQL in CPU time of the server."""

import time
from datetime import timedelta

import intake
from server import Server
from settings import Settings, median, percentile

WARM_UP = 3
CALLS = 50
# A page that is far too slow is called less often; the report says how often.
PAGE_SECONDS = 30
LEAST_CALLS = 5
SQL_CALLS = 7
ROUTES = 40


def measure(settings: Settings) -> dict:
    data, first = intake.day_lake(settings)
    with Server(settings, data) as server:
        tables = server.tables()
        return {
            "rows": tables["requests"]["rows"],
            "rollup_rows": tables["rollup_1m"]["rows"],
            "pages": pages(settings, server, first),
            "sql": sql(settings, server, first),
            "peak_mib": server.peak_mib(),
        }


def pages(settings: Settings, server: Server, first) -> dict:
    day = {"from": intake.text_of(first), "to": intake.text_of(first + timedelta(days=1))}
    base = f"/api/v1/services/{intake.SERVICE}"
    found = {}
    for name, path in {
        "signals": f"{base}/signals",
        "requests": f"{base}/requests",
        "services": "/api/v1/services",
        "overview": "/api/v1/overview",
    }.items():
        cold, _ = timed(server, lambda: server.get(path, **day))
        for _ in range(WARM_UP):
            server.get(path, **day)
        calls, begin = [], time.monotonic()
        while len(calls) < CALLS and (len(calls) < LEAST_CALLS or time.monotonic() - begin < PAGE_SECONDS):
            calls.append(timed(server, lambda: server.get(path, **day)))
        walls = [wall * 1000 for wall, _ in calls]
        found[name] = {
            "cold_ms": cold * 1000,
            "p50_ms": percentile(walls, 0.5),
            "p95_ms": percentile(walls, 0.95),
            "cpu_ms": median(cpu for _, cpu in calls) * 1000,
            "calls": len(calls),
        }
        settings.say(f"page {name}: " + ", ".join(f"{key} {value:.1f}" for key, value in found[name].items()))
    answer = server.get(f"{base}/requests", **day)
    rows = server.tables()["requests"]["rows"]
    assert answer["total"]["count"] == rows and len(answer["rows"]) == ROUTES, (answer["total"], len(answer["rows"]))
    return found


def sql(settings: Settings, server: Server, first) -> dict:
    """Over two million rows: a fifth of the day."""
    start, end = intake.text_of(first), intake.text_of(first + timedelta(days=1) / 5)

    def ask(text: str, limit: int = 1000) -> dict:
        return server.sql(text, start, end, limit)

    total = ask("select count(*) from requests")["rows"][0][0]
    middle = first + timedelta(days=1) / 10
    known = server.get("/api/v1/logs", **{"from": start, "to": intake.text_of(middle)}, limit=1)["rows"][0]
    trace = known["trace_id"]
    quantiles = ", ".join(f"approx_percentile_cont({share}) within group (order by duration_us)"
                          for share in (0.5, 0.95, 0.99))  # fmt: skip
    window = {"from": start, "to": end}
    asked = {
        "count by status, minute": lambda: ask(
            "select status, date_trunc('minute', ts) as minute, count(*) from requests group by 1, 2", 10_000),
        "p50, p95, p99 by route": lambda: ask(f"select route, count(*), {quantiles} from requests group by route"),
        "substring of path": lambda: ask("select count(*) from requests where path like '%/orders/4434%'"),
        "exact trace id": lambda: ask(f"select ts, path from requests where trace_id = '{trace}'"),
        "exact trace id, explorer": lambda: server.get("/api/v1/logs", **window, q=f"trace:{trace}", limit=100),
        "last 100 rows": lambda: server.get("/api/v1/logs", **window, limit=100),
    }  # fmt: skip
    found = {}
    for name, question in asked.items():
        cold_wall, cold_cpu = timed(server, question)
        calls = [timed(server, question) for _ in range(SQL_CALLS)]
        rows = len(question()["rows"])
        found[name] = {
            "cold_cpu": cold_cpu,
            "cpu": median(cpu for _, cpu in calls),
            "wall": median(wall for wall, _ in calls),
            "cold_wall": cold_wall,
            "rows": rows,
        }
        settings.say(f"sql {name}: " + ", ".join(f"{key} {value:.3f}" for key, value in found[name].items()))
    assert found["exact trace id"]["rows"] == 1 and found["last 100 rows"]["rows"] == 100, found
    return {"range_rows": total, "asked": found}


def timed(server: Server, question) -> tuple[float, float]:
    """Wall time of the call, CPU time of the server."""
    before, begin = server.cpu(), time.perf_counter()
    question()
    wall = time.perf_counter() - begin
    return wall, server.cpu() - before
