//! The files that are shipped are what follows from `deploy/mirror.yaml`, and nginx takes them as they are.

use camino::Utf8Path;
use testkit::{Cli, Nginx, Sandbox};

use super::stage::repository;

#[test]
fn they_are_up_to_date() {
    Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(repository()).args(["mirror", "render", "--check"]).run();
}

/// Only paths are other ones: those of a container are not on every machine.
#[test]
fn nginx_takes_them() {
    if testkit::tool("nginx").is_none() {
        return;
    }
    for folder in ["deploy/compose/mirror-gateway/conf", "deploy/helm/stellaops/files/mirror-gateway"] {
        let sandbox = Sandbox::of(repository().join(folder));
        let certificates = ["tls", "mirror", "tls", "--file", "mirror.yaml", "--authority", "certs"];
        sandbox.copy(repository().join("deploy/mirror.yaml"), "mirror.yaml");
        Cli::new(env!("CARGO_BIN_EXE_collimate"))
            .folder(sandbox.root())
            .args(certificates)
            .any_stdout()
            .any_stderr()
            .run();
        std::fs::create_dir_all(sandbox.path("cache")).unwrap();
        std::fs::create_dir_all(sandbox.path("run")).unwrap();
        let files: Vec<_> = sandbox.files().into_iter().filter(|file| file.extension() == Some("conf")).collect();
        assert!(files.iter().any(|file| file == Utf8Path::new("nginx.conf")), "{files:?}");
        for file in files {
            let mut text = sandbox.read(&file);
            for (from, to) in [
                ("/etc/mirror-gateway/tls", "tls"),
                ("/var/cache/mirror-gateway", "cache"),
                ("/run/mirror-gateway", "run"),
            ] {
                text = text.replace(from, sandbox.path(to).as_str());
            }
            // Names of a cluster are not known here.
            text = text.replace("server stellaops-concelier:8080", "server 127.0.0.1:8080");
            text = text.replace("server stellaops-excititor:8080", "server 127.0.0.1:8080");
            sandbox.write(&file, text);
        }
        assert_eq!(Nginx::judge(sandbox.root()), Some(Ok(())), "{folder}");
    }
}
