//! Wrong use: said before anything is connected to.

use testkit::Sandbox;

use super::world::{PASSWORD, World, cli};

#[test]
fn wrong_use_is_said_with_its_way_out() {
    let sandbox = Sandbox::new();
    sandbox.write("password", PASSWORD).write("empty", "\n").write("lines", "planted\nlines\n");
    sandbox.write("key.pem", "-----BEGIN PRIVATE KEY-----\nplanted\n-----END PRIVATE KEY-----\n");
    std::fs::write(sandbox.path("binary"), [0xff, 0xfe]).unwrap();
    std::fs::write(sandbox.path("large"), vec![b'x'; 70_000]).unwrap();
    let url = ["--url", "https://mirror.test"];
    let tenant = ["--user", "acme", "--password-file"];
    let cases: [(&[&str], i32, &str); 16] = [
        (
            &["--url", "http://mirror.test"],
            2,
            "`--url` cannot be used: it must begin with `https://`: everybody on the way could read the password",
        ),
        (&["--url", "https://acme:planted@mirror.test"], 2, "it must not hold a user name or password"),
        (&["--url", "https://mirror.test/concelier"], 2, "it must end after host and port"),
        (&["--url", "mirror.test"], 2, "it must begin with `https://`"),
        (&["--domain", "../x"], 2, "`--domain` must be a domain's id"),
        (&["--other-url", "https://mirror.test"], 2, "it is that of `--url`"),
        (&["--connect", "mirror.test"], 2, "the value of `--connect` is no host and port"),
        (&["--user", "acme"], 2, "--password-file"),
        (&["--password-file", "password"], 2, "--user"),
        (
            &["--user", "acme", "--password-env", "NOT_SET"],
            2,
            "the environment variable that `--password-env` names is not set",
        ),
        (&[tenant[0], tenant[1], tenant[2], "nowhere"], 3, "cannot read `nowhere`\ncaused by: it does not exist"),
        (&[tenant[0], tenant[1], tenant[2], "."], 3, "it is not a regular file"),
        (&[tenant[0], tenant[1], tenant[2], "empty"], 2, "`--password-file` holds no password"),
        (&[tenant[0], tenant[1], tenant[2], "lines"], 2, "a line break or another control character"),
        (&["--key", "key.pem"], 3, "it holds a private key; give the public one"),
        (&["--max-age", "yesterday"], 2, "write a whole number and `s`, `min`, `h` or `d`"),
    ];
    for (arguments, exit, text) in cases {
        let base = if arguments[0] == "--url" { &[][..] } else { &url[..] };
        let output = cli().folder(sandbox.root()).args(base.iter().copied()).args(arguments.iter().copied()).output();
        assert_eq!(output.exit, exit, "{arguments:?}: {output}");
        assert!(output.stderr.contains(text), "{arguments:?}: {output}");
        assert!(output.stdout.is_empty() && !output.stderr.contains("planted"), "{arguments:?}: {output}");
    }
    for (file, why) in [("binary", "it is not UTF-8 text"), ("large", "it is larger than 64 KiB")] {
        let output = cli().folder(sandbox.root()).args(url).args(tenant).arg(file).output();
        assert!(output.exit == 3 && output.stderr.contains(why), "{output}");
    }
}

#[test]
fn a_report_is_written_in_three_forms_and_to_a_file() {
    let world = World::new();
    let text = world.cli().args(["--output", "report.txt"]).run().stdout;
    assert_eq!(text, "");
    let report = world.sandbox.read("report.txt");
    assert!(report.starts_with("smoke mirror: https://mirror-primary.test\ntenant: acme\n"), "{report}");
    assert!(report.ends_with("\nno findings\nthe mirror does what it is for\n"), "{report}");
    world.exports.remove(super::world::BUNDLE);
    let junit = world.cli().args(["--format", "junit"]).any_stdout().exit(1).run().stdout;
    assert!(junit.contains("<failure type=\"file-missing\""), "{junit}");
    assert!(!junit.contains(PASSWORD) && !report.contains(PASSWORD));
}
