//! The desk without sockets and threads: what is asked, what bcrypt is run for, and what changes of the files do.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mirror::htpasswd::{Hash, Password, RANDOM_BYTES};
use testkit::Sandbox;

use crate::desk::{Desk, Job, Reply, Verdict};
use crate::event::{Event, Kind, Log};
use crate::files::Secrets;
use crate::head::Sent;
use crate::work::finish;

const REMEMBER: Duration = Duration::from_secs(30);

/// One domain's folder and desk.
struct World {
    sandbox: Sandbox,
    secrets: Secrets,
    desk: Desk,
    events: Receiver<Event>,
}

fn password(number: u8) -> Password {
    Password::generated(&[number; RANDOM_BYTES])
}

/// A line of the cheapest cost: what is tested here is how often, not how long.
fn line(name: &str, number: u8) -> String {
    format!("{name}:{}\n", Hash::bcrypt(&password(number), 4, [number; 16]).reveal())
}

fn header(name: &str, number: u8) -> Vec<u8> {
    format!("Basic {}", STANDARD.encode(format!("{name}:{}", password(number).reveal()))).into_bytes()
}

fn right(name: &str) -> Verdict {
    Verdict::Right(format!("HTTP/1.1 204 No Content\r\nX-Mirror-Tenant: {name}\r\n\r\n").into_bytes().into())
}

impl World {
    fn new(primary: &str) -> Self {
        let sandbox = Sandbox::new();
        sandbox.write("mirror-primary.htpasswd", primary);
        let secrets = Secrets { folder: sandbox.root().to_owned(), domains: vec![] };
        let (log, events) = Log::new();
        let world = Self { sandbox, secrets, desk: Desk::new(REMEMBER, 1, log).unwrap(), events };
        world.look();
        world
    }

    fn look(&self) {
        self.desk.look(&self.secrets);
    }

    fn write(&self, primary: &str) {
        self.sandbox.write("mirror-primary.htpasswd", primary);
        self.look();
    }

    fn kinds(&self) -> Vec<Kind> {
        self.events.try_iter().map(|event| event.kind).collect()
    }

    fn ask_at(&self, domain: &str, header: &[u8], now: Instant) -> Reply {
        self.desk.ask(Sent::Once(domain.as_bytes()), Sent::Once(header), now)
    }

    fn ask(&self, header: &[u8]) -> Reply {
        self.ask_at("primary", header, Instant::now())
    }

    /// As if the last look had been at that moment.
    fn ask_after_looking(&self, header: &[u8], now: Instant) -> Reply {
        self.desk.pretend_looked("primary", now);
        self.ask_at("primary", header, now)
    }

    /// What is answered without bcrypt.
    #[track_caller]
    fn at_once(&self, header: &[u8]) -> Verdict {
        now(self.ask(header))
    }

    /// The check that is asked for, made and settled.
    #[track_caller]
    fn check(&self) {
        let job = self.desk.next().unwrap();
        let right = job.check();
        assert!(self.desk.settle(job, right, Instant::now()).is_none());
    }

    /// What is answered after one check.
    #[track_caller]
    fn after_bcrypt(&self, header: &[u8]) -> Verdict {
        let Reply::Later(mut receiver) = self.ask(header) else { panic!("it is answered without a check") };
        self.check();
        receiver.try_recv().unwrap()
    }
}

#[track_caller]
fn now(reply: Reply) -> Verdict {
    match reply {
        Reply::Now(verdict) => verdict,
        Reply::Later(_) => panic!("a check is asked for"),
    }
}

#[test]
fn bcrypt_is_run_once() {
    let world = World::new(&line("acme", 1));
    assert_eq!(world.after_bcrypt(&header("acme", 1)), right("acme"));
    for _ in 0..3 {
        assert_eq!(world.at_once(&header("acme", 1)), right("acme"));
    }
    // The scheme may be spelled differently; it is the same credential.
    let again = String::from_utf8(header("acme", 1)).unwrap().replace("Basic ", "bAsIc   ");
    assert_eq!(world.at_once(again.as_bytes()), right("acme"));
    assert_eq!(world.after_bcrypt(&header("acme", 2)), Verdict::Wrong);
    assert_eq!(world.at_once(&header("acme", 2)), Verdict::Wrong);
    assert_eq!(world.at_once(&header("acme", 1)), right("acme"));
}

#[test]
fn what_is_no_credential_costs_nothing() {
    let world = World::new(&line("acme", 1));
    for header in [&b""[..], b"Basic", b"Bearer abc", b"Basic ====", b"Basic YWNtZQ=="] {
        assert_eq!(world.at_once(header), Verdict::Wrong);
    }
    let domain = Sent::Once(&b"primary"[..]);
    assert_eq!(now(world.desk.ask(domain, Sent::Not, Instant::now())), Verdict::Wrong);
    assert_eq!(now(world.desk.ask(domain, Sent::Often, Instant::now())), Verdict::Wrong);
}

#[test]
fn equal_headers_share_one_check() {
    let world = World::new(&line("acme", 1));
    let ask = || match world.ask(&header("acme", 1)) {
        Reply::Later(receiver) => receiver,
        Reply::Now(_) => panic!("it is answered without a check"),
    };
    let mut waiting: Vec<_> = (0..50).map(|_| ask()).collect();
    let job = world.desk.next().unwrap();
    // Also those that come while it runs.
    waiting.extend((0..50).map(|_| ask()));
    let checked = job.check();
    assert!(world.desk.settle(job, checked, Instant::now()).is_none());
    for mut receiver in waiting {
        assert_eq!(receiver.try_recv().unwrap(), right("acme"));
    }
    world.desk.end();
    assert!(world.desk.next().is_none(), "there was one check");
}

#[test]
fn domains_know_nothing_of_each_other() {
    let world = World::new(&line("acme", 1));
    world.sandbox.write("mirror-community.htpasswd", line("other", 2));
    world.look();
    assert_eq!(world.after_bcrypt(&header("acme", 1)), right("acme"));
    let Reply::Later(mut receiver) = world.ask_at("community", &header("acme", 1), Instant::now()) else {
        panic!("what is known in one domain is no answer in another")
    };
    world.check();
    assert_eq!(receiver.try_recv().unwrap(), Verdict::Wrong);
    assert_eq!(world.at_once(&header("acme", 1)), right("acme"));
    let elsewhere = |domain: Sent<'_>| now(world.desk.ask(domain, Sent::Once(&header("acme", 1)), Instant::now()));
    for domain in
        [Sent::Once(b"none"), Sent::Once(b""), Sent::Once(b"primary "), Sent::Once(b"\xff"), Sent::Not, Sent::Often]
    {
        assert_eq!(elsewhere(domain), Verdict::Closed);
    }
    assert!(world.kinds().contains(&Kind::UnknownDomain));
}

#[test]
fn a_removed_tenant_is_out_at_the_next_look() {
    let world = World::new(&(line("acme", 1) + &line("other", 2)));
    assert_eq!(world.after_bcrypt(&header("acme", 1)), right("acme"));
    assert_eq!(world.after_bcrypt(&header("other", 2)), right("other"));
    world.write(&line("other", 2));
    assert_eq!(world.after_bcrypt(&header("acme", 1)), Verdict::Wrong);
    assert_eq!(world.at_once(&header("other", 2)), right("other"), "a neighbour is not checked anew");
    assert_eq!(world.kinds(), [Kind::Opened, Kind::Changed]);
}

#[test]
fn a_new_password_ends_the_old_one() {
    let world = World::new(&line("acme", 1));
    assert_eq!(world.after_bcrypt(&header("acme", 1)), right("acme"));
    assert_eq!(world.after_bcrypt(&header("acme", 2)), Verdict::Wrong);
    world.write(&line("acme", 2));
    assert_eq!(world.after_bcrypt(&header("acme", 1)), Verdict::Wrong);
    assert_eq!(
        world.after_bcrypt(&header("acme", 2)),
        right("acme"),
        "that it was wrong is forgotten with the old file"
    );
}

/// The same name and password, but another salt: whoever changed the line wanted something.
#[test]
fn another_hash_is_checked_anew() {
    let world = World::new(&line("acme", 1));
    assert_eq!(world.after_bcrypt(&header("acme", 1)), right("acme"));
    world.write(&format!("acme:{}\n", Hash::bcrypt(&password(1), 4, [9; 16]).reveal()));
    assert_eq!(world.after_bcrypt(&header("acme", 1)), right("acme"));
}

#[test]
fn a_check_of_the_old_file_is_worth_nothing() {
    let world = World::new(&line("acme", 1));
    let Reply::Later(mut receiver) = world.ask(&header("acme", 1)) else { panic!("a check is needed") };
    let job = world.desk.next().unwrap();
    let checked = job.check();
    assert!(checked.is_some());
    // The tenant is removed while bcrypt runs.
    world.write(&line("other", 2));
    let again: Job = world.desk.settle(job, checked, Instant::now()).unwrap();
    assert!(receiver.try_recv().is_err(), "nobody was told anything yet");
    let checked = again.check();
    assert!(world.desk.settle(again, checked, Instant::now()).is_none());
    assert_eq!(receiver.try_recv().unwrap(), Verdict::Wrong);
}

#[test]
fn a_file_that_changes_during_every_check_is_given_up() {
    let world = World::new(&line("acme", 1));
    // How often the file changes while it is checked; how often it was checked, and what is answered.
    for (changes, checks, verdict) in [(4, 5, right("acme")), (5, 5, Verdict::Busy), (100, 5, Verdict::Busy)] {
        world.write(&line("acme", 1));
        let Reply::Later(mut receiver) = world.ask(&header("acme", 1)) else { panic!("a check is needed") };
        let mut checked = 0;
        finish(&world.desk, world.desk.next().unwrap(), |job| {
            checked += 1;
            if checked <= changes {
                assert!(receiver.try_recv().is_err(), "nobody is told anything of an old file");
                world.write(&format!("{}# {changes} {checked}\n", line("acme", 1)));
            }
            job.check()
        });
        assert_eq!((checked, receiver.try_recv().unwrap()), (checks, verdict), "{changes} changes");
        // The tenant's hash with another salt: what was right before is forgotten.
        world.write(&format!("acme:{}\n", Hash::bcrypt(&password(1), 4, [99; 16]).reveal()));
    }
}

#[test]
fn memory_ends_and_is_renewed_before() {
    let world = World::new(&line("acme", 1));
    let start = Instant::now();
    assert_eq!(world.after_bcrypt(&header("acme", 1)), right("acme"));
    let ask_at = |after: Duration| world.ask_after_looking(&header("acme", 1), start + after);
    assert_eq!(now(ask_at(REMEMBER / 2)), right("acme"));
    // In its last quarter it is answered, and checked anew beside.
    assert_eq!(now(ask_at(REMEMBER * 9 / 10)), right("acme"));
    assert_eq!(now(ask_at(REMEMBER * 9 / 10)), right("acme"));
    world.check();
    world.desk.end();
    assert!(world.desk.next().is_none(), "it was checked once");
}

#[test]
fn after_its_lifetime_a_header_is_checked_and_goes_first() {
    let world = World::new(&line("acme", 1));
    let first = Instant::now();
    assert_eq!(world.after_bcrypt(&header("acme", 1)), right("acme"));
    let mut flood = Vec::new();
    let busy = loop {
        match world.ask(&header("acme", 100 + flood.len() as u8)) {
            Reply::Later(receiver) => flood.push(receiver),
            Reply::Now(verdict) => break verdict,
        }
    };
    assert_eq!((busy, flood.len()), (Verdict::Busy, 16), "the queue has an end");
    assert_eq!(world.at_once(&header("acme", 1)), right("acme"), "who is remembered does not notice");
    // The file was looked at in the meantime, in the world of this test at the same moment.
    let Reply::Later(mut receiver) =
        world.ask_after_looking(&header("acme", 1), first + REMEMBER + Duration::from_secs(1))
    else {
        panic!("its lifetime is over")
    };
    world.check();
    assert_eq!(receiver.try_recv().unwrap(), right("acme"), "it was checked before the sixteen that came earlier");
    assert!(world.kinds().contains(&Kind::Busy));
}

#[test]
fn files_that_cannot_be_looked_at_close_their_domain() {
    let world = World::new(&line("acme", 1));
    assert_eq!(world.after_bcrypt(&header("acme", 1)), right("acme"));
    let later = Instant::now() + REMEMBER + Duration::from_secs(1);
    assert_eq!(now(world.ask_at("primary", &header("acme", 1), later)), Verdict::Closed);
    assert_eq!(world.desk.health(later).remove(0).1, None);
    assert!(world.kinds().contains(&Kind::Stale));
    world.look();
    assert_eq!(world.at_once(&header("acme", 1)), right("acme"));
}

#[test]
fn who_hung_up_costs_no_check() {
    let world = World::new(&line("acme", 1));
    drop(world.ask(&header("acme", 1)));
    drop(world.ask(&header("acme", 1)));
    world.desk.end();
    assert!(world.desk.next().is_none());
    assert!(matches!(world.ask(&header("acme", 1)), Reply::Later(_)), "it can be asked again");
}

#[test]
fn who_waits_for_one_credential_is_counted() {
    let world = World::new(&line("acme", 1));
    let waiting: Vec<Reply> = (0..2048).map(|_| world.ask(&header("acme", 1))).collect();
    assert!(waiting.iter().all(|reply| matches!(reply, Reply::Later(_))));
    assert_eq!(world.at_once(&header("acme", 1)), Verdict::Busy);
    world.check();
    for reply in waiting {
        let Reply::Later(mut receiver) = reply else { continue };
        assert_eq!(receiver.try_recv().unwrap(), right("acme"));
    }
    assert_eq!(world.at_once(&header("acme", 1)), right("acme"));
}

#[test]
fn credentials_that_wait_are_counted() {
    let world = World::new(&line("acme", 1));
    let waiting: Vec<Reply> = (0..16).map(|number| world.ask(&header("acme", 100 + number))).collect();
    assert!(waiting.iter().all(|reply| matches!(reply, Reply::Later(_))));
    assert_eq!(world.at_once(&header("acme", 1)), Verdict::Busy);
    let told: Vec<Event> = world.events.try_iter().collect();
    assert_eq!(told.last().unwrap().message, "too many new credentials wait to be checked");
    world.check();
    assert!(matches!(world.ask(&header("acme", 1)), Reply::Later(_)), "a place is free again");
}

#[test]
fn who_hung_up_takes_no_place() {
    let world = World::new(&line("acme", 1));
    for number in 0..16 {
        drop(world.ask(&header("acme", 100 + number)));
    }
    assert_eq!(world.after_bcrypt(&header("acme", 1)), right("acme"), "the queue is not full");
    // What was forgotten can be asked again.
    assert_eq!(world.after_bcrypt(&header("acme", 100)), Verdict::Wrong);
    assert_eq!(world.kinds(), [Kind::Opened]);
}

#[test]
fn a_damaged_file_closes_its_domain_and_no_other() {
    let world = World::new(&line("acme", 1));
    world.sandbox.write("mirror-community.htpasswd", line("other", 2));
    world.look();
    assert_eq!(world.after_bcrypt(&header("acme", 1)), right("acme"));
    world.kinds();
    let cases: [(String, Option<usize>, &str); 5] = [
        (line("acme", 1) + "no colon", Some(2), "nobody is let in: it has no `:` between a name and a hash"),
        (line("acme", 1) + &line("acme", 2), Some(2), "nobody is let in: tenant `acme` stands in line 1 already"),
        ("\n#\nacme:\n".to_owned(), Some(3), "nobody is let in: tenant `acme` has no hash"),
        (
            line("acme", 1).trim_end()[..40].to_owned(),
            Some(1),
            "nobody is let in: the hash of tenant `acme` is not a whole bcrypt hash",
        ),
        ("\u{7f}:x".to_owned(), Some(1), "nobody is let in: its name has a control character"),
    ];
    for (text, at, message) in cases {
        world.write(&text);
        let event = world.events.try_recv().unwrap();
        assert_eq!((event.kind, event.line, event.message.as_str()), (Kind::Closed, at, message));
        assert_eq!(event.file, Some(world.sandbox.path("mirror-primary.htpasswd")));
        assert_eq!(world.at_once(&header("acme", 1)), Verdict::Closed);
        assert_eq!(world.at_once(b""), Verdict::Closed, "not even that a credential is missing is answered");
        world.look();
        assert_eq!(world.kinds(), [], "the same fault is told once");
    }
    let other = world.ask_at("community", &header("other", 2), Instant::now());
    assert!(matches!(other, Reply::Later(_)), "another domain is open");
    world.sandbox.remove("mirror-primary.htpasswd");
    world.look();
    assert_eq!(world.events.try_recv().unwrap().message, "nobody is let in: it cannot be read: it does not exist");
    assert_eq!(world.at_once(&header("acme", 1)), Verdict::Closed);
    world.write(&line("acme", 1));
    assert_eq!(world.kinds(), [Kind::Opened]);
    assert_eq!(world.at_once(&header("acme", 1)), right("acme"), "it is the same line as before, within its lifetime");
}

#[test]
fn a_check_that_waits_when_its_domain_closes_is_answered() {
    let world = World::new(&line("acme", 1));
    let Reply::Later(mut waiting) = world.ask(&header("acme", 1)) else { panic!("a check is needed") };
    world.write("damaged");
    world.desk.end();
    assert!(world.desk.next().is_none());
    assert_eq!(waiting.try_recv().unwrap(), Verdict::Closed);
    // And one that runs.
    world.write(&line("acme", 1));
    let Reply::Later(mut running) = world.ask(&header("acme", 1)) else { panic!("a check is needed") };
    let job = world.desk.next().unwrap();
    let checked = job.check();
    world.write("damaged");
    assert!(world.desk.settle(job, checked, Instant::now()).is_none());
    assert_eq!(running.try_recv().unwrap(), Verdict::Closed);
}

#[test]
fn a_tenant_without_a_usable_hash_is_told_of_and_never_let_in() {
    let plain = "plain:geheim-geheim\n".to_owned();
    let costly = line("costly", 1).replace("$2y$04$", "$2y$31$");
    let world = World::new(&(line("acme", 1) + &plain + &costly));
    let events: Vec<_> = world.events.try_iter().map(|event| (event.kind, event.line, event.message)).collect();
    let unusable = |line, message: &str| (Kind::TenantUnusable, Some(line), message.to_owned());
    assert_eq!(
        events,
        [
            (Kind::Opened, None, "3 tenants".to_owned()),
            unusable(
                2,
                "tenant `plain` is never let in: the hash is not a hash that is known, perhaps the password itself"
            ),
            unusable(3, "tenant `costly` is never let in: the hash is bcrypt of cost 31, above 15"),
        ]
    );
    assert_eq!(world.after_bcrypt(&header("costly", 1)), Verdict::Wrong);
    let header = format!("Basic {}", STANDARD.encode("plain:geheim-geheim"));
    assert_eq!(world.after_bcrypt(header.as_bytes()), Verdict::Wrong);
    assert_eq!(world.after_bcrypt(&self::header("acme", 1)), right("acme"));
}
