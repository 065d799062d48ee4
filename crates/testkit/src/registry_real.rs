//! Debian's `docker-registry`, for one test.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use crate::registry::sha256;
use crate::{Sandbox, Server, free_ports, tool};

/// A real registry. It is filled without TLS and login; [`DockerRegistry::restart`] then gives it both.
#[derive(Debug)]
pub struct DockerRegistry {
    server: Server,
    port: u16,
    program: Utf8PathBuf,
    folder: Utf8PathBuf,
}

/// What it is to have when it starts again; all files are PEM, but for the `htpasswd` with hashes of bcrypt.
#[derive(Clone, Copy, Debug, Default)]
pub struct Secured<'a> {
    pub certificate: Option<(&'a Utf8Path, &'a Utf8Path)>,
    /// The authority of the clients that are let in.
    pub clients: Option<&'a Utf8Path>,
    pub htpasswd: Option<&'a Utf8Path>,
}

impl DockerRegistry {
    /// `None`, said loudly, where this machine has none.
    #[must_use]
    #[track_caller]
    pub fn start(sandbox: &Sandbox) -> Option<Self> {
        let program = tool("docker-registry")?;
        let [port] = free_ports();
        let folder = sandbox.path(format!("docker-registry-{port}"));
        std::fs::create_dir_all(&folder).expect("a folder for the registry");
        let server = run(&program, &folder, port, Secured::default());
        Some(Self { server, port, program, folder })
    }

    /// Starts it again with the same content.
    #[track_caller]
    pub fn restart(&mut self, secured: Secured<'_>) {
        self.server.kill();
        self.server = run(&self.program, &self.folder, self.port, secured);
    }

    /// Its name in references: `localhost:PORT`.
    #[must_use]
    pub fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Pushes an image of one platform, different for each `content`, under a tag. Gives its manifest's digest and size.
    #[track_caller]
    pub fn push_image(&self, repository: &str, tag: &str, content: &str) -> (String, usize) {
        let config = json!({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": []}, "author": content})
            .to_string();
        let digest = sha256(config.as_bytes());
        let (_, headers, _) = self.call("POST", &format!("/v2/{repository}/blobs/uploads/"), "", b"");
        let place = header(&headers, "location");
        let path = place.split_once(&self.host()).map_or(place.as_str(), |(_, path)| path);
        let separator = if path.contains('?') { '&' } else { '?' };
        let (status, ..) = self.call(
            "PUT",
            &format!("{path}{separator}digest={digest}"),
            "application/octet-stream",
            config.as_bytes(),
        );
        assert_eq!(status, 201, "a blob is taken");
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": config.len()},
            "layers": [],
        })
        .to_string();
        (self.push(repository, tag, media_type, &manifest), manifest.len())
    }

    /// Pushes an index of two such images. Gives its digest and those of its platforms.
    #[track_caller]
    pub fn push_index(&self, repository: &str, tag: &str, content: &str) -> (String, Vec<String>) {
        let mut digests = Vec::new();
        let mut listed: Vec<Value> = Vec::new();
        for architecture in ["amd64", "arm64"] {
            let name = format!("{tag}-{architecture}");
            let (digest, size) = self.push_image(repository, &name, &format!("{content} {architecture}"));
            listed.push(json!({
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": digest,
                "size": size,
                "platform": {"os": "linux", "architecture": architecture},
            }));
            digests.push(digest);
        }
        let media_type = crate::registry::OCI_INDEX;
        let index = json!({"schemaVersion": 2, "mediaType": media_type, "manifests": listed}).to_string();
        (self.push(repository, tag, media_type, &index), digests)
    }

    #[track_caller]
    fn push(&self, repository: &str, tag: &str, media_type: &str, manifest: &str) -> String {
        let path = format!("/v2/{repository}/manifests/{tag}");
        let (status, headers, body) = self.call("PUT", &path, media_type, manifest.as_bytes());
        assert_eq!(status, 201, "a manifest is taken: {body}");
        let digest = header(&headers, "docker-content-digest");
        assert_eq!(digest, sha256(manifest.as_bytes()), "the registry computes the digest that everybody computes");
        digest
    }

    /// One request without TLS: status, headers, body.
    #[track_caller]
    fn call(&self, method: &str, path: &str, media_type: &str, body: &[u8]) -> (u16, String, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the registry listens");
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.host());
        // Writing to a string cannot fail.
        let _ = write!(head, "content-type: {media_type}\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(&[head.as_bytes(), body].concat()).expect("the registry reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the registry answers");
        let (headers, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
        let status = headers.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("an answer has a status");
        (status, headers.to_owned(), body.to_owned())
    }
}

#[track_caller]
fn run(program: &Utf8Path, folder: &Utf8Path, port: u16, secured: Secured<'_>) -> Server {
    let mut config = format!(
        "version: 0.1\nlog: {{level: warn}}\nstorage: {{filesystem: {{rootdirectory: {folder}/content}}}}\nhttp:\n  addr: 127.0.0.1:{port}\n"
    );
    if let Some((certificate, key)) = secured.certificate {
        // Writing to a string cannot fail, here and below.
        let _ = write!(config, "  tls:\n    certificate: {certificate}\n    key: {key}\n");
        if let Some(clients) = secured.clients {
            let _ = writeln!(config, "    clientcas: [{clients}]");
        }
    }
    if let Some(htpasswd) = secured.htpasswd {
        let _ = writeln!(config, "auth: {{htpasswd: {{realm: a registry, path: {htpasswd}}}}}");
    }
    let file = folder.join("config.yml");
    std::fs::write(&file, config).expect("a file for the registry");
    let mut command = Command::new(program);
    // Version 3 looks for somebody to send traces to unless it is told not to.
    command.arg("serve").arg(file).env("OTEL_TRACES_EXPORTER", "none");
    let mut server = Server::start(&mut command, folder.join("log"));
    server.wait_for_ports(&[port]);
    server
}

#[track_caller]
fn header(headers: &str, wanted: &str) -> String {
    let found = headers
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
        .map(|(_, value)| value.trim().to_owned());
    found.unwrap_or_else(|| panic!("no `{wanted}` in:\n{headers}"))
}
