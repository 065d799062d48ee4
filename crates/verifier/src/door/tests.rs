//! Connections that take their time, with times short enough to be waited for.

use testkit::Sandbox;
use tokio::io::{DuplexStream, duplex};
use tokio::time::{interval, timeout};

use super::*;
use crate::event::Log;
use crate::files::Secrets;

/// What ends the test itself where nothing else does.
const PATIENCE: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(50);
/// A tenant of bcrypt's cheapest cost; nobody checks it here.
const PRIMARY: &str = "acme:$2y$04$abcdefghijklmnopqrstuuO7a0GkYt8vqzI8CdYgEdHTfjSy8p5ee\n";
const VERIFY: &str =
    "GET /verify HTTP/1.1\r\nHost: v\r\nX-Mirror-Domain: primary\r\nAuthorization: Basic YWNtZTpwYXNzd29yZA==\r\n\r\n";

/// A door that is patient but for one time.
fn door(times: Times) -> Door {
    let sandbox = Sandbox::new();
    sandbox.write("mirror-primary.htpasswd", PRIMARY);
    let (log, _) = Log::new();
    let desk = Desk::new(PATIENCE, 1, log).unwrap();
    desk.look(&Secrets { folder: sandbox.root().to_owned(), domains: vec![] });
    Door {
        desk: Arc::new(desk),
        times,
        ending: AtomicBool::new(false),
        running: AtomicUsize::new(0),
        answered: AtomicUsize::new(0),
    }
}

fn patient() -> Times {
    Times { head: PATIENCE * 2, wait: PATIENCE * 2, write: PATIENCE * 2 }
}

/// Serves one connection until the door ends it, while `other` is its other end.
async fn until_ended<F: Future<Output = ()>>(times: Times, room: usize, other: impl FnOnce(DuplexStream) -> F) {
    let (ours, theirs) = duplex(room);
    let door = door(times);
    tokio::select! {
        ended = timeout(PATIENCE, door.serve(theirs)) => ended.expect("the door ends the connection"),
        () = other(ours) => panic!("the other end has nothing more to say"),
    }
}

#[tokio::test]
async fn a_head_that_does_not_go_on_ends_the_connection() {
    until_ended(Times { head: SHORT, ..patient() }, 1024, async |mut stream: DuplexStream| {
        stream.write_all(b"GET /ver").await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
}

#[tokio::test]
async fn a_head_that_goes_on_byte_by_byte_ends_the_connection() {
    until_ended(Times { head: SHORT, ..patient() }, 1024, async |mut stream: DuplexStream| {
        let mut every = interval(SHORT / 10);
        stream.write_all(b"GET /verify HTTP/1.1\r\nX: ").await.unwrap();
        while stream.write_all(b"x").await.is_ok() {
            every.tick().await;
        }
        std::future::pending::<()>().await;
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_nobody_takes_ends_the_connection() {
    until_ended(Times { write: SHORT, ..patient() }, 16, async |mut stream: DuplexStream| {
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: v\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
}

/// No thread works at this desk: the credential is never checked.
#[tokio::test]
async fn who_waits_too_long_for_a_check_is_told_to_come_again() {
    let (mut ours, theirs) = duplex(1024);
    let door = door(Times { wait: SHORT, ..patient() });
    let asked = async {
        ours.write_all(VERIFY.as_bytes()).await.unwrap();
        let mut answer = vec![0; BUSY.len()];
        ours.read_exact(&mut answer).await.unwrap();
        answer
    };
    tokio::select! {
        () = door.serve(theirs) => panic!("the connection goes on"),
        answer = timeout(PATIENCE, asked) => assert_eq!(answer.unwrap(), BUSY),
    }
}
