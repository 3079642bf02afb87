"""One running Koshu: started, asked, measured, stopped or killed."""

import http.client
import json
import os
import subprocess
import threading
import time
import urllib.parse
from pathlib import Path

import process
from settings import Settings

READY_SECONDS = 300
SEALED_SECONDS = 300
COMPACTED_SECONDS = 900
# Free ports, so that nothing else of this machine is in the way.
LISTENERS = [part for name in ("otlp_grpc", "otlp_http", "forward", "syslog") for part in ("--listen", f"{name}=127.0.0.1:0")]


class Server:
    """`koshu up` on a free port of loopback, with its defaults and nothing of this machine's logs."""

    def __init__(self, settings: Settings, data: Path, config: Path | None = None):
        root = settings.folder / "no-logs"
        root.mkdir(parents=True, exist_ok=True)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("KOSHU_")}
        environment |= {"KOSHU_HOST_ROOT": str(root), "NO_COLOR": "1", "TZ": "UTC"}
        self.said = settings.folder / "server.stderr"
        begin = time.monotonic()
        with self.said.open("wb") as errors:
            self.child = subprocess.Popen(
                [settings.koshu, "up", "--dir", data, "--http", "127.0.0.1:0", *LISTENERS,
                 *(["--config", config] if config else [])],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment,
            )  # fmt: skip
        self.pid = self.child.pid
        alarm = threading.Timer(READY_SECONDS, self.child.kill)
        alarm.start()
        try:
            ready = next((line for line in self.child.stdout if line.startswith("ready ")), None)
        finally:
            alarm.cancel()
        if ready is None:
            raise SystemExit(f"koshu was not ready:\n{self.said.read_text()[-3000:]}")
        self.ready_seconds = time.monotonic() - begin
        self.ready_cpu = self.cpu()
        self.address = urllib.parse.urlsplit(ready.split()[1]).netloc
        self.headers = {"Authorization": f"Bearer {(data / 'admin.token').read_text().strip()}"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.stop()
        self.child.stdout.close()

    def cpu(self) -> float:
        return process.cpu_seconds(self.pid)

    def peak_mib(self) -> float:
        return process.memory_mib(self.pid, "VmHWM")

    def resident_mib(self) -> float:
        return process.memory_mib(self.pid, "VmRSS")

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.address, timeout=120)

    def ask(self, method: str, path: str, body: bytes | None = None, connection=None) -> bytes:
        """Answer of a request that went well."""
        connection = connection or self.connect()
        kind = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, path, body=body, headers=self.headers | kind)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status == 503 and (wait := answer.getheader("Retry-After")):
            raise Busy(float(wait))
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text[:1000].decode(errors='replace')}")
        return text

    def get(self, path: str, **parameters) -> dict:
        query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        return json.loads(self.ask("GET", path + query))

    def sql(self, sql: str, start: str, end: str, limit: int = 1000) -> dict:
        body = json.dumps({"sql": sql, "from": start, "to": end, "limit": limit}).encode()
        return json.loads(self.ask("POST", "/api/v1/sql", body))

    def tables(self) -> dict[str, dict]:
        return {table["name"]: table for table in self.get("/api/v1/status")["tables"]}

    def wait_until_sealed(self, rows: int) -> None:
        """Until so many requests are in files. The journal itself is seldom empty: it takes this host's measurements."""
        wait(SEALED_SECONDS, "sealed", lambda: self.tables()["requests"]["rows"] >= rows)

    def wait_until_compacted(self, days: int) -> None:
        """Until requests and roll-ups have as few files as their days (large days keep several)."""

        def compact() -> bool:
            tables = self.tables()
            return all(tables[name]["files"] <= days + tables[name]["bytes"] // (64 << 20)
                       for name in ("requests", "rollup_1m"))  # fmt: skip

        wait(COMPACTED_SECONDS, "compacted", compact)

    def kill(self) -> None:
        self.child.kill()
        self.child.wait()

    def stop(self) -> None:
        self.child.terminate()
        try:
            self.child.wait(120)
        except subprocess.TimeoutExpired:
            self.kill()
            raise SystemExit("koshu did not stop within 120 s") from None


class Busy(Exception):
    """The server pushed back; try again after these seconds."""

    def __init__(self, seconds: float):
        super().__init__(f"busy for {seconds} s")
        self.seconds = seconds


def wait(seconds: float, what: str, done) -> None:
    """Asks twice a second until it is so."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise SystemExit(f"not {what} after {seconds} s")
        time.sleep(0.5)
