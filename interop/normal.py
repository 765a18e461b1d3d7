"""Brings OTLP JSON lines into the form in which the senders tell what they sent.

An item is {case, signal, name, attributes, ...}; attributes are {key: {type: value}}.
"""

import json


def typed(value):
    ((kind, inner),) = value.items()
    if kind == "arrayValue":
        return {"list": [typed(one) for one in inner.get("values", [])]}
    if kind == "intValue":
        return {"int": str(inner)}
    return {{"stringValue": "string", "boolValue": "bool", "doubleValue": "double"}[kind]: inner}


def attributes_of(item):
    return {one["key"]: typed(one["value"]) for one in item.get("attributes", [])}


def spans(scope):
    for span in scope.get("spans", []):
        yield {"signal": "span", "name": span["name"], "trace_id": span["traceId"], "span_id": span["spanId"]}, span


def logs(scope):
    for record in scope.get("logRecords", []):
        body = record["body"]["stringValue"]
        yield {"signal": "log", "name": body, "severity": record["severityNumber"]}, record


def metrics(scope):
    for metric in scope.get("metrics", []):
        for kind in ("sum", "gauge", "histogram"):
            for point in metric.get(kind, {}).get("dataPoints", []):
                value = point.get("asInt", point.get("asDouble", point.get("count")))
                number = int(float(value))
                yield {"signal": "metric", "name": metric["name"], "value": str(number)}, point


KINDS = {
    "resourceSpans": ("scopeSpans", spans),
    "resourceLogs": ("scopeLogs", logs),
    "resourceMetrics": ("scopeMetrics", metrics),
}


def items(path):
    """The items of a file of OTLP JSON lines that carry an `interop.case`."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            request = json.loads(line)
            for key, (scopes, read) in KINDS.items():
                for resource_items in request.get(key, []):
                    case = attributes_of(resource_items["resource"])["interop.case"]["string"]
                    for scope in resource_items[scopes]:
                        for item, raw in read(scope):
                            yield {"case": case, **item, "attributes": attributes_of(raw)}
