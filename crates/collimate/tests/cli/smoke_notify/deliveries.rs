//! Notify: what it has, what it lacks, and how it misbehaves.

use std::time::Duration;

use serde_json::json;
use testkit::{Answer, free_ports};

use super::world::{KINDS, TENANT, TOKEN, World, delivery, minutes_ago, moment};

#[test]
fn all_is_well() {
    let Some(world) = World::new() else { return };
    let world = world.green();
    let run = world.run();
    run.is(0, &[]);
    assert_eq!(run.json["verdict"], "passed");
    assert_eq!(run.json["conclusion"], serde_json::Value::Null);
    let row = run.row(KINDS[0]);
    assert_eq!(
        (&row["events"], &row["delivered"], &row["failed"], &row["pending"]),
        (&json!(1), &json!(1), &json!(0), &json!(0))
    );
    assert!(row["median_ms"].is_u64() && row["worst_ms"].is_u64(), "{row}");
    let asked = world.notify.requests().remove(0);
    assert!(asked.starts_with("GET /api/v1/notify/deliveries?from=") && asked.contains("&page_size="), "{asked}");
}

#[test]
fn an_event_without_a_delivery_is_lost_and_its_place_is_named() {
    let Some(world) = World::new() else { return };
    let world = world.green();
    for number in 0..7 {
        world.publish(KINDS[0], &format!("lost-{number}"), TENANT);
    }
    let run = world.run();
    run.is(1, &["no-delivery"]).says("7 of 8 have no delivery");
    run.concludes("broken between Redis and Notify; look at Notify's worker: no consumer group reads the stream");
    run.concludes("lost: lost-6, lost-5, lost-4, lost-3, lost-2, 2 more");
    run.concludes("its health check answers that it is well");
    // A group that lags, then one that has read all.
    world.redis.command(&["XGROUP", "CREATE", "stella.events", "notify", "0"]);
    world.run().is(1, &["no-delivery"]).concludes("group `notify`: 9 not read yet, 0 not acknowledged, 0 consumers");
    world.redis.command(&["XREADGROUP", "GROUP", "notify", "w", "STREAMS", "stella.events", ">"]);
    world.run().is(1, &["no-delivery"]).concludes("0 not read yet, 9 not acknowledged, 1 consumer");
    let ids = world.redis.command(&["XPENDING", "stella.events", "notify", "-", "+", "99"]);
    let ids: Vec<&str> = ids.lines().filter(|line| line.contains('-')).collect();
    world.redis.command(&[&["XACK", "stella.events", "notify"], ids.as_slice()].concat());
    world.notify.healthy(false);
    let run = world.run();
    run.is(1, &["no-delivery"])
        .concludes("broken between Notify's worker and its deliveries; look at the rules of the tenant `acme`");
    run.concludes("its health check answers 503");
}

#[test]
fn a_failed_delivery_says_why() {
    let Some(world) = World::new() else { return };
    world.publish(KINDS[0], "a", TENANT);
    world.publish(KINDS[1], "b", TENANT);
    world.deliver(KINDS[0], "a", "sent");
    let mut failed = delivery(KINDS[1], "b", "failed");
    failed["error"] = json!(format!("smtp says 550 to {TOKEN}"));
    world.notify.deliver(failed);
    let run = world.run();
    run.is(1, &["delivery-failed"]).says("1 of 1 failed to be delivered: b (smtp says 550 to ***)");
    run.concludes("broken between Notify and its channels");
    assert_eq!(run.row(KINDS[1])["failed"], 1);
    // Another channel that worked does not hide it.
    world.deliver(KINDS[1], "b", "sent");
    world.run().is(1, &["delivery-failed"]);
}

#[test]
fn pending_is_waited_for_and_then_said() {
    let Some(mut world) = World::new() else { return };
    world.publish(KINDS[0], "a", TENANT);
    world.publish(KINDS[1], "b", TENANT);
    world.deliver(KINDS[0], "a", "sent");
    world.deliver(KINDS[1], "b", "pending");
    world.run().is(1, &["delivery-pending"]).concludes("deliveries are waiting");
    // It comes while it is waited for.
    world.args = ["--wait", "30"].map(str::to_owned).to_vec();
    let asked = world.notify.requests().len();
    let (cli, notify, redis) = (world.cli(), &world.notify, world.redis.server());
    let output = std::thread::scope(|scope| {
        let run = scope.spawn(|| cli.output());
        redis.wait_until(Duration::from_secs(20), || notify.requests().len() > asked);
        notify.clear();
        notify.deliver(delivery(KINDS[0], "a", "sent"));
        notify.deliver(delivery(KINDS[1], "b", "sent"));
        run.join().unwrap()
    });
    assert_eq!(output.exit, 0, "{output}");
}

#[test]
fn an_event_that_comes_late_is_seen() {
    let Some(mut world) = World::new() else { return };
    world.publish(KINDS[0], "a", TENANT);
    world.deliver(KINDS[0], "a", "sent");
    world.deliver(KINDS[1], "late", "sent");
    world.args = ["--wait", "30"].map(str::to_owned).to_vec();
    let cli = world.cli();
    let output = std::thread::scope(|scope| {
        let run = scope.spawn(|| cli.output());
        let bound = std::time::Instant::now() + Duration::from_secs(20);
        while world.notify.requests().is_empty() && std::time::Instant::now() < bound {
            std::thread::yield_now();
        }
        world.publish(KINDS[1], "late", TENANT);
        run.join().unwrap()
    });
    assert_eq!(output.exit, 0, "{output}");
}

#[test]
fn a_state_that_is_not_documented_is_no_delivery() {
    let Some(world) = World::new() else { return };
    let world = world.green();
    world.deliver(KINDS[0], "event-0", "throttled");
    world.run().is(1, &["delivery-status-unknown"]).says("event-0 (`throttled`)").concludes("throttles");
}

#[test]
fn the_kind_alone_is_no_match() {
    let Some(world) = World::new() else { return };
    let world = world.green();
    world.notify.clear();
    world.deliver(KINDS[0], "of-another-event", "sent");
    world.deliver(KINDS[1], "event-1", "sent");
    world.run().is(1, &["no-delivery"]).says("1 of 1 have no delivery: event-0");
}

#[test]
fn another_tenants_events_and_deliveries_do_not_count() {
    let Some(world) = World::new() else { return };
    world.publish(KINDS[0], "a", "other");
    world.publish(KINDS[1], "b", TENANT);
    world.deliver(KINDS[0], "a", "sent");
    world.deliver(KINDS[1], "b", "sent");
    let run = world.run();
    run.is(1, &["wrong-tenant"])
        .says("of other tenants (`other`) than `acme`")
        .concludes("the tenant that scanner is configured for");
    assert_eq!(run.row(KINDS[0])["outcome"], "wrong tenant");
    // The delivery is another tenant's, and Notify shows it all the same.
    world.publish(KINDS[0], "c", TENANT);
    let mut foreign = delivery(KINDS[0], "c", "sent");
    foreign["tenantId"] = json!("other");
    world.notify.deliver(foreign);
    world.run().is(1, &["no-delivery"]);
    world.notify.answer(Answer::Leak);
    world.run().is(1, &["no-delivery", "delivery-wrong-tenant"]);
    world.deliver(KINDS[0], "c", "sent");
    world.run().is(1, &["delivery-wrong-tenant"]).concludes("X-StellaOps-Tenant".to_ascii_lowercase().as_str());
}

#[test]
fn an_event_without_a_tenant_is_nobodys() {
    let Some(world) = World::new() else { return };
    let world = world.green();
    world.redis.command(&["DEL", "stella.events"]);
    for kind in KINDS {
        world.redis.command(&[
            "XADD",
            "stella.events",
            "*",
            "event",
            &json!({"eventId": "event-0", "kind": kind}).to_string(),
        ]);
    }
    world.run().is(1, &["wrong-tenant"]).says("but without a tenant");
}

#[test]
fn a_kind_that_is_published_by_its_newer_name_is_told() {
    let Some(world) = World::new() else { return };
    world.publish("scanner.event.report.ready", "a", TENANT);
    world.publish(KINDS[1], "b", TENANT);
    world.deliver(KINDS[1], "b", "sent");
    world.run().is(1, &["no-event"]).says("expect `scanner.event.report.ready` in `NOTIFY_SMOKE_EXPECT_KINDS`");
}

#[test]
fn without_ids_kind_and_time_decide() {
    let Some(world) = World::new() else { return };
    world.publish_at(&minutes_ago(3), KINDS[0], "a", TENANT);
    world.publish(KINDS[1], "b", TENANT);
    let nameless = |kind: &str, seconds| json!({"tenantId": TENANT, "status": "sent", "event": {"kind": kind}, "createdUtc": moment(seconds)});
    world.notify.deliver(nameless(KINDS[1], 0));
    world.notify.deliver(nameless(KINDS[0], -600));
    // The one of the first kind is older than its event.
    world.run().is(1, &["no-delivery"]).says("1 of 1 have no delivery: a");
    world.notify.deliver(nameless(KINDS[0], -150));
    let run = world.run();
    run.is(0, &[]).says("matched by kind and time only: 2 events");
    let latency = run.row(KINDS[0])["median_ms"].as_u64().unwrap();
    assert!((25_000..35_000).contains(&latency), "{latency}");
}

#[test]
fn all_pages_are_read_and_none_twice() {
    let Some(world) = World::new() else { return };
    let world = world.green();
    for number in 0..120 {
        world.deliver("noise.kind", &format!("noise-{number}"), "sent");
    }
    world.notify.page_size(7);
    world.run().is(0, &[]);
    let requests = world.notify.requests();
    assert_eq!(requests.len(), 18, "{requests:#?}");
    assert!(requests[17].contains("page_token=p119"), "{requests:#?}");
    // A server that knows no filter is not asked for its whole past.
    world.notify.clear();
    for number in 0..500 {
        let mut old = delivery("noise.kind", &format!("old-{number}"), "sent");
        old["createdUtc"] = json!(moment(-86_400));
        world.notify.deliver(old);
    }
    for (number, kind) in KINDS.iter().enumerate() {
        world.deliver(kind, &format!("event-{number}"), "sent");
    }
    world.notify.answer(Answer::Unfiltered);
    world.run().is(0, &[]);
    assert_eq!(world.notify.requests().len(), 19);
}

#[test]
fn trouble_that_passes_is_waited_out() {
    let Some(world) = World::new() else { return };
    let world = world.green();
    let status = |status, headers| Answer::Status(status, headers, "{}".to_owned());
    world.notify.answer_next([
        status(429, vec![("retry-after", "1".to_owned())]),
        status(503, vec![]),
        Answer::HangUp,
        Answer::Proper,
    ]);
    world.run().is(0, &[]);
    assert_eq!(world.notify.requests().len(), 4);
}

/// Each is one answer of Notify, the exit code that it must give, and the finding's name.
#[test]
fn each_answer_has_its_verdict() {
    let Some(world) = World::new() else { return };
    let mut world = world.green();
    let status = |status| Answer::Status(status, vec![], format!("you sent Bearer {TOKEN}"));
    let cases = [
        (status(400), 4, "notify-refuses-request", 1),
        (status(401), 5, "token-refused", 1),
        (status(403), 5, "access-denied", 1),
        (status(404), 4, "notify-not-found", 1),
        (status(405), 4, "notify-not-found", 1),
        (status(422), 4, "notify-refuses-request", 1),
        (status(429), 4, "notify-throttles", 4),
        (Answer::Status(429, vec![("retry-after", "3600".to_owned())], String::new()), 4, "notify-throttles", 1),
        (status(500), 4, "notify-failing", 4),
        (status(501), 4, "notify-failing", 1),
        (status(502), 4, "notify-failing", 4),
        (status(503), 4, "notify-failing", 4),
        (status(204), 4, "not-notify", 1),
        (
            Answer::Status(302, vec![("location", format!("https://login.test/?t={TOKEN}"))], String::new()),
            4,
            "notify-redirects",
            1,
        ),
        (Answer::Garbage, 4, "not-notify", 1),
        (Answer::Json("{}".to_owned()), 4, "not-notify", 1),
        (Answer::Json("{\"items\":[1]}".to_owned()), 4, "not-notify", 1),
        (Answer::Json(format!("{{\"items\":[{{\"planted\":\"{TOKEN}\"")), 4, "not-notify", 1),
        (Answer::Huge(4 * 1024 * 1024 + 1), 4, "notify-answer-too-large", 1),
        (Answer::Circle, 4, "notify-paging-loop", 2),
        (Answer::Echo, 4, "notify-refuses-request", 1),
        (Answer::HangUp, 4, "connection-closed", 4),
        (Answer::Half, 4, "connection-closed", 4),
        (Answer::Slow, 4, "no-answer", 1),
        (Answer::NotHttp, 4, "not-notify", 1),
    ];
    for (answer, exit, kind, calls) in cases {
        world.notify.answer(answer.clone());
        // Only an answer that never comes takes the time of a call; a machine that stalls takes some of it too.
        let timeout = if answer == Answer::Slow { "5" } else { "30" };
        world.args = ["--wait", "0.3", "--timeout", timeout].map(str::to_owned).to_vec();
        let before = world.notify.requests().len();
        let run = world.run();
        assert_eq!((run.output.exit, run.kinds()), (exit, vec![kind]), "{answer:?}\n{}", run.output);
        run.concludes("not known: ");
        assert_eq!(run.row(KINDS[0])["verdict"], "not-tried", "{answer:?}");
        // Tries have two seconds in all: on a machine that stalls they are fewer, but never one.
        let called = world.notify.requests().len() - before;
        assert!((calls.min(2)..=calls).contains(&called), "{called} calls instead of {calls}: {answer:?}");
    }
}

#[test]
fn a_wrong_header_or_address_is_told_from_a_broken_chain() {
    let Some(world) = World::new() else { return };
    let mut world = world.green();
    world.notify.tenant_header("X-Tenant");
    world.run().is(4, &["notify-refuses-request"]).says("NOTIFY_SMOKE_NOTIFY_TENANT_HEADER");
    world.set("NOTIFY_TENANT_HEADER", "X-Tenant");
    world.run().is(0, &[]);
    let url = world.notify.url();
    world.set("NOTIFY_BASEURL", format!("{url}/elsewhere/"));
    world.run().is(4, &["notify-not-found"]);
    let [dead] = free_ports();
    world.set("NOTIFY_BASEURL", format!("http://127.0.0.1:{dead}"));
    world.run().is(4, &["connection-refused"]).concludes("start Notify");
    world.set("NOTIFY_BASEURL", "https://no-such-host.invalid");
    world.run().is(4, &["dns-failure"]);
}

#[test]
fn a_token_that_has_expired_is_told_from_a_wrong_one() {
    let Some(world) = World::new() else { return };
    let mut world = world.green();
    // {"exp":1700000000} and {"exp":9999999999}
    world.set("NOTIFY_TOKEN", "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAwMDB9.planted-a");
    world.run().is(5, &["token-expired"]).concludes("it expired at 2023-11-14T22:13:20.000Z");
    world.set("NOTIFY_TOKEN", "eyJhbGciOiJub25lIn0.eyJleHAiOjk5OTk5OTk5OTl9.planted-b");
    world.run().is(5, &["token-refused"]).says("valid until 2286-11-20");
}

#[test]
fn both_sides_are_asked_even_if_one_is_broken() {
    let Some(mut world) = World::new() else { return };
    let [dead] = free_ports();
    world.set("REDIS_DSN", format!("redis://127.0.0.1:{dead}"));
    world.set("NOTIFY_TOKEN", "planted-wrong");
    world.run().is(5, &["connection-refused", "token-refused"]);
}

#[test]
fn a_clock_that_is_off_is_said_and_breaks_nothing() {
    let Some(world) = World::new() else { return };
    let world = world.green();
    let past = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(10);
    world.notify.date(&past.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    world.run().is(0, &["clock-skew"]).says("warning[clock-skew]: Notify's clock is 10 min behind Redis's");
}

#[test]
fn synthetic_events_are_put_on_the_stream_and_must_be_delivered() {
    let Some(mut world) = World::new() else { return };
    world.flag(&["--emit", "--emit-tenants", "other,acme"]);
    world.run().is(1, &["stream-missing"]).says("no synthetic event was put on it");
    world.redis.command(&["XGROUP", "CREATE", "stella.events", "notify", "$", "MKSTREAM"]);
    world.run().is(1, &["no-delivery", "no-delivery"]).concludes("group `notify`: 2 not read yet");
    world.redis.command(&["XTRIM", "stella.events", "MAXLEN", "0"]);
    // A worker reads what is new and delivers it.
    world.args = ["--wait", "30", "--emit", "--emit-tenants", TENANT].map(str::to_owned).to_vec();
    let cli = world.cli();
    let output = std::thread::scope(|scope| {
        let run = scope.spawn(|| cli.output());
        let bound = std::time::Instant::now() + Duration::from_secs(20);
        let mut done = 0;
        while done < 2 && std::time::Instant::now() < bound {
            let entries = world.redis.command(&[
                "XREADGROUP",
                "GROUP",
                "notify",
                "w",
                "BLOCK",
                "200",
                "STREAMS",
                "stella.events",
                ">",
            ]);
            for event in entries.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok()) {
                if let (Some(id), Some(kind)) = (event["eventId"].as_str(), event["kind"].as_str()) {
                    assert_eq!(event["payload"]["synthetic"], true, "{event}");
                    world.deliver(kind, id, "sent");
                    done += 1;
                }
            }
        }
        run.join().unwrap()
    });
    assert_eq!(output.exit, 0, "{output}");
    assert!(output.stdout.contains("emitted: 2 synthetic events"), "{output}");
}
