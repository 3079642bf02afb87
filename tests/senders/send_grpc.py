"""Sends a span, a counter and a log line with OpenTelemetry's SDK over gRPC, packed; prints the span's ids.

Usage: send_grpc.py HOST:PORT
"""

import json
import sys

import grpc
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

RESOURCE = Resource.create({"service.name": "billing", "host.name": "web-2"})
options = {"endpoint": sys.argv[1], "insecure": True, "compression": grpc.Compression.Gzip}

spans = TracerProvider(resource=RESOURCE)
spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**options)))
span = spans.get_tracer("billing").start_span("charge", attributes={"attempt": 2})
span.end()
spans.shutdown()

meters = MeterProvider(resource=RESOURCE, metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter(**options))])
meters.get_meter("billing").create_counter("charges").add(3, {"card": "visa"})
meters.shutdown()

logs = LoggerProvider(resource=RESOURCE)
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(**options)))
logs.get_logger("billing").emit(LogRecord(severity_number=SeverityNumber.WARN, body="card declined"))
logs.shutdown()

context = span.get_span_context()
print(json.dumps({"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}))
