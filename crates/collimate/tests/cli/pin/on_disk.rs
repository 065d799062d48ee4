//! Files of every kind: what they are besides their bytes stays.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};

use testkit::Sandbox;

use super::killed::before;
use super::world::{files, program};
use crate::rollout::fixture::{manifest, profile, release};

#[track_caller]
fn pinned(sandbox: &Sandbox) {
    program(sandbox, &["pin"]).any_stdout().run();
    program(sandbox, &["check"]).any_stdout().run();
}

fn right() -> String {
    profile("edge", &release("1.1.0-edge", [2, 1]), 3)
}

#[test]
fn permissions_and_owner_stay() {
    let fixture = before();
    let path = fixture.sandbox.path("compose/dev.yaml");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    // Only an administrator may give a file away; for others it stays theirs anyhow.
    let _ = chown(&path, Some(12_345), Some(23_456));
    let was = path.metadata().unwrap();
    pinned(&fixture.sandbox);
    let is = path.metadata().unwrap();
    assert_eq!(fixture.sandbox.read("compose/dev.yaml"), right());
    assert_eq!((is.mode(), is.uid(), is.gid()), (was.mode(), was.uid(), was.gid()));
    assert_ne!(is.ino(), was.ino(), "it was replaced, not written over");
}

#[test]
fn a_link_is_written_through() {
    let fixture = before();
    fixture.sandbox.write("elsewhere/real.yaml", fixture.sandbox.read("compose/dev.yaml")).remove("compose/dev.yaml");
    symlink("../elsewhere/real.yaml", fixture.sandbox.path("compose/dev.yaml")).unwrap();
    pinned(&fixture.sandbox);
    assert!(fixture.sandbox.path("compose/dev.yaml").is_symlink());
    assert_eq!(fixture.sandbox.read("elsewhere/real.yaml"), right());
}

/// Backups are made of hard links: they keep what they had.
#[test]
fn another_hard_link_keeps_the_old_bytes() {
    let fixture = before();
    let old = fixture.sandbox.read("compose/dev.yaml");
    std::fs::hard_link(fixture.sandbox.path("compose/dev.yaml"), fixture.sandbox.path("backup.yaml")).unwrap();
    pinned(&fixture.sandbox);
    assert_eq!(fixture.sandbox.read("compose/dev.yaml"), right());
    assert_eq!(fixture.sandbox.read("backup.yaml"), old);
}

/// Two names of one file are one place: what two channels need of it is compared.
#[test]
fn a_file_that_two_channels_reach_by_two_names_is_shared() {
    let fixture = before();
    fixture.sandbox.remove("compose/stage.yaml");
    symlink("dev.yaml", fixture.sandbox.path("compose/stage.yaml")).unwrap();
    let old = files(&fixture.sandbox);
    let refused = fixture.run(&["pin", "edge"], 1);
    assert!(
        refused.stdout.contains("the place is shared with profiles that need something else")
            && refused.stdout.contains("profile `stage` needs `1.1` there"),
        "{refused}"
    );
    assert_eq!(files(&fixture.sandbox), old);

    // Where both need the same, it is written once.
    fixture.sandbox.replace("collimate.yaml", "stage: {channel: stable, ring: stage,", "stage: {channel: edge,");
    program(&fixture.sandbox, &["pin", "edge"]).any_stdout().run();
    assert_eq!(fixture.sandbox.read("compose/stage.yaml"), right());
    assert!(fixture.sandbox.path("compose/stage.yaml").is_symlink());
}

#[test]
fn a_link_out_of_the_workspace_is_left_alone() {
    let fixture = before();
    let outside = Sandbox::new();
    let text = fixture.sandbox.read("compose/dev.yaml");
    outside.write("dev.yaml", &text);
    fixture.sandbox.remove("compose/dev.yaml");
    symlink(outside.path("dev.yaml"), fixture.sandbox.path("compose/dev.yaml")).unwrap();
    let refused = "error: not everything could be looked at\ncaused by: profile `dev` does not render\n\
                   hint: nothing was written; `collimate check` shows what is wrong\n";
    program(&fixture.sandbox, &["pin", "edge"]).exit(1).stderr(refused).run();
    assert_eq!(outside.read("dev.yaml"), text);
}

/// What another channel needs of a shared file is not known while its profile does not render, whichever of its files is to blame.
#[test]
fn a_file_that_a_broken_profile_of_another_channel_is_made_from_is_shared() {
    let fixture = before();
    let sandbox = &fixture.sandbox;
    sandbox.write("compose/broken.yaml", "services: {}\nservices: {}\n");
    symlink("dev.yaml", sandbox.path("compose/other.yaml")).unwrap();
    sandbox.replace("collimate.yaml", "[compose/prod.yaml]", "[compose/broken.yaml, compose/other.yaml]");
    let old = files(sandbox);
    let refused = "error: not everything could be looked at\n\
                   caused by: profile `prod` does not render, and is made from `compose/other.yaml` too\n\
                   hint: nothing was written; `collimate check` shows what is wrong\n";
    program(sandbox, &["pin", "edge"]).exit(1).stderr(refused).run();
    assert_eq!(files(sandbox), old);

    // What it is not made from, it does not keep from being written.
    sandbox.replace("collimate.yaml", ", compose/other.yaml]", "]");
    program(sandbox, &["pin", "edge"]).any_stdout().run();
    assert_eq!(sandbox.read("compose/dev.yaml"), right());
}

/// `promote` needs them in one folder; `pin` does not.
#[test]
fn manifests_may_lie_in_several_folders() {
    let fixture = before();
    let sandbox = &fixture.sandbox;
    sandbox.write("edge/now.yaml", manifest("edge", &release("1.1.0-edge", [2, 1]))).remove("releases/edge.yaml");
    sandbox.replace("collimate.yaml", "releases/edge.yaml", "edge/now.yaml");
    pinned(sandbox);
    assert_eq!(sandbox.read("compose/dev.yaml"), right());
    let hidden: Vec<_> = sandbox.files().into_iter().filter(|path| path.as_str().contains(".collimate-")).collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}

/// Helm cuts it off before it reads a chart's file; the bytes of the file on disk begin with it all the same.
#[test]
fn a_byte_order_mark_moves_nothing() {
    let sandbox = Sandbox::new();
    let pod = |tag: &str| {
        let digest = "1".repeat(64);
        format!(
            "\u{feff}apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec:\n  containers:\n    - name: web\n      image: \
             {{{{ .Values.repository }}}}:{tag}@sha256:{digest}\n"
        )
    };
    let values = |repository: &str| format!("\u{feff}# ü\nrepository: {repository}\nother: x\n");
    sandbox
        .write("collimate.yaml", "schema: 1\nchannels: {edge: {release: releases/edge.yaml}}\nprofiles: {app: {channel: edge, chart: chart}}\n")
        .write("releases/edge.yaml", manifest("edge", &release("1.0.0", [1, 1])))
        .write("chart/Chart.yaml", "\u{feff}apiVersion: v2\nname: app\nversion: 0.1.0\n")
        .write("chart/values.yaml", values("registry.example.org/web"))
        .write("chart/templates/web.yaml", pod("1.0"));
    let old = files(&sandbox);
    let told = program(&sandbox, &["why", "web"]).any_stdout().run().stdout;
    assert!(told.contains("set at  chart/templates/web.yaml:7:43\n"), "{told}");
    program(&sandbox, &["pin"]).any_stdout().run();
    let digest = crate::rollout::fixture::reference("web", 1);
    let (_, digest) = digest.split_once('@').unwrap();
    let expected = pod("1.1").replace(&format!("sha256:{}", "1".repeat(64)), digest);
    assert_eq!(sandbox.read("chart/templates/web.yaml"), expected);
    assert_eq!(sandbox.read("chart/values.yaml"), old["chart/values.yaml"]);
}

/// What is read of it stands for bytes that would not be written back.
#[test]
fn a_file_that_is_not_utf_8_is_refused_and_stays() {
    let fixture = before();
    let old = fixture.sandbox.read("compose/dev.yaml");
    let bytes: Vec<u8> = std::iter::once(0xfeff).chain(old.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    fixture.sandbox.write("compose/dev.yaml", &bytes);
    let refused = program(&fixture.sandbox, &["pin"]).output();
    assert_eq!(refused.exit, 1, "{refused}");
    assert!(refused.stdout.contains("the file is not UTF-8: save it in that encoding first"), "{refused}");
    assert!(refused.stdout.contains(" --> compose/dev.yaml:"), "{refused}");
    assert_eq!(std::fs::read(fixture.sandbox.path("compose/dev.yaml")).unwrap(), bytes);
}
