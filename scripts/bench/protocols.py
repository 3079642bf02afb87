"""What other programs' protocols cost: records a CPU second of the server, bytes a sample, and what overload does.

Bodies are made beforehand and sent as they are, so that the server is what is measured. CPU counts until everything is
acknowledged (durable and visible), and once more until it is sealed.
"""

import json
import random
import shutil
import socket
import struct
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import grpc
import msgpack
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

import process
from server import Server
from settings import Settings, median

RECORDS = 1_000_000
BATCH = 1_000
# Different bodies; they are sent in turn.
BODIES = 100
CONNECTIONS = 4
BODY_BYTES = 200
SERIES = 500
SCRAPES = 2_000
SAMPLES_A_REQUEST = 2_000
SCRAPE_SECONDS = 15
OVERLOAD_SECONDS = 60
CAPACITY_SECONDS = 20
OVERLOAD_CONNECTIONS = 64
OVERLOAD_MEMORY = "512MiB"


def measure(settings: Settings) -> dict:
    logs = {name: [one(settings, name, send) for _ in range(settings.runs)] for name, send in LOGS.items()}
    writes = [remote_write(settings) for _ in range(settings.runs)]
    return {
        "records": RECORDS,
        "logs": {name: {key: median(run[key] for run in runs) for key in runs[0]} for name, runs in logs.items()},
        "remote_write": {key: median(run[key] for run in writes) for key in writes[0]},
        "overload": overload(settings),
    }


def records(body: int) -> list[tuple[int, str]]:
    """Times in nanoseconds, and texts of such a length that a record with its fields has 200 bytes."""
    chance = random.Random(body)
    begin = time.time_ns() - 3600 * 10**9 + body * BATCH * 10**6
    words = ["checkout", "cart", "payment", "timeout", "retry", "stored", "user", "session", "upstream", "queue"]
    texts = []
    for at in range(BATCH):
        text = f"request {chance.getrandbits(48):012x} {' '.join(chance.choices(words, k=24))}"
        texts.append((begin + at * 10**6, text[: BODY_BYTES - 60]))
    return texts


def one(settings: Settings, name: str, send) -> dict:
    data = settings.folder / "lake-protocols"
    shutil.rmtree(data, ignore_errors=True)
    with Server(settings, data) as server:
        deliver = send(server)
        idle, begin = server.cpu(), time.monotonic()
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            list(threads.map(deliver, range(RECORDS // BATCH)))
        cpu, wall = server.cpu() - idle, time.monotonic() - begin
        wait_for_rows(server, "logs", RECORDS)
        found = {
            "cpu": cpu, "wall": wall, "a_cpu_second": RECORDS / cpu,
            "sealed_cpu": server.cpu() - idle, "peak_mib": server.peak_mib(),
        }  # fmt: skip
    settings.say(f"{name}: {found}")
    shutil.rmtree(data)
    return found


def wait_for_rows(server: Server, table: str, rows: int) -> None:
    end = time.monotonic() + 300
    while server.tables()[table]["rows"] < rows:
        if time.monotonic() > end:
            raise SystemExit(f"{table}: {server.tables()[table]['rows']} rows are sealed, not {rows}")
        time.sleep(0.5)


def listener(server: Server, name: str) -> str:
    listeners = server.get("/api/v1/listeners")
    return (listeners.get("listeners") or listeners)[name]


def otlp_grpc(server: Server):
    def body(number: int) -> bytes:
        request = ExportLogsServiceRequest()
        logs = request.resource_logs.add()
        logs.resource.attributes.add(key="service.name").value.string_value = "shop"
        scope = logs.scope_logs.add()
        for at, text in records(number):
            record = scope.log_records.add(time_unix_nano=at, severity_number=9)
            record.body.string_value = text
            record.attributes.add(key="http.route").value.string_value = "/cart/{id}"
        return request.SerializeToString()

    bodies = [body(number) for number in range(BODIES)]
    address = listener(server, "otlp_grpc")
    # A connection a thread, as so many programs would have.
    own = threading.local()
    metadata = [("authorization", server.headers["Authorization"])]

    def deliver(number: int) -> None:
        if not hasattr(own, "export"):
            channel = grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
            own.export = channel.unary_unary("/opentelemetry.proto.collector.logs.v1.LogsService/Export")
        patiently(lambda: own.export(bodies[number % BODIES], metadata=metadata, timeout=60))

    return deliver


def patiently(call) -> None:
    """Again after what may pass, as every exporter does."""
    for _ in range(600):
        try:
            call()
            return
        except grpc.RpcError as error:
            if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED):
                raise
            time.sleep(0.1)
    raise SystemExit("the server stayed unavailable for a minute")


def forward(server: Server):
    def entries(number: int) -> bytes:
        def entry(at: int, text: str) -> bytes:
            event_time = msgpack.ExtType(0, struct.pack(">II", at // 10**9, at % 10**9))
            return msgpack.packb([event_time, {"log": text, "level": "info", "route": "/cart/{id}"}])

        return b"".join(entry(at, text) for at, text in records(number))

    bodies = [entries(number) for number in range(BODIES)]
    host, port = listener(server, "forward").rsplit(":", 1)
    own = threading.local()

    def deliver(number: int) -> None:
        if not hasattr(own, "socket"):
            own.socket = socket.create_connection((host, int(port)), timeout=60)
            own.answers = msgpack.Unpacker()
        chunk = f"bench-{number}-{time.time_ns()}"
        message = msgpack.packb(["shop", bodies[number % BODIES], {"chunk": chunk, "size": BATCH}])
        own.socket.sendall(message)
        while True:
            for answer in own.answers:
                assert answer == {"ack": chunk}, answer
                return
            own.answers.feed(own.socket.recv(4096))

    return deliver


def bulk(server: Server):
    def body(number: int) -> bytes:
        lines = []
        for at, text in records(number):
            when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 10**9)) + f".{at // 10**6 % 1000:03d}Z"
            lines.append('{"create":{}}')
            lines.append(json.dumps({"@timestamp": when, "message": text, "level": "info"}))
        return ("\n".join(lines) + "\n").encode()

    bodies = [body(number) for number in range(BODIES)]
    own = threading.local()

    def deliver(number: int) -> None:
        if not hasattr(own, "connection"):
            own.connection = server.connect()
        while True:
            own.connection.request(
                "POST", "/shop/_bulk?filter_path=errors", body=bodies[number % BODIES],
                headers=server.headers | {"Content-Type": "application/x-ndjson"},
            )  # fmt: skip
            answer = own.connection.getresponse()
            text = answer.read()
            if answer.status in (429, 503):
                time.sleep(float(answer.getheader("Retry-After")))
                continue
            assert answer.status == 200 and b'"errors":false' in text.replace(b" ", b""), text[:300]
            return

    return deliver


LOGS = {"otlp_grpc": otlp_grpc, "forward": forward, "bulk": bulk}


def field(number: int, payload: bytes) -> bytes:
    """A length-delimited field of protobuf."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def snappy(raw: bytes) -> bytes:
    """A snappy block of literals alone: valid, and free of a library."""
    parts = [varint(len(raw))]
    for at in range(0, len(raw), 65536):
        piece = raw[at : at + 65536]
        parts.append(bytes([61 << 2]) + struct.pack("<H", len(piece) - 1) + piece)
    return b"".join(parts)


def host_series() -> list[bytes]:
    """Labels of one host's exporter, encoded: counters of cores, disks and interfaces, gauges of memory."""
    def labels(name: str, **more: str) -> bytes:
        pairs = {"__name__": name, "instance": "10.0.0.7:9100", "job": "node"} | more
        pair = lambda key, value: field(1, field(1, key.encode()) + field(2, value.encode()))  # noqa: E731
        return b"".join(pair(key, pairs[key]) for key in sorted(pairs))

    modes = ["idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user"]
    found = [labels("node_cpu_seconds_total", cpu=str(core), mode=mode) for core in range(16) for mode in modes]
    for name in ("reads_completed", "writes_completed", "read_bytes", "written_bytes", "io_time_seconds"):
        found += [labels(f"node_disk_{name}_total", device=f"nvme{disk}n1") for disk in range(8)]
    for name in ("receive_bytes", "transmit_bytes", "receive_packets", "transmit_packets", "receive_errs"):
        found += [labels(f"node_network_{name}_total", device=f"eth{card}") for card in range(8)]
    found += [labels(f"node_memory_field{at}_bytes") for at in range(SERIES - len(found))]
    assert len(found) == SERIES
    return found


def scrape_values():
    """Values of all series, scrape after scrape: counters that grow unevenly or stand still, gauges that wander."""
    chance = random.Random(7)
    counters = SERIES - (SERIES - 208)
    kinds = [("seconds", chance.uniform(0, 1)) if at < 128 else ("count", chance.choice([0, 0, 3, 200, 50_000]))
             for at in range(counters)]  # fmt: skip
    values = [float(chance.randrange(10**6)) for _ in range(SERIES)]
    while True:
        for at in range(SERIES):
            if at < counters:
                kind, pace = kinds[at]
                step = round(pace * SCRAPE_SECONDS * chance.uniform(0.5, 1.5), 2) if kind == "seconds" else 0
                values[at] = round(values[at] + step, 2) if kind == "seconds" else values[at] + int(pace * chance.uniform(0.8, 1.2))  # noqa: E501
            elif chance.random() < 0.5:
                values[at] = max(0.0, values[at] + chance.randrange(-64, 65) * 4096)
        yield list(values)


def remote_write(settings: Settings) -> dict:
    data = settings.folder / "lake-protocols"
    shutil.rmtree(data, ignore_errors=True)
    series, scrapes = host_series(), scrape_values()
    begin_ms = int(time.time() * 1000) - SCRAPES * SCRAPE_SECONDS * 1000
    requests, batch, size = [], [], 0
    for number in range(SCRAPES):
        at = begin_ms + number * SCRAPE_SECONDS * 1000
        for labels, value in zip(series, next(scrapes), strict=True):
            sample = b"\x09" + struct.pack("<d", value) + b"\x10" + varint(at)
            batch.append(field(1, labels + field(2, sample)))
            size += 1
            if size == SAMPLES_A_REQUEST:
                requests.append(snappy(b"".join(batch)))
                batch, size = [], 0
    total = SCRAPES * SERIES
    with Server(settings, data) as server:
        idle, begin = server.cpu(), time.monotonic()
        connection = server.connect()
        headers = server.headers | {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
        for body in requests:
            while True:
                connection.request("POST", "/api/v1/write", body=body, headers=headers)
                answer = connection.getresponse()
                text = answer.read()
                if answer.status != 503:
                    break
                time.sleep(float(answer.getheader("Retry-After")))
            assert answer.status == 204, (answer.status, text[:300])
        cpu, wall = server.cpu() - idle, time.monotonic() - begin
        wait_for_rows(server, "samples", total)
        found = {"cpu": cpu, "wall": wall, "sealed_cpu": server.cpu() - idle, "peak_mib": server.peak_mib()}
        found["sealed_bytes_a_sample"] = server.tables()["samples"]["bytes"] / server.tables()["samples"]["rows"]
        days = 2
        end = time.monotonic() + 900
        while server.tables()["samples"]["files"] > days and time.monotonic() < end:
            time.sleep(1)
        table = server.tables()["samples"]
        found |= {"bytes_a_sample": table["bytes"] / table["rows"], "files": table["files"]}
    found["samples"] = total
    settings.say(f"remote write: {found}")
    shutil.rmtree(data)
    return found


def overload(settings: Settings) -> dict:
    """Many more senders than the server can take, each sending again at once, against few that wait for their answers."""
    data = settings.folder / "lake-overload"
    shutil.rmtree(data, ignore_errors=True)
    config = settings.folder / "overload-config"
    config.mkdir(exist_ok=True)
    (config / "koshu.yaml").write_text(f"schema: 1\nserver: {{memory: {OVERLOAD_MEMORY}}}\n")
    lines = []
    for number in range(BODIES):
        texts = [json.dumps({"time": at / 1e9, "method": "GET", "uri": f"/cart/{text[8:20]}", "status": 200,
                             "request_time": 0.01}) for at, text in records(number)]  # fmt: skip
        lines.append(("\n".join(texts) + "\n").encode())
    with Server(settings, data, config=config) as server:
        capacity = storm(server, lines, 4, CAPACITY_SECONDS)
        found = storm(server, lines, OVERLOAD_CONNECTIONS, OVERLOAD_SECONDS)
        accepted = (capacity["accepted"] + found["accepted"]) * BATCH
        wait_for_rows(server, "requests", accepted)
        stored = server.tables()["requests"]["rows"]
        found |= {
            "capacity_a_second": capacity["accepted"] * BATCH / capacity["wall"],
            "accepted_a_second": found["accepted"] * BATCH / found["wall"],
            "offered_a_second": (found["accepted"] + found["refused"]) * BATCH / found["wall"],
            "peak_mib": server.peak_mib(),
            "lost": accepted - stored,
        }
    settings.say(f"overload: {found}")
    shutil.rmtree(data)
    return found


def storm(server: Server, bodies: list[bytes], connections: int, seconds: float) -> dict:
    counts = {"accepted": 0, "refused": 0, "without_retry_after": 0, "other": 0}
    lock = threading.Lock()
    begin = time.monotonic()

    def sender(first: int) -> None:
        connection, number = server.connect(), first
        while time.monotonic() - begin < seconds:
            connection.request("POST", "/api/v1/ingest/shop?format=json", body=bodies[number % BODIES],
                               headers=server.headers)  # fmt: skip
            answer = connection.getresponse()
            answer.read()
            number += 1
            with lock:
                if answer.status == 200:
                    counts["accepted"] += 1
                elif answer.status in (429, 503):
                    counts["refused"] += 1
                    counts["without_retry_after"] += answer.getheader("Retry-After") is None
                else:
                    counts["other"] += 1

    threads = [threading.Thread(target=sender, args=(first * 7,)) for first in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counts | {"wall": time.monotonic() - begin}
