"""Sends with an SDK to which only its environment says where; prints nothing but `true`.

Usage: send_by_environment.py opentelemetry|sentry
"""

import sys

import sentry_sdk
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def opentelemetry():
    spans = TracerProvider()
    spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    spans.get_tracer("shop").start_span("hello").end()
    logs = LoggerProvider()
    logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    logs.get_logger("shop").emit(LogRecord(body="hello"))
    meters = MeterProvider(metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter())])
    meters.get_meter("shop").create_counter("hello").add(1)
    for provider in (spans, logs, meters):
        provider.shutdown()


def sentry():
    sentry_sdk.init()
    sentry_sdk.capture_message("hello", level="error")
    sentry_sdk.get_client().close(timeout=20)


{"opentelemetry": opentelemetry, "sentry": sentry}[sys.argv[1]]()
print("true")
