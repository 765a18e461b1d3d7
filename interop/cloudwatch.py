"""Puts records through the binary into independent emulators of CloudWatch Logs, and reads them back.

    boto3 reads ◀── moto (order, window)        ◀── tidegate (aws_cloudwatch_logs) ◀── OTLP
                    ministack (signatures, IAM)

moto checks the order of events and their window. ministack checks signatures and, log group by log
group, what a user may do, so that a denied group can be granted while data waits for it.
"""

import json
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
VENV = HERE / ".venv-cloudwatch"
PYTHON = VENV / "bin" / "python"
SECONDS = 60
GROUPS = 10
RECORDS = 200


def install():
    """Installs the emulators beside this file; says whether they are there."""
    requirements = HERE / "requirements-cloudwatch.txt"
    stamp = VENV / "installed.txt"
    if stamp.exists() and stamp.read_text() == requirements.read_text():
        return True
    subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    command = [PYTHON, "-m", "pip", "install", "--quiet", "-r", requirements]
    if subprocess.run(command, check=False).returncode != 0:
        return False
    stamp.write_text(requirements.read_text())
    return True


def configuration(otlp, endpoint, key):
    return f"""
receivers:
  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{otlp}"}}}}}}
exporters:
  aws_cloudwatch_logs:
    log_group_name: "{{group}}"
    log_stream_name: "interop"
    region: us-east-1
    endpoint: {endpoint}
    access_key_id: {key[0]}
    secret_access_key: {key[1]}
    raw_log: true
    retry_on_failure: {{initial_interval: 500ms, max_interval: 2s}}
    sending_queue: {{wait_for_result: true, num_consumers: 2, queue_size: 10000, batch: {{min_size: 1, max_size: 10000}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    logs: {{receivers: [otlp], exporters: [aws_cloudwatch_logs]}}
"""


def send(port, group, bodies, timeout):
    """Sends records over OTLP; gives the status of the answer."""
    now = time.time_ns()
    records = [
        {
            "timeUnixNano": str(now + number),
            "body": {"stringValue": body},
            "attributes": [{"key": "group", "value": {"stringValue": group}}],
        }
        for number, body in enumerate(bodies)
    ]
    request = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
    url = f"http://127.0.0.1:{port}/v1/logs"
    headers = {"content-type": "application/json"}
    call = urllib.request.Request(url, json.dumps(request).encode(), headers)
    try:
        with urllib.request.urlopen(call, timeout=timeout) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def client(endpoint, key, service="logs"):
    """A client of the emulator by the official library, in its own interpreter's modules."""
    sys.path.insert(0, str(next(VENV.glob("lib/python*/site-packages"))))
    import boto3

    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=key[0],
        aws_secret_access_key=key[1],
    )


def read_back(logs, group):
    messages, token = [], {}
    while True:
        page = logs.get_log_events(
            logGroupName=group, logStreamName="interop", startFromHead=True, **token
        )
        messages += [event["message"] for event in page["events"]]
        if not page["events"] or page["nextForwardToken"] == token.get("nextToken"):
            return messages
        token = {"nextToken": page["nextForwardToken"]}


def expect(name, is_true, said=""):
    print(f"{name:<64} {'ok' if is_true else 'FAILED'} {'' if is_true else said}")
    return 0 if is_true else 1


def with_moto(tools, binary, folder):
    port, otlp = tools.free_ports(2)
    endpoint = f"http://127.0.0.1:{port}"
    key = ("test", "test")
    moto = tools.start_process([VENV / "bin" / "moto_server", "-H", "127.0.0.1", "-p", str(port)], [port])
    try:
        front = tools.start(binary, folder, "moto", configuration(otlp, endpoint, key), [otlp])
        bodies = [f"line {number}" for number in range(RECORDS)]
        try:
            status = send(otlp, "interop/moto", bodies, SECONDS)
            read = read_back(client(endpoint, key), "interop/moto")
        finally:
            tools.stop(front)
    finally:
        tools.end_process(moto)
    failed = expect("moto: everything is answered as delivered", status == 200, status)
    return failed + expect("moto: everything is there once, in order", read == bodies, len(read))


def with_ministack(tools, binary, folder):
    port, otlp, wrong = tools.free_ports(3)
    endpoint = f"http://127.0.0.1:{port}"
    root = ("test", "test")
    settings = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "SERVICES": "logs,iam,sts", "AUTH": "true"}
    running = [tools.start_process([VENV / "bin" / "ministack"], [port], settings)]
    try:
        iam = client(endpoint, root, "iam")
        iam.create_user(UserName="interop")
        made = iam.create_access_key(UserName="interop")["AccessKey"]
        key = (made["AccessKeyId"], made["SecretAccessKey"])
        permit(iam, is_denying=True)
        running.append(tools.start(binary, folder, "ministack", configuration(otlp, endpoint, key), [otlp]))
        text = configuration(wrong, endpoint, (key[0], "wrong"))
        running.append(tools.start(binary, folder, "wrong", text, [wrong]))
        return with_rights((iam, client(endpoint, root)), tools, (otlp, wrong))
    finally:
        for process in reversed(running):
            tools.end_process(process)


def with_rights(clients, tools, ports):
    """Groups that are denied, then granted, beside others that are allowed all the time."""
    (iam, logs), (otlp, wrong) = clients, ports
    bodies = [f"line {number}" for number in range(RECORDS)]
    denied = [f"deny{number}" for number in range(GROUPS)]
    waiting = [tools.in_background(lambda group=group: send(otlp, group, bodies, SECONDS)) for group in denied]
    started = time.monotonic()
    status = send(otlp, "allow", bodies, SECONDS)
    took = time.monotonic() - started
    failed = expect("ministack: an allowed group flows beside denied ones", status == 200 and took < 20, took)
    permit(iam, is_denying=False)
    statuses = [wait() for wait in waiting]
    failed += expect("ministack: what is granted later is delivered", set(statuses) == {200}, statuses)
    for group in ["allow", *denied]:
        read = read_back(logs, group)
        failed += expect(f"ministack: {group} has everything once, in order", read == bodies, len(read))
    status = send(wrong, "allow", bodies, SECONDS)
    return failed + expect("ministack: a wrong secret is not taken", status in (429, 503), status)


def permit(iam, is_denying):
    allow = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    deny = {
        "Effect": "Deny",
        "Action": "logs:PutLogEvents",
        "Resource": "arn:aws:logs:*:*:log-group:deny*",
    }
    statements = [allow] + ([deny] if is_denying else [])
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName="interop", PolicyName="interop", PolicyDocument=document)


def run(tools, binary, folder):
    """Runs all cases; gives how many failed."""
    if not install():
        print("CLOUDWATCH LOGS WAS NOT TESTED: its emulators cannot be installed on this machine")
        return 0
    return with_moto(tools, binary, folder) + with_ministack(tools, binary, folder)
