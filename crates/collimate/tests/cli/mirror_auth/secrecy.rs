//! What must not be found anywhere: passwords, headers, hashes.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

use testkit::Sandbox;

use super::world::{Verifier, basic, line, password, wait_until};

/// A page that nobody wrote to.
const EMPTY: [u8; 4096] = [0; 4096];

/// All memory of a process that something was written to, or `None` if the system keeps us out.
fn memory(process: u32) -> Option<Vec<u8>> {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).ok()?;
    let mut file = std::fs::File::open(format!("/proc/{process}/mem")).ok()?;
    let mut all = Vec::new();
    for map in maps.lines().filter(|map| map.contains(" rw")) {
        let (from, to) = map.split_once(' ')?.0.split_once('-')?;
        let (from, to) = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?);
        let mut bytes = vec![0; usize::try_from(to - from).ok()?];
        if file.seek(SeekFrom::Start(from)).is_ok() && file.read_exact(&mut bytes).is_ok() {
            bytes
                .chunks(EMPTY.len())
                .filter(|page| **page != EMPTY[..page.len()])
                .for_each(|page| all.extend_from_slice(page));
        }
    }
    Some(all)
}

fn has(memory: &[u8], needle: &str) -> bool {
    // Half of it is enough to be found: the rest may have been overwritten.
    let needle = &needle.as_bytes()[needle.len() / 4..needle.len() * 3 / 4];
    memory.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn a_password_leaves_no_trace() {
    let sandbox = Sandbox::new();
    sandbox.write("secrets/mirror-primary.htpasswd", line("acme", 1, 4));
    sandbox.write("secrets/mirror-community.htpasswd", "");
    let verifier = Verifier::start(&sandbox, &["--workers", "1"]);
    let (right, wrong) = (password(1), "planted-wrong-passw0rd-of-a-client".to_owned());
    let mut connection = verifier.connect();
    for _ in 0..20 {
        assert_eq!(connection.ask("primary", &basic("acme", &right)).status, 204);
        assert_eq!(connection.ask("primary", &basic("planted-name-of-a-client", &wrong)).status, 401);
    }
    // The first connection stays open and has nothing else to do: its buffer is as the last request left it.
    assert!(!verifier.log().contains("planted"), "{}", verifier.log());
    let header = |name: &str, password: &str| basic(name, password).trim_start_matches("Basic ").to_owned();
    // Whoever is not root is kept out of a process that cannot be dumped: then it is as it should be too.
    let Some(found) = memory(verifier.server.id()) else {
        return testkit::skip("only root can look into the memory of a process that cannot be dumped");
    };
    assert!(has(&found, "No Content\r\nX-Mirror-Tenant: acme\r\n"), "this is the memory of the process");
    for (what, needle) in [
        ("the right password", right.clone()),
        ("the wrong password", wrong.clone()),
        ("the right header", header("acme", &right)),
        ("the wrong header", header("planted-name-of-a-client", &wrong)),
    ] {
        assert!(!has(&found, &needle), "{what} is in memory");
    }
    // Half of a request lies in memory for as long as the other half may come, and no longer.
    let mut half = verifier.connect();
    let request = format!("GET /verify HTTP/1.1\r\nAuthorization: {}", basic("acme", "planted-half-of-a-request"));
    half.stream.write_all(request.as_bytes()).unwrap();
    let planted = header("acme", "planted-half-of-a-request");
    let is_there = || has(&memory(verifier.server.id()).unwrap(), &planted);
    wait_until("half a request is in memory", is_there);
    drop(half);
    wait_until("half a request is in memory no more", || !is_there());
}

#[test]
fn no_core_is_dumped() {
    let sandbox = Sandbox::new();
    sandbox.write("secrets/mirror-primary.htpasswd", line("acme", 1, 4));
    let verifier = Verifier::start(&sandbox, &[]);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", verifier.server.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"]);
    // What cannot be dumped belongs to root, whoever runs it; a debugger of the same user is kept out.
    let owner = std::fs::metadata(format!("/proc/{}/environ", verifier.server.id())).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&owner), 0);
}
