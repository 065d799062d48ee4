//! The stream: its layouts, its size, its window.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use super::world::{KINDS, TENANT, World, minutes_ago};

#[test]
fn nothing_something_else_and_emptiness_are_told_apart() {
    let Some(world) = World::new() else { return };
    world.run().is(1, &["stream-missing"]).concludes("broken between scanner and Redis; look at the log of scanner");
    world.redis.command(&["LPUSH", "stella.events", "x"]);
    world.run().is(1, &["stream-wrong-type"]).says("holds a list");
    world.redis.command(&["DEL", "stella.events"]);
    world.redis.command(&["XGROUP", "CREATE", "stella.events", "notify", "$", "MKSTREAM"]);
    world.run().is(1, &["stream-empty"]);
    // Whatever was there, it was taken away: that is not the publishers' fault, and nobody knows.
    world.publish(KINDS[0], "a", TENANT);
    world.redis.command(&["XTRIM", "stella.events", "MAXLEN", "0"]);
    world.run().is(4, &["window-trimmed"]).concludes("not known");
}

#[test]
fn three_layouts_and_what_is_no_event() {
    let Some(world) = World::new() else { return };
    let mut world = world.green();
    let envelope = |id: &str, kind: &str| json!({"eventId": id, "kind": kind, "tenant": TENANT});
    let kinds = ["scheduler.rescan.delta", "scanner.event.report.ready", "attestor.logged"];
    world.redis.command(&["XADD", "stella.events", "*", "data", &envelope("l1", kinds[0]).to_string()]);
    world.redis.command(&[
        "XADD",
        "stella.events",
        "*",
        "event",
        &json!({"event": envelope("l2", kinds[1])}).to_string(),
    ]);
    world.redis.command(&[
        "XADD",
        "stella.events",
        "*",
        "eventId",
        "l3",
        "kind",
        kinds[2],
        "tenant",
        TENANT,
        "payload",
        "{}",
    ]);
    for noise in ["no json", "{\"kind\":", "[1,2]", "\u{1}\u{2}"] {
        world.redis.command(&["XADD", "stella.events", "*", "event", noise]);
    }
    for (number, kind) in kinds.iter().enumerate() {
        world.deliver(kind, &format!("L{}", number + 1), "sent");
    }
    world.set("EXPECT_KINDS", [&KINDS[..], &kinds].concat().join(","));
    world.run().is(0, &[]).says("entries: 9 in the window, 4 no events");
    // JSON in a field of another name.
    world.redis.command(&["XADD", "stella.events", "*", "blob", &envelope("l4", "other.kind").to_string()]);
    world.deliver("other.kind", "l4", "sent");
    world.set("EXPECT_KINDS", "other.kind");
    world.run().is(1, &["no-event"]);
    world.set("REDIS_FIELD", "blob");
    world.run().is(0, &[]);
}

#[test]
fn a_stream_in_a_layout_that_nobody_knows_is_not_called_broken() {
    let Some(world) = World::new() else { return };
    world.redis.command(&["XADD", "stella.events", "*", "blob", "protobuf"]);
    world.run().is(4, &["entries-unreadable"]).concludes("NOTIFY_SMOKE_REDIS_FIELD");
}

#[test]
fn only_the_window_counts() {
    let Some(mut world) = World::new() else { return };
    world.publish_at(&minutes_ago(45), KINDS[0], "old", TENANT);
    world.publish(KINDS[1], "new", TENANT);
    world.deliver(KINDS[0], "old", "sent");
    world.deliver(KINDS[1], "new", "sent");
    world.run().is(1, &["no-event"]);
    world.set("LOOKBACK_MINUTES", "60");
    world.run().is(0, &[]);
}

#[test]
fn only_what_is_newer_than_the_deployment_counts() {
    let Some(mut world) = World::new() else { return };
    world.publish_at(&minutes_ago(10), KINDS[0], "before", TENANT);
    world.publish_at(&minutes_ago(2), KINDS[1], "after", TENANT);
    world.deliver(KINDS[0], "before", "sent");
    world.deliver(KINDS[1], "after", "sent");
    world.run().is(0, &[]);
    let args = world.args.clone();
    let since = minutes_ago(5);
    world.flag(&["--since", &since]);
    let run = world.run();
    run.is(1, &["nothing-since-deployment"]).concludes("broken between scanner and Redis");
    assert_eq!(run.row(KINDS[0])["outcome"], "nothing since deployment");
    assert_eq!(run.row(KINDS[1])["verdict"], "passed");
    // Redis's own clock, as a workflow takes it before it deploys.
    world.args = args.clone();
    let clock = world.cli().arg("--print-clock").any_stdout().run().stdout;
    world.flag(&["--since", clock.trim()]);
    let run = world.run();
    run.is(1, &["nothing-since-deployment"]);
    assert_eq!(run.row(KINDS[1])["outcome"], "nothing since deployment");
    for kind in KINDS {
        world.publish(kind, &format!("now-{kind}"), TENANT);
        world.deliver(kind, &format!("now-{kind}"), "sent");
    }
    world.run().is(0, &[]);
    world.args = args;
    world.flag(&["--since", "2999-01-01T00:00:00Z"]);
    world.run().is(2, &["since-ahead"]);
}

#[test]
fn a_window_that_was_trimmed_is_not_known_where_it_matters() {
    let Some(world) = World::new() else { return };
    for number in 0..5 {
        world.publish(KINDS[0], &format!("a{number}"), TENANT);
        world.deliver(KINDS[0], &format!("a{number}"), "sent");
    }
    world.redis.command(&["XTRIM", "stella.events", "MAXLEN", "3"]);
    world.run().is(4, &["window-trimmed"]).says("2 entries were removed");
    world.publish(KINDS[1], "b", TENANT);
    world.deliver(KINDS[1], "b", "sent");
    // All was seen: worth a word, no more.
    world.run().is(0, &["window-trimmed"]).says("warning[window-trimmed]");
    // What was removed lay before the window.
    world.redis.command(&["DEL", "stella.events"]);
    world.publish_at(&minutes_ago(50), KINDS[0], "old", TENANT);
    world.publish_at(&minutes_ago(40), KINDS[0], "old", TENANT);
    world.publish(KINDS[0], "a0", TENANT);
    world.redis.command(&["XTRIM", "stella.events", "MAXLEN", "2"]);
    world.run().is(1, &["no-event"]);
}

#[test]
fn an_event_of_megabytes_is_an_event_and_many_do_not_fill_the_memory() {
    let Some(world) = World::new() else { return };
    let world = world.green();
    let megabytes = |world: &World, count: usize| {
        // Written by Redis itself: the arguments of a program are not that long.
        let script = "local big = string.rep('x', 5 * 1024 * 1024)
            for number = 1, tonumber(ARGV[1]) do
              local id = 'big-' .. number
              redis.call('XADD', KEYS[1], '*', 'event',
                '{\"payload\":{\"report\":\"' .. big .. '\"},\"eventId\":\"' .. id .. '\",\"kind\":\"' .. ARGV[2] .. '\",\"tenant\":\"' .. ARGV[3] .. '\"}')
            end";
        world.redis.command(&["EVAL", script, "1", "stella.events", &count.to_string(), KINDS[0], TENANT]);
    };
    let count = 40;
    megabytes(&world, count);
    for number in 1..=count {
        world.deliver(KINDS[0], &format!("big-{number}"), "sent");
    }
    let run = world.run();
    run.is(0, &[]);
    assert_eq!(run.row(KINDS[0])["delivered"], 41);
    // 200 MiB in one page, read by a process that may not have as much. Without them it needs half of this limit, most of it its code.
    let limited = format!("ulimit -v {}; exec \"$@\"", 200 * 1024);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &limited, "sh", env!("CARGO_BIN_EXE_collimate"), "smoke", "notify"]).args(&world.args);
    let output = command.env_clear().envs(&world.env).output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_million_entries_cost_only_their_window() {
    let Some(world) = World::new() else { return };
    // A day of traffic, evenly: 20,833 of a million lie in the last half hour.
    let script = "for number = 1, 1000000 do
          redis.call('XADD', KEYS[1], string.format('%d-0', ARGV[1] - (1000000 - number) * 86), 'event',
            '{\"eventId\":\"e' .. number .. '\",\"kind\":\"noise.kind\",\"tenant\":\"acme\",\"payload\":{\"n\":' .. number .. '}}', 'kind', 'noise.kind')
        end";
    let last = jiff::Timestamp::now().as_millisecond().to_string();
    world.redis.command(&["EVAL", script, "1", "stella.events", &last]);
    let world = world.green();
    let start = Instant::now();
    let run = world.run();
    let took = start.elapsed();
    run.is(0, &[]);
    let entries = run.json["facts"]["entries"].as_str().unwrap().split(' ').next().unwrap().parse::<u64>().unwrap();
    assert!((19_000..=20_940).contains(&entries), "{entries}");
    // A second when optimised; a test does not run alone, nor optimised.
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn a_server_that_dies_while_it_is_read_leaves_nothing_known() {
    let Some(mut world) = World::new() else { return };
    // Redis dies in the middle of the wait for a kind that never comes.
    world.publish(KINDS[0], "a", TENANT);
    world.deliver(KINDS[0], "a", "sent");
    world.args = ["--wait", "60", "--timeout", "30"].map(str::to_owned).to_vec();
    let (cli, notify) = (world.cli().args(["--json", "out.json"]), &world.notify);
    let server = world.redis.server();
    let output = std::thread::scope(|scope| {
        let run = scope.spawn(|| cli.output());
        // It has read the stream and asked Notify once.
        server.wait_until(Duration::from_secs(20), || !notify.requests().is_empty());
        server.kill();
        run.join().unwrap()
    });
    assert_eq!(output.exit, 4, "{output}");
    assert!(output.stdout.contains("error[connection-closed]: cannot talk to Redis"), "{output}");
    assert!(!output.stdout.contains("FAILED") && output.stdout.contains("not tried"), "{output}");
}

#[test]
fn a_connection_that_breaks_inside_of_an_entry_leaves_nothing_known() {
    let Some(mut world) = World::new() else { return };
    let port = halting(world.green_port());
    world.set("REDIS_DSN", format!("redis://127.0.0.1:{port}"));
    let run = world.run();
    run.is(4, &["connection-closed"]);
    assert_eq!(run.row(KINDS[0])["verdict"], "not-tried");
}

impl World {
    /// The port of a Redis with enough in it for a proxy to stop in the middle.
    fn green_port(&self) -> u16 {
        for number in 0..200 {
            self.publish(KINDS[number % 2], &format!("event-{number}"), TENANT);
        }
        self.redis.port()
    }
}

/// A proxy that lets eight kilobytes of answers through.
fn halting(to: u16) -> u16 {
    use std::io::{Read as _, Write as _};
    use std::net::{Shutdown, TcpListener, TcpStream};
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut here in listener.incoming().map_while(Result::ok) {
            let Ok(mut there) = TcpStream::connect(("127.0.0.1", to)) else { return };
            let (mut asking, mut asked) = (here.try_clone().unwrap(), there.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut asking, &mut asked));
            let mut left = 8192;
            let mut room = [0; 1024];
            while left > 0 {
                let Ok(count @ 1..) = there.read(&mut room) else { break };
                let count = count.min(left);
                if here.write_all(&room[..count]).is_err() {
                    break;
                }
                left -= count;
            }
            let _ = here.shutdown(Shutdown::Both);
            let _ = there.shutdown(Shutdown::Both);
        }
    });
    port
}
