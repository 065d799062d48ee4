//! Ways in which Redis can say no, and what each is called.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use certificates::{Algorithm, Authority, Leaf, San, Usage, Validity};
use testkit::{Notify, Redis, Sandbox, free_ports};

use super::world::{KINDS, PASSWORD, TENANT, TOKEN, World};

#[test]
fn user_and_password_are_refused_or_taken() {
    let Some(mut world) = World::new() else { return };
    let port = world.redis.port();
    let user = format!(">{PASSWORD}");
    let rights = ["+ping", "+select", "+time", "+type", "+role", "+xinfo", "+xrange", "+xrevrange"];
    world.redis.command(&[&["ACL", "SETUSER", "ci", "on", &user, "%R~stella.events"][..], &rights].concat());
    world.redis.command(&["ACL", "SETUSER", "blind", "on", &user, "~*", "+ping", "+time", "+role"]);
    world.redis.command(&["CONFIG", "SET", "requirepass", PASSWORD]);
    world.redis.log_in("default", PASSWORD);
    let mut world = world.green();
    let dsn = |who: &str| format!("redis://{who}@127.0.0.1:{port}/0");

    // With exactly the rights that the documentation names.
    world.set("REDIS_DSN", dsn(&format!("ci:{PASSWORD}")));
    world.run().is(0, &[]);
    world.set("REDIS_DSN", dsn(&format!(":{PASSWORD}")));
    world.run().is(0, &[]);
    world.set("REDIS_DSN", dsn("ci:planted-wrong"));
    world.run().is(5, &["redis-credentials-refused"]).concludes("not known: Redis refuses user and password");
    world.set("REDIS_DSN", dsn("nobody:planted-wrong"));
    world.run().is(5, &["redis-credentials-refused"]);
    world.set("REDIS_DSN", format!("redis://127.0.0.1:{port}"));
    world.run().is(5, &["redis-credentials-refused"]).says("the connection string has none");
    world.set("REDIS_DSN", dsn(&format!("blind:{PASSWORD}")));
    world.run().is(5, &["redis-permission-denied"]).says("may not use `TYPE`");
    // Reading is allowed, writing is not.
    world.set("REDIS_DSN", dsn(&format!("ci:{PASSWORD}")));
    world.flag(&["--emit", "--emit-tenants", TENANT]);
    world.run().is(5, &["redis-permission-denied"]).says("may not use `XADD`");
}

#[test]
fn a_password_that_nobody_asked_for_is_said() {
    let Some(world) = World::new() else { return };
    let mut world = world.green();
    world.set("REDIS_DSN", format!("redis://:{PASSWORD}@127.0.0.1:{}", world.redis.port()));
    world.run().is(5, &["redis-credentials-refused"]).says("has none set");
}

#[test]
fn another_database_is_another_place() {
    let Some(world) = World::new() else { return };
    let mut world = world.green();
    let port = world.redis.port();
    world.set("REDIS_DSN", format!("redis://127.0.0.1:{port}/3"));
    world.run().is(1, &["stream-missing"]).says("no stream `stella.events` in database 3");
    world.set("REDIS_DSN", format!("redis://127.0.0.1:{port}/99"));
    world.run().is(2, &["redis-database"]);
}

#[test]
fn a_server_that_is_not_there_or_is_another_one_is_named() {
    let Some(world) = World::new() else { return };
    let mut world = world.green();
    let [dead] = free_ports();
    world.set("REDIS_DSN", format!("redis://ci:{PASSWORD}@127.0.0.1:{dead}"));
    world.run().is(4, &["connection-refused"]).concludes("not known: cannot talk to Redis");
    world.set("REDIS_DSN", format!("redis://ci:{PASSWORD}@no-such-host.invalid:{dead}"));
    world.run().is(4, &["dns-failure"]).says("check the host in `NOTIFY_SMOKE_REDIS_DSN`");
    // Notify's port speaks HTTP.
    world.set("REDIS_DSN", format!("redis://127.0.0.1:{}", world.notify.port()));
    world.run().is(4, &["not-redis"]);
    // TLS where none is spoken: Redis waits for the rest of a command, unless a random byte of the handshake ends it.
    world.args = ["--wait", "0.3", "--timeout", "5"].map(str::to_owned).to_vec();
    world.set("REDIS_DSN", format!("rediss://localhost:{}", world.redis.port()));
    let run = world.run();
    let known = [(4, vec!["no-answer"]), (5, vec!["plain-text-port"])];
    assert!(known.contains(&(run.output.exit, run.kinds())), "{}", run.output);
    run.says("write `redis://` if that is wanted");
}

/// A server of one test that sends the same bytes to everybody.
fn saying(bytes: Vec<u8>) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let answer = |stream: &mut TcpStream| {
                let mut room = [0; 512];
                while stream.read(&mut room).is_ok_and(|count| count > 0) && stream.write_all(&bytes).is_ok() {}
            };
            answer(&mut stream);
        }
    });
    port
}

#[test]
fn what_a_server_says_decides_the_name() {
    let Some(world) = World::new() else { return };
    let mut world = world.green();
    let long = [b"+".to_vec(), vec![b'x'; 1 << 20]].concat();
    let cases: [(&[u8], i32, &str); 13] = [
        (b"-LOADING Redis is loading the dataset in memory\r\n", 4, "redis-busy"),
        (b"-ERR max number of clients reached\r\n", 4, "redis-busy"),
        (b"-DENIED Redis is running in protected mode\r\n", 5, "redis-protected"),
        (b"-MASTERDOWN Link with MASTER is down\r\n", 4, "replica-stale"),
        (b"-MOVED 1 127.0.0.1:1\r\n", 4, "redis-cluster"),
        (b"-CLUSTERDOWN Hash slot not served\r\n", 4, "redis-cluster"),
        (b"-BUSY Redis is busy running a script\r\n", 4, "redis-busy"),
        (b"-ERR something new planted-redis-pa55word\r\n", 4, "redis-refused"),
        (b"220 mail.test ESMTP\r\n", 4, "not-redis"),
        (b"$9999999\r\n", 4, "no-answer"),
        (b"$99999999999999\r\n", 4, "not-redis"),
        (b"*-5\r\n", 4, "not-redis"),
        (&long, 4, "not-redis"),
    ];
    for (bytes, exit, kind) in cases {
        // Only an answer that never ends takes the time of a call; a machine that stalls takes some of it too.
        let timeout = if kind == "no-answer" { "5" } else { "30" };
        world.args = ["--wait", "0.3", "--timeout", timeout].map(str::to_owned).to_vec();
        world.set("REDIS_DSN", format!("redis://:{PASSWORD}@127.0.0.1:{}", saying(bytes.to_vec())));
        world.run().is(exit, &[kind]);
    }
}

#[test]
fn a_redis_that_stops_answering_is_not_waited_for_without_end() {
    let Some(world) = World::new() else { return };
    let mut world = world.green();
    world.args = ["--wait", "0.3", "--timeout", "5"].map(str::to_owned).to_vec();
    world.redis.command(&["CLIENT", "PAUSE", "60000"]);
    world.run().is(4, &["no-answer"]);
}

struct Pki {
    sandbox: Sandbox,
    authority: Authority,
}

impl Pki {
    fn new() -> Self {
        let validity = Validity::days(jiff::Timestamp::now(), 2);
        let authority = Authority::new(Algorithm::P256, validity).unwrap();
        let pki = Self { sandbox: Sandbox::new(), authority };
        pki.sandbox.write("ca.crt", pki.authority.certificate_pem());
        pki
    }

    fn issue(&self, name: &str, san: San, validity: Validity) {
        issue(&self.authority, &self.sandbox, name, san, validity);
    }

    fn path(&self, name: &str) -> String {
        self.sandbox.path(name).to_string()
    }
}

fn issue(authority: &Authority, sandbox: &Sandbox, name: &str, san: San, validity: Validity) {
    let usages = vec![Usage::Server, Usage::Client];
    let leaf = Leaf { common_name: name.to_owned(), sans: vec![san], usages, algorithm: Algorithm::P256, validity };
    let issued = authority.issue(&leaf).unwrap();
    sandbox.write(format!("{name}.crt"), issued.certificate_pem).write(format!("{name}.key"), issued.key.reveal());
}

#[test]
fn tls_with_a_client_certificate_and_each_way_it_is_refused() {
    let pki = Pki::new();
    let valid = pki.authority.validity();
    let localhost = San::Dns("localhost".to_owned());
    pki.issue("redis", localhost.clone(), valid);
    pki.issue("client", localhost.clone(), valid);
    let past = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * 40);
    pki.issue("expired", localhost.clone(), Validity::days(past, 10));
    let stranger = Authority::new(Algorithm::P256, valid).unwrap();
    pki.sandbox.write("stranger-ca.crt", stranger.certificate_pem());
    issue(&stranger, &pki.sandbox, "stranger", localhost, valid);

    let sandbox = Sandbox::new();
    let file = |name: &str| pki.sandbox.path(name);
    let Some(redis) = Redis::start_tls(&sandbox, &file("redis.crt"), &file("redis.key"), &file("ca.crt"), &[]) else {
        return;
    };
    let port = redis.port();
    let read = |name: &str| pki.sandbox.read(name);
    let notify = Notify::start_tls(TOKEN, &read("redis.crt"), &read("redis.key"));
    let mut world = World::of(sandbox, redis, notify).green();
    world.set("NOTIFY_CA", pki.path("ca.crt"));
    world.set("REDIS_DSN", format!("rediss://localhost:{port}"));
    world.set("REDIS_CA", pki.path("ca.crt"));
    world.set("REDIS_CERT", pki.path("client.crt"));
    world.set("REDIS_KEY", pki.path("client.key"));
    world.run().is(0, &[]);

    let with = |world: &mut World, name: &str| {
        world.set("REDIS_CERT", pki.path(&format!("{name}.crt")));
        world.set("REDIS_KEY", pki.path(&format!("{name}.key")));
    };
    with(&mut world, "stranger");
    world.run().is(5, &["client-certificate-foreign"]);
    with(&mut world, "expired");
    world.run().is(5, &["client-certificate-expired"]);
    world.set("REDIS_CERT", "");
    world.set("REDIS_KEY", "");
    world.run().is(5, &["client-certificate-missing"]).says("NOTIFY_SMOKE_REDIS_CERT");
    with(&mut world, "client");
    world.set("REDIS_CA", pki.path("stranger-ca.crt"));
    world.run().is(5, &["wrong-ca"]);
    world.set("REDIS_CA", pki.path("ca.crt"));
    world.set("REDIS_DSN", format!("rediss://127.0.0.1:{port}"));
    world.run().is(5, &["name-not-in-certificate"]).says("NOTIFY_SMOKE_REDIS_SERVER_NAME");
    world.set("REDIS_SERVER_NAME", "localhost");
    world.run().is(0, &[]);
    // Plain text to a port that speaks TLS.
    for name in ["CA", "CERT", "KEY", "SERVER_NAME"] {
        world.set(&format!("REDIS_{name}"), "");
    }
    world.set("REDIS_DSN", format!("redis://:{PASSWORD}@localhost:{port}"));
    let run = world.run();
    assert!(["tls-port", "connection-closed"].contains(&run.kinds()[0]), "{}", run.output);

    // Notify's certificate, from an authority that nobody knows, or for another name.
    world.set("REDIS_DSN", format!("rediss://localhost:{port}"));
    world.set("REDIS_CA", pki.path("ca.crt"));
    with(&mut world, "client");
    world.set("NOTIFY_CA", pki.path("stranger-ca.crt"));
    world.run().is(5, &["wrong-ca"]).says("NOTIFY_SMOKE_NOTIFY_CA");
    world.set("NOTIFY_CA", pki.path("ca.crt"));
    world.set("NOTIFY_BASEURL", format!("https://127.0.0.1:{}", world.notify.port()));
    world.run().is(5, &["name-not-in-certificate"]).says("NOTIFY_SMOKE_NOTIFY_BASEURL");
    world.set("NOTIFY_BASEURL", format!("http://127.0.0.1:{}", world.notify.port()));
    let run = world.run();
    assert!(["tls-port", "connection-closed"].contains(&run.kinds()[0]), "{}", run.output);
}

#[test]
fn a_replica_is_read_unless_it_has_lost_its_primary() {
    let Some(primary) = World::new() else { return };
    let primary_port = primary.redis.port().to_string();
    let Some(mut replica) = World::with(&["--replicaof", "127.0.0.1", &primary_port, "--repl-diskless-load", "swapdb"])
    else {
        return;
    };
    for (number, kind) in KINDS.iter().enumerate() {
        primary.publish(kind, &format!("event-{number}"), TENANT);
        replica.deliver(kind, &format!("event-{number}"), "sent");
    }
    replica.redis.wait_until(&["XLEN", "stella.events"], |length| length.trim() == "2");
    replica.redis.wait_until(&["ROLE"], |role| role.contains("connected"));
    replica.run().is(0, &[]).says("redis: a replica");
    let World { mut redis, .. } = primary;
    replica.flag(&["--emit", "--emit-tenants", TENANT]);
    replica.run().is(4, &["replica-read-only"]).says("name the primary");
    replica.args.truncate(4);
    redis.server().kill();
    replica.redis.wait_until(&["ROLE"], |role| !role.contains("connected"));
    replica.run().is(4, &["replica-stale"]).concludes("not known");
}
