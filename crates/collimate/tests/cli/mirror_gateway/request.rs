//! Requests as a tenant's program sends them, by `curl`, which sends a path as it is written.

use std::process::Command;

use super::stage::Stage;

/// A request that is not sent yet.
#[derive(Clone)]
#[must_use = "nothing is sent until `send`"]
pub(crate) struct Request<'s> {
    stage: &'s Stage,
    host: String,
    path: String,
    arguments: Vec<String>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// What `curl` ended with: 0, 18 for a body that is not whole, 35 for a handshake that failed, 52 and 56 for none.
    pub(crate) exit: i32,
    /// 0 if there was no answer.
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl<'s> Request<'s> {
    pub(super) fn new(stage: &'s Stage, host: &str, path: &str) -> Self {
        Self { stage, host: host.to_owned(), path: path.to_owned(), arguments: Vec::new() }
    }

    /// To another domain.
    pub(crate) fn host(mut self, host: &str) -> Self {
        self.host = host.to_owned();
        self
    }

    /// With name and password, `name:password`.
    pub(crate) fn user(self, user: &str) -> Self {
        self.args(&["--user", user])
    }

    /// With another header, `Name: value`.
    pub(crate) fn header(self, header: &str) -> Self {
        self.args(&["--header", header])
    }

    /// From another address of this machine.
    pub(crate) fn from(self, address: &str) -> Self {
        self.args(&["--interface", address])
    }

    /// With these arguments of `curl`.
    pub(crate) fn args(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    pub(crate) fn send(&self) -> Answer {
        let output = self.command().output().unwrap();
        let exit = output.status.code().unwrap_or(-1);
        let mut rest = output.stdout.as_slice();
        loop {
            let Some(end) = find(rest, b"\r\n\r\n") else {
                return Answer { exit, status: 0, headers: Vec::new(), body: Vec::new() };
            };
            let head = String::from_utf8_lossy(&rest[..end]).into_owned();
            rest = &rest[end + 4..];
            let mut lines = head.lines();
            let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
            if status == 100 {
                continue;
            }
            let headers = lines.filter_map(|line| line.split_once(':'));
            let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
            return Answer { exit, status, headers: headers.collect(), body: rest.to_vec() };
        }
    }

    /// The same request so many times, all by one `curl`, over one connection: the statuses.
    pub(crate) fn repeat(&self, times: usize) -> Vec<u16> {
        let all = vec![self.clone(); times];
        statuses(&all)
    }

    /// The command that sends it.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.stage.curl);
        command.args(["--silent", "--include", "--max-time", "120"]).args(self.own());
        command
    }

    fn own(&self) -> Vec<String> {
        let https = self.stage.https;
        let mut arguments = vec![
            "--path-as-is".to_owned(),
            "--cacert".to_owned(),
            self.stage.sandbox.path("certs/authority/ca.crt").to_string(),
            "--resolve".to_owned(),
            format!("{}:{https}:127.0.0.1", self.host),
        ];
        arguments.extend(self.arguments.iter().cloned());
        arguments.push(format!("https://{}:{https}{}", self.host, self.path));
        arguments
    }
}

/// Sends all of them one after the other, by one `curl`: the statuses.
pub(crate) fn statuses(requests: &[Request<'_>]) -> Vec<u16> {
    let Some(first) = requests.first() else { return Vec::new() };
    let mut command = Command::new(&first.stage.curl);
    for (index, request) in requests.iter().enumerate() {
        if index > 0 {
            command.arg("--next");
        }
        command.args(["--silent", "--max-time", "120", "--output", "/dev/null", "--write-out", "%{http_code}\\n"]);
        command.args(request.own());
    }
    let output = command.output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().map(|line| line.parse().unwrap_or(0)).collect()
}

impl Answer {
    /// The first header of that name, given in lower case; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Where it came from.
    pub(crate) fn cache(&self) -> &str {
        self.header("x-cache-status")
    }

    /// The `error` of a refusal; empty if the body is none.
    pub(crate) fn error(&self) -> String {
        let value: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        value["error"].as_str().unwrap_or_default().to_owned()
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
