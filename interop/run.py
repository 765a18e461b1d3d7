"""Runs real OpenTelemetry SDKs against the binary: what arrives must equal what was sent. Then puts
records into independent emulators of CloudWatch Logs (cloudwatch.py).

    SDK -> tidegate (receivers: gRPC and HTTP, plain and TLS) -> tidegate (file exporter) -> compare

Usage: interop/run.py PATH_OF_TIDEGATE. Needs python3 and npm; it installs the SDKs beside itself.
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
VENV = HERE / ".venv"
PYTHON = VENV / "bin" / "python"
START_SECONDS = 30
SEND_SECONDS = 120


def install():
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    requirements = HERE / "requirements.txt"
    stamp = VENV / "installed.txt"
    if not stamp.exists() or stamp.read_text() != requirements.read_text():
        subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
        stamp.write_text(requirements.read_text())
    if not (HERE / "node_modules" / ".package-lock.json").exists():
        subprocess.run(["npm", "ci", "--silent", "--no-fund", "--no-audit"], cwd=HERE, check=True)


def free_ports(count):
    """Ports below those that the kernel gives to outgoing connections."""
    ports = []
    for port in random.sample(range(12_000, 32_000), 200):
        try:
            socket.create_server(("127.0.0.1", port)).close()
            ports.append(port)
        except OSError:
            continue
        if len(ports) == count:
            return ports
    raise SystemExit("no free ports")


def make_certificates(folder):
    script = (
        "import sys, trustme; ca = trustme.CA(); ca.cert_pem.write_to_path(sys.argv[1] + '/ca.pem');"
        "cert = ca.issue_cert('localhost', '127.0.0.1');"
        "cert.private_key_pem.write_to_path(sys.argv[1] + '/key.pem');"
        "cert.cert_chain_pems[0].write_to_path(sys.argv[1] + '/cert.pem')"
    )
    subprocess.run([PYTHON, "-c", script, folder], check=True)


def front_config(folder, ports, back_port):
    tls = f"{{cert_file: {folder}/cert.pem, key_file: {folder}/key.pem}}"
    return f"""
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: "127.0.0.1:{ports['grpc']}"}}
      http: {{endpoint: "127.0.0.1:{ports['http']}"}}
  otlp/tls:
    protocols:
      grpc: {{endpoint: "127.0.0.1:{ports['grpc_tls']}", tls: {tls}}}
      http: {{endpoint: "127.0.0.1:{ports['http_tls']}", tls: {tls}}}
processors:
  batch:
exporters:
  otlp: {{endpoint: "127.0.0.1:{back_port}", tls: {{insecure: true}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp, otlp/tls], processors: [batch], exporters: [otlp]}}
    metrics: {{receivers: [otlp, otlp/tls], processors: [batch], exporters: [otlp]}}
    logs: {{receivers: [otlp, otlp/tls], processors: [batch], exporters: [otlp]}}
"""


def back_config(folder, port):
    return f"""
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:{port}"}}}}}}
exporters:
  file: {{path: {folder}/arrived.jsonl}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [file]}}
    metrics: {{receivers: [otlp], exporters: [file]}}
    logs: {{receivers: [otlp], exporters: [file]}}
"""


def start(binary, folder, name, text, ports):
    path = folder / f"{name}.yaml"
    path.write_text(text)
    process = subprocess.Popen([binary, "--config", path, "--data-dir", folder / name])
    wait_for(process, name, ports)
    return process


def wait_for(process, name, ports):
    """Waits until a program listens on all of its ports."""
    until = time.monotonic() + START_SECONDS
    for port in ports:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or until < time.monotonic():
                    raise SystemExit(f"{name} does not listen on port {port}") from None
                time.sleep(0.05)


def stop(process):
    process.send_signal(signal.SIGTERM)
    code = process.wait(timeout=30)
    if code != 0:
        raise SystemExit(f"tidegate ended with {code}")


def cases(ports, ca_file):
    for compression in ("none", "gzip"):
        for protocol in ("grpc", "http"):
            for tls in (False, True):
                port = ports[protocol + ("_tls" if tls else "")]
                endpoint = f"{'https' if tls else 'http'}://localhost:{port}"
                name = f"python/{protocol}/{compression}/{'tls' if tls else 'plain'}"
                command = [PYTHON, HERE / "send.py", name, protocol, endpoint, compression]
                # Its HTTP library prefers this variable, where a machine sets it, to the argument.
                env = {"REQUESTS_CA_BUNDLE": ca_file, "CURL_CA_BUNDLE": ca_file} if tls else {}
                yield name, command + ([ca_file] if tls else []), env
        for protocol in ("grpc", "proto", "json"):
            for tls in (False, True):
                port = ports[("grpc" if protocol == "grpc" else "http") + ("_tls" if tls else "")]
                endpoint = f"{'https' if tls else 'http'}://localhost:{port}"
                name = f"node/{protocol}/{compression}/{'tls' if tls else 'plain'}"
                command = ["node", HERE / "send.js", name, protocol, endpoint, compression]
                # gRPC for Node.js reads its roots from this variable, HTTPS from the other.
                env = {"NODE_EXTRA_CA_CERTS": ca_file, "OTEL_EXPORTER_OTLP_CERTIFICATE": ca_file}
                yield name, command, env if tls else {}


def start_process(command, ports, env=None):
    """Starts another program that listens on these ports."""
    with open(os.devnull, "w") as nowhere:
        process = subprocess.Popen(
            list(map(str, command)), env={**os.environ, **(env or {})}, stdout=nowhere, stderr=nowhere
        )
    wait_for(process, command[0], ports)
    return process


def end_process(process):
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def in_background(work):
    """Starts `work` in a thread; gives a function that waits for what it returns."""
    pool = concurrent.futures.ThreadPoolExecutor(1)
    future = pool.submit(work)
    return lambda: future.result(timeout=SEND_SECONDS)


def send(name, command, env):
    result = subprocess.run(
        list(map(str, command)),
        env={**os.environ, **{key: str(value) for key, value in env.items()}},
        capture_output=True,
        text=True,
        timeout=SEND_SECONDS,
        cwd=HERE,
    )
    if result.returncode != 0:
        raise SystemExit(f"{name} failed:\n{result.stdout[-2000:]}\n{result.stderr[-4000:]}")
    return [json.loads(line) for line in result.stdout.splitlines()]


def counted(items):
    """How often each item is there; points of metrics, which SDKs send again at their end, once."""
    lines = collections.Counter(json.dumps(item, sort_keys=True, ensure_ascii=False) for item in items)
    return collections.Counter({line: 1 if '"signal": "metric"' in line else count for line, count in lines.items()})


def main(binary):
    install()
    sys.path.insert(0, str(HERE))
    import cloudwatch
    import normal

    names = ("grpc", "http", "grpc_tls", "http_tls", "back")
    ports = dict(zip(names, free_ports(len(names))))
    failed = 0
    with tempfile.TemporaryDirectory() as text:
        folder = pathlib.Path(text)
        make_certificates(folder)
        back = start(binary, folder, "back", back_config(folder, ports["back"]), [ports["back"]])
        front_ports = [ports[name] for name in names[:-1]]
        front = start(binary, folder, "front", front_config(folder, ports, ports["back"]), front_ports)
        sent = {name: send(name, command, env) for name, command, env in cases(ports, folder / "ca.pem")}
        stop(front)
        stop(back)
        arrived = collections.defaultdict(list)
        for item in normal.items(folder / "arrived.jsonl"):
            arrived[item["case"]].append(item)
        for name, items in sent.items():
            missing = counted(items) - counted(arrived[name])
            extra = counted(arrived[name]) - counted(items)
            print(f"{name:<28} {len(items):>6} sent, {missing.total()} missing, {extra.total()} unexpected")
            for item in list(missing)[:2] + list(extra)[:2]:
                print(f"    {item}")
            failed += bool(missing or extra)
        failed += cloudwatch.run(sys.modules[__name__], binary, folder)
    print(f"{len(sent)} clients and the emulators of CloudWatch Logs, {failed} failed")
    return failed


sys.exit(main(sys.argv[1]))
