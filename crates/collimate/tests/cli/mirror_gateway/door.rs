//! A stand-in for the verifier, that can be made to fail in every way.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use base64::Engine as _;
use camino::{Utf8Path, Utf8PathBuf};

use super::stage::{ACME, BETA, DELTA};

/// What it does with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// Says who it is, or that it is nobody.
    Right,
    /// This status, whoever it is.
    Status(u16),
    /// Hangs up.
    HangUp,
    /// Says nothing, and stays.
    Silence,
}

/// A server on a socket of this machine.
pub(crate) struct Door {
    socket: Utf8PathBuf,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    how: Mutex<How>,
    /// Headers of each question, names in lower case.
    asked: Mutex<Vec<BTreeMap<String, String>>>,
    open: Mutex<Vec<UnixStream>>,
    stopped: AtomicBool,
}

impl Door {
    #[track_caller]
    pub(crate) fn open(socket: &Utf8Path) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let shared = Arc::new(Shared {
            how: Mutex::new(How::Right),
            asked: Mutex::default(),
            open: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let own = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if own.stopped.load(Ordering::SeqCst) {
                    return;
                }
                own.open.lock().unwrap().push(stream.try_clone().unwrap());
                let shared = Arc::clone(&own);
                std::thread::spawn(move || shared.serve(&stream));
            }
        });
        Self { socket: socket.to_owned(), shared, thread: Some(thread) }
    }

    pub(crate) fn set(&self, how: How) {
        *self.shared.how.lock().unwrap() = how;
    }

    /// The headers of all questions up to now.
    pub(crate) fn asked(&self) -> Vec<BTreeMap<String, String>> {
        self.shared.asked.lock().unwrap().clone()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // The last one that it hears.
        let _ = UnixStream::connect(&self.socket);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        for stream in self.shared.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        let _ = std::fs::remove_file(&self.socket);
    }
}

impl Shared {
    fn serve(&self, stream: &UnixStream) {
        let mut reader = BufReader::new(stream);
        while let Some((path, headers)) = head(&mut reader) {
            let how = *self.how.lock().unwrap();
            let answer = if path == "/health" {
                "200 OK\r\ncontent-length: 3\r\n\r\nok\n".to_owned()
            } else {
                let found = tenant(&headers);
                self.asked.lock().unwrap().push(headers);
                match how {
                    How::Right => match found {
                        Some(name) => format!("204 No Content\r\nx-mirror-tenant: {name}\r\n\r\n"),
                        None => "401 Unauthorized\r\ncontent-length: 0\r\n\r\n".to_owned(),
                    },
                    How::Status(status) => {
                        format!("{status} Said\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n")
                    }
                    How::HangUp => break,
                    How::Silence => {
                        // Until the other side has had enough.
                        let _ = reader.fill_buf();
                        break;
                    }
                }
            };
            if (&mut &*stream).write_all(format!("HTTP/1.1 {answer}").as_bytes()).is_err() {
                break;
            }
        }
        let _ = stream.shutdown(std::net::Shutdown::Both);
    }
}

fn head(reader: &mut BufReader<&UnixStream>) -> Option<(String, BTreeMap<String, String>)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        match line.trim_end() {
            "" => return Some((path, headers)),
            header => {
                let (name, value) = header.split_once(':')?;
                headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
            }
        }
    }
}

fn tenant(headers: &BTreeMap<String, String>) -> Option<String> {
    let text = headers.get("authorization")?.strip_prefix("Basic ")?;
    // More lenient than the real one: what nginx lets through must be spelled in one way already.
    let config = base64::engine::GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent);
    let lenient = base64::engine::GeneralPurpose::new(&base64::alphabet::STANDARD, config);
    let user = String::from_utf8(lenient.decode(text).ok()?).ok()?;
    let known: &[&str] = match headers.get("x-mirror-domain")?.as_str() {
        "primary" => &[ACME, BETA],
        "community" => &[DELTA],
        _ => &[],
    };
    known.contains(&user.as_str()).then(|| user.split(':').next().unwrap_or_default().to_owned())
}
