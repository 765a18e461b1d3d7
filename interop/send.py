"""Sends known telemetry through the OpenTelemetry SDK for Python.

Usage: send.py CASE PROTOCOL ENDPOINT COMPRESSION [CA_FILE]; prints what it sent, in the form of
normal.py, one JSON object a line.
"""

import json
import sys

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

SPANS = 1300  # more than two batches of the SDK
ATTRIBUTES = {
    "text": "grün, 緑, \"quoted\"\n",
    "empty": "",
    "int": -(2**53) - 1,
    "double": 0.1,
    "bool": True,
    "list": ["a", "b"],
    "numbers": [1, 2, 3],
}


def typed(value):
    if isinstance(value, bool):
        return {"bool": value}
    if isinstance(value, int):
        return {"int": str(value)}
    if isinstance(value, float):
        return {"double": value}
    if isinstance(value, str):
        return {"string": value}
    return {"list": [typed(one) for one in value]}


def exporters(protocol, endpoint, compression, ca_file):
    if protocol == "grpc":
        import grpc
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        options = {"endpoint": endpoint, "timeout": 10}
        options["compression"] = {
            "gzip": grpc.Compression.Gzip,
            "none": grpc.Compression.NoCompression,
        }[compression]
        if ca_file:
            with open(ca_file, "rb") as file:
                options["credentials"] = grpc.ssl_channel_credentials(file.read())
        else:
            options["insecure"] = True
        return OTLPSpanExporter(**options), OTLPMetricExporter(**options), OTLPLogExporter(**options)

    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    def options(path):
        chosen = {"endpoint": f"{endpoint}/v1/{path}", "timeout": 10}
        chosen["compression"] = {"gzip": Compression.Gzip, "none": Compression.NoCompression}[compression]
        if ca_file:
            chosen["certificate_file"] = ca_file
        return chosen

    return (
        OTLPSpanExporter(**options("traces")),
        OTLPMetricExporter(**options("metrics")),
        OTLPLogExporter(**options("logs")),
    )


def main(case, protocol, endpoint, compression, ca_file=None):
    sent = []

    def note(signal, name, attributes, **more):
        typed_attributes = {key: typed(value) for key, value in attributes.items()}
        sent.append({"case": case, "signal": signal, "name": name, "attributes": typed_attributes, **more})

    resource = Resource.create({"interop.case": case, "service.name": "interop-python"})
    spans, metrics, logs = exporters(protocol, endpoint, compression, ca_file)

    tracer_provider = TracerProvider(resource=resource)
    tracer_provider.add_span_processor(BatchSpanProcessor(spans, max_queue_size=4096))
    tracer = tracer_provider.get_tracer("interop", "1.0")
    for number in range(SPANS):
        attributes = {**ATTRIBUTES, "number": number}
        with tracer.start_as_current_span(f"span {number}", attributes=attributes) as span:
            if number == 0:
                span.add_event("event", {"k": "v"})
                span.set_status(trace.Status(trace.StatusCode.ERROR, "bad"))
            ids = span.get_span_context()
        note("span", f"span {number}", attributes, trace_id=f"{ids.trace_id:032x}", span_id=f"{ids.span_id:016x}")
    assert tracer_provider.force_flush(10_000)

    reader = PeriodicExportingMetricReader(metrics, export_interval_millis=3_600_000)
    meter_provider = MeterProvider(resource=resource, metric_readers=[reader])
    meter = meter_provider.get_meter("interop")
    counter = meter.create_counter("counter", unit="1", description="counts")
    histogram = meter.create_histogram("histogram", unit="ms")
    for number in range(3):
        counter.add(number + 1, {**ATTRIBUTES, "number": number})
        note("metric", "counter", {**ATTRIBUTES, "number": number}, value=str(number + 1))
        histogram.record(12.5, {"number": number})
        note("metric", "histogram", {"number": number}, value="1")
    assert meter_provider.force_flush(10_000)
    meter_provider.shutdown()

    logger_provider = LoggerProvider(resource=resource)
    logger_provider.add_log_record_processor(BatchLogRecordProcessor(logs))
    logger = logger_provider.get_logger("interop")
    for number in range(100):
        body = f"log {number}: grün"
        attributes = {**ATTRIBUTES, "number": number}
        logger.emit(
            LogRecord(
                timestamp=1_700_000_000_000_000_000 + number,
                severity_number=SeverityNumber.WARN,
                severity_text="WARN",
                body=body,
                attributes=attributes,
            )
        )
        note("log", body, attributes, severity=13)
    assert logger_provider.force_flush(10_000)
    tracer_provider.shutdown()
    logger_provider.shutdown()
    for record in sent:
        print(json.dumps(record))


main(*sys.argv[1:])
