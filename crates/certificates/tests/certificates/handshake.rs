//! TLS between components: rustls on both sides in memory, and OpenSSL on one side over a socket.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8Path;
use certificates::{Algorithm, Component, Request};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, Stream};
use testkit::Sandbox;

use crate::filled;

/// A handshake takes milliseconds; this is for a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a component has loaded.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
    trusted: Arc<RootCertStore>,
}

impl Loaded {
    /// Reads the files of a component as a program does at its start.
    #[track_caller]
    pub(crate) fn of(certs: &Utf8Path, component: Component) -> Self {
        let read = |name: &str| fs::read(certs.join(component.folder()).join(name)).unwrap();
        let certificates = |bytes: &[u8]| CertificateDer::pem_slice_iter(bytes).map(Result::unwrap).collect::<Vec<_>>();
        let mut trusted = RootCertStore::empty();
        for certificate in certificates(&read("ca.crt")) {
            trusted.add(certificate).unwrap();
        }
        let key = PrivateKeyDer::from_pem_slice(&read("tls.key")).unwrap();
        Self { chain: certificates(&read("tls.crt")), key: Arc::new(key), trusted: Arc::new(trusted) }
    }

    fn server(&self) -> ServerConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&self.trusted), Arc::clone(&provider))
            .build()
            .unwrap();
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(self.chain.clone(), self.key.clone_key())
            .unwrap()
    }

    fn client(&self, shows_itself: bool) -> ClientConfig {
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(Arc::clone(&self.trusted));
        if shows_itself {
            builder.with_client_auth_cert(self.chain.clone(), self.key.clone_key()).unwrap()
        } else {
            builder.with_no_client_auth()
        }
    }
}

/// A handshake in memory: the error of whoever refuses.
pub(crate) fn handshake(client: &Loaded, server: &Loaded, name: &str) -> Result<(), rustls::Error> {
    shake(client.client(true), server.server(), name)
}

fn shake(client: ClientConfig, server: ServerConfig, name: &str) -> Result<(), rustls::Error> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name)?;
    let mut server = ServerConnection::new(Arc::new(server))?;
    while client.wants_write() || server.wants_write() {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        let mut bytes = bytes.as_slice();
        while !bytes.is_empty() {
            server.read_tls(&mut bytes).unwrap();
            server.process_new_packets()?;
        }
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut bytes = bytes.as_slice();
        while !bytes.is_empty() {
            client.read_tls(&mut bytes).unwrap();
            client.process_new_packets()?;
        }
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok(())
}

fn servers() -> impl Iterator<Item = Component> {
    Component::ALL.into_iter().filter(|component| component.is_server())
}

#[test]
fn everyone_can_talk_to_every_server_with_keys_of_every_kind() {
    for algorithm in Algorithm::ALL {
        let sandbox = Sandbox::new();
        // rustls looks at the real clock.
        filled(&sandbox, &Request { algorithm: Some(algorithm), ..Request::default() }, jiff::Timestamp::now());
        let certs = sandbox.path("certs");
        for server in servers() {
            for client in Component::ALL {
                let (client, serving) = (Loaded::of(&certs, client), Loaded::of(&certs, server));
                for name in [server.common_name(), "localhost", "127.0.0.1", "::1"] {
                    assert_eq!(handshake(&client, &serving, name), Ok(()), "{algorithm} {name}");
                }
                assert!(handshake(&client, &serving, "elsewhere").is_err());
            }
        }
    }
}

#[test]
fn strangers_are_refused() {
    let (ours, theirs) = (Sandbox::new(), Sandbox::new());
    for sandbox in [&ours, &theirs] {
        filled(sandbox, &Request::default(), jiff::Timestamp::now());
    }
    let load = |sandbox: &Sandbox, component| Loaded::of(&sandbox.path("certs"), component);
    let collector = load(&ours, Component::Collector);
    let client = load(&ours, Component::Client);
    // Nobody, somebody of another authority, a server of another authority, and a client that poses as a server.
    assert!(shake(client.client(false), collector.server(), "localhost").is_err());
    let mut stranger = load(&theirs, Component::Client);
    stranger.trusted = Arc::clone(&client.trusted);
    assert!(handshake(&stranger, &collector, "localhost").is_err());
    assert!(handshake(&client, &load(&theirs, Component::Collector), "localhost").is_err());
    assert!(handshake(&client, &client, "collimate-client").is_err());
}

/// A child that is ended when the test ends, however it ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn openssl_as_a_server_accepts_our_client_and_nobody_else() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    for algorithm in Algorithm::ALL {
        let sandbox = Sandbox::new();
        filled(&sandbox, &Request { algorithm: Some(algorithm), ..Request::default() }, jiff::Timestamp::now());
        let certs = sandbox.path("certs");
        let mut server = Command::new(&openssl)
            .args(["s_server", "-accept", "127.0.0.1:0", "-cert", "tls.crt", "-key", "tls.key", "-CAfile", "ca.crt"])
            .args(["-Verify", "1", "-verify_return_error", "-www"])
            .current_dir(certs.join("collector"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = server.stdout.take().unwrap();
        let _server = Running(server);
        let accepts = BufReader::new(output).lines().map(Result::unwrap).find_map(|line| {
            line.strip_prefix("ACCEPT ").and_then(|address| address.parse::<std::net::SocketAddr>().ok())
        });
        let address = accepts.expect("it says where it listens");

        let client = Loaded::of(&certs, Component::Client);
        let ask = |shows_itself: bool| -> std::io::Result<String> {
            let name = ServerName::try_from("localhost").unwrap();
            let mut connection = ClientConnection::new(Arc::new(client.client(shows_itself)), name).unwrap();
            let mut socket = TcpStream::connect(address)?;
            socket.set_read_timeout(Some(PATIENCE))?;
            let mut stream = Stream::new(&mut connection, &mut socket);
            stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
            let mut answer = Vec::new();
            match stream.read_to_end(&mut answer) {
                // It closes without saying so in TLS.
                Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => Err(error),
                _ => Ok(String::from_utf8_lossy(&answer).into_owned()),
            }
        };
        let answer = ask(true).unwrap();
        assert!(answer.contains("HTTP/1.0 200 ok"), "{algorithm}: {answer}");
        let refused = ask(false);
        assert!(refused.as_ref().map_or(true, String::is_empty), "{algorithm}: {}", refused.unwrap_or_default());
    }
}

#[test]
fn openssl_as_a_client_accepts_our_server() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let sandbox = Sandbox::new();
    filled(&sandbox, &Request::default(), jiff::Timestamp::now());
    let certs = sandbox.path("certs");
    let config = Arc::new(Loaded::of(&certs, Component::Loki).server());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = std::thread::spawn(move || {
        // As many connections as there are cases below.
        let verdict = |socket: std::io::Result<TcpStream>| {
            let mut socket = socket.unwrap();
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let done = connection.complete_io(&mut socket).map_err(|error| error.to_string());
            connection.send_close_notify();
            let _ = connection.complete_io(&mut socket);
            done.map(drop)
        };
        listener.incoming().take(3).map(verdict).collect::<Vec<_>>()
    });
    let connect = |name: &str, identity: &[&str]| {
        let output = Command::new(&openssl)
            .args(["s_client", "-brief", "-connect", &address.to_string(), "-CAfile", "ca.crt", "-verify_return_error"])
            .args(["-verify_hostname", name])
            .args(identity)
            .current_dir(certs.join("client"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let identity = ["-cert", "tls.crt", "-key", "tls.key"];
    let said = connect("loki", &identity);
    assert!(said.contains("Verification: OK") && said.contains("Verified peername: loki"), "{said}");
    assert!(connect("elsewhere", &identity).contains("hostname mismatch"));
    connect("loki", &[]);
    let verdicts = serve.join().unwrap();
    assert_eq!(verdicts[0], Ok(()));
    assert!(verdicts[1].is_err(), "the client left");
    assert_eq!(verdicts[2], Err("peer sent no certificates".to_owned()));
}
