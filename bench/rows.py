"""The rows: which loads are measured, and what they should cost."""

import dataclasses

# Text of an item, so that a request of 1,000 has 298 KB.
ITEM_BYTES = 222


@dataclasses.dataclass(frozen=True)
class Row:
    """A load in a closed loop, or, with a `rate`, in an open one."""

    about: str
    config: str
    protocol: str = "grpc"
    compression: str = "none"
    signal: str = "logs"
    items: int = 1000
    connections: int = 1
    concurrency: int = 8
    # How much of the usual number of items is sent.
    share: float = 1.0
    # Items a second, whether or not answers come.
    rate: int = 0
    # Back ends that each get everything.
    sinks: int = 1
    # CPUs of the subject.
    cpus: str = "0"
    # At most so many times the floor; so many items a second of one core at least, in millions.
    ratio_max: float = 0
    millions_min: float = 0
    is_quick: bool = False

    @property
    def is_grpc(self):
        return self.protocol == "grpc"

    @property
    def controls(self):
        """A copy of bytes, a proxy that looks at nothing, and the floor of this load."""
        if self.sinks > 1 or self.protocol == "http/json":
            return ()
        return ("tcp", "http2", "floor2") if self.is_grpc else ("tcp", "http1", "floor1")


def quick(about, config, **words):
    return Row(about, config, is_quick=True, **words)


ROWS = {
    "grpc": quick("gRPC, 1,000 a request", "grpc.yaml", ratio_max=1.25, millions_min=2.5),
    "http": quick(
        "HTTP, 1,000 a request", "http.yaml", protocol="http", ratio_max=1.25, millions_min=4.5
    ),
    "grpc-gzip": quick(
        "gRPC, gzip both ways", "grpc.yaml", compression="gzip", share=0.3, ratio_max=1.25,
        millions_min=1.2,
    ),
    "grpc-insert": quick("gRPC, insert an attribute", "grpc-insert.yaml", millions_min=2.0),
    "grpc-small": Row(
        "gRPC, 10 a request", "grpc.yaml", items=10, connections=2, concurrency=50, share=0.1
    ),
    "grpc-small-batch": quick(
        "gRPC, 10 a request, merged into 1,000", "grpc-batch.yaml", items=10, connections=4,
        concurrency=100, share=0.1,
    ),
    "steady": quick(
        "gRPC, 100,000 a second", "grpc.yaml", items=1000, rate=100_000, share=0.25
    ),
    "grpc-zstd": Row("gRPC, zstd both ways", "grpc.yaml", compression="zstd", share=0.3),
    "http-gzip": Row(
        "HTTP, gzip both ways", "http.yaml", protocol="http", compression="gzip", share=0.3
    ),
    "http-json": Row("HTTP, JSON in", "http.yaml", protocol="http/json", share=0.2),
    "traces": Row("gRPC, 1,000 spans a request", "grpc.yaml", signal="traces", share=0.5),
    "metrics": Row("gRPC, 1,000 data points a request", "grpc.yaml", signal="metrics", share=0.5),
    "grpc-1": Row(
        "gRPC, 1 a request", "grpc.yaml", items=1, connections=2, concurrency=50, share=0.01
    ),
    "grpc-30": Row(
        "gRPC, 30 a request", "grpc.yaml", items=30, connections=2, concurrency=32, share=0.2
    ),
    "grpc-250": Row("gRPC, 250 a request", "grpc.yaml", items=250, concurrency=16, share=0.5),
    "grpc-8000": Row("gRPC, 8,000 a request", "grpc-large.yaml", items=8000, concurrency=4),
    "batch-100": Row(
        "gRPC, 100 a request, merged into 1,000", "grpc-batch.yaml", items=100, connections=2,
        concurrency=64, share=0.3,
    ),
    "rename": Row("gRPC, rename an attribute", "grpc-rename.yaml", share=0.5),
    "filter": Row("gRPC, drop what a condition matches", "grpc-filter.yaml", share=0.5),
    "fan-out": Row("gRPC, to two back ends", "grpc-fan-out.yaml", sinks=2, share=0.5),
    "connections-8": Row(
        "gRPC, 100 a request, 8 connections", "grpc.yaml", items=100, connections=8,
        concurrency=2, share=0.3,
    ),
    "connections-64": Row(
        "gRPC, 100 a request, 64 connections", "grpc.yaml", items=100, connections=64,
        concurrency=1, share=0.3,
    ),
    "connections-1000": Row(
        "gRPC, 100 a request, 1,000 connections", "grpc.yaml", items=100, connections=1000,
        concurrency=1, share=0.3,
    ),
    "connections-4000": quick(
        "gRPC, 100 a request, 4,000 connections", "grpc.yaml", items=100, connections=4_000,
        concurrency=1, share=0.5,
    ),
    "callers-10000": Row(
        "gRPC, 10 a request, 10,000 waiting callers, merged", "grpc-batch.yaml", items=10,
        connections=100, concurrency=100, share=0.1,
    ),
    "two-threads": quick(
        "gRPC, 1,000 a request, two threads", "grpc.yaml", connections=4, cpus="0,1"
    ),
    "two-threads-alone": quick(
        "gRPC, 1,000 a request, two threads, one connection", "grpc.yaml", cpus="0,1"
    ),
    "load-25": quick("gRPC, 250,000 a second", "grpc.yaml", rate=250_000, share=0.5),
    "load-50": quick("gRPC, 500,000 a second", "grpc.yaml", rate=500_000, share=0.5),
    "load-100": quick("gRPC, 1,000,000 a second", "grpc.yaml", rate=1_000_000, share=0.5),
}

# Rows of their own kind: see the files of these names.
STILL = "still"
OVERLOAD = "overload"
DURABLE = "durable"
ENGINE = "engine"
