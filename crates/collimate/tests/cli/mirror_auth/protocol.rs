//! What is asked and answered.

use std::io::Write as _;
use std::process::Command;
use std::time::Instant;

use super::world::{Verifier, base64, basic, password, two_domains};

#[test]
fn who_is_right_is_named() {
    let sandbox = two_domains();
    let verifier = Verifier::start(&sandbox, &[]);
    let (start, mut connection) = (Instant::now(), verifier.connect());
    for _ in 0..3 {
        let answer = connection.ask("primary", &basic("acme", &password(1)));
        assert_eq!(answer.head, "HTTP/1.1 204 No Content\r\nX-Mirror-Tenant: acme\r\n");
        let answer = connection.ask("community", &basic("beta", &password(2)));
        assert_eq!((answer.status, answer.tenant.as_deref()), (204, Some("beta")));
        for (domain, authorization) in [
            ("primary", basic("acme", &password(2))),
            ("primary", basic("nobody", &password(1))),
            ("primary", basic("beta", &password(2))),
            ("community", basic("acme", &password(1))),
            ("primary", basic("acme", &password(1)).trim_end_matches('=').to_owned() + "x"),
            ("primary", String::new()),
            ("primary", "Basic".to_owned()),
            ("primary", "Bearer x".to_owned()),
        ] {
            let answer = connection.ask(domain, &authorization);
            assert_eq!(answer.head, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n", "{domain} {authorization}");
        }
        let answer = connection.ask("other", &basic("acme", &password(1)));
        assert_eq!((answer.status, answer.tenant), (503, None));
    }
    verifier.tells_seldom("unknown-domain: the gateway asks for a domain that has no file here", start);
}

/// bcrypt stops at 72 bytes: a longer password with a right beginning must not be right.
#[test]
fn a_password_is_all_of_it() {
    let sandbox = two_domains();
    let long = "x".repeat(72);
    let hash = mirror::htpasswd::Hash::bcrypt(
        &mirror::htpasswd::Password::chosen(("y".to_owned() + &long[1..]).into(), "long").unwrap(),
        4,
        [7; 16],
    );
    sandbox.write("secrets/mirror-primary.htpasswd", format!("long:{}\n", hash.reveal()));
    let verifier = Verifier::start(&sandbox, &[]);
    let right = "y".to_owned() + &long[1..];
    assert_eq!(verifier.ask("primary", &basic("long", &right)).status, 204);
    assert_eq!(verifier.ask("primary", &basic("long", &(right.clone() + "z"))).status, 401);
    assert_eq!(verifier.ask("primary", &basic("long", &(right.clone() + "\0"))).status, 401);
    assert_eq!(verifier.ask("primary", &basic("long", &right[..71])).status, 401);
}

#[test]
fn curl_understands_it() {
    let Some(curl) = testkit::tool("curl") else { return };
    let sandbox = two_domains();
    let verifier = Verifier::start(&sandbox, &[]);
    let ask = |arguments: &[&str]| {
        let mut command = Command::new(&curl);
        command.args(["--silent", "--show-error", "--unix-socket", verifier.socket.as_str()]);
        command.args(["--write-out", "%{http_code} %{num_connects} %{header_json}"]).args(arguments);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().replace('\n', "")
    };
    let user = format!("acme:{}", password(1));
    let answer = ask(&["--header", "X-Mirror-Domain: primary", "--user", &user, "http://v/verify"]);
    assert_eq!(answer, r#"204 1 {"x-mirror-tenant":["acme"]}"#);
    // The second request goes through the connection of the first.
    let answer = ask(&["--header", "X-Mirror-Domain: primary", "http://v/verify", "http://v/verify"]);
    assert_eq!(answer, r#"401 1 {"content-length":["0"]}401 0 {"content-length":["0"]}"#);
    let answer = ask(&["http://v/health"]);
    assert!(
        answer.starts_with(r#"{"status":"ok","domains":{"community":{"status":"open","tenants":1},"primary":"#),
        "{answer}"
    );
    assert!(ask(&["--head", "http://v/health"]).starts_with("HTTP/1.1 200 OK"));
    assert!(ask(&["--http1.0", "http://v/verify"]).starts_with("503 1 "));
}

#[test]
fn health_says_which_domain_is_closed() {
    let sandbox = two_domains();
    let verifier = Verifier::start(&sandbox, &["--domain", "primary", "--domain", "later"]);
    let answer = verifier.get("/health");
    assert_eq!(answer.status, 503);
    let expected =
        r#"{"status":"failing","domains":{"later":{"status":"closed"},"primary":{"status":"open","tenants":1}}}"#;
    assert_eq!(answer.body.trim_end(), expected);
    assert_eq!(verifier.ask("primary", &basic("acme", &password(1))).status, 204);
    assert_eq!(verifier.ask("community", &basic("beta", &password(2))).status, 503, "it is not one of those named");
    sandbox.write("secrets/mirror-later.htpasswd", "");
    verifier.wait_for("later", "", 401);
    assert_eq!(verifier.get("/health").status, 200);
}

#[test]
fn what_the_gateway_never_sends_is_refused() {
    let sandbox = two_domains();
    let verifier = Verifier::start(&sandbox, &[]);
    let verify = "/verify HTTP/1.1\r\nX-Mirror-Domain: primary\r\n";
    let credential = format!("Authorization: {}\r\n", basic("acme", &password(1)));
    for (request, status, ends) in [
        (format!("POST {verify}{credential}\r\n"), 405, false),
        (format!("GET {verify}{credential}Content-Length: 3\r\n\r\nabc"), 413, true),
        (format!("GET {verify}{credential}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 413, true),
        (format!("GET {verify}{credential}{credential}\r\n"), 401, false),
        (format!("GET {verify}X-Mirror-Domain: primary\r\n{credential}\r\n"), 503, false),
        ("GET /verify?x HTTP/1.1\r\n\r\n".to_owned(), 404, false),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 404, false),
        ("GET http://v/verify HTTP/1.1\r\n\r\n".to_owned(), 404, false),
        ("hello\r\n\r\n".to_owned(), 400, true),
        (format!("GET {verify}X: {}\r\n\r\n", "x".repeat(20_000)), 431, true),
        (format!("GET {verify}Authorization: Basic {}\r\n\r\n", "QUJD".repeat(2000)), 401, false),
        (format!("GET {verify}{credential}Connection: close\r\n\r\n"), 204, true),
        (format!("GET /verify HTTP/1.0\r\nX-Mirror-Domain: primary\r\n{credential}\r\n"), 204, true),
    ] {
        let mut connection = verifier.connect();
        let answer = connection.send(&request);
        assert_eq!(answer.status, status, "{request}");
        assert_eq!(answer.head.contains("Connection: close"), ends, "{request}");
        if ends {
            assert_eq!(connection.receive(), None, "{request}");
        } else {
            assert_eq!(connection.ask("primary", "").status, 401, "the next request is understood: {request}");
        }
    }
}

/// Requests that come in one piece or byte by byte are the same.
#[test]
fn it_does_not_matter_how_bytes_come() {
    let sandbox = two_domains();
    let verifier = Verifier::start(&sandbox, &[]);
    let request = |name: &str, number| {
        let authorization = basic(name, &password(number));
        format!("GET /verify HTTP/1.1\r\nX-Mirror-Domain: primary\r\nAuthorization: {authorization}\r\n\r\n")
    };
    let (right, wrong) = (request("acme", 1), request("acme", 2));
    let mut connection = verifier.connect();
    // Also while bcrypt runs for the first of them.
    connection.stream.write_all([&*right, &wrong, &wrong, &right].concat().as_bytes()).unwrap();
    let statuses: Vec<u16> = (0..4).map(|_| connection.receive().unwrap().status).collect();
    assert_eq!(statuses, [204, 401, 401, 204]);
    for byte in right.as_bytes() {
        connection.stream.write_all(&[*byte]).unwrap();
    }
    assert_eq!(connection.receive().unwrap().status, 204);
}

#[test]
fn the_encoder_of_these_tests_is_right() {
    for (text, expected) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
        assert_eq!(base64(text.as_bytes()), expected);
    }
}
