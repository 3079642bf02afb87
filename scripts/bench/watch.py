"""What the watch costs: rules and objectives evaluated every 15 s, and the time from a failing request to the webhook.

The evaluations' CPU is what a server with rules takes more than the same server without them, both idle otherwise.
"""

import json
import random
import shutil
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from server import Server
from settings import Settings, median

SERVICES = 200
OBJECTIVES = 100
RULES = 1_000
ROUTES = 20
REQUESTS_A_ROUTE = 10
INTERVAL_SECONDS = 15
# Whole evaluations, after the first ones have warmed up.
MEASURED_SECONDS = 120
WARM_UP_SECONDS = 35
BREACHES = 10
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def measure(settings: Settings) -> dict:
    without = evaluation(settings, "services-only", [])
    watched = evaluation(settings, "rules", rules())
    evaluations = MEASURED_SECONDS / INTERVAL_SECONDS
    more = watched["cpu"] - without["cpu"]
    return {
        "services": SERVICES,
        "objectives": OBJECTIVES,
        "rules": RULES,
        "without_share": without["cpu"] / MEASURED_SECONDS,
        "core_share": more / MEASURED_SECONDS,
        "cpu_us_a_rule": more / evaluations / RULES * 1e6,
        "wall_ms_an_evaluation": watched["evaluation_us"] / 1000,
        "resident_mib": watched["resident_mib"],
        "resident_without_mib": without["resident_mib"],
        "told_seconds": told(settings),
    }


def name(number: int) -> str:
    return f"service-{number:03}"


def rules() -> list[dict]:
    """Five of a service: what people would write first."""
    kinds = [
        {"signal": "latency.p95", "above": "800ms", "hold": "5m"},
        {"signal": "errors.ratio", "above": "5%", "hold": "2m"},
        {"signal": "traffic", "below": "0.001/s", "hold": "10m"},
        {"signal": "latency.p99", "above": "2s", "route": "GET /pages/1"},
        {"signal": "errors.ratio", "above": "20%", "route": "*"},
    ]
    made = []
    for number in range(RULES - OBJECTIVES):
        kind = kinds[number // SERVICES % len(kinds)]
        made.append({"name": f"rule-{number}", "service": name(number % SERVICES), "class": "record"} | kind)
    for number in range(OBJECTIVES):
        made.append({"name": f"burning-{number}", "service": name(number), "objective": "available", "class": "record"})
    return made


def configure(folder: Path, chosen: list[dict], more: dict | None = None) -> Path:
    services = {}
    for number in range(SERVICES):
        has_objective = chosen and number < OBJECTIVES
        objectives = [{"name": "available", "good": "status < 500", "target": 99.9}] if has_objective else []
        services[name(number)] = {"owner": "web", "objectives": objectives}
    folder.mkdir(parents=True, exist_ok=True)
    # JSON is YAML.
    text = json.dumps({"schema": 1, "services": services, "rules": chosen} | (more or {}))
    (folder / "koshu.yaml").write_text(text)
    return folder


def evaluation(settings: Settings, kind: str, chosen: list[dict]) -> dict:
    runs = [one(settings, kind, chosen) for _ in range(settings.runs)]
    return {key: median(run[key] for run in runs) for key in runs[0]}


def one(settings: Settings, kind: str, chosen: list[dict]) -> dict:
    data = settings.folder / "lake-watch"
    shutil.rmtree(data, ignore_errors=True)
    config = configure(settings.folder / f"config-{kind}", chosen)
    with Server(settings, data, config) as server:
        for number in range(SERVICES):
            server.ask("POST", f"/api/v1/ingest/{name(number)}?format=json", requests(number))
        time.sleep(WARM_UP_SECONDS)
        before = server.cpu()
        time.sleep(MEASURED_SECONDS)
        found = {
            "cpu": server.cpu() - before,
            "evaluation_us": server.get("/api/v1/rules")["last_evaluation_us"],
            "resident_mib": server.resident_mib(),
        }
    settings.say(f"{len(chosen)} rules: {found}")
    shutil.rmtree(data)
    return found


def requests(number: int, status: int = 200) -> bytes:
    """Requests of the last minutes, so that every window has some as long as it is measured."""
    chance, now = random.Random(number), time.time()
    lines = []
    for route in range(ROUTES):
        for _ in range(REQUESTS_A_ROUTE):
            line = {
                "time": now - chance.uniform(0, 60), "method": "GET", "uri": f"/pages/{route}/{chance.choice('abc')}",
                "status": status, "request_time": round(chance.lognormvariate(-3, 1), 4), "remote_addr": "192.0.2.1",
            }  # fmt: skip
            lines.append(json.dumps(line))
    return "\n".join(lines).encode()


class Hook(ThreadingHTTPServer):
    """Remembers when each rule was heard of."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.heard: dict[str, float] = {}
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        at = time.monotonic()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.heard.setdefault(body["data"]["rule"], at)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def told(settings: Settings) -> list[float]:
    """From a failing request to its webhook, without a hold, at moments spread over an evaluation."""
    hook = Hook()
    chosen = [
        {
            "name": f"failing-{number}", "service": name(number), "signal": "errors.count", "above": 0, "window": "1m",
            "class": "alert", "action": "Look",
        } for number in range(BREACHES)
    ]  # fmt: skip
    webhook = {"url": f"http://127.0.0.1:{hook.server_port}/", "secret": SECRET}
    more = {"outputs": {"alert": [{"always": True, "webhook": webhook}]}}
    config = configure(settings.folder / "config-told", chosen, more)
    data = settings.folder / "lake-watch"
    shutil.rmtree(data, ignore_errors=True)
    sent = {}
    with Server(settings, data, config) as server:
        for number in range(BREACHES):
            time.sleep(INTERVAL_SECONDS * 1.1 / BREACHES)
            sent[f"failing-{number}"] = time.monotonic()
            line = json.dumps({"time": time.time(), "method": "GET", "uri": "/", "status": 500, "request_time": 0.01})
            server.ask("POST", f"/api/v1/ingest/{name(number)}?format=json", line.encode())
        end = time.monotonic() + 60
        while len(hook.heard) < BREACHES:
            if time.monotonic() > end:
                raise SystemExit(f"only {sorted(hook.heard)} were told within a minute")
            time.sleep(0.05)
    hook.shutdown()
    shutil.rmtree(data)
    found = sorted(hook.heard[rule] - at for rule, at in sent.items())
    settings.say(f"told after {[round(seconds, 2) for seconds in found]} s")
    return found
