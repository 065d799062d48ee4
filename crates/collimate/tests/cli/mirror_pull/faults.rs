//! Bad input and a mirror that cannot or must not be trusted: each has its message.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use certificates::{Algorithm, Authority, Leaf, San, Usage, Validity};
use jiff::{SignedDuration, Timestamp};
use testkit::{Cli, Misbehaviour, Nginx, free_ports};

use super::world::{BUNDLE, INDEX, MANIFEST, PASSWORD, PROGRAM, VEX_EXPORT, VEX_INDEX, World};

/// Nothing listens on it, and no test is given it while another one counts on that.
const NOBODY: u16 = 1;

/// A pull with these options in place of the usual ones.
fn pull(world: &World, options: &[&str]) -> Cli {
    Cli::new(PROGRAM).folder(world.sandbox.root()).args(["mirror", "pull", "copy"]).args(options.iter().copied())
}

#[test]
fn bad_input() {
    let world = World::new();
    world
        .sandbox
        .write("empty", "\n")
        .write("lines", "a\nb\n")
        .write("long", "x".repeat(73))
        .write("noise", [0xff, 0xfe]);
    world.sandbox.write("notes.txt", "no key\n");
    let good_url = world.exports.url();
    let good = ["--url", good_url.as_str(), "--domain", "primary", "--user", "acme", "--password-file", "password"];
    let with = |option: &str, value: &'static str| -> Vec<&str> {
        let mut options = good.to_vec();
        match options.iter().position(|present| *present == option) {
            Some(at) => options[at + 1] = value,
            None => options.extend([if option == "--key" { "--key" } else { "--ca" }, value]),
        }
        options
    };
    let unusable =
        |option: &str, why: &str| format!("error: the value of `{option}` cannot be used\ncaused by: {why}\n");
    let cases: Vec<(Vec<&str>, i32, String)> = vec![
        (with("--url", "mirror.test"), 2, unusable("--url", "it does not begin with `https://`")),
        (
            with("--url", "https://acme:geheim-4711@mirror.test"),
            2,
            unusable("--url", "it has a user in it; name the user with `--user`"),
        ),
        (with("--url", "https://mirror.test/x?y"), 2, unusable("--url", "it has a path; give scheme and host alone")),
        (
            with("--url", "http://mirror.test"),
            2,
            unusable("--url", "without TLS the password would be readable on the way; `http://` is for addresses of this machine"),
        ),
        (with("--url", "https://mirror.test:0"), 2, unusable("--url", "its port is none")),
        (
            with("--domain", "../x"),
            2,
            unusable("--domain", "a domain is named with lower-case letters, digits, `-` and `_`, such as `primary`"),
        ),
        (
            with("--user", "a:b"),
            2,
            unusable("--user", "a user's name is not empty, and has neither a colon nor control characters"),
        ),
        (with("--password-file", "none"), 3, "error: cannot read `none`\ncaused by: it does not exist\n".to_owned()),
        (with("--password-file", "."), 3, "error: cannot read `.`\ncaused by: it is not a regular file\n".to_owned()),
        (
            with("--password-file", "empty"),
            3,
            "error: the password of `empty` cannot be used\ncaused by: it is empty\n".to_owned(),
        ),
        (
            with("--password-file", "lines"),
            3,
            "error: the password of `lines` cannot be used\ncaused by: it has a line break or another control character in it\n".to_owned(),
        ),
        (
            with("--password-file", "long"),
            3,
            "error: the password of `long` cannot be used\ncaused by: it has more than 72 bytes, which the mirror refuses\n".to_owned(),
        ),
        (
            with("--password-file", "noise"),
            3,
            "error: cannot use `noise`\ncaused by: the password is not UTF-8\n".to_owned(),
        ),
        (with("--key", "none"), 3, "error: cannot read `none`\ncaused by: it does not exist\n".to_owned()),
    ];
    for (options, exit, expected) in cases {
        let output = pull(&world, &options).any_stderr().exit(exit).run();
        assert!(output.stderr.starts_with(&expected), "{options:?}: {output}\nexpected:\n{expected}");
        assert!(!output.stderr.contains("geheim"), "{output}");
    }
    let output = pull(&world, &with("--key", "notes.txt")).any_stderr().exit(3).run();
    assert!(output.stderr.starts_with("error: cannot use `notes.txt`\ncaused by: "), "{output}");
    assert!(
        output.stderr.ends_with("hint: the key of a mirror's signatures is a public key of P-256 or Ed25519 as PEM\n"),
        "{output}"
    );
    assert!(world.exports.asked().is_empty() && !world.path("").exists(), "nobody was asked and nothing was made");

    let by_variable =
        ["--url", good_url.as_str(), "--domain", "primary", "--user", "acme", "--password-env", "MIRROR_PASSWORD"];
    pull(&world, &by_variable)
        .stderr(
            "error: there is no password\n\
             caused by: the environment variable `MIRROR_PASSWORD` is not set\n\
             hint: `--password-env` takes the variable's name, not the password\n",
        )
        .exit(2)
        .run();
    pull(&world, &by_variable).env("MIRROR_PASSWORD", PASSWORD).any_stdout().any_stderr().run();
    let both = [&good[..], &["--password-env", "X"]].concat();
    pull(&world, &both).any_stderr().stderr_has("cannot be used with").exit(2).run();
}

#[test]
fn authorities_that_cannot_be_used() {
    let world = World::new();
    world.sandbox.write("ca.pem", "none\n");
    let options = [
        "--url",
        "https://mirror.test",
        "--domain",
        "primary",
        "--user",
        "a",
        "--password-file",
        "password",
        "--ca",
        "ca.pem",
    ];
    pull(&world, &options)
        .stderr(
            "error: the file of `--ca` cannot be used\n\
             caused by: there is no certificate in it\n\
             hint: it must hold certificates as PEM\n",
        )
        .exit(3)
        .run();
}

#[test]
fn what_a_mirror_answers() {
    let status = |status| Misbehaviour::Status(status);
    for (path, how, exit, expected) in [
        (
            INDEX,
            status(401),
            5,
            "error: `http://mirror` refuses user or password for `/concelier/exports/index.json`\n\
             caused by: it answered with status 401\n\
             hint: check `--user` and the password, and that the tenant was not removed\n",
        ),
        (
            MANIFEST,
            status(403),
            5,
            "error: `http://mirror` denies `/concelier/exports/mirror/primary/manifest.json` to this user\n\
             caused by: it answered with status 403\n\
             hint: check `--domain`; each domain has tenants of its own\n",
        ),
        (
            INDEX,
            status(302),
            4,
            "error: `http://mirror` sends elsewhere for `/concelier/exports/index.json`\n\
             caused by: it answered with status 302\n\
             hint: a redirect is not followed, since the password would go along; name the right mirror with `--url`\n",
        ),
        (
            MANIFEST,
            status(404),
            4,
            "error: `http://mirror` has no `/concelier/exports/mirror/primary/manifest.json`\n\
             caused by: it answered with status 404\n\
             hint: check `--domain`, and that the mirror has exported it\n",
        ),
        (
            INDEX,
            status(418),
            4,
            "error: `http://mirror` does not serve `/concelier/exports/index.json`\n\
             caused by: it answered with status 418\n\
             hint: `collimate smoke mirror` looks closer\n",
        ),
        (
            INDEX,
            status(500),
            4,
            "error: `http://mirror` cannot serve `/concelier/exports/index.json` now\n\
             caused by: it answered with status 500\n\
             hint: run it again later, or wait longer with `--patience`\n",
        ),
    ] {
        let world = World::new();
        world.exports.misbehave(path, how);
        let output = world.pull().any_stderr().exit(exit).run();
        assert!(output.stderr.ends_with(expected), "{output}");
        assert!(world.generations().is_empty());
    }
}

#[test]
fn what_a_mirror_serves() {
    let broken = |path: &str, why: &str| {
        format!(
            "error: `{path}` is not what it should be\ncaused by: {why}\n\
             hint: `collimate smoke mirror` looks closer at what the mirror serves\n"
        )
    };
    let check = |change: &dyn Fn(&World), exit: i32, expected: &str| {
        let world = World::new();
        change(&world);
        let output = world.pull().any_stderr().exit(exit).run();
        assert!(output.stderr.contains(expected), "{output}\nexpected:\n{expected}");
        assert!(world.generations().is_empty());
    };
    check(
        &|world| world.exports.replace(INDEX, "<html>"),
        4,
        &broken("mirror/index.json", "it is not JSON that can be read: expected value at line 1 column 1"),
    );
    check(
        &|world| world.exports.edit(INDEX, |index| index["schemaVersion"] = 2.into()),
        4,
        &broken("mirror/index.json", "`/schemaVersion` is 2; this program knows 1"),
    );
    check(
        &|world| world.exports.edit(INDEX, |index| drop(index["domains"].as_array_mut().unwrap().remove(0))),
        4,
        "error: the mirror has no domain `primary`\ncaused by: its index lists `community`\nhint: check `--domain`\n",
    );
    check(
        &|world| world.exports.edit(MANIFEST, |manifest| manifest["domainId"] = "community".into()),
        5,
        "error: `mirror/primary/manifest.json` is not what was announced\n\
         caused by: its `domainId` is `community`, not `primary`\n",
    );
    check(
        &|world| world.exports.edit(MANIFEST, |manifest| manifest["advisories"] = 6.into()),
        5,
        "caused by: it has 5 advisories; the manifest announces 6\n",
    );
    check(
        &|world| world.exports.edit(MANIFEST, |manifest| manifest["bundle"]["sizeBytes"] = 1.into()),
        5,
        "bytes; `mirror/primary/manifest.json` announces 1\n",
    );
    check(
        &|world| world.exports.edit(VEX_INDEX, |index| index["exports"][0]["exportKey"] = "../../x".into()),
        4,
        "`/exports/0/exportKey` must be ",
    );
    check(
        &|world| world.exports.edit(VEX_INDEX, |index| index["exports"][1]["exportKey"] = "OPENVEX-1".into()),
        4,
        "the key `OPENVEX-1` is there twice where file names have no case",
    );
    check(&|world| world.exports.replace(VEX_EXPORT, "{}"), 5, "is not what was announced\n");
    check(
        &|world| world.exports.remove(VEX_EXPORT),
        4,
        "error: `http://mirror` has no `/excititor/mirror/domains/primary/exports/openvex-1`\n",
    );
    check(&|world| world.exports.header("content-encoding", "gzip"), 4, "caused by: it is compressed on the way");
    // A good signature by another key.
    check(
        &|world| {
            world.sandbox.write("jws.pem", testkit::Exports::start().public_key());
        },
        5,
        "error: `mirror/primary/bundle.json.jws` is not a signature of this bundle by the trusted key\n\
         caused by: the signature does not belong to these bytes and this key\n",
    );
}

/// What nginx needs to stand before a mirror with TLS.
const FRONT: &str = "daemon off; pid PID; error_log stderr; events {} http { access_log off; client_body_temp_path TEMP/1; \
    proxy_temp_path TEMP/2; fastcgi_temp_path TEMP/3; uwsgi_temp_path TEMP/4; scgi_temp_path TEMP/5; \
    server { listen 127.0.0.1:PORT ssl; ssl_certificate TLS/tls.crt; ssl_certificate_key TLS/tls.key; \
    location / { proxy_pass http://UPSTREAM; } } server { listen 127.0.0.1:PLAIN; return 200; } }";

struct Front {
    _nginx: Nginx,
    port: u16,
    plain: u16,
}

/// A front for `mirror.test`, valid so many hours from now. The authority's certificate goes to `ca.pem`.
fn front(world: &World, from: i64, until: i64, usage: Usage) -> Option<Front> {
    let at = |hours| Timestamp::now() + SignedDuration::from_hours(hours);
    let authority = Authority::new(Algorithm::P256, Validity { not_before: at(-100), not_after: at(100) }).unwrap();
    let leaf = Leaf {
        common_name: "mirror.test".to_owned(),
        sans: vec!["mirror.test".parse::<San>().unwrap()],
        usages: vec![usage],
        algorithm: Algorithm::P256,
        validity: Validity { not_before: at(from), not_after: at(until) },
    };
    let issued = authority.issue(&leaf).unwrap();
    let [port, plain] = free_ports();
    let root = world.sandbox.path("front");
    let configuration = FRONT
        .replace("PID", root.join("pid").as_str())
        .replace("TEMP", root.as_str())
        .replace("TLS", root.as_str())
        .replace("PORT", &port.to_string())
        .replace("PLAIN", &plain.to_string())
        .replace("UPSTREAM", &world.exports.address());
    world
        .sandbox
        .write("front/nginx.conf", configuration)
        .write("front/tls.crt", &issued.certificate_pem)
        .write("front/tls.key", issued.key.reveal())
        .write("ca.pem", authority.certificate_pem());
    Some(Front { _nginx: Nginx::start(&root, &world.sandbox.path("front.log"), &[port, plain])?, port, plain })
}

fn over_tls(world: &World, url: &str, port: u16) -> Cli {
    let connect = format!("127.0.0.1:{port}");
    pull(
        world,
        &["--url", url, "--domain", "primary", "--user", "acme", "--password-file", "password", "--patience", "0"],
    )
    .args(["--key", "jws.pem", "--ca", "ca.pem", "--connect", &connect])
}

#[test]
fn over_tls_by_name() {
    let world = World::new();
    let Some(front) = front(&world, -1, 1, Usage::Server) else { return };
    over_tls(&world, "https://mirror.test", front.port).any_stdout().run();
    world.assert_in_step();
    // A port in the URL names the mirror, not the address that is connected to.
    assert!(
        over_tls(&world, "https://mirror.test:8443", front.port).any_stdout().run().stdout.starts_with("unchanged")
    );
    over_tls(&world, "https://other.test", front.port)
        .stderr(
            "error: `https://other.test` is not trusted\n\
             caused by: its certificate is not for `other.test`; it is for `mirror.test`\n\
             hint: check the URL; with `--connect` the URL still names the mirror\n",
        )
        .exit(5)
        .run();
    over_tls(&world, "https://mirror.test", front.plain)
        .stderr("error: `https://mirror.test` is not trusted\ncaused by: the port does not speak TLS\nhint: check the port\n")
        .exit(5)
        .run();
    over_tls(&world, "https://mirror.test", NOBODY)
        .stderr(
            "error: `https://mirror.test` cannot be reached\n\
             caused by: nothing listens on the port\n\
             hint: check the URL, and routes and firewalls on the way\n",
        )
        .exit(4)
        .run();
    let stranger = Authority::new(
        Algorithm::P256,
        Validity { not_before: Timestamp::now(), not_after: Timestamp::now() + SignedDuration::from_hours(1) },
    );
    world.sandbox.write("ca.pem", stranger.unwrap().certificate_pem());
    let output = over_tls(&world, "https://mirror.test", front.port).any_stderr().exit(5).run();
    assert!(
        output.stderr.starts_with("error: `https://mirror.test` is not trusted\ncaused by: its certificate is "),
        "{output}"
    );
    assert!(output.stderr.contains("`--ca`"), "{output}");
}

#[test]
fn certificates_of_other_days_and_for_other_uses() {
    for (from, until, usage, expected) in [
        (-20, -10, Usage::Server, "caused by: its certificate expired at "),
        (10, 20, Usage::Server, "caused by: its certificate is valid from "),
        (-1, 1, Usage::Client, "caused by: its certificate is not meant for servers (no serverAuth)\n"),
    ] {
        let world = World::new();
        let Some(front) = front(&world, from, until, usage) else { return };
        let output = over_tls(&world, "https://mirror.test", front.port).any_stderr().exit(5).run();
        assert!(output.stderr.contains(expected), "{output}");
    }
}

#[test]
fn a_name_that_nobody_knows() {
    let world = World::new();
    world.sandbox.write(
        "ca.pem",
        Authority::new(
            Algorithm::P256,
            Validity { not_before: Timestamp::now(), not_after: Timestamp::now() + SignedDuration::from_hours(1) },
        )
        .unwrap()
        .certificate_pem(),
    );
    let options = [
        "--url",
        "https://mirror.invalid",
        "--domain",
        "primary",
        "--user",
        "a",
        "--password-file",
        "password",
        "--ca",
        "ca.pem",
    ];
    pull(&world, &options)
        .stderr(
            "error: `https://mirror.invalid` cannot be reached\n\
             caused by: the host `mirror.invalid` was not found\n\
             hint: check the spelling and this machine's resolver; `--connect HOST:PORT` names an address\n",
        )
        .exit(4)
        .run();
}

#[test]
fn a_mirror_that_goes_down_is_waited_for_only_if_it_was_up() {
    let world = World::new();
    let nobody = format!("http://127.0.0.1:{NOBODY}");
    pull(&world, &["--url", &nobody, "--domain", "primary", "--user", "acme", "--password-file", "password"])
        .stderr(format!(
            "error: `{nobody}` cannot be reached\n\
             caused by: nothing listens on the port\n\
             hint: check the URL, and routes and firewalls on the way\n"
        ))
        .exit(4)
        .run();
    world.exports.misbehave_next(BUNDLE, 1, Misbehaviour::HangUp);
    world.patient_pull().args(["--key", "jws.pem"]).any_stdout().any_stderr().run();
    world.assert_in_step();
}

/// A proxy that opens one tunnel to a port of this machine, or refuses it. Gives its port and, later, what it was asked.
fn proxy(target: u16, is_open: bool) -> (u16, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = std::thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let lines = BufReader::with_capacity(1, &client).lines().map_while(Result::ok);
        let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        let answer = if is_open { "HTTP/1.1 200 OK\r\n\r\n" } else { "HTTP/1.1 403 Forbidden\r\n\r\n" };
        (&client).write_all(answer.as_bytes()).unwrap();
        if is_open {
            let mirror = TcpStream::connect(("127.0.0.1", target)).unwrap();
            std::thread::scope(|scope| {
                // Whoever ends first ends the other; how is its own business.
                scope.spawn(|| {
                    let _ = std::io::copy(&mut &client, &mut &mirror);
                    let _ = mirror.shutdown(std::net::Shutdown::Both);
                });
                let _ = std::io::copy(&mut &mirror, &mut &client);
                let _ = client.shutdown(std::net::Shutdown::Both);
            });
        }
        head.join("\n")
    });
    (port, asked)
}

#[test]
fn through_a_proxy_that_is_named_and_no_other() {
    let world = World::new();
    let Some(front) = front(&world, -1, 1, Usage::Server) else { return };
    let good = ["--url", "https://mirror.test", "--domain", "primary", "--user", "acme", "--password-file", "password"];
    let run = |port: u16| {
        let address = format!("127.0.0.1:{port}");
        pull(&world, &good).args(["--patience", "0", "--key", "jws.pem", "--ca", "ca.pem", "--proxy", &address])
    };
    let (port, asked) = proxy(front.port, true);
    run(port).any_stdout().run();
    world.assert_in_step();
    let asked = asked.join().unwrap();
    assert!(asked.starts_with("CONNECT mirror.test:443 HTTP/1.1\n"), "{asked}");
    assert!(!asked.to_ascii_lowercase().contains("authorization"), "{asked}");
    let (port, _refused) = proxy(front.port, false);
    run(port)
        .stderr(
            "error: `https://mirror.test` cannot be reached\n\
             caused by: the proxy does not open a tunnel to it\n\
             hint: ask who runs the proxy of `--proxy`; it may allow only some names\n",
        )
        .exit(4)
        .run();
    // Nobody is named, so nobody is asked.
    over_tls(&world, "https://mirror.test", front.port)
        .env("HTTPS_PROXY", format!("http://127.0.0.1:{NOBODY}"))
        .env("ALL_PROXY", format!("http://127.0.0.1:{NOBODY}"))
        .any_stdout()
        .run();
}
