//! Against Debian's `docker-registry`, with TLS and passwords.

use certificates::{Algorithm, Authority, Leaf, Usage, Validity};
use mirror::htpasswd::{Hash, Password, Zeroizing};
use testkit::{DockerRegistry, Sandbox, Secured};

use super::world::{MANIFEST, PASSWORD, USER, World, manifest, sample, short};

/// A registry that is filled already, with all that it needs to be secured.
struct Real {
    registry: DockerRegistry,
    sandbox: Sandbox,
}

impl Real {
    /// `None`, said loudly, where this machine has no registry.
    fn start() -> Option<Self> {
        let sandbox = Sandbox::new();
        let registry = DockerRegistry::start(&sandbox)?;
        Some(Self { registry, sandbox })
    }

    /// Starts it again with TLS and a password; with `clients`, only with client certificates.
    fn secure(&mut self, clients: bool) {
        let validity = Validity::days(jiff::Timestamp::now(), 10);
        let authority = Authority::new(Algorithm::P256, validity).unwrap();
        let leaf = Leaf {
            common_name: "localhost".to_owned(),
            sans: vec!["localhost".parse().unwrap()],
            usages: vec![Usage::Server, Usage::Client],
            algorithm: Algorithm::P256,
            validity,
        };
        let (server, client) = (authority.issue(&leaf).unwrap(), authority.issue(&leaf).unwrap());
        let password = Password::chosen(Zeroizing::new(PASSWORD.to_owned()), "team").unwrap();
        // The lowest cost: this is no password of anybody.
        let hash = Hash::bcrypt(&password, 4, [7; 16]);
        self.sandbox
            .write("ca.crt", authority.certificate_pem())
            .write("server.crt", &server.certificate_pem)
            .write("server.key", server.key.reveal())
            .write("client.crt", &client.certificate_pem)
            .write("client.key", client.key.reveal())
            .write("htpasswd", format!("{USER}:{}\n", hash.reveal()));
        let path = |name: &str| self.sandbox.path(name);
        self.registry.restart(Secured {
            certificate: Some((&path("server.crt"), &path("server.key"))),
            clients: clients.then(|| path("ca.crt")).as_deref(),
            htpasswd: Some(&path("htpasswd")),
        });
    }

    fn path(&self, name: &str) -> String {
        self.sandbox.path(name).to_string()
    }
}

#[test]
fn a_release_is_resolved_pinned_and_green() {
    let Some(mut real) = Real::start() else { return };
    let host = real.registry.host();
    let (web, _) = real.registry.push_index("team/web", "1.1", "web");
    let (worker, _) = real.registry.push_index("team/worker", "1.1", "worker");
    let (db, platforms) = real.registry.push_index("db", "7", "db");
    let (tool, _) = real.registry.push_image("tool", "3", "tool");
    let stand_in = sample(&host, "team/web", "1.1");
    let rows = [
        ("web", "team/web", "1.1", stand_in.as_str()),
        ("worker", "team/worker", "1.1", "unresolved"),
        ("db", "db", "7", platforms[1].as_str()),
        ("tool", "tool", "3", tool.as_str()),
    ];
    real.secure(false);
    let world = World::new(&host, &rows).login(&host).flags(&["--ca", &real.path("ca.crt")]);
    world.program(&["check", "--deny", "warnings"]).any_stdout().any_stderr().exit(1).run();

    let plan = world.run(&["--dry-run"], 0);
    let added: Vec<&str> = plan.stdout.lines().filter(|line| line.starts_with("+ ")).collect();
    let line = |digest: &str, name: &str| format!("+    digest: {digest} # of {name}");
    assert_eq!(added, [line(&web, "web"), line(&worker, "worker"), line(&db, "db")], "{plan}");
    assert_eq!(world.sandbox.read(MANIFEST), manifest("edge", "1.1.0", &host, &rows), "nothing is written");

    let output = world.run(&[], 0);
    let expected = format!(
        "web     1.1  resolved         {}; a stand-in was listed\n\
         worker  1.1  resolved         {}; none was listed\n\
         db      7    platform-digest  {}; {} was listed, which is linux/arm64 alone\n\
         tool    3    unchanged        {} (one image, no index of platforms)\n\
         wrote `releases/edge.yaml`\n\
         next: `collimate pin edge` writes the digests into the profiles\n",
        short(&web),
        short(&worker),
        short(&db),
        short(&platforms[1]),
        short(&tool),
    );
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), (expected.as_str(), ""));
    let resolved = [
        ("web", "team/web", "1.1", web.as_str()),
        ("worker", "team/worker", "1.1", worker.as_str()),
        ("db", "db", "7", db.as_str()),
        ("tool", "tool", "3", tool.as_str()),
    ];
    let text = manifest("edge", "1.1.0", &host, &resolved).replace("digests: sample", "digests: resolved");
    assert_eq!(world.sandbox.read(MANIFEST), text);

    let again = world.run(&[], 0);
    assert!(again.stdout.ends_with("`releases/edge.yaml` lists what the registries have; nothing to do\n"), "{again}");
    world.program(&["pin", "edge"]).any_stdout().any_stderr().run();
    world.program(&["check", "--deny", "warnings"]).any_stdout().any_stderr().run();
}

#[test]
fn a_tag_that_was_moved_is_not_taken_in_silence() {
    let Some(real) = Real::start() else { return };
    let host = real.registry.host();
    let (before, _) = real.registry.push_index("web", "1", "before");
    real.registry.push_index("worker", "1", "worker");
    let world = World::new(&host, &[("web", "web", "1", &before), ("worker", "worker", "1", "unresolved")]);
    let (now, _) = real.registry.push_index("web", "1", "after");
    let files = world.snapshot();
    let output = world.run(&[], 1);
    let expected = format!(
        "error: `releases/edge.yaml` is left as it is: 1 component cannot be resolved\n\
         caused by: `web`: the tag `1` was moved: {} is listed, and it is {} now\n\
         hint: find out who moved the tag, and list the new image under a tag of its own; or take what it is now with `--accept-moved`\n",
        short(&before),
        short(&now),
    );
    assert_eq!(output.stderr, expected);
    world.is_untouched(&files);
    assert_eq!(world.states(&["--dry-run"], 1)["web"], "moved");
    assert_eq!(world.states(&["--accept-moved"], 0)["web"], "moved-accepted");
    assert!(world.sandbox.read(MANIFEST).contains(&now));
}

#[test]
fn who_is_not_let_in_hears_why() {
    let Some(mut real) = Real::start() else { return };
    let host = real.registry.host();
    real.registry.push_index("web", "1", "web");
    real.secure(true);
    let (ca, cert, key) = (real.path("ca.crt"), real.path("client.crt"), real.path("client.key"));
    let rows = [("web", "web", "1", "unresolved"), ("none", "none", "1", "unresolved")];
    let world = || World::new(&host, &rows);
    let state = |world: World, arguments: &[&str], exit: i32| {
        let files = world.snapshot();
        let states = world.states(&[&["web"], arguments].concat(), exit);
        if exit != 0 {
            world.is_untouched(&files);
        }
        states["web"].clone()
    };
    let shown = ["--ca", &ca, "--cert", &cert, "--cert-key", &key];
    assert_eq!(state(world().login(&host), &[], 5), "wrong-ca");
    assert_eq!(state(world().login(&host), &shown[..2], 5), "client-certificate-missing");
    assert_eq!(state(world(), &shown, 5), "credentials-missing");
    let wrong = world().login(&host);
    wrong.sandbox.replace("docker/config.json", PASSWORD, "planted-wrong-pa55word");
    assert_eq!(state(wrong, &shown, 5), "credentials-refused");
    assert_eq!(state(world().login(&host), &shown, 0), "resolved");

    // Through a mirror that is this registry, and below a `certs.d` folder.
    let folder = real.sandbox.path(format!("certs.d/{host}"));
    std::fs::create_dir_all(&folder).unwrap();
    for (from, to) in [("ca.crt", "ca.crt"), ("client.crt", "client.cert"), ("client.key", "client.key")] {
        std::fs::copy(real.path(from), folder.join(to)).unwrap();
    }
    let away = World::new("registry.example.org", &rows).login(&host);
    let (mirror, certs) = (format!("registry.example.org={host}"), real.path("certs.d"));
    let flags = ["--mirror", &mirror, "--mirror-only", "--certs-dir", &certs];
    let report = away.report(&[&["web"], flags.as_slice()].concat(), 0);
    assert_eq!(report["components"][0]["answered_by"], host.as_str());

    // All or nothing: one that is not there holds the other back.
    let both = World::new("registry.example.org", &rows).login(&host);
    let files = both.snapshot();
    let output = both.run(&flags, 1);
    let expected = format!(
        "error: `releases/edge.yaml` is left as it is: 1 component cannot be resolved\n\
         caused by: `none`: `{host}`: the repository `none` has no `1` (tag-not-found)\n\
         hint: check the tag, and whether the image was pushed; a mirror may not have it yet\n"
    );
    assert_eq!(output.stderr, expected);
    both.is_untouched(&files);
}
