//! Wrong passwords: many at once, the same again and again, and what they tell about names.

use std::io::{Read as _, Write as _};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use testkit::Sandbox;

use super::world::{Answer, PATIENCE, PROGRAM, Verifier, basic, line, password, two_domains, wait_until};

/// Cost 10: what a bcrypt check costs at least where files are as they should be.
fn costly() -> Sandbox {
    let sandbox = two_domains();
    sandbox.write("secrets/mirror-primary.htpasswd", line("acme", 1, 10));
    sandbox
}

fn median<T: Ord + Copy>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    values[values.len() / 2]
}

#[test]
fn a_flood_does_not_delay_who_is_remembered() {
    let sandbox = costly();
    // So short a lifetime that it ends several times meanwhile.
    let verifier = Verifier::start(&sandbox, &["--workers", "1", "--remember", "2s"]);
    let acme = basic("acme", &password(1));
    assert_eq!(verifier.ask("primary", &acme).status, 204);
    let (over, number) = (AtomicBool::new(false), AtomicUsize::new(0));
    let flood = || {
        let mut answers: Vec<(Answer, Duration)> = Vec::new();
        let mut connection = verifier.connect();
        while !over.load(Ordering::SeqCst) {
            let guess = format!("guess-{}", number.fetch_add(1, Ordering::SeqCst));
            let start = Instant::now();
            let answer = connection.ask("primary", &basic("acme", &guess));
            let is_busy = answer.status == 503;
            answers.push((answer, start.elapsed()));
            if is_busy {
                // As a client that heeds `Retry-After`, only less patient; else this test is about its own loop.
                std::thread::park_timeout(Duration::from_millis(50));
            }
        }
        answers
    };
    let (mut answers, mut ours) = (Vec::new(), Vec::new());
    let start = Instant::now();
    std::thread::scope(|scope| {
        // More than wait for one thread of bcrypt.
        let floods: Vec<_> = (0..24).map(|_| scope.spawn(flood)).collect();
        let mut connection = verifier.connect();
        while start.elapsed() < Duration::from_secs(5) || ours.len() < 100 {
            let asked = Instant::now();
            let answer = connection.ask("primary", &acme);
            ours.push((answer.status, asked.elapsed()));
            std::thread::park_timeout(Duration::from_millis(5));
        }
        over.store(true, Ordering::SeqCst);
        floods.into_iter().for_each(|flood| answers.extend(flood.join().unwrap()));
    });
    assert!(ours.iter().all(|(status, _)| *status == 204), "the tenant is let in every time");
    let guessed: Vec<Duration> =
        answers.iter().filter(|(answer, _)| answer.status == 401).map(|(_, time)| *time).collect();
    let busy: Vec<&Answer> = answers.iter().map(|(answer, _)| answer).filter(|answer| answer.status == 503).collect();
    assert_eq!(guessed.len() + busy.len(), answers.len(), "nobody guesses right");
    assert!(!guessed.is_empty() && !busy.is_empty(), "{} were checked, {} sent away", guessed.len(), busy.len());
    assert!(busy.iter().all(|answer| answer.head.contains("\r\nRetry-After: 1\r\n")));
    let (tenant, guess) = (median(ours.iter().map(|(_, time)| *time).collect()), median(guessed));
    assert!(tenant * 10 < guess, "the tenant waits {tenant:?}, who guesses {guess:?}");
    verifier.tells_seldom(" busy primary: too many new credentials wait to be checked", start);
    // When the flood is over, who is new is let in again.
    verifier.wait_for("community", &basic("beta", &password(2)), 204);
}

#[test]
fn the_same_wrong_password_costs_one_check() {
    let sandbox = costly();
    sandbox.write("secrets/mirror-primary.htpasswd", line("acme", 1, 11));
    let verifier = Verifier::start(&sandbox, &[]);
    let wrong = basic("acme", &password(2));
    let first = Instant::now();
    assert_eq!(verifier.ask("primary", &wrong).status, 401);
    let one = (first.elapsed(), verifier.processor_time());
    let mut connection = verifier.connect();
    for _ in 0..1000 {
        assert_eq!(connection.ask("primary", &wrong).status, 401);
    }
    let thousand = verifier.processor_time() - one.1;
    // Two or three, if the machine is so slow that the memory ends in between.
    assert!(thousand < 4 * one.1, "one costs {} ns, a thousand more {thousand} ns", one.1);
}

#[test]
fn a_hundred_at_once_cost_one_check() {
    let sandbox = costly();
    sandbox.write("secrets/mirror-primary.htpasswd", line("acme", 1, 11) + &line("other", 2, 11));
    let verifier = Verifier::start(&sandbox, &[]);
    let before = verifier.processor_time();
    assert_eq!(verifier.ask("primary", &basic("other", &password(2))).status, 204);
    let one = verifier.processor_time() - before;
    let before = verifier.processor_time();
    let right = basic("acme", &password(1));
    std::thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| assert_eq!(verifier.ask("primary", &right).status, 204));
        }
    });
    let hundred = verifier.processor_time() - before;
    assert!(hundred < 4 * one, "one costs {one} ns, a hundred {hundred} ns");
}

/// An unknown name, a wrong password of a cheap and of a costly hash, and a hash that is never checked: all the same work. Work is
/// processor time, which other tests on this machine do not lengthen as they lengthen an answer's.
#[test]
fn names_cannot_be_told_apart_by_time() {
    let sandbox = costly();
    let text = line("costly", 1, 11) + &line("cheap", 2, 5) + "never:$apr1$abcdefgh$0123456789012345678901\n";
    sandbox.write("secrets/mirror-primary.htpasswd", text);
    let verifier = Verifier::start(&sandbox, &["--workers", "1"]);
    let names = ["costly", "cheap", "never", "nobody"];
    let mut works: Vec<Vec<u64>> = vec![Vec::new(); names.len()];
    let mut connection = verifier.connect();
    for round in 0..9 {
        for (name, works) in names.iter().zip(&mut works) {
            let before = verifier.processor_time();
            assert_eq!(connection.ask("primary", &basic(name, &format!("wrong-{round}"))).status, 401);
            works.push(verifier.processor_time() - before);
        }
    }
    let medians: Vec<u64> = works.into_iter().map(median).collect();
    let (least, most) = (medians.iter().min().unwrap(), medians.iter().max().unwrap());
    assert!(*most < least + least / 4, "{names:?} cost {medians:?} ns");
    assert!(*least > 20_000_000, "{medians:?} ns are less than a check of cost 11 takes");
}

/// Who hangs up is not worked for: the queue is free for others.
#[test]
fn who_hangs_up_makes_room() {
    let sandbox = costly();
    sandbox.write("secrets/mirror-primary.htpasswd", line("acme", 1, 12));
    let verifier = Verifier::start(&sandbox, &["--workers", "1"]);
    let before = verifier.processor_time();
    // Each of these asks and goes away at once.
    for number in 0..16 {
        use std::io::Write as _;
        let authorization = basic("acme", &format!("guess-{number}"));
        let request =
            format!("GET /verify HTTP/1.1\r\nX-Mirror-Domain: primary\r\nAuthorization: {authorization}\r\n\r\n");
        verifier.connect().stream.write_all(request.as_bytes()).unwrap();
    }
    // "Busy" is no wrong answer while it has not seen yet that they are gone.
    verifier.wait_for("primary", &basic("acme", &password(1)), 204);
    let spent = verifier.processor_time() - before;
    let before = verifier.processor_time();
    assert_eq!(verifier.ask("primary", &basic("acme", &password(2))).status, 401);
    let one = verifier.processor_time() - before;
    assert!(spent < 6 * one, "one check costs {one} ns; seventeen, of which sixteen had no one waiting, {spent} ns");
}

/// Where the system gives few file descriptors: sixty-four are for other things.
#[test]
fn connections_for_which_there_is_no_room_wait() {
    let sandbox = two_domains();
    let socket = sandbox.path("verifier.sock");
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", "ulimit -n 80; exec \"$@\"", "sh", PROGRAM, "mirror", "auth", "--secrets", "secrets"]);
    limited.args(["--socket", socket.as_str()]).current_dir(sandbox.root());
    let verifier = Verifier::run(&sandbox, &mut limited, socket);
    let request = "GET /verify HTTP/1.1\r\nHost: v\r\nX-Mirror-Domain: primary\r\n\r\n";
    let mut held: Vec<_> = (0..16).map(|_| verifier.connect()).collect();
    assert!(held.iter_mut().all(|connection| connection.send(request).status == 401));
    wait_until("they are told of", || verifier.log().contains("as many connections as can be; further ones wait"));
    let mut next = verifier.connect();
    next.stream.write_all(request.as_bytes()).unwrap();
    next.stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert_eq!(next.stream.read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    next.stream.set_read_timeout(Some(PATIENCE)).unwrap();
    drop(held.pop());
    assert_eq!(next.receive().unwrap().status, 401);
}
