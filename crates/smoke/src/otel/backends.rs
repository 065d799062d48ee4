//! Asking a backend for a run: Loki, Prometheus, and the files of a file exporter.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};

use camino::Utf8PathBuf;
use http::StatusCode;
use serde_json::Value;
use source::system;

use super::payload::{RUN_ID, SERVICE, TRANSPORT};
use super::{FileTarget, Signal, Transport};
use crate::report::shown;
use crate::wire::{Dialer, Fault, Kind, Reply, Url, encoded, get};

/// Items by signal and transport.
pub(crate) type Found = BTreeMap<(Signal, Transport), u64>;

/// A file exporter writes one batch a line; a batch of thousands of spans is a few megabytes.
const LONGEST_LINE: usize = 16 * 1024 * 1024;

/// Read in pieces of this size, so that a large file does not have to fit into memory.
const PIECE: usize = 256 * 1024;

/// How far back Loki looks for the run. A run is minutes old at most.
const LOKI_RANGE: &str = "1h";

/// What Prometheus has of our metric: the value of the last point of each transport.
pub(crate) async fn prometheus(dialer: &Dialer, url: &Url, run: &str) -> Result<Found, Fault> {
    let query = format!("collimate_smoke{{collimate_run_id=\"{run}\"}}");
    let path = format!("/api/v1/query?query={}", encoded(&query));
    let reply = get(dialer, url, &path, &[("accept", "application/json")]).await.map_err(unreachable)?;
    by_transport(&reply, Signal::Metrics, "collimate_transport")
}

/// How many lines of the run Loki shows to a tenant.
pub(crate) async fn loki(dialer: &Dialer, url: &Url, tenant: &str, run: &str) -> Result<Found, Fault> {
    let query = format!(
        "sum by (collimate_transport) (count_over_time({{service_name=\"{SERVICE}\"}} | collimate_run_id=\"{run}\" [{LOKI_RANGE}]))"
    );
    let path = format!("/loki/api/v1/query?query={}", encoded(&query));
    let headers = [("accept", "application/json"), ("x-scope-orgid", tenant)];
    let reply = get(dialer, url, &path, &headers).await.map_err(unreachable)?;
    by_transport(&reply, Signal::Logs, "collimate_transport")
}

/// A dead backend must not look like a dead collector.
fn unreachable(fault: Fault) -> Fault {
    match fault.kind {
        Kind::ConnectionRefused | Kind::ConnectTimeout | Kind::HostUnreachable | Kind::NoAnswer => {
            Fault::new(Kind::BackendUnreachable, fault.message)
        }
        _ => fault,
    }
}

/// The shape that Prometheus and Loki share: `{status, data: {result: [{metric: {…}, value: [time, "10"]}]}}`.
fn by_transport(reply: &Reply, signal: Signal, label: &str) -> Result<Found, Fault> {
    let failed = |message: &str, quoted: &str| Err(Fault::quoting(Kind::ReadBackFailed, message, quoted));
    if reply.text().contains("Client sent an HTTP request to an HTTPS server") {
        return Err(Fault::new(Kind::TlsPort, "the port speaks TLS and was spoken to in plain text"));
    }
    if reply.status != StatusCode::OK {
        return failed(&format!("the backend answers {}", reply.status), &reply.text());
    }
    let Ok(answer) = serde_json::from_slice::<Value>(&reply.body) else {
        return failed("the backend does not answer in JSON", "");
    };
    let Some(series) = answer["data"]["result"].as_array() else {
        return failed("the backend's answer has no result", answer["error"].as_str().unwrap_or_default());
    };
    let mut found = Found::new();
    for one in series {
        let transport = Transport::ALL.into_iter().find(|transport| one["metric"][label] == transport.label());
        let count = one["value"][1].as_str().and_then(|value| value.parse::<f64>().ok());
        if let (Some(transport), Some(count)) = (transport, count) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts, and saturating")]
            let count = count as u64;
            *found.entry((signal, transport)).or_default() += count;
        }
    }
    Ok(found)
}

/// Follows a file from where it ended when the run began, over a rotation.
pub(crate) struct Tail {
    pub(crate) target: FileTarget,
    run: String,
    file: Option<File>,
    /// The end of the last piece, which is no whole line yet.
    rest: Vec<u8>,
    found: Found,
}

impl Tail {
    /// Before anything is sent: what stands in the file already is not this run's.
    pub(crate) fn new(target: FileTarget, run: String) -> Result<Self, Fault> {
        let mut tail = Self { target, run, file: None, rest: Vec::new(), found: Found::new() };
        if let Some(mut file) = tail.open()? {
            file.seek(SeekFrom::End(0)).map_err(|error| unreadable(&tail.target.path, &error))?;
            tail.file = Some(file);
        }
        Ok(tail)
    }

    /// What the file has of the run by now.
    pub(crate) fn read(&mut self) -> Result<Found, Fault> {
        if self.file.is_none() {
            self.file = self.open()?;
        }
        self.read_to_end()?;
        if self.was_rotated() {
            // What was written between the last look and the rotation has just been read; go on in the new file.
            self.rest.clear();
            self.file = self.open()?;
            self.read_to_end()?;
        }
        Ok(self.found.clone())
    }

    /// `None` if there is no file yet: an exporter makes it with the first batch.
    fn open(&self) -> Result<Option<File>, Fault> {
        if self.target.path.metadata().is_ok_and(|there| there.file_type().is_fifo()) {
            // Opening it would wait for whoever writes into it.
            let message = format!("cannot read `{}`: it is a pipe", self.target.path);
            return Err(Fault::new(Kind::ReadBackFailed, message));
        }
        match File::open(&self.target.path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(&self.target.path, &error)),
        }
    }

    fn was_rotated(&self) -> bool {
        let ours = self.file.as_ref().and_then(|file| file.metadata().ok());
        let there = self.target.path.metadata().ok();
        matches!((ours, there), (Some(ours), Some(there)) if (ours.dev(), ours.ino()) != (there.dev(), there.ino()))
    }

    fn read_to_end(&mut self) -> Result<(), Fault> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        let mut piece = vec![0; PIECE];
        loop {
            let count = file.read(&mut piece).map_err(|error| unreadable(&self.target.path, &error))?;
            let Some(read) = piece.get(..count).filter(|read| !read.is_empty()) else { break };
            self.take(read)?;
        }
        self.file = Some(file);
        Ok(())
    }

    fn take(&mut self, piece: &[u8]) -> Result<(), Fault> {
        let mut lines = piece.split_inclusive(|byte| *byte == b'\n');
        lines.try_for_each(|part| {
            if self.rest.len() + part.len() > LONGEST_LINE {
                let message = format!("`{}` has a line of more than 16 MiB", self.target.path);
                return Err(Fault::new(Kind::ReadBackFailed, message));
            }
            self.rest.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.rest);
                self.line(&line)?;
            }
            Ok(())
        })
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Fault> {
        // Most of what stands in the file is not ours, and need not be understood.
        if !line.windows(self.run.len()).any(|window| window == self.run.as_bytes()) {
            return Ok(());
        }
        let whole: Value = serde_json::from_slice(line).map_err(|_| {
            let message = format!("`{}` is not lines of JSON (the file exporter's `format: json`)", self.target.path);
            Fault::new(Kind::ReadBackFailed, message)
        })?;
        for (key, count) in count(&whole, &self.run) {
            *self.found.entry(key).or_default() += count;
        }
        Ok(())
    }
}

fn unreadable(path: &Utf8PathBuf, error: &std::io::Error) -> Fault {
    Fault::new(Kind::ReadBackFailed, format!("cannot read `{path}`: {}", shown(&system::reason(error))))
}

/// The run's items in one batch in OTLP's JSON.
fn count(batch: &Value, run: &str) -> Found {
    let mut found = Found::new();
    let mut add = |signal, item: &Value| {
        let transport = Transport::ALL.into_iter().find(|transport| has(item, TRANSPORT, transport.label()));
        if let Some(transport) = transport {
            *found.entry((signal, transport)).or_default() += 1;
        }
    };
    let of_run = |resource: &&Value| has(&resource["resource"], RUN_ID, run);
    for resource in list(&batch["resourceSpans"]).filter(of_run) {
        for scope in list(&resource["scopeSpans"]) {
            list(&scope["spans"]).for_each(|span| add(Signal::Traces, span));
        }
    }
    for resource in list(&batch["resourceLogs"]).filter(of_run) {
        for scope in list(&resource["scopeLogs"]) {
            list(&scope["logRecords"]).for_each(|record| add(Signal::Logs, record));
        }
    }
    for scope in list(&batch["resourceMetrics"]).flat_map(|resource| list(&resource["scopeMetrics"])) {
        for point in list(&scope["metrics"]).flat_map(|metric| list(&metric["gauge"]["dataPoints"])) {
            if has(point, RUN_ID, run) {
                add(Signal::Metrics, point);
            }
        }
    }
    found
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn has(holder: &Value, key: &str, value: &str) -> bool {
    list(&holder["attributes"]).any(|entry| entry["key"] == key && entry["value"]["stringValue"] == value)
}

#[cfg(test)]
mod tests {
    use testkit::Sandbox;

    use super::*;

    fn line(run: &str, transport: &str) -> String {
        format!(
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"collimate.run.id","value":{{"stringValue":"{run}"}}}}]}},"scopeSpans":[{{"spans":[{{"attributes":[{{"key":"collimate.transport","value":{{"stringValue":"{transport}"}}}}]}}]}}]}}]}}"#
        ) + "\n"
    }

    fn tail(sandbox: &Sandbox) -> Tail {
        let target = FileTarget { signal: None, path: sandbox.path("f.jsonl") };
        Tail::new(target, "cafe".to_owned()).unwrap()
    }

    #[test]
    fn a_pipe_is_not_waited_for() {
        let sandbox = Sandbox::new();
        let made = std::process::Command::new("/usr/bin/mkfifo").arg(sandbox.path("f.jsonl")).status().unwrap();
        assert!(made.success());
        let target = FileTarget { signal: None, path: sandbox.path("f.jsonl") };
        let fault = Tail::new(target, "cafe".to_owned()).err().expect("a pipe has no end to start from");
        assert!(fault.message.ends_with("it is a pipe"), "{}", fault.message);
    }

    #[test]
    fn only_this_run_and_only_what_comes_after_the_start_counts() {
        let sandbox = Sandbox::new();
        sandbox.write("f.jsonl", line("cafe", "grpc"));
        let mut tail = tail(&sandbox);
        let more = line("cafe", "grpc") + &line("beef", "grpc") + &line("cafe", "http") + "half a li";
        sandbox.write("f.jsonl", line("cafe", "grpc") + &more);
        let found = tail.read().unwrap();
        assert_eq!(found[&(Signal::Traces, Transport::Grpc)], 1);
        assert_eq!(found[&(Signal::Traces, Transport::Http)], 1);
    }

    #[test]
    fn a_rotated_file_is_followed() {
        let sandbox = Sandbox::new();
        let mut tail = tail(&sandbox);
        sandbox.write("f.jsonl", line("cafe", "grpc"));
        assert_eq!(tail.read().unwrap()[&(Signal::Traces, Transport::Grpc)], 1);
        std::fs::rename(sandbox.path("f.jsonl"), sandbox.path("old.jsonl")).unwrap();
        sandbox.write("f.jsonl", line("cafe", "grpc"));
        assert_eq!(tail.read().unwrap()[&(Signal::Traces, Transport::Grpc)], 2);
    }

    #[test]
    fn a_line_without_end_is_given_up() {
        let sandbox = Sandbox::new();
        let mut tail = tail(&sandbox);
        let long = "x".repeat(16 * 1024 * 1024 - 1);
        sandbox.write("f.jsonl", format!("{long}\n{}", line("cafe", "grpc")));
        assert_eq!(tail.read().unwrap()[&(Signal::Traces, Transport::Grpc)], 1);
        sandbox.write("f.jsonl", format!("{long}\n{}{long}xx", line("cafe", "grpc")));
        let fault = tail.read().unwrap_err();
        assert_eq!(fault.message, format!("`{}` has a line of more than 16 MiB", sandbox.path("f.jsonl")));
    }

    #[test]
    fn a_file_that_is_not_json_is_named() {
        let sandbox = Sandbox::new();
        let mut tail = tail(&sandbox);
        sandbox.write("f.jsonl", "\u{0}cafe\n");
        assert_eq!(tail.read().unwrap_err().kind, Kind::ReadBackFailed);
    }
}
