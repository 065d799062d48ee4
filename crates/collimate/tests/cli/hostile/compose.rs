//! Compose: variables in variables, files in files, services in services, ranges of ports.

use super::watch::{Case, SERVICE, compose, refused};

#[test]
fn variables() {
    let hostname = |text: String| format!("services: {{a: {{image: x, hostname: \"{text}\"}}}}\n");
    let doubling: String = (1..60).map(|level| format!("V{level}=$V{0}$V{0}\n", level - 1)).collect();
    let services: String = (0..30).map(|number| format!("  s{number}: {{image: x, hostname: $V}}\n")).collect();
    let many: String = (0..200_001).map(|number| format!("V{number}=\n")).collect();
    refused(vec![
        compose(
            "nested",
            hostname("${A:-".repeat(10_000) + &"}".repeat(10_000)),
            "",
            ("variables nest deeper than 50 levels", "compose.yaml:1:36"),
        ),
        compose(
            "without end",
            hostname("${A:-".repeat(100_000)),
            "",
            ("too many variables in texts that are too long", "compose.yaml:1:36"),
        ),
        compose(
            "doubling",
            SERVICE,
            &format!("V0=aaaaaaaaaaaaaaaa\n{doubling}"),
            ("an interpolated value is longer than 4194304 bytes", "dev.env:20:5"),
        ),
        compose(
            "often",
            format!("services:\n{services}"),
            &format!("V={}\n", "a".repeat(1_000_000)),
            ("all interpolated values are longer than 16777216 bytes", ""),
        ),
        compose("many", SERVICE, &many, ("env files set more than 200000 variables", "dev.env:200001:1")),
        compose(
            "a quote without end",
            SERVICE,
            &format!("A=\"{}", "x\n".repeat(1_000_000)),
            ("unterminated quoted value", "dev.env:1:3"),
        ),
    ]);
}

#[test]
fn files() {
    let chain = (0..60).map(|number| {
        (format!("f{number}.yaml"), format!("include: [f{}.yaml]\nservices: {{s{number}: {{image: x}}}}\n", number + 1))
    });
    let with = |case: Case, files: Vec<(String, String)>| {
        let files = files.into_iter().map(|(path, text)| (path, text.into_bytes()));
        Case { files: case.files.into_iter().chain(files).collect(), ..case }
    };
    refused(vec![
        compose(
            "an include of itself",
            format!("include: [compose.yaml]\n{SERVICE}"),
            "",
            ("include cycle detected", "compose.yaml:1:11"),
        ),
        with(
            compose(
                "a chain of includes",
                format!("include: [f0.yaml]\n{SERVICE}"),
                "",
                ("files include each other more than 50 levels deep", "f49.yaml:1:11"),
            ),
            chain.collect(),
        ),
        compose(
            "an include of another machine",
            "include: [\"https://example.org/a.git\"]\n",
            "",
            ("https://example.org/a.git", "compose.yaml:1:11"),
        ),
        compose(
            "an include of a registry",
            "include: [\"oci://example.org/a:1\"]\n",
            "",
            ("oci://example.org/a:1", "compose.yaml:1:11"),
        ),
        compose(
            "a file of the system",
            "services: {a: {image: x, env_file: /etc/passwd}}\n",
            "",
            ("/etc/passwd", "compose.yaml:1:36"),
        ),
        compose("a device", "services: {a: {image: x, env_file: /dev/zero}}\n", "", ("/dev/zero", "compose.yaml:1:36")),
        compose(
            "an extension of the system",
            "services: {a: {extends: {file: /etc/passwd, service: b}}}\n",
            "",
            ("/etc/passwd", "compose.yaml:1:32"),
        ),
    ]);
}

#[test]
fn services() {
    let chain: String =
        (0..5_000).map(|number| format!("  s{number}: {{image: x, extends: s{}}}\n", number + 1)).collect();
    let fan: String = (0..400).map(|number| format!("  s{number}: {{image: x, extends: big}}\n")).collect();
    let variables: Vec<String> = (0..1_000).map(|number| format!("K{number}: v")).collect();
    let circle: String = (0..2_000)
        .map(|number| format!("  s{number}: {{image: x, depends_on: [s{}]}}\n", (number + 1) % 2_000))
        .collect();
    refused(vec![
        compose(
            "a circle of extensions",
            "services: {a: {image: x, extends: b}, b: {extends: a}}\n",
            "",
            ("Circular reference", ""),
        ),
        compose(
            "a chain of extensions",
            format!("services:\n{chain}  s5000: {{image: x}}\n"),
            "",
            ("services extend each other more than 100 levels deep", "compose.yaml:102:29"),
        ),
        compose(
            "many extensions of one",
            format!("services:\n{fan}  big: {{image: x, environment: {{{}}}}}\n", variables.join(", ")),
            "",
            ("services take over more than 300000 values by `extends`", "compose.yaml:301:29"),
        ),
        compose("a circle of dependencies", format!("services:\n{circle}"), "", ("dependency cycle detected", "")),
    ]);
}

#[test]
fn numbers() {
    let ports = |ports: &str| format!("services: {{a: {{image: x, ports: [{ports}]}}}}\n");
    refused(vec![
        compose(
            "wide ranges",
            ports(&(1..20).map(|host| format!("\"{host}.0.0.1:1-65535:1-65535\"")).collect::<Vec<_>>().join(", ")),
            "",
            ("the project publishes more than 70000 ports", "compose.yaml:1:61"),
        ),
        compose(
            "no range",
            ports("\"5-1:1-99999999999999999999\""),
            "",
            ("invalid containerPort", "compose.yaml:1:34"),
        ),
        compose(
            "a number without end",
            format!("services: {{a: {{image: x, mem_limit: {}}}}}\n", "9".repeat(100_000)),
            "",
            ("does not list", "compose.yaml:1:23"),
        ),
    ]);
}

/// Many findings on one line: what is shown of it is short, and it is masked once.
#[test]
fn many_findings_on_a_line() {
    let volumes: Vec<String> = (0..1_000).map(|number| format!("\"./v:/d{number}\"")).collect();
    let text = format!("services: {{a: {{image: x, volumes: [{}]}}}}\n", volumes.join(", "));
    refused(vec![compose("mounts", text, "", ("which does not exist", "compose.yaml:1:37"))]);
}
