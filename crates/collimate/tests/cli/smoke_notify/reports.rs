//! The report in its three forms.

use super::world::{KINDS, TENANT, World};

#[test]
fn one_table_for_people_ends_with_where_to_look() {
    let Some(world) = World::new() else { return };
    let world = world.green();
    world.publish(KINDS[0], "lost", TENANT);
    let run = world.run();
    let text = &run.output.stdout;
    let header = text.lines().find(|line| line.starts_with("kind ")).unwrap();
    let words: Vec<&str> = header.split_whitespace().collect();
    assert_eq!(words.join(" "), "kind events newest delivered failed pending median ms worst ms outcome verdict");
    assert!(
        text.contains("error[no-delivery]: 1 of 2 have no delivery: lost\n  = at: scanner.report.ready\n"),
        "{text}"
    );
    run.concludes("broken between Redis and Notify; look at ");
}

#[test]
fn programs_get_the_same() {
    let Some(world) = World::new() else { return };
    let world = world.green();
    let run = world.run();
    assert_eq!(run.json["schema"], 1);
    assert_eq!(run.json["probe"], "notify");
    assert_eq!(run.row(KINDS[1])["verdict"], "passed");
    world.publish(KINDS[1], "lost", TENANT);
    let run = world.run();
    assert_eq!(run.json["verdict"], "wrong");
    assert_eq!(run.json["conclusion"], run.output.stdout.lines().last().unwrap());
    assert!(run.junit.contains("tests=\"2\" failures=\"1\""), "{}", run.junit);
    assert!(run.junit.contains("<failure type=\"no-delivery\""), "{}", run.junit);
    assert!(run.junit.contains("<system-out>broken between"), "{}", run.junit);
}

#[test]
fn a_warning_fails_no_build() {
    let Some(world) = World::new() else { return };
    let world = world.green();
    world.redis.command(&["XTRIM", "stella.events", "MAXLEN", "1"]);
    for (number, kind) in KINDS.iter().enumerate() {
        world.publish(kind, &format!("event-{number}"), TENANT);
    }
    let run = world.run();
    run.is(0, &["window-trimmed"]);
    assert_eq!(run.json["verdict"], "passed");
    assert!(run.junit.contains("failures=\"0\"") && run.junit.contains("<system-out>window-trimmed:"), "{}", run.junit);
}
