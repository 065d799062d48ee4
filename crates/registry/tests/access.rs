//! Being let in: logins, tokens, helpers, certificates; and nothing of it in any message.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use certificates::{Algorithm, Authority, Issued, Leaf, Usage, Validity};
use registry::{ClientFiles, Config, CredentialFile, Kind, Secret};
use testkit::Sandbox;
use testkit::registry::{Demand, Registry, Reply, Tokens};

use crate::world::{config, image, resolve, resolved};

const USER: &str = "alice";
const PASSWORD: &str = "planted-pa55word!";
const IDENTITY: &str = "planted-identity/t0ken=";

/// A registry with one image, and a file with a login for it.
struct Case {
    registry: Registry,
    sandbox: Sandbox,
    config: Config,
}

impl Case {
    fn new(registry: Registry) -> Self {
        registry.push_index("team/app", "1", "first");
        Self { registry, sandbox: Sandbox::new(), config: config() }
    }

    /// With this `config.json`; `HOST` stands for the registry, `LOGIN` for user and password.
    fn file(mut self, text: &str) -> Self {
        let login = STANDARD.encode(format!("{USER}:{PASSWORD}"));
        let text = text.replace("HOST", &self.registry.host()).replace("LOGIN", &login);
        self.sandbox.write("config.json", text);
        self.config.credentials.files = vec![CredentialFile { path: self.sandbox.path("config.json"), required: true }];
        self
    }

    fn login(self) -> Self {
        self.file(r#"{"auths": {"HOST": {"auth": "LOGIN"}}}"#)
    }

    /// A credential helper that is this shell script, for all registries.
    fn helper(mut self, script: &str) -> Self {
        let program = "bin/docker-credential-test";
        self.sandbox.write(program, format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(self.sandbox.path(program), std::fs::Permissions::from_mode(0o755)).unwrap();
        self.config.credentials.helper_folders = vec![self.sandbox.path("bin")];
        self.config.credentials.helper_environment = [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into();
        self.file(r#"{"credsStore": "test"}"#)
    }

    #[track_caller]
    fn passes(&self) {
        resolved(&self.config, &image(&self.registry, "team/app:1"));
    }

    #[track_caller]
    fn fails(&self, kind: Kind) -> String {
        let fault = resolve(&self.config, &image(&self.registry, "team/app:1")).unwrap_err();
        assert_eq!(fault.kind, kind, "{fault}");
        let login = STANDARD.encode(format!("{USER}:{PASSWORD}"));
        for secret in [PASSWORD, IDENTITY, "planted", login.as_str()] {
            assert!(!fault.message.contains(secret) && !format!("{fault:?}").contains(secret), "{fault:?}");
        }
        fault.message
    }

    /// Whoever saw a login, by the path that was asked.
    fn shown(&self) -> Vec<String> {
        let asked = self.registry.asked().into_iter().filter(|asked| asked.authorization.is_some());
        asked.map(|asked| format!("{} {}", asked.method, asked.path.split('?').next().unwrap())).collect()
    }
}

fn demanding(demand: Demand) -> Case {
    let registry = Registry::start();
    registry.demand(demand);
    Case::new(registry)
}

/// A registry whose tokens come from its own token server.
fn with_tokens(tokens: Tokens) -> Case {
    let registry = Registry::start();
    registry.demand(Demand::Token(registry.realm()));
    registry.tokens(tokens);
    Case::new(registry)
}

fn password() -> Demand {
    Demand::Basic(USER.to_owned(), PASSWORD.to_owned())
}

fn known() -> Tokens {
    Tokens { login: Some((USER.to_owned(), PASSWORD.to_owned())), ..Tokens::default() }
}

#[test]
fn nobody_sees_a_password_without_asking_for_it() {
    let case = demanding(Demand::Nothing).login();
    case.passes();
    assert!(case.shown().is_empty());
}

#[test]
fn a_password_is_shown_to_who_asks() {
    demanding(password()).login().passes();
    demanding(password())
        .file(r#"{"auths": {"HOST/team": {"username": "alice", "password": "planted-pa55word!"}}}"#)
        .passes();
    let said = demanding(password()).fails(Kind::CredentialsMissing);
    assert!(said.contains("asks for a login, and none is known for it"), "{said}");
    let wrong = demanding(Demand::Basic(USER.to_owned(), "other".to_owned())).login();
    let said = wrong.fails(Kind::CredentialsRefused);
    assert!(said.contains("it does not take our user and password"), "{said}");
    assert_eq!(wrong.shown().len(), 1, "a wrong password is tried once: more would lock the account");
    let said = demanding(password())
        .file(&format!(r#"{{"auths": {{"HOST": {{"identitytoken": "{IDENTITY}"}}}}}}"#))
        .fails(Kind::CredentialsRefused);
    assert!(said.contains("our token"), "{said}");
}

#[test]
fn tokens_are_fetched_as_nobody_with_a_password_and_with_a_token() {
    with_tokens(Tokens { anonymous: true, ..Tokens::default() }).passes();
    let case = with_tokens(known()).login();
    case.passes();
    assert_eq!(case.shown()[0], "GET /token", "the registry itself never sees the password");
    let identity = with_tokens(Tokens { identity: Some(IDENTITY.to_owned()), ..Tokens::default() })
        .file(&format!(r#"{{"auths": {{"HOST": {{"identitytoken": "{IDENTITY}"}}}}}}"#));
    identity.passes();
    let posted = identity.registry.asked().into_iter().find(|asked| asked.method == "POST").unwrap();
    assert!(posted.body.contains("grant_type=refresh_token") && posted.authorization.is_none(), "{posted:?}");
    with_tokens(Tokens::default()).fails(Kind::CredentialsMissing);
    with_tokens(Tokens::default()).login().fails(Kind::CredentialsRefused);
}

#[test]
fn a_token_that_ends_in_the_middle_is_renewed() {
    // Good for one answer each: HEAD and GET need two.
    let case = with_tokens(Tokens { uses: Some(1), ..known() }).login();
    case.passes();
    let fetched = case.registry.asked().iter().filter(|asked| asked.path.starts_with("/token")).count();
    assert_eq!(fetched, 2);
    // One that says that it is over already is not used a second time.
    let case = with_tokens(Tokens { expires_in: Some(1), ..known() }).login();
    case.passes();
    assert_eq!(case.registry.asked().iter().filter(|asked| asked.path.starts_with("/token")).count(), 2);
    // One that is never good is not renewed for ever.
    let case = with_tokens(Tokens { uses: Some(0), ..known() }).login();
    let said = case.fails(Kind::AccessDenied);
    assert!(said.ends_with("the token that our login gets does not let us in"), "{said}");
    assert!(case.registry.asked().len() < 10);
}

#[test]
fn many_at_once_share_a_token() {
    let registry = Registry::start();
    registry.demand(Demand::Token(registry.realm()));
    registry.tokens(known());
    for tag in 0..20 {
        registry.push_index("team/app", &tag.to_string(), &tag.to_string());
    }
    let case = Case::new(registry).login();
    let questions: Vec<_> = (0..20).map(|tag| image(&case.registry, &format!("team/app:{tag}"))).collect();
    let client = registry::Client::new(case.config.clone()).unwrap();
    assert!(client.resolve(&questions).iter().all(Result::is_ok));
    let fetched = case.registry.asked().iter().filter(|asked| asked.path.starts_with("/token")).count();
    assert_eq!(fetched, 1);
}

#[test]
fn a_token_server_that_does_not_work_is_named() {
    let instead = |status: u16, body: &str| {
        let case = with_tokens(Tokens { instead: Some((status, body.to_owned())), ..Tokens::default() }).login();
        case.fails(Kind::TokenServer)
    };
    assert!(instead(200, "garbage").ends_with("is no JSON with a token"));
    assert!(instead(200, "{}").ends_with("holds no token"));
    assert!(instead(200, "{\"token\": \"a\\nb\"}").ends_with("holds what no token can"));
    assert!(instead(404, "").contains("HTTP 404"));
    let large = format!("{{\"token\": \"t\", \"more\": \"{}\"}}", "x".repeat(256 * 1024));
    let case = with_tokens(Tokens { instead: Some((200, large)), ..Tokens::default() }).login();
    assert!(case.fails(Kind::TooLarge).ends_with("the answer has more than 256 KiB"));
    let case = with_tokens(Tokens { instead: Some((500, PASSWORD.to_owned())), ..Tokens::default() }).login();
    case.fails(Kind::ServerFailing);
}

#[test]
fn passwords_do_not_follow_whoever_calls_them() {
    // A token server without TLS, elsewhere.
    let case = demanding(Demand::Token("http://tokens.invalid/token".to_owned())).login();
    let said = case.fails(Kind::InsecureTokenServer);
    assert!(said.contains("`tokens.invalid`"), "{said}");
    for realm in ["nonsense", "ftp://localhost/", "http://a:b@localhost/"] {
        let kind = if realm.starts_with("ftp") { Kind::InsecureTokenServer } else { Kind::TokenServer };
        demanding(Demand::Token(realm.to_owned())).login().fails(kind);
    }

    // A redirect to another host: it sees nothing, and its demand for a login is not met.
    let other = Registry::start();
    other.push_index("team/app", "1", "first");
    let case = demanding(password()).login();
    case.registry.then(Reply::Redirect(other.url("/v2/team/app/manifests/1")));
    case.passes();
    assert!(!case.shown().is_empty(), "the registry itself did see it");
    assert!(other.asked().iter().all(|asked| asked.authorization.is_none()));
    other.demand(password());
    let said = case.fails(Kind::AccessDenied);
    assert!(said.contains("redirects to asks for a login"), "{said}");
    assert!(other.asked().iter().all(|asked| asked.authorization.is_none()));
}

#[test]
fn who_quotes_a_secret_is_not_quoted_with_it() {
    for case in [demanding(password()).login(), with_tokens(known()).login()] {
        case.registry.then(Reply::Echo);
        let said = case.fails(Kind::UnexpectedStatus);
        assert!(said.contains("you sent") && said.contains("***"), "{said}");
    }
}

#[test]
fn helpers_are_asked_with_the_host_on_stdin() {
    let answer = |user: &str, secret: &str| {
        format!(
            r#"[ "$1" = get ] || exit 9; read server; [ "$server" = "$(cat "${{0%/*}}/host")" ] || exit 8; echo '{{"ServerURL": "x", "Username": "{user}", "Secret": "{secret}"}}'"#
        )
    };
    let named = |case: Case| {
        let host = case.registry.host();
        case.sandbox.write("bin/host", host);
        case
    };
    // The host has no line end behind it, so `read` says that it read no whole line.
    let script = |user: &str, secret: &str| answer(user, secret).replace("read server;", "read server || true;");
    named(demanding(password()).helper(&script(USER, PASSWORD))).passes();
    let tokens = Tokens { identity: Some("planted-identity-t0ken".to_owned()), ..Tokens::default() };
    named(with_tokens(tokens).helper(&script("<token>", "planted-identity-t0ken"))).passes();
    // It knows nothing: then nobody is known.
    demanding(password())
        .helper("echo 'credentials not found in native keychain'; exit 1")
        .fails(Kind::CredentialsMissing);
}

#[test]
fn helpers_that_fail_are_not_quoted() {
    let fails = |script: &str| demanding(password()).helper(script).fails(Kind::CredentialHelper);
    assert!(fails(&format!("echo {PASSWORD}; echo {PASSWORD} >&2; exit 3")).ends_with("ended with 3"));
    assert!(fails(&format!("echo {PASSWORD}")).ends_with("printed something that is no name and secret"));
    assert!(fails("head -c 100000 /dev/zero").ends_with("prints more than 64 KiB"));
    assert!(fails("kill -9 $$").ends_with("was killed"));
    let mut slow = demanding(password()).helper("exec sleep 600");
    slow.config.limits.helper = Duration::from_millis(200);
    assert!(slow.fails(Kind::CredentialHelper).ends_with("did not answer within 0.2 s"));
    let mut absent = demanding(password()).helper("");
    absent.config.credentials.helper_folders.clear();
    assert!(absent.fails(Kind::CredentialHelper).ends_with("`docker-credential-test` is not on PATH"));
    demanding(password()).file(r#"{"credHelpers": {"HOST": "../bin/x"}}"#).fails(Kind::CredentialHelper);
}

#[test]
fn a_helper_runs_once() {
    let script = format!(r#"echo run >> "${{0%/*}}/runs"; echo '{{"Username": "{USER}", "Secret": "{PASSWORD}"}}'"#);
    let case = demanding(password()).helper(&script);
    for tag in 0..10 {
        case.registry.push_index("team/app", &tag.to_string(), &tag.to_string());
    }
    let questions: Vec<_> = (0..10).map(|tag| image(&case.registry, &format!("team/app:{tag}"))).collect();
    let client = registry::Client::new(case.config.clone()).unwrap();
    assert!(client.resolve(&questions).iter().all(Result::is_ok));
    assert_eq!(case.sandbox.read("bin/runs"), "run\n");
}

#[test]
fn a_proxy_is_used_where_one_is_named_and_its_password_is_not_shown() {
    // As a proxy it is asked for whole URLs, and knows none of them.
    let proxy = Registry::start();
    let question: release::ImageRef = "registry.invalid/team/app:1".parse().unwrap();
    let mut config = config();
    config.plain_http = ["registry.invalid".to_owned()].into();
    let mut asked = |url: String| {
        config.proxies.http = Some(Secret::new(url));
        resolve(&config, &question).unwrap_err()
    };
    let through = |port: u16| format!("http://{USER}:{PASSWORD}@localhost:{port}");
    let fault = asked(through(proxy.port()));
    assert_eq!(fault.kind, Kind::RepositoryNotFound, "{fault}");
    assert_eq!(proxy.asked()[0].path, "http://registry.invalid/v2/team/app/manifests/1");
    let [closed] = testkit::free_ports();
    for fault in [asked(through(closed)), asked(format!("http://{PASSWORD}:x:y/"))] {
        assert!(!fault.message.contains(PASSWORD), "{fault}");
    }
    // What is on this machine is not asked for through it.
    let mut case = Case::new(Registry::start());
    let before = proxy.asked().len();
    case.config.proxies.http = Some(Secret::new(through(proxy.port())));
    case.config.proxies.https.clone_from(&case.config.proxies.http);
    case.passes();
    assert_eq!(proxy.asked().len(), before);
}

struct Chain {
    authority: Authority,
    sandbox: Sandbox,
}

fn validity(days: i64) -> Validity {
    let now = jiff::Timestamp::now();
    let start = now - jiff::SignedDuration::from_hours(24 * 30);
    Validity { not_before: start, not_after: now + jiff::SignedDuration::from_hours(24 * days) }
}

impl Chain {
    fn new() -> Self {
        let authority = Authority::new(Algorithm::P256, validity(30)).unwrap();
        let sandbox = Sandbox::new();
        sandbox.write("ca.crt", authority.certificate_pem());
        Self { authority, sandbox }
    }

    fn issue(&self, name: &str, days: i64) -> Issued {
        let leaf = Leaf {
            common_name: name.to_owned(),
            sans: vec![name.parse().unwrap()],
            usages: vec![Usage::Server, Usage::Client],
            algorithm: Algorithm::P256,
            validity: validity(days),
        };
        self.authority.issue(&leaf).unwrap()
    }

    fn server(&self, name: &str, days: i64, clients: Option<&str>) -> Case {
        let issued = self.issue(name, days);
        Case::new(Registry::start_tls(&issued.certificate_pem, issued.key.reveal(), clients))
    }

    fn trusting(&self, mut case: Case) -> Case {
        case.config.trust.authorities = vec![self.sandbox.path("ca.crt")];
        case
    }
}

#[test]
fn certificates_are_judged() {
    let chain = Chain::new();
    chain.trusting(chain.server("localhost", 10, None)).passes();
    let stranger = chain.server("localhost", 10, None);
    stranger.fails(Kind::WrongCa);
    let said = chain.trusting(chain.server("localhost", -1, None)).fails(Kind::ServerCertificateExpired);
    assert!(said.contains("the server's certificate expired at 20"), "{said}");
    let said = chain.trusting(chain.server("registry.test", 10, None)).fails(Kind::NameNotInCertificate);
    assert!(said.ends_with("it is for `registry.test`"), "{said}");
}

#[test]
fn tls_that_is_not_trusted_is_not_left_out_instead() {
    // Loopback with TLS that is not trusted is not tried without.
    let chain = Chain::new();
    let case = chain.server("localhost", 10, None);
    case.fails(Kind::WrongCa);
    assert!(case.registry.asked().is_empty());
}

#[test]
fn client_certificates_are_shown_where_asked_for() {
    let chain = Chain::new();
    let clients = Some(chain.authority.certificate_pem());
    chain.trusting(chain.server("localhost", 10, clients)).fails(Kind::ClientCertificateMissing);

    let named = |chain: &Chain, issued: &Issued| {
        chain.sandbox.write("us.crt", &issued.certificate_pem).write("us.key", issued.key.reveal());
        ClientFiles { certificate: chain.sandbox.path("us.crt"), key: chain.sandbox.path("us.key") }
    };
    let mut case = chain.trusting(chain.server("localhost", 10, clients));
    case.config.trust.identity = Some(named(&chain, &chain.issue("us.test", 10)));
    case.passes();

    let other = Chain::new();
    case.config.trust.identity = Some(named(&other, &other.issue("us.test", 10)));
    case.fails(Kind::ClientCertificateRefused);

    // As Docker has them: a folder per host.
    let issued = chain.issue("us.test", 10);
    let folder = format!("certs.d/{}", case.registry.host());
    case.sandbox.write(format!("{folder}/ca.crt"), chain.authority.certificate_pem());
    case.sandbox.write(format!("{folder}/us.cert"), &issued.certificate_pem);
    case.config.trust.identity = None;
    case.config.trust.authorities.clear();
    case.config.trust.folders = vec![case.sandbox.path("certs.d")];
    let said = case.fails(Kind::FileUnreadable);
    assert!(said.contains("has no key beside it"), "{said}");
    case.sandbox.write(format!("{folder}/us.key"), issued.key.reveal());
    case.passes();
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let chain = Chain::new();
    let (ours, others) = (chain.issue("us.test", 10), chain.issue("us.test", 10));
    chain.sandbox.write("us.crt", &ours.certificate_pem).write("other.key", others.key.reveal());
    chain.sandbox.write("empty.crt", "").write("locked.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
    let kind = |ca: &str, identity: Option<(&str, &str)>| {
        let mut case = chain.server("localhost", 10, None);
        case.config.trust.authorities = vec![chain.sandbox.path(ca)];
        let path = |name: &str| chain.sandbox.path(name);
        case.config.trust.identity =
            identity.map(|(certificate, key)| ClientFiles { certificate: path(certificate), key: path(key) });
        resolve(&case.config, &image(&case.registry, "team/app:1")).unwrap_err().kind
    };
    assert_eq!(kind("none.crt", None), Kind::FileUnreadable);
    assert_eq!(kind("empty.crt", None), Kind::FileMalformed);
    assert_eq!(kind("ca.crt", Some(("us.crt", "other.key"))), Kind::KeyMismatch);
    assert_eq!(kind("ca.crt", Some(("us.crt", "locked.key"))), Kind::KeyEncrypted);
    assert_eq!(kind("ca.crt", Some(("us.crt", "us.crt"))), Kind::FileMalformed);
}

#[test]
fn files_and_folders_of_trust_have_a_largest_size() {
    let chain = Chain::new();
    let authority = chain.sandbox.read("ca.crt");
    let mebibyte = 1024 * 1024;
    let padded = |length: usize| format!("{authority}{}", "\n".repeat(length - authority.len()));
    chain.sandbox.write("full.crt", padded(mebibyte)).write("large.crt", padded(mebibyte + 1));
    let mut case = chain.server("localhost", 10, None);
    case.config.trust.authorities = vec![chain.sandbox.path("full.crt")];
    case.passes();
    case.config.trust.authorities = vec![chain.sandbox.path("large.crt")];
    let said = case.fails(Kind::FileMalformed);
    assert!(said.ends_with("/large.crt` is larger than 1 MiB"), "{said}");

    let mut case = chain.trusting(chain.server("localhost", 10, None));
    case.config.trust.folders = vec![case.sandbox.path("certs.d")];
    let file = |number: usize| {
        case.sandbox.write(format!("certs.d/{}/{number}", case.registry.host()), "");
    };
    (0..100).for_each(file);
    case.passes();
    file(100);
    let said = case.fails(Kind::FileUnreadable);
    assert!(said.ends_with("it holds more than the 100 files that are looked at"), "{said}");
}

#[test]
fn credentials_have_a_largest_size() {
    let case = demanding(password()).login();
    case.passes();
    let text = case.sandbox.read("config.json");
    let padded = |length: usize| format!("{text}{}", "\n".repeat(length - text.len()));
    case.sandbox.write("config.json", padded(1024 * 1024));
    case.passes();
    case.sandbox.write("config.json", padded(1024 * 1024 + 1));
    let said = case.fails(Kind::FileMalformed);
    assert!(said.ends_with("/config.json` is larger than 1 MiB"), "{said}");
}
