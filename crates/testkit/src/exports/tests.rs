use std::io::{Read as _, Write as _};

use super::*;

const BUNDLE: &str = "/concelier/exports/mirror/primary/bundle.json";
const MANIFEST: &str = "/concelier/exports/mirror/primary/manifest.json";

/// Status, head and body of one answer on a connection of its own.
fn ask(exports: &Exports, method: &str, path: &str, headers: &str) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(("127.0.0.1", exports.port())).expect("it listens");
    let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut answer = Vec::new();
    // What was cut off is what there is.
    let _ = stream.read_to_end(&mut answer);
    let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return (0, String::new(), answer) };
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let status = head[9..12].parse().unwrap();
    (status, head, answer[end + 4..].to_vec())
}

fn get(exports: &Exports, path: &str) -> (u16, String, Vec<u8>) {
    ask(exports, "GET", path, "")
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default()
}

#[test]
fn a_tree_is_the_same_in_every_run_and_its_digests_are_real() {
    let (first, second) = (Exports::start(), Exports::start());
    for path in first.paths().iter().filter(|path| !path.ends_with(".jws")) {
        assert_eq!(first.file(path), second.file(path), "{path}");
    }
    let manifest: Value = serde_json::from_slice(&get(&first, MANIFEST).2).unwrap();
    let bundle = get(&first, BUNDLE).2;
    assert_eq!(manifest["bundle"]["digest"], generation::digest(&bundle));
    assert_eq!(manifest["bundle"]["sizeBytes"], bundle.len());
    assert_eq!(manifest["advisories"], 5);
    assert_eq!(first.count(BUNDLE), 1);
    assert_eq!(first.bytes(BUNDLE), bundle.len());
}

#[test]
fn conditional_range_and_head_requests_are_answered_as_http_says() {
    let exports = Exports::start();
    let (status, head, body) = get(&exports, BUNDLE);
    let (etag, modified) = (header(&head, "etag"), header(&head, "last-modified"));
    assert_eq!((status, modified), (200, "Wed, 01 Oct 2025 06:00:00 GMT"));
    assert_eq!(ask(&exports, "GET", BUNDLE, &format!("if-none-match: {etag}\r\n")).0, 304);
    assert_eq!(ask(&exports, "GET", BUNDLE, &format!("if-modified-since: {modified}\r\n")).0, 304);
    assert_eq!(ask(&exports, "GET", BUNDLE, "if-none-match: \"other\"\r\n").0, 200);
    let (status, head, part) = ask(&exports, "GET", BUNDLE, "range: bytes=10-19\r\n");
    assert_eq!((status, part.as_slice()), (206, &body[10..20]));
    assert_eq!(header(&head, "content-range"), format!("bytes 10-19/{}", body.len()));
    assert_eq!(ask(&exports, "GET", BUNDLE, "range: bytes=-5\r\n").2, &body[body.len() - 5..]);
    assert_eq!(ask(&exports, "GET", BUNDLE, "range: bytes=10-\r\nif-range: \"other\"\r\n").0, 200);
    assert_eq!(ask(&exports, "GET", BUNDLE, "range: bytes=9999999-\r\n").0, 416);
    let (status, head, none) = ask(&exports, "HEAD", BUNDLE, "");
    assert_eq!((status, none.len(), header(&head, "content-length")), (200, 0, body.len().to_string().as_str()));
    assert_eq!(ask(&exports, "POST", BUNDLE, "").0, 405);
    assert_eq!(get(&exports, "/concelier/exports/other").0, 404);
}

#[test]
fn a_bundle_has_any_size_and_comes_quickly() {
    let exports = Exports::start();
    for size in [2_000, 50 << 20] {
        exports.publish(|recipe| recipe.domain("primary").bundle_size = Some(size));
        let bundle = get(&exports, BUNDLE).2;
        assert_eq!(bundle.len(), size);
        assert_eq!(exports.digest(BUNDLE), generation::digest(&bundle));
    }
    let (_, _, part) = ask(&exports, "GET", BUNDLE, "range: bytes=1000-1999\r\n");
    assert_eq!(part, exports.file(BUNDLE)[1000..2000]);
}

#[test]
fn a_generation_switches_at_once_and_also_between_two_answers() {
    let exports = Exports::start();
    let first = exports.digest(BUNDLE);
    exports.next_generation();
    assert_ne!(exports.digest(BUNDLE), first);
    let manifest: Value = serde_json::from_slice(&exports.file(MANIFEST)).unwrap();
    assert_eq!(
        (manifest["created"].as_str(), manifest["advisories"].as_u64()),
        (Some("2025-10-01T07:00:00Z"), Some(6))
    );
    exports.misbehave_next(MANIFEST, 1, Misbehaviour::Switch);
    let before: Value = serde_json::from_slice(&get(&exports, MANIFEST).2).unwrap();
    assert_eq!(before, manifest);
    assert_ne!(generation::digest(&get(&exports, BUNDLE).2), manifest["bundle"]["digest"].as_str().unwrap());
}

#[test]
fn what_depends_on_an_edit_follows_and_what_is_replaced_stands_alone() {
    let exports = Exports::start();
    exports.edit(BUNDLE, |bundle| bundle["schemaVersion"] = 2.into());
    let manifest: Value = serde_json::from_slice(&exports.file(MANIFEST)).unwrap();
    assert_eq!(manifest["bundle"]["digest"], exports.digest(BUNDLE));
    exports.replace(BUNDLE, "{}");
    assert_eq!(get(&exports, BUNDLE).2, b"{}");
    exports.remove(BUNDLE);
    assert_eq!(get(&exports, BUNDLE).0, 404);
    exports.heal();
    let bundle: Value = serde_json::from_slice(&get(&exports, BUNDLE).2).unwrap();
    assert_eq!(bundle["schemaVersion"], 1);
}

#[test]
fn it_misbehaves_as_asked_and_as_often() {
    let exports = Exports::start();
    let whole = exports.file(BUNDLE);
    exports.misbehave_next(BUNDLE, 2, Misbehaviour::Status(500));
    assert_eq!([get(&exports, BUNDLE).0, get(&exports, BUNDLE).0, get(&exports, BUNDLE).0], [500, 500, 200]);
    exports.misbehave(BUNDLE, Misbehaviour::Cut(100));
    let (_, head, body) = get(&exports, BUNDLE);
    assert_eq!((header(&head, "content-length"), body.as_slice()), (whole.len().to_string().as_str(), &whole[..100]));
    exports.misbehave(BUNDLE, Misbehaviour::Flip(9));
    assert_eq!(get(&exports, BUNDLE).2[1], whole[1] ^ 2);
    exports.misbehave(BUNDLE, Misbehaviour::Chunked);
    assert!(get(&exports, BUNDLE).2.ends_with(b"\r\n0\r\n\r\n"));
    exports.misbehave(BUNDLE, Misbehaviour::ChunkedCut(10));
    assert_eq!(get(&exports, BUNDLE).2, [b"a\r\n", &whole[..10], b"\r\n"].concat());
    exports.misbehave(BUNDLE, Misbehaviour::HangUp);
    assert_eq!(get(&exports, BUNDLE).0, 0);
    exports.misbehave(BUNDLE, Misbehaviour::Slow(whole.len() * 10));
    assert_eq!(get(&exports, BUNDLE).2, &whole[..]);
    exports.heal();
    exports.header("set-cookie", "a=b");
    assert_eq!(header(&get(&exports, BUNDLE).1, "set-cookie"), "a=b");
}

#[test]
fn what_is_held_waits_for_its_release() {
    let exports = Exports::start();
    exports.misbehave(BUNDLE, Misbehaviour::Hold);
    std::thread::scope(|scope| {
        let held: Vec<_> = (0..3).map(|_| scope.spawn(|| get(&exports, BUNDLE).0)).collect();
        while exports.count(BUNDLE) < 3 {
            std::thread::yield_now();
        }
        assert!(held.iter().all(|held| !held.is_finished()));
        exports.release();
        assert!(held.into_iter().all(|held| held.join().is_ok_and(|status| status == 200)));
    });
}

#[test]
fn it_goes_down_and_comes_up_on_its_port() {
    let exports = Exports::start();
    let mut open = TcpStream::connect(("127.0.0.1", exports.port())).unwrap();
    open.write_all(format!("GET {BUNDLE} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).unwrap();
    let mut some = [0; 16];
    open.read_exact(&mut some).unwrap();
    exports.down();
    // Cut, be it with an end or a reset.
    let _ = open.read_to_end(&mut Vec::new());
    assert!(TcpStream::connect(("127.0.0.1", exports.port())).is_err());
    exports.up();
    assert_eq!(get(&exports, BUNDLE).0, 200);
}

#[test]
fn signatures_are_what_ring_itself_accepts() {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};

    for eddsa in [false, true] {
        for form in [
            Signature::Attached { eddsa },
            Signature::Detached { eddsa, b64: true },
            Signature::Detached { eddsa, b64: false },
        ] {
            let exports = Exports::start_with(Recipe { signature: form.clone(), ..Recipe::default() });
            let jws = String::from_utf8(exports.file(&format!("{BUNDLE}.jws")).to_vec()).unwrap();
            let parts: Vec<&str> = jws.split('.').collect();
            let payload = match &form {
                Signature::Detached { b64: false, .. } => exports.file(BUNDLE).to_vec(),
                _ => URL_SAFE_NO_PAD.encode(exports.file(BUNDLE)).into_bytes(),
            };
            assert_eq!(
                parts[1].as_bytes(),
                if form == (Signature::Attached { eddsa }) { payload.as_slice() } else { b"" }
            );
            let input = [parts[0].as_bytes(), b".", &payload].concat();
            let pem = exports.public_key();
            let der = STANDARD.decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap();
            let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
            let verified = match eddsa {
                true => UnparsedPublicKey::new(&ED25519, &der[12..]).verify(&input, &signature),
                false => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &der[26..]).verify(&input, &signature),
            };
            assert!(verified.is_ok(), "{form:?}");
        }
    }
}
