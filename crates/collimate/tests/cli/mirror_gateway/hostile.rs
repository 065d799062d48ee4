//! Slow clients, and a verifier that fails.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::door::{Door, How};
use super::stage::{ACME, BUNDLE, MANIFEST, PRIMARY, Stage, VEX_EXPORT};
use super::{check, ensure};

/// A slow client is cut off within this time: ours are 10 and 20 s, nginx's own limits are 60 s.
const CUT_OFF: Duration = Duration::from_secs(35);

check! {
    /// Whatever the verifier answers but yes and no, and where it does not answer, is a 503: never content, in the cache or not.
    it_fails_closed(stage) with |plan| plan => {
        ensure!(stage.get(MANIFEST).send().status == 200, "it is in the cache");
        let before = stage.exports.asked().len();
        for how in [How::Status(500), How::Status(403), How::Status(404), How::Status(302), How::Status(400), How::Status(503), How::Status(429), How::HangUp] {
            stage.door().set(how);
            for path in [MANIFEST, BUNDLE] {
                let answer = stage.get(path).send();
                ensure!(answer.status == 503 && answer.error() == "verifier", "{how:?}: {answer:?}");
                ensure!(answer.header("retry-after") == "10" && answer.header("location").is_empty(), "{how:?}: {answer:?}");
            }
        }
        let line = stage.line(BUNDLE, 503);
        ensure!(line["refusal"] == "verifier" && line["status"] == 503, "{line}");
        ensure!(stage.exports.asked().len() == before, "the source was asked");
        stage.door().set(How::Right);
        ensure!(stage.get(MANIFEST).send().status == 200, "it is right again");
        Ok(())
    }
}

check! {
    /// ... also when there is nobody at the socket, and it is found again when there is somebody.
    without_a_verifier_nobody_gets_in(stage) with |plan| plan => {
        let mut stage = stage;
        ensure!(stage.get(MANIFEST).send().status == 200, "it is in the cache");
        drop(stage.door.take());
        let answer = stage.get(MANIFEST).send();
        ensure!(answer.status == 503 && answer.error() == "verifier", "{answer:?}");
        stage.exports.down();
        let answer = stage.get(BUNDLE).send();
        ensure!(answer.status == 503 && answer.error() == "verifier", "with the source down too: {answer:?}");
        stage.exports.up();
        stage.door = Some(Door::open(&stage.sandbox.path("run/verifier.sock")));
        ensure!(stage.get(MANIFEST).send().status == 200, "it is found again");
        Ok(())
    }
}

check! {
    /// A verifier that says nothing is not waited for longer than a moment.
    a_silent_verifier_is_not_waited_for(stage) with |plan| plan => {
        stage.door().set(How::Silence);
        let start = Instant::now();
        let answer = stage.get(MANIFEST).send();
        ensure!(answer.status == 503 && answer.error() == "verifier", "{answer:?}");
        ensure!(start.elapsed() < CUT_OFF, "after {:?}", start.elapsed());
        Ok(())
    }
}

check! {
    /// The verifier is told the credential and the domain, nothing else, and is asked for what comes from the cache too.
    the_verifier_is_told_what_it_needs(stage) with |plan| plan => {
        let request = stage.get(MANIFEST).header("Cookie: planted").header("X-Mirror-Domain: community").header("X-Planted: 1");
        ensure!(request.repeat(3) == [200, 200, 200], "it is served");
        let asked = stage.door().asked();
        ensure!(asked.len() == 3, "asked {} times for three requests", asked.len());
        let given: Vec<&str> = asked[0].keys().map(String::as_str).collect();
        ensure!(given == ["authorization", "host", "user-agent", "x-mirror-domain"] || given == ["authorization", "host", "x-mirror-domain"], "{given:?}");
        ensure!(asked[0]["x-mirror-domain"] == "primary", "{:?}", asked[0]);
        Ok(())
    }
}

check! {
    /// Who connects and says nothing, or not all of a request, is cut off; all others are served meanwhile.
    slow_requests_are_cut_off(stage) with |plan| plan => {
        let silent = TcpStream::connect(("127.0.0.1", stage.https)).unwrap();
        let mut half: Vec<Child> = (0..30).map(|_| Tls::connect(&stage)).collect();
        for client in &mut half {
            let text = format!("GET {MANIFEST} HTTP/1.1\r\nHost: {PRIMARY}\r\nX-Slow: ");
            client.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
        }
        let others = stage.get(MANIFEST).send();
        let until = Instant::now() + CUT_OFF;
        let verdict = closed_within(&silent, CUT_OFF);
        let ended = half.iter_mut().filter_map(|client| ended_before(client, until)).count();
        for client in &mut half {
            let _ = client.kill();
            let _ = client.wait();
        }
        ensure!(others.status == 200, "{others:?}");
        ensure!(verdict, "a connection that says nothing stays");
        ensure!(ended == 30, "{ended} of 30 were cut off");
        Ok(())
    }
}

check! {
    /// Who does not take what it asked for is cut off; its memory is free at once.
    slow_readers_are_cut_off(stage) with |plan| plan => {
        stage.exports.publish(|recipe| recipe.domain("primary").bundle_size = Some(20 << 20));
        let mut client = Tls::connect(&stage);
        let credential = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, ACME);
        let text = format!("GET {BUNDLE} HTTP/1.1\r\nHost: {PRIMARY}\r\nAuthorization: Basic {credential}\r\n\r\n");
        client.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
        // It writes into a pipe that nobody reads: full pipe, full socket, and nginx waits.
        let line = |stage: &Stage| stage.log().into_iter().find(|line| line["path"] == BUNDLE);
        let start = Instant::now();
        while line(&stage).is_none() && start.elapsed() < CUT_OFF {
            std::thread::park_timeout(Duration::from_millis(100));
        }
        let found = line(&stage);
        let _ = client.kill();
        let _ = client.wait();
        let Some(found) = found else { return Err(format!("it is served still after {CUT_OFF:?}")) };
        ensure!(found["bytes"].as_u64().is_some_and(|bytes| bytes < 20 << 20), "{found}");
        Ok(())
    }
}

check! {
    /// A request that is larger than any of ours.
    large_headers_are_refused(stage) with |plan| plan => {
        let large = format!("X-Large: {}", "x".repeat(20_000));
        let answer = stage.get(VEX_EXPORT).header(&large).send();
        ensure!(answer.status == 400, "{answer:?}");
        ensure!(stage.get(VEX_EXPORT).header("X-Fine: x").send().status == 200, "and others are served");
        Ok(())
    }
}

/// A TLS connection with pipes on our side.
struct Tls;

impl Tls {
    fn connect(stage: &Stage) -> Child {
        let openssl = testkit::tool("openssl").expect("`openssl` is there where `curl` is");
        let mut command = Command::new(openssl);
        command.args(["s_client", "-quiet", "-connect", &format!("127.0.0.1:{}", stage.https), "-servername", PRIMARY]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    }
}

fn closed_within(stream: &TcpStream, limit: Duration) -> bool {
    stream.set_read_timeout(Some(limit)).unwrap();
    match (&mut &*stream).read(&mut [0; 1]) {
        Ok(read) => read == 0,
        // A reset is an end too; that time is up is none.
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

fn ended_before(child: &mut Child, until: Instant) -> Option<std::process::ExitStatus> {
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if Instant::now() >= until {
            return None;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
}
