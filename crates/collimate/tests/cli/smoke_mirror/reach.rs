//! Connections and certificates.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use testkit::{MirrorFront, free_ports};

use super::world::{PASSWORD, Run, USER, World, domain, host, hours, issue, new_authority};

/// A server that answers everything as web servers do what is no HTTP.
fn plain() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut room = [0; 4096];
            if stream.read(&mut room).is_ok() && stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").is_ok() {
                // Until the other side has gone: an end that comes before the answer would hide it.
                while stream.read(&mut room).is_ok_and(|count| count > 0) {}
            }
        }
    });
    port
}

#[test]
fn faults_of_reach() {
    let world = World::new();
    let credentials = ["--user", USER, "--password-file", "password", "--key", "key.pub", "--timeout"];
    let at = |port: u16, timeout: &str| Run::of(&world.at("primary", port).args(credentials).arg(timeout));
    let [closed] = free_ports();
    at(closed, "60").is("a closed port", 4, &["connection-refused"]);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    at(silent.local_addr().unwrap().port(), "5").is("a port that never answers", 4, &["no-answer"]);
    at(plain(), "60").is("a port without TLS", 5, &["plain-text-port"]);
    let nowhere = super::world::cli().folder(world.sandbox.root());
    let nowhere = nowhere.args(["--url", "https://nowhere.invalid"]).args(credentials).args(["60", "--ca", "ca.crt"]);
    Run::of(&nowhere).is("a host without address", 4, &["dns-failure"]);
    let plain = format!("http://127.0.0.1:{}", world.front.port());
    let plain = super::world::cli().folder(world.sandbox.root()).args(["--url", &plain]).args(credentials).arg("60");
    Run::of(&plain).is("TLS where none is spoken", 5, &["tls-port"]);
    let missing = world.at("primary", world.front.port()).args(credentials).arg("60");
    world.sandbox.remove("ca.crt");
    Run::of(&missing).is("no file of authorities", 3, &["file-unreadable"]);
    world.sandbox.write("ca.crt", "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n");
    Run::of(&missing).is("a damaged file of authorities", 3, &["file-malformed"]);
    world.sandbox.write("ca.crt", new_authority().certificate_pem());
    Run::of(&missing).is("another authority", 5, &["wrong-ca"]);
}

#[test]
fn faults_of_certificates() {
    let world = World::new();
    let ours = &world.authority;
    let with = |issued: certificates::Issued| {
        let domains = vec![domain(ours, "primary", PASSWORD)];
        let front = MirrorFront::start_as(world.exports.port(), domains, &issued.certificate_pem, issued.key.reveal());
        let cli = world.at("primary", front.port()).args(["--domain", "primary", "--user", USER]);
        Run::of(&cli.args(["--password-file", "password", "--key", "key.pub"]))
    };
    with(issue(ours, &host("primary"), hours(-48, -24))).is("expired", 5, &["server-certificate-expired"]);
    with(issue(ours, &host("primary"), hours(24, 48))).is("of tomorrow", 5, &["server-certificate-not-yet-valid"]);
    let other = with(issue(ours, &host("community"), hours(-1, 24)));
    other.is("for another name", 5, &["name-not-in-certificate"]).says("it is for `mirror-community.test`");
    // The stand-in shows this one to everybody.
    let shown = with(issue(ours, &host("primary"), hours(-1, 24)));
    shown.is("for everybody", 0, &["unknown-name-served"]);
}
