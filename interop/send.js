// Sends known telemetry through the OpenTelemetry SDK for Node.js.
//
// Usage: send.js CASE PROTOCOL ENDPOINT COMPRESSION; prints what it sent, in the form of
// normal.py, one JSON object a line. Protocols: grpc, proto (HTTP), json (HTTP).
'use strict';

const { resourceFromAttributes } = require('@opentelemetry/resources');
const { BasicTracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace-base');
const { MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics');
const { LoggerProvider, BatchLogRecordProcessor } = require('@opentelemetry/sdk-logs');

const [name, protocol, endpoint, compression] = process.argv.slice(2);
const family = { grpc: 'grpc', proto: 'proto', json: 'http' }[protocol];
const { OTLPTraceExporter } = require(`@opentelemetry/exporter-trace-otlp-${family}`);
const { OTLPMetricExporter } = require(`@opentelemetry/exporter-metrics-otlp-${family}`);
const { OTLPLogExporter } = require(`@opentelemetry/exporter-logs-otlp-${family}`);

const ATTRIBUTES = { text: 'grün, 緑, "quoted"\n', empty: '', int: -9007199254740991, double: 0.1, bool: true, list: ['a', 'b'], numbers: [1, 2, 3] };

function typed(value) {
  if (typeof value === 'boolean') return { bool: value };
  if (typeof value === 'string') return { string: value };
  if (Array.isArray(value)) return { list: value.map(typed) };
  return Number.isInteger(value) ? { int: String(value) } : { double: value };
}

const sent = [];
function note(signal, item, attributes, more) {
  const all = Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, typed(value)]));
  sent.push({ case: name, signal, name: item, attributes: all, ...more });
}

function options(path) {
  const url = protocol === 'grpc' ? endpoint : `${endpoint}/v1/${path}`;
  return { url, compression, timeoutMillis: 10000 };
}

async function main() {
  const resource = resourceFromAttributes({ 'interop.case': name, 'service.name': 'interop-node' });

  const processor = new BatchSpanProcessor(new OTLPTraceExporter(options('traces')), { maxQueueSize: 4096 });
  const tracerProvider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
  const tracer = tracerProvider.getTracer('interop', '1.0');
  for (let number = 0; number < 600; number += 1) {
    const attributes = { ...ATTRIBUTES, number };
    const span = tracer.startSpan(`span ${number}`, { attributes });
    if (number === 0) span.addEvent('event', { k: 'v' });
    span.end();
    const { traceId, spanId } = span.spanContext();
    note('span', `span ${number}`, attributes, { trace_id: traceId, span_id: spanId });
  }
  await tracerProvider.forceFlush();

  const reader = new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter(options('metrics')), exportIntervalMillis: 3600000 });
  const meterProvider = new MeterProvider({ resource, readers: [reader] });
  const counter = meterProvider.getMeter('interop').createCounter('counter', { unit: '1' });
  for (let number = 0; number < 3; number += 1) {
    const attributes = { ...ATTRIBUTES, number };
    counter.add(number + 1, attributes);
    note('metric', 'counter', attributes, { value: String(number + 1) });
  }
  await meterProvider.forceFlush();

  const logProcessor = new BatchLogRecordProcessor({ exporter: new OTLPLogExporter(options('logs')) });
  const loggerProvider = new LoggerProvider({ resource, processors: [logProcessor] });
  const logger = loggerProvider.getLogger('interop');
  for (let number = 0; number < 100; number += 1) {
    const attributes = { ...ATTRIBUTES, number };
    logger.emit({ timestamp: Date.now(), severityNumber: 13, severityText: 'WARN', body: `log ${number}: grün`, attributes });
    note('log', `log ${number}: grün`, attributes, { severity: 13 });
  }
  await loggerProvider.forceFlush();
  await tracerProvider.shutdown();
  await meterProvider.shutdown();
  await loggerProvider.shutdown();
  process.stdout.write(sent.map((record) => `${JSON.stringify(record)}\n`).join(''));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
