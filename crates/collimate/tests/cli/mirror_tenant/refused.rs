//! Bad input: each with its place, reason and way out, and nothing changed.

use std::os::unix::fs::symlink;

use testkit::Sandbox;

use super::{GOOD, PRIMARY, program, tenant, workspace};

/// Runs with a file that must stay as it is, and expects exactly this on stderr.
#[track_caller]
fn refused(sandbox: &Sandbox, arguments: &[&str], stdin: &str, exit: i32, stderr: &str) {
    let before = sandbox.path(PRIMARY).is_file().then(|| sandbox.read(PRIMARY));
    let files = sandbox.files();
    tenant(sandbox, arguments).stdin(stdin).exit(exit).stderr(stderr).run();
    assert_eq!(sandbox.path(PRIMARY).is_file().then(|| sandbox.read(PRIMARY)), before);
    assert_eq!(sandbox.files(), files);
}

fn with_acme() -> Sandbox {
    let sandbox = workspace();
    sandbox.write(PRIMARY, "# first\nacme:$2y$12$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq\n");
    sandbox
}

#[test]
fn domains_and_names_that_do_not_fit() {
    let sandbox = with_acme();
    for (arguments, exit, stderr) in [
        (
            ["add", "primry", "new"],
            2,
            "error: there is no domain `primry` in `mirror.yaml`\nhint: it has 2 domains: `primary`, `community`\n"
                .to_owned(),
        ),
        (
            ["add", "primary", "acme"],
            2,
            format!(
                "error: tenant `acme` is in `{PRIMARY}` already, in line 2\n\
                 hint: `collimate mirror tenant rotate primary acme` gives it a new password\n"
            ),
        ),
        (
            ["rotate", "primary", "new"],
            2,
            format!("error: no tenant `new` in `{PRIMARY}`\nhint: `collimate mirror tenant add primary new` adds it\n"),
        ),
        (
            ["remove", "primary", "Acme"],
            2,
            format!(
                "error: no tenant `Acme` in `{PRIMARY}`\n\
                 hint: nothing was removed; `collimate mirror tenant list primary` shows who is there\n"
            ),
        ),
        (
            ["add", "primary", "a:b"],
            2,
            "error: `a:b` cannot be a tenant's name: it has a `:`, where Basic authentication ends the name\n\
             hint: letters, digits, `-`, `.` and `@` are always fine\n"
                .to_owned(),
        ),
        (
            ["add", "primary", "a\nb"],
            2,
            "error: `a\\nb` cannot be a tenant's name: it has a control character\n\
             hint: letters, digits, `-`, `.` and `@` are always fine\n"
                .to_owned(),
        ),
        (
            ["add", "primary", " a"],
            2,
            "error: ` a` cannot be a tenant's name: it begins or ends with a blank\n\
             hint: letters, digits, `-`, `.` and `@` are always fine\n"
                .to_owned(),
        ),
        (
            ["remove", "primary", ""],
            2,
            "error: `` cannot be a tenant's name: it is empty\n\
             hint: letters, digits, `-`, `.` and `@` are always fine\n"
                .to_owned(),
        ),
    ] {
        refused(&sandbox, &arguments, "", exit, &stderr);
    }
}

#[test]
fn passwords_that_do_not_fit() {
    let sandbox = with_acme();
    sandbox.write("latin1", b"caf\xe9 caf\xe9 caf\xe9\n").write("folder/x", "");
    let long = "0123456789".repeat(8);
    let huge = "x".repeat(5000);
    let because = |cause: &str| {
        format!(
            "error: the password from stdin cannot be used\ncaused by: {cause}\n\
             hint: 12 characters to 72 bytes; without `--password-prompt` and `--password-file` a good one is generated\n"
        )
    };
    let known = "it is a password that everybody knows, or the tenant's own name";
    for (file, stdin, exit, stderr) in [
        ("-", "", 2, because("it is empty")),
        ("-", "short\n", 2, because("it has 5 characters, fewer than 12")),
        ("-", long.as_str(), 2, because("it has 80 bytes, and bcrypt does not look beyond 72")),
        ("-", "with a NUL\0in it", 2, because("it has a NUL, where bcrypt stops reading")),
        ("-", "two lines\nof a file\n", 2, because("it has more than one line")),
        ("-", "changeme\n", 2, because(known)),
        ("-", "change-me:mirror-primary\n", 2, because(known)),
        ("-", "ACME", 2, because(known)),
        (
            "-",
            huge.as_str(),
            3,
            "error: cannot read `stdin`\ncaused by: it has more than 4096 bytes, which no password has\n".to_owned(),
        ),
        ("none", "", 3, "error: cannot read `none`\ncaused by: it does not exist\n".to_owned()),
        ("folder", "", 3, "error: cannot read `folder`\ncaused by: it is a folder\n".to_owned()),
        ("latin1", "", 3, "error: cannot read `latin1`\ncaused by: it is not UTF-8\n".to_owned()),
    ] {
        refused(&sandbox, &["rotate", "primary", "acme", "--password-file", file], stdin, exit, &stderr);
    }
    refused(
        &sandbox,
        &["rotate", "primary", "acme", "--password-prompt"],
        GOOD,
        2,
        "error: `--password-prompt` asks on a terminal, and stdin is none\n\
         hint: `--password-file -` reads the password from stdin\n",
    );
    // There is no way to give one as an argument.
    program(&sandbox, &["mirror", "tenant", "rotate", "primary", "acme", "--password", GOOD])
        .exit(2)
        .any_stderr()
        .run();
    program(&sandbox, &["mirror", "tenant", "rotate", "primary", "acme", "--cost", "9"])
        .exit(2)
        .stderr_has("invalid value '9' for '--cost <N>': 9 is not in 10..=15")
        .run();
}

#[test]
fn files_that_do_not_fit() {
    let sandbox = with_acme();
    let outside = Sandbox::new();
    outside.write("elsewhere", "precious:1\n");
    sandbox.write("t/README", "").write("t/folder.htpasswd/x", "");
    symlink(outside.path("elsewhere"), sandbox.path("t/out.htpasswd")).unwrap();
    symlink("../collimate.yaml", sandbox.path("t/up.htpasswd")).unwrap();
    symlink("nothing", sandbox.path("t/dangling.htpasswd")).unwrap();
    symlink("/dev/null", sandbox.path("t/null.htpasswd")).unwrap();
    let leads_out = |file: &str| {
        format!(
            "error: cannot use `{file}`\ncaused by: it is a link that leads out of its folder\n\
             hint: name the file that is meant with `--file`; the verifier mounts the folder, and would not see it\n"
        )
    };
    for (file, exit, stderr) in [
        (
            "none/x.htpasswd",
            3,
            "error: cannot use `none/x.htpasswd`\ncaused by: its folder `none` does not exist\n\
             hint: make the folder that the verifier mounts, or name another file with `--file`\n"
                .to_owned(),
        ),
        ("t/out.htpasswd", 3, leads_out("t/out.htpasswd")),
        ("t/up.htpasswd", 3, leads_out("t/up.htpasswd")),
        ("t/null.htpasswd", 3, leads_out("t/null.htpasswd")),
        (
            "t/dangling.htpasswd",
            3,
            "error: cannot use `t/dangling.htpasswd`\ncaused by: it is a link that leads nowhere\n".to_owned(),
        ),
        (
            "t/folder.htpasswd",
            3,
            "error: cannot use `t/folder.htpasswd`\ncaused by: it is not a regular file\n".to_owned(),
        ),
    ] {
        for verb in ["add", "remove", "rotate"] {
            refused(&sandbox, &[verb, "primary", "new", "--file", file], "", exit, &stderr);
        }
    }
    assert_eq!(outside.read("elsewhere"), "precious:1\n");
    refused(
        &sandbox,
        &["add", "Primary Domain", "new", "--file", "t/x.htpasswd"],
        "",
        2,
        "error: `Primary Domain` is not a domain's id\nhint: lower-case letters, digits and `-`, as in `mirror.yaml`\n",
    );
}

#[test]
fn workspaces_that_do_not_fit() {
    let sandbox = Sandbox::new();
    tenant(&sandbox, &["list"])
        .exit(3)
        .stderr(
            "error: no `collimate.yaml` in `[DIR]` or above\nhint: `--file` names an htpasswd file without a workspace\n",
        )
        .run();
    sandbox.write("collimate.yaml", "schema: 1\nchannels: {stable: {release: release.yaml}}\nprofiles: {}\n");
    tenant(&sandbox, &["remove", "primary", "acme"])
        .exit(3)
        .stderr("error: `collimate.yaml` names no mirror\nhint: `--file` names an htpasswd file without a workspace\n")
        .run();
    let sandbox = workspace();
    sandbox.replace("mirror.yaml", "downloads_per_hour: 120", "downloads_per_hour: none");
    tenant(&sandbox, &["list"])
        .exit(3)
        .stderr_has(
            "error: `mirror.yaml` has 1 problem\nhint: `collimate schema mirror` prints the JSON Schema of this file\n",
        )
        .run();
}
