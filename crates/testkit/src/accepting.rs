//! The door of the servers that are written by hand here: every connection gets a thread of its own.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A connection, in TLS or not.
pub(crate) trait Connection: Read + Write {}

impl<S: Read + Write> Connection for S {}

/// Lets `serve` have every connection to a free port of this machine until `stop` is set and one more came. Gives the port.
#[track_caller]
pub(crate) fn accept(
    tls: Option<Arc<ServerConfig>>,
    stop: Arc<AtomicBool>,
    serve: impl Fn(&mut dyn Connection) + Clone + Send + 'static,
) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let port = listener.local_addr().expect("a listener has an address").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            if stop.load(Ordering::SeqCst) {
                break;
            }
            let (serve, tls) = (serve.clone(), tls.clone());
            // A client that goes away in the middle is its own business.
            std::thread::spawn(move || match tls {
                None => serve(&mut stream),
                Some(config) => {
                    if let Ok(connection) = ServerConnection::new(config) {
                        serve(&mut StreamOwned::new(connection, stream));
                    }
                }
            });
        }
    });
    port
}
