//! The shipped tree, packed by its documented script and used as an operator would use it.

use std::os::unix::fs::PermissionsExt as _;

use bundle::BesideFile;
use camino::Utf8Path;
use signing::PublicKey;
use testkit::{Cli, Sandbox};

use super::workspace::{ARCHIVE, beside};
use crate::tree::repository;

/// The shipped tree, as it is, with everything that the bundle takes from it.
fn shipped() -> Sandbox {
    let tree = Sandbox::new();
    for name in ["collimate.yaml", "deploy", "docs", "ops", "LICENSE"] {
        tree.copy(repository().join(name), name);
    }
    tree
}

#[test]
fn the_shipped_tree_packs_by_its_documented_script() {
    // The commands of an operator call it by its name.
    if testkit::tool("openssl").is_none() {
        return;
    }
    let Some(python) = testkit::tool("python3") else { return };
    let tree = shipped();
    let program = |arguments: &[&str]| {
        Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(tree.root()).args(arguments.iter().copied())
    };
    program(&["key", "new", "key"]).any_stdout().run();
    Cli::new(python)
        .folder(tree.path("deploy"))
        .args(["../ops/devops/telemetry/package_offline_bundle.py", "--sign", "../key", "--output", "../out"])
        .env("COLLIMATE", env!("CARGO_BIN_EXE_collimate"))
        .any_stdout()
        .run();
    let archive = format!("out/{ARCHIVE}");
    program(&["bundle", "verify", &archive, "--key", "key.pub"]).stdout_has("trusted").run();
    // What an operator does, with none of ours: verify, unpack, verify again.
    let operator = format!(
        "openssl pkeyutl -verify -pubin -inkey ../key.pub -rawin -in {ARCHIVE} -sigfile {ARCHIVE}.sig && \
         tar -xzf {ARCHIVE} && sh telemetry-offline-bundle/verify.sh ../key.pub"
    );
    Cli::new("/bin/sh")
        .folder(tree.path("out"))
        .args(["-c", &operator])
        .stdout_has("trusted: [DIR]/telemetry-offline-bundle (")
        .run();

    // What was unpacked renders as it does here.
    let unpacked = tree.path("out/telemetry-offline-bundle");
    let render = |folder: &Utf8Path, arguments: &str| {
        let run = Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(folder).arg("render").args(arguments.split(' '));
        run.any_stdout().any_stderr().run().stdout
    };
    let compose = "--env-file env/airgap.env.example --compose docker-compose.airgap.yaml --compose docker-compose.telemetry.yaml \
        --compose docker-compose.telemetry-storage.yaml --images";
    assert_eq!(render(&unpacked.join("deploy/compose"), compose), render(&tree.path("deploy/compose"), compose));
    let chart = "--chart deploy/helm/stellaops --values deploy/helm/stellaops/values-airgap.yaml --namespace stellaops";
    assert_eq!(render(&unpacked, chart), render(tree.root(), chart));
    certificates_by_hand(&unpacked);

    let images = tree.read("out/telemetry-offline-bundle/images.txt");
    for name in [
        "otel/opentelemetry-collector",
        "prom/prometheus",
        "grafana/tempo",
        "grafana/loki",
        "library/nats",
        "stellaops/authority",
    ] {
        assert!(images.lines().any(|line| line.contains(name) && line.contains("@sha256:")), "{name}: {images}");
    }
    for absent in
        ["deploy/telemetry/certs", "deploy/compose/docker-compose.prod.yaml", "deploy/helm/stellaops/values-prod.yaml"]
    {
        assert!(!unpacked.join(absent).exists(), "{absent}");
    }
    flips(&tree);
}

/// The commands that the page has for sites without the program: OpenSSL is content with what they make.
fn certificates_by_hand(unpacked: &Utf8Path) {
    let page = std::fs::read_to_string(unpacked.join("INSTALL.md")).unwrap();
    let script =
        page.split("```sh\n").find(|block| block.starts_with("umask 077")).unwrap().split("```").next().unwrap();
    let shell = |script: &str| Cli::new("/bin/sh").folder(unpacked).args(["-e", "-c", script]);
    shell(script).any_stderr().any_stdout().run();
    for component in ["collector", "prometheus", "tempo", "loki", "client"] {
        let folder = format!("deploy/telemetry/certs/{component}");
        let purposes: &[&str] = if component == "client" { &["sslclient"] } else { &["sslclient", "sslserver"] };
        for purpose in purposes {
            let verify =
                format!("openssl verify -x509_strict -purpose {purpose} -CAfile {folder}/ca.crt {folder}/tls.crt");
            shell(&verify).stdout(format!("{folder}/tls.crt: OK\n")).run();
        }
        let mode = std::fs::metadata(unpacked.join(&folder).join("tls.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{component}");
    }
    let name = "openssl verify -verify_hostname otel-collector -CAfile collector/ca.crt collector/tls.crt";
    shell(&format!("cd deploy/telemetry/certs && {name}")).stdout("collector/tls.crt: OK\n").run();
    std::fs::remove_dir_all(unpacked.join("deploy/telemetry/certs")).unwrap();
}

/// 20,000 bits of the shipped bundle and of what lies beside it, by chance but the same every time.
fn flips(tree: &Sandbox) {
    let path = tree.path(format!("out/{ARCHIVE}"));
    let public: PublicKey = tree.read("key.pub").parse().unwrap();
    let archive = std::fs::read(&path).unwrap();
    let beside = beside(&path);
    bundle::verify(&archive, &beside, &public).unwrap();
    let files: Vec<Option<BesideFile>> = std::iter::once(None).chain(BesideFile::ALL.map(Some)).collect();
    let bytes = |file: Option<BesideFile>| file.map_or(archive.as_slice(), |file| beside.get(file).unwrap());
    let places: Vec<(Option<BesideFile>, usize)> =
        files.iter().flat_map(|file| (0..bytes(*file).len()).map(move |at| (*file, at))).collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        // xorshift64: any even spread will do.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 1).unwrap()
    };
    let chosen: Vec<_> = (0..20_000).map(|_| (places[next() % places.len()], next() % 8)).collect();
    let is_missed = |((file, at), bit): &((Option<BesideFile>, usize), usize)| {
        let mut flipped = bytes(*file).to_vec();
        flipped[*at] ^= 1 << bit;
        match file {
            None => bundle::verify(&flipped, &beside, &public).is_ok(),
            Some(file) => {
                let mut beside = beside.clone();
                beside.set(*file, Some(flipped));
                bundle::verify(&archive, &beside, &public).is_ok()
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let missed: Vec<_> = std::thread::scope(|scope| {
        let shares: Vec<_> = chosen
            .chunks(chosen.len().div_ceil(threads))
            .map(|share| scope.spawn(|| share.iter().filter(|flip| is_missed(flip)).collect::<Vec<_>>()))
            .collect();
        shares.into_iter().flat_map(|share| share.join().unwrap()).collect()
    });
    assert!(missed.is_empty(), "{missed:?}");
}
