//! Tracing: what the collector's own spans tell about requests that were merged on their way.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use serde_json::Value;

use super::process::{PATIENCE, Running, free_port, get};

const LOGS: &str =
    r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}"#;

/// A back end that tells the `traceparent` of each request, and answers when it is let.
struct Backend {
    port: u16,
    traceparents: Receiver<String>,
    answers: Sender<()>,
}

impl Backend {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, traceparents) = channel();
        let (answers, permission) = channel::<()>();
        std::thread::Builder::new()
            .spawn(move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    // It ends with the connection.
                    serve(stream, &tell, &permission).ok();
                }
            })
            .unwrap();
        Self { port, traceparents, answers }
    }

    /// The context that the next request carries: its trace and its span.
    fn context(&self) -> (String, String) {
        let traceparent = self.traceparents.recv_timeout(PATIENCE).unwrap();
        let fields: Vec<&str> = traceparent.split('-').collect();
        assert_eq!((fields.len(), fields[0], fields[3]), (4, "00", "01"), "{traceparent}");
        (fields[1].to_owned(), fields[2].to_owned())
    }
}

fn serve(
    stream: TcpStream,
    tell: &Sender<String>,
    permission: &Receiver<()>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while 0 < reader.read_line(&mut head)? {
        if !head.ends_with("\r\n\r\n") {
            continue;
        }
        let field = |name: &str| {
            let line =
                head.lines().find_map(|line| line.split_once(": ").filter(|it| it.0 == name));
            line.map_or(String::new(), |(_, value)| value.to_owned())
        };
        let mut body = vec![0; field("content-length").parse().unwrap()];
        reader.read_exact(&mut body)?;
        tell.send(field("traceparent")).unwrap();
        permission.recv_timeout(PATIENCE).unwrap();
        let answer =
            "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
        reader.get_mut().write_all(answer.as_bytes())?;
        head.clear();
    }
    Ok(())
}

/// Sends one log record in the trace of `client`.
fn send(port: u16, client: u8) -> JoinHandle<String> {
    let (trace, span) = client_context(client);
    let request = format!(
        "POST /v1/logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         traceparent: 00-{trace}-{span}-01\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{LOGS}",
        LOGS.len()
    );
    let exchange = move || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    std::thread::Builder::new().spawn(exchange).unwrap()
}

fn client_context(client: u8) -> (String, String) {
    (format!("{client:032x}"), format!("{client:016x}"))
}

/// OTLP in on `port`, batches of what waits out to `backend`, own spans to `spans`.
fn collector(port: u16, backend: u16, metrics: u16, spans: u16) -> String {
    format!(
        "receivers:
  otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:{port}'}}}}}}
exporters:
  otlphttp:
    endpoint: http://127.0.0.1:{backend}
    compression: none
    sending_queue:
      wait_for_result: true
      num_consumers: 1
      sizer: items
      batch: {{min_size: 3, flush_timeout: 30s}}
service:
  telemetry:
    metrics: {{readers: [{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: {metrics}}}}}}}}}]}}
    traces:
      propagators: [tracecontext]
      processors:
        - batch:
            schedule_delay: 100
            exporter: {{otlp: {{protocol: http/protobuf, endpoint: 'http://127.0.0.1:{spans}'}}}}
  pipelines:
    logs: {{receivers: [otlp], exporters: [otlphttp]}}
"
    )
}

/// Writes the spans that come in on `port` to a file.
fn keeper(port: u16, metrics: u16, file: &Path) -> String {
    let file = file.display();
    format!(
        "receivers:
  otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:{port}'}}}}}}
exporters:
  file: {{path: '{file}'}}
service:
  telemetry:
    metrics: {{readers: [{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: {metrics}}}}}}}}}]}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [file]}}
"
    )
}

fn start(folder: &Path, name: &str, config: &str) -> Running {
    let path = folder.join(format!("{name}.yaml"));
    std::fs::write(&path, config).unwrap();
    let data = folder.join(name);
    let arguments = ["--config", path.to_str().unwrap(), "--data-dir", data.to_str().unwrap()];
    let mut running = Running::start(&arguments);
    running.wait_for("Everything is ready");
    running
}

fn end(running: Running) {
    running.signal("TERM");
    let (status, log, _) = running.end();
    assert!(status.success(), "{log}");
}

/// Asks until a series of this name has this value.
fn wait_for(metrics: u16, name: &str, value: u8) {
    let value = format!(" {value}");
    let is_told = |_| {
        let page = get(metrics, "/metrics");
        page.lines().any(|line| line.starts_with(name) && line.ends_with(&value))
    };
    assert!((0..20_000).any(is_told), "{name} never was{value}");
}

/// A span as it was exported.
#[derive(Debug)]
struct Span {
    name: String,
    context: (String, String),
    parent: String,
    links: BTreeSet<(String, String)>,
}

fn spans(file: &Path) -> Vec<Span> {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let context = |value: &Value| (text(value, "traceId"), text(value, "spanId"));
    let lines = std::fs::read_to_string(file).unwrap();
    let requests = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let spans = requests.flat_map(|request| {
        let spans = request.pointer("/resourceSpans/0/scopeSpans/0/spans").unwrap().clone();
        spans.as_array().unwrap().clone()
    });
    let spans = spans.map(|span| Span {
        name: text(&span, "name"),
        context: context(&span),
        parent: text(&span, "parentSpanId"),
        links: span["links"].as_array().into_iter().flatten().map(context).collect(),
    });
    spans.collect()
}

/// The one span of this name in the trace of `client`, below `parent`.
#[track_caller]
fn only<'a>(spans: &'a [Span], name: &str, client: u8, parent: &str) -> &'a Span {
    let (trace, _) = client_context(client);
    let mut found = spans.iter().filter(|span| span.name == name && span.context.0 == trace);
    let span = found.next().unwrap_or_else(|| panic!("no `{name}` of {client} in {spans:#?}"));
    assert_eq!((found.count(), span.parent.as_str()), (0, parent), "{spans:#?}");
    span
}

#[test]
fn a_merged_batch_and_its_callers_are_linked_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spans.jsonl");
    let [port, spans_port, metrics] = [free_port(), free_port(), free_port()];
    let backend = Backend::start();
    let keeper = start(folder.path(), "keeper", &keeper(spans_port, free_port(), &file));
    let config = collector(port, backend.port, metrics, spans_port);
    let collector = start(folder.path(), "collector", &config);

    // The first keeps the only worker busy, until the others have met in the queue.
    let mut clients = vec![send(port, 1)];
    let alone = backend.context();
    clients.extend([send(port, 2), send(port, 3), send(port, 4)]);
    wait_for(metrics, "otelcol_exporter_queue_size", 4);
    backend.answers.send(()).unwrap();
    let merged = backend.context();
    backend.answers.send(()).unwrap();
    for client in clients {
        let answer = client.join().unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    end(collector);
    end(keeper);

    let spans = spans(&file);
    let stays: Vec<&Span> = (1..=4)
        .map(|client| {
            let (_, parent) = client_context(client);
            let received = only(&spans, "receiver/otlp/LogsReceived", client, &parent);
            only(&spans, "exporter/enqueue", client, &received.context.1)
        })
        .collect();
    let export = only(&spans, "exporter/otlphttp/logs", 1, &stays[0].context.1);
    assert_eq!(export.context, alone);
    let batch = spans.iter().find(|span| span.context == merged).unwrap();
    assert_eq!((batch.name.as_str(), batch.parent.as_str()), ("exporter/otlphttp/logs", ""));
    let carried: BTreeSet<_> = stays[1..].iter().map(|stay| stay.context.clone()).collect();
    assert_eq!(batch.links, carried);
    for stay in &stays[1..] {
        assert_eq!(stay.links, [merged.clone()].into());
    }
    // Every span is accounted for: own spans are not recorded on their own way.
    assert_eq!(spans.len(), 10, "{spans:#?}");
}

#[test]
fn own_spans_into_an_own_receiver_tell_nothing_of_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spans.jsonl");
    let [port, metrics] = [free_port(), free_port()];
    let config =
        keeper(port, metrics, &file).replace("exporters:\n", "exporters:\n  nop:\n").replace(
            "  pipelines:\n",
            &format!(
                "    traces: {{processors: [{{batch: {{schedule_delay: 10, exporter: {{otlp: \
                 {{endpoint: 'http://127.0.0.1:{port}'}}}}}}}}]}}
  pipelines:
    logs: {{receivers: [otlp], exporters: [nop]}}\n"
            ),
        );
    let collector = start(folder.path(), "collector", &config);
    for client in 1..=3 {
        assert!(send(port, client).join().unwrap().starts_with("HTTP/1.1 200"));
        // Would one export be recorded, the next would carry that.
        wait_for(metrics, "otelcol_exporter_sent_spans", client);
    }
    end(collector);
    for (span, client) in spans(&file).iter().zip(1..=3) {
        assert_eq!(span.name, "receiver/otlp/LogsReceived");
        assert_eq!(span.context.0, client_context(client).0);
    }
}
