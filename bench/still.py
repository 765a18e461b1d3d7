"""What the collector costs when it does nothing: start, memory, CPU, connections, size on disk."""

import dataclasses
import resource
import socket
import time

import rows
from programs import free_ports

# An HTTP/2 client that says hello and then nothing: preface and empty SETTINGS.
HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
IDLE_SECONDS = 10
CONNECTIONS = 10_000
# Files of a process beside its connections.
FILES_BESIDE = 200


@dataclasses.dataclass
class Still:
    """What one start showed."""

    ready_ms: float
    rss_mib: float
    cpu_percent: float
    connections: int
    rss_connected_mib: float
    cpu_connected_percent: float

    @property
    def kib_a_connection(self):
        return (self.rss_connected_mib - self.rss_mib) * 1024 / max(1, self.connections)


def run(bench):
    row = rows.ROWS["grpc"]
    ports = free_ports(2)
    with bench.subject("collector", row, ports) as subject:
        ready_ms = subject.wait_for(ports[0]) * 1000
        cpu_percent = idle_percent(subject)
        rss_mib = subject.mib("VmRSS")
        clients = connect(ports[0])
        subject.rest()
        cpu_connected_percent = idle_percent(subject)
        rss_connected_mib = subject.mib("VmRSS")
        for client in clients:
            client.close()
    return Still(
        ready_ms, rss_mib, cpu_percent, len(clients), rss_connected_mib, cpu_connected_percent
    )


def idle_percent(subject):
    """CPU time of a while, in percent of one core."""
    before = subject.cpu_seconds()
    time.sleep(IDLE_SECONDS)
    return (subject.cpu_seconds() - before) / IDLE_SECONDS * 100


def connect(port):
    """As many connections as this machine lets a process have, 10,000 at most."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    count = min(CONNECTIONS, most - FILES_BESIDE)
    clients = []
    for _ in range(count):
        client = socket.create_connection(("127.0.0.1", port), timeout=10)
        client.sendall(HELLO)
        clients.append(client)
    return clients


def table(bench, samples):
    """Markdown."""
    yield "| figure | best | median | worst |"
    yield "|---|---|---|---|"
    count = samples[0].connections
    figures = {
        "start until it listens, ms": lambda one: one.ready_ms,
        "memory at rest, MiB": lambda one: one.rss_mib,
        "CPU at rest, % of a core": lambda one: one.cpu_percent,
        f"memory with {count:,} open connections, MiB": lambda one: one.rss_connected_mib,
        "KiB for each of them": lambda one: one.kib_a_connection,
        "CPU with them, % of a core": lambda one: one.cpu_connected_percent,
    }
    for name, figure in figures.items():
        found = sorted(figure(one) for one in samples)
        yield f"| {name} | {found[0]:.1f} | {found[len(found) // 2]:.1f} | {found[-1]:.1f} |"
    size = bench.tools.stat().st_size / (1 << 20)
    yield f"| binary, MiB | {size:.1f} | {size:.1f} | {size:.1f} |"
