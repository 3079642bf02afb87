"""Sends logs, traces and metrics with OpenTelemetry's SDK; prints ids and times that the SDK made.

Usage: send_opentelemetry.py http|grpc URL [TOKEN [ROOT]]
"""

import json
import sys
import time
from pathlib import Path

import grpc
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc import _log_exporter as grpc_logs
from opentelemetry.exporter.otlp.proto.grpc import metric_exporter as grpc_metrics
from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as grpc_traces
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http import _log_exporter as http_logs
from opentelemetry.exporter.otlp.proto.http import metric_exporter as http_metrics
from opentelemetry.exporter.otlp.proto.http import trace_exporter as http_traces
from opentelemetry.metrics import Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, set_span_in_context

RESOURCE = Resource.create(
    {
        "service.name": "Checkout Service",
        "service.version": "7.1",
        "deployment.environment.name": "staging",
        "host.name": "web-1",
    }
)
TIME = 1_770_091_506_789_012_345


def over_http(url, token):
    options = {"timeout": 20, "headers": {"authorization": f"Bearer {token}"} if token else None}
    return (
        http_traces.OTLPSpanExporter(f"{url}/v1/traces", compression=Compression.Gzip, **options),
        http_logs.OTLPLogExporter(f"{url}/v1/logs", **options),
        http_metrics.OTLPMetricExporter(f"{url}/v1/metrics", **options),
    )


def over_grpc(url, token, root=None):
    """`root` is the file of the certificate that signed the server's; without it nothing is encrypted."""
    headers = (("authorization", f"Bearer {token}"),) if token else None
    options = {"endpoint": url, "insecure": not root, "timeout": 20, "headers": headers}
    if root:
        options["credentials"] = grpc.ssl_channel_credentials(Path(root).read_bytes())
    return (
        grpc_traces.OTLPSpanExporter(compression=grpc.Compression.Gzip, **options),
        grpc_logs.OTLPLogExporter(**options),
        grpc_metrics.OTLPMetricExporter(compression=grpc.Compression.Gzip, **options),
    )


def spans(exporter):
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("shop.web", "1.2")
    server = tracer.start_span(
        "POST /cart/{id}",
        kind=SpanKind.SERVER,
        attributes={
            "http.request.method": "POST",
            "http.route": "/cart/{id}",
            "url.path": "/cart/42",
            "url.query": "color=red",
            "http.response.status_code": 500,
            "http.response.body.size": 512,
            "user_agent.original": "curl/8",
            "client.address": "192.0.2.7",
            "user.id": "taro",
        },
    )
    within = set_span_in_context(server)
    linked = Link(server.get_span_context(), {"why": "test"})
    client = tracer.start_span("SELECT", within, kind=SpanKind.CLIENT, links=[linked], attributes={"rows": [1, 2], "ratio": 0.5})
    client.add_event("retry", {"attempt": 2})
    client.set_status(Status(StatusCode.OK))
    client.end()
    try:
        raise ValueError("no price for 決済")
    except ValueError as error:
        server.record_exception(error)
        server.set_status(Status(StatusCode.ERROR, "it failed"))
    server.end()
    provider.shutdown()
    return [told(span) for span in (server, client)]


def told(span):
    context = span.get_span_context()
    return {
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
        "start_ns": span.start_time,
        "end_ns": span.end_time,
        "events_ns": [event.timestamp for event in span.events],
        "stack": next((event.attributes.get("exception.stacktrace") for event in span.events), None),
    }


def logs(exporter):
    provider = LoggerProvider(resource=RESOURCE)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logger = provider.get_logger("shop.log", "1.3")
    logger.emit(
        LogRecord(
            timestamp=TIME,
            severity_number=SeverityNumber.WARN2,
            severity_text="WARNING",
            body="checkout – 決済 \"ok\"\n\tdone",
            attributes={"count": 3, "large": 9007199254740993, "ratio": 0.25, "ok": True, "tags": ["a", "b"]},
        )
    )
    logger.emit(
        LogRecord(
            timestamp=TIME + 1_000_000_000,
            observed_timestamp=TIME,
            severity_number=SeverityNumber.ERROR,
            body={"event": "paid", "lines": [1, None]},
            event_name="shop.paid",
        )
    )
    provider.shutdown()


def metrics(exporter):
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    buckets = View(instrument_name="wait", aggregation=ExplicitBucketHistogramAggregation([0.1, 1, 10]))
    provider = MeterProvider(metric_readers=[reader], resource=RESOURCE, views=[buckets])
    meter = provider.get_meter("shop.meter", "1.4")
    orders = meter.create_counter("orders", unit="1")
    orders.add(3, {"color": "red"})
    orders.add(4, {"color": "red"})
    orders.add(1, {"color": "blue"})
    meter.create_up_down_counter("queue").add(-2)
    meter.create_observable_gauge("load", [lambda _: [Observation(0.75)]])
    wait = meter.create_histogram("wait", unit="s")
    for seconds in (0.05, 0.5, 5, 50):
        wait.record(seconds)
    provider.shutdown()


def main(transport, url, token=None, *root):
    to_traces, to_logs, to_metrics = {"http": over_http, "grpc": over_grpc}[transport](url, token, *root)
    begin = time.time_ns()
    said = {"spans": spans(to_traces)}
    logs(to_logs)
    metrics(to_metrics)
    said |= {"begin_ns": begin, "end_ns": time.time_ns()}
    said["resource"] = {name: str(value) for name, value in RESOURCE.attributes.items()}
    print(json.dumps(said))


main(*sys.argv[1:])
