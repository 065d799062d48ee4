//! Charts: archives that reach out or unpack without end, subcharts in subcharts, schemas, files without end.

use std::io::Write as _;

use super::watch::{Mode, chart, packed, refused, watched};
use crate::tree::{RELEASE, Tree};

/// A member of a tar archive: its name, type, link and content.
pub(crate) type Member<'a> = (&'a str, u8, &'a str, &'a [u8]);

/// A tar archive as anybody may write one: no library makes these.
fn tar(members: &[Member<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, kind, link, content) in members {
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..108].copy_from_slice(b"0000644\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        header[148..156].copy_from_slice(b"        ");
        header[156] = *kind;
        header[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(content);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

pub(crate) fn tgz(members: &[Member<'_>]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&tar(members)).unwrap();
    packed.finish().unwrap()
}

const CHART: Member<'_> = ("c/Chart.yaml", b'0', "", b"apiVersion: v2\nname: c\nversion: 0.1.0\n");

#[test]
fn archives() {
    let large = vec![0; 6 << 20];
    let part = vec![0; 4 << 20];
    let names: Vec<String> = (0..30).map(|number| format!("c/f{number}")).collect();
    let bomb: Vec<Member<'_>> =
        std::iter::once(CHART).chain(names.iter().map(|name| (name.as_str(), b'0', "", part.as_slice()))).collect();
    let many: Vec<String> = (0..100_001).map(|number| format!("c/f{number}")).collect();
    let many: Vec<Member<'_>> =
        std::iter::once(CHART).chain(many.iter().map(|name| (name.as_str(), b'0', "", &b""[..]))).collect();
    // Names that are too long for a header stand before it, as GNU tar writes them.
    let deep: Vec<(String, String)> = (1..35)
        .map(|depth| {
            let folder: String = (0..depth).map(|level| format!("charts/d{level}/")).collect();
            let chart = format!("apiVersion: v2\nname: d{}\nversion: 0.1.0\n", depth - 1);
            (format!("c/{folder}Chart.yaml\0"), chart)
        })
        .collect();
    let subcharts: Vec<Member<'_>> = std::iter::once(CHART)
        .chain(deep.iter().flat_map(|(name, chart)| {
            [("././@LongLink", b'L', "", name.as_bytes()), ("c/long", b'0', "", chart.as_bytes())]
        }))
        .collect();
    refused(vec![
        packed(
            "a name that leads out",
            tgz(&[CHART, ("c/../../x", b'0', "", b"x")]),
            ("chart illegally references parent directory", "collimate.yaml:4:29"),
        ),
        packed(
            "a large file",
            tgz(&[CHART, ("c/f", b'0', "", &large)]),
            ("decompressed chart file \"c/f\" is larger than the maximum file size 5242880", "collimate.yaml:4:29"),
        ),
        packed(
            "a bomb",
            tgz(&bomb),
            ("decompressed chart is larger than the maximum file size 104857600", "collimate.yaml:4:29"),
        ),
        packed("many files", tgz(&many), ("the chart has more than 100000 files", "collimate.yaml:4:29")),
        packed(
            "subcharts in subcharts",
            tgz(&subcharts),
            ("subcharts are nested deeper than 32", "collimate.yaml:4:29"),
        ),
        packed(
            "no archive",
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03garbage".to_vec(),
            ("corrupt deflate stream", "collimate.yaml:4:29"),
        ),
    ]);
}

/// What is a link, a pipe or a device in an archive is no file, and nothing is followed.
#[test]
fn links_in_archives_are_not_followed() {
    let archive = tgz(&[
        CHART,
        ("c/templates/l.yaml", b'2', "/etc/passwd", b""),
        ("c/templates/h.yaml", b'1', "c/Chart.yaml", b""),
        ("c/templates/p.yaml", b'6', "", b""),
        ("c/templates/d.yaml", b'4', "", b""),
        ("/etc/x", b'0', "", b"x"),
        ("c/templates/t.yaml", b'0', "", b"{{ fail \"end\" }}"),
    ]);
    refused(vec![packed("links", archive, ("end", ""))]);
}

#[test]
fn trees() {
    let subcharts = (1..34).map(|depth| {
        let folder: String = (0..depth).map(|level| format!("charts/d{level}/")).collect();
        (format!("c/{folder}Chart.yaml"), format!("apiVersion: v2\nname: d{}\nversion: 0.1.0\n", depth - 1))
    });
    let folders = [(format!("c/{}f", "d/".repeat(100)), "x")];
    let values = [("c/values.yaml", format!("a: [{}]\n", "{k: 1},".repeat(30_000)))];
    let aliases = [("c/values.yaml", format!("a: &a [{}]\nb: [{}]\n", "1,".repeat(1_000), "*a,".repeat(90)))];
    let of_subcharts = (0..3).flat_map(|number| {
        let folder = format!("c/charts/d{number}");
        [
            (format!("{folder}/Chart.yaml"), format!("apiVersion: v2\nname: d{number}\nversion: 0.1.0\n")),
            (format!("{folder}/values.yaml"), format!("a: [{}]\n", "1,".repeat(20_000))),
        ]
    });
    let many = "a chart and its subcharts may have 50000 values in all";
    refused(vec![
        chart("values", values, (many, "c/values.yaml:1:1")),
        chart("aliases", aliases, (many, "c/values.yaml:1:1")),
        chart("values of subcharts", of_subcharts, (many, "c/charts/d2/values.yaml:1:1")),
        chart("subcharts in subcharts", subcharts, ("deeper than 64", "")),
        chart("folders in folders", folders, ("64", "")),
        chart(
            "missing subcharts",
            [(
                "c/Chart.yaml",
                format!(
                    "apiVersion: v2\nname: c\nversion: 0.1.0\ndependencies:\n{}",
                    (0..5_000)
                        .map(|number| format!(
                            "- {{name: d{number}, version: \"1\", repository: \"https://example.org\"}}\n"
                        ))
                        .collect::<String>()
                ),
            )],
            ("missing in charts/ directory", ""),
        ),
    ]);
}

/// No file is large; all of them are.
#[test]
fn many_large_files() {
    let tree = Tree::of(&[
        (
            "collimate.yaml",
            "schema: 1\nchannels: {edge: {release: edge.yaml}}\nprofiles:\n  p: {channel: edge, chart: c}\n",
        ),
        ("edge.yaml", RELEASE),
        ("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n"),
    ]);
    tree.write_bytes("c/files/f", &vec![0; 5 << 20]);
    for number in 0..30 {
        std::fs::hard_link(tree.path("c/files/f"), tree.path(&format!("c/files/{number}"))).unwrap();
    }
    let Some(watched) = watched(&tree, &["check"], Mode::Sealed, |cli| cli) else { return };
    let kept = "with it, more than the 117440512 bytes that are kept would have been read";
    assert!(watched.exit == 1 && watched.stdout.contains(kept), "{}{}", watched.stdout, watched.stderr);
    assert!(watched.stdout.contains("--> collimate.yaml:4:29"), "{}", watched.stdout);
    assert!(watched.megabytes <= 200, "{} MB", watched.megabytes);
}

#[test]
fn schemas() {
    let with = |schema: String, values: &str| {
        [
            ("c/values.schema.json", schema),
            ("c/values.yaml", values.to_owned()),
            ("c/templates/t.yaml", "{{ fail \"end\" }}".to_owned()),
        ]
    };
    let values = "a: {b: {c: 1}}\n";
    let deep = format!("x: {}1{}\n", "{x: ".repeat(60), "}".repeat(60));
    let doubling = |keyword: &str| {
        let definitions: String = (0..40)
            .map(|level| {
                let next = format!("{{\"$ref\": \"#/definitions/a{}\"}}", level + 1);
                format!("\"a{level}\": {{\"{keyword}\": [{next}, {next}]}}, ")
            })
            .collect();
        format!(
            "{{\"$ref\": \"#/definitions/a0\", \"definitions\": {{{definitions}\"a40\": {{\"type\": \"string\"}}}}}}"
        )
    };
    let chain: String =
        (0..5_000).map(|level| format!("\"a{level}\": {{\"$ref\": \"#/definitions/a{}\"}}, ", level + 1)).collect();
    let options: Vec<String> = (0..50_000).map(|number| format!("\"v{number}\"")).collect();
    let keys: String = (0..20_000).map(|number| format!("k{number}: 1\n")).collect();
    let steps = "takes more than 1000000 steps";
    let start = "c/values.schema.json:1:1";
    refused(vec![
        chart(
            "references in a circle",
            with("{\"$ref\": \"#/definitions/a\", \"definitions\": {\"a\": {\"$ref\": \"#/definitions/b\"}, \"b\": {\"$ref\": \"#/definitions/a\"}}}".to_owned(), values),
            ("refers to itself in a circle", start),
        ),
        chart("another machine's", with("{\"$ref\": \"http://127.0.0.1:9/x.json\"}".to_owned(), values), ("http://127.0.0.1:9/x.json", start)),
        chart("the system's", with("{\"$ref\": \"file:///etc/passwd\"}".to_owned(), values), ("file:///etc/passwd", start)),
        chart("deep", with("{\"not\":".repeat(10_000) + "{}" + &"}".repeat(10_000), values), ("recursion limit exceeded", "c/values.schema.json:1:890")),
        chart("doubling", with(doubling("allOf"), values), (steps, start)),
        chart("doubling choices", with(doubling("oneOf"), values), (steps, start)),
        chart(
            "doubling along the values",
            with("{\"properties\": {\"x\": {\"allOf\": [{\"$ref\": \"#\"}, {\"$ref\": \"#\"}]}}}".to_owned(), &deep),
            (steps, start),
        ),
        chart(
            "a chain",
            with(format!("{{\"$ref\": \"#/definitions/a0\", \"definitions\": {{{chain}\"a5000\": {{}}}}}}"), values),
            ("more than 1500 levels deep", start),
        ),
        chart(
            "a large pattern",
            with("{\"properties\": {\"a\": {\"pattern\": \"(\\\\p{L}{1000}){20}\"}}}".to_owned(), values),
            ("its patterns are too large", start),
        ),
        chart(
            "a slow pattern",
            with("{\"properties\": {\"a\": {\"pattern\": \"^(a?){3000}a{3000}$\"}}}".to_owned(), &format!("a: {}\n", "a".repeat(300_000))),
            (steps, start),
        ),
        chart(
            "many choices",
            with(
                format!("{{\"properties\": {{\"a\": {{\"items\": {{\"enum\": [{}]}}}}}}}}", options.join(",")),
                &format!("a: [{}]\n", "b,".repeat(2_000)),
            ),
            (steps, start),
        ),
        chart("many values", with(format!("{{\"allOf\": [{}]}}", vec!["true"; 160_000].join(",")), values), ("more than 150000 values", start)),
        chart("many mistakes", with("{\"additionalProperties\": {\"type\": \"string\"}}".to_owned(), &keys), ("more are not shown", "")),
    ]);
}

/// No schema is large, and none asks much; all of them do.
#[test]
fn schemas_of_subcharts() {
    let with = |schema: &str, values: &str| -> Vec<(String, String)> {
        let files = |number: usize| {
            let folder = format!("c/charts/d{number}");
            [
                (format!("{folder}/Chart.yaml"), format!("apiVersion: v2\nname: d{number}\nversion: 0.1.0\n")),
                (format!("{folder}/values.schema.json"), schema.to_owned()),
                (format!("{folder}/values.yaml"), values.to_owned()),
            ]
        };
        (0..5).flat_map(files).collect()
    };
    let large = format!("{{\"allOf\": [{}]}}", vec!["{}"; 40_000].join(","));
    let options: Vec<String> = (0..500).map(|number| format!("\"v{number}\"")).collect();
    let slow = format!("{{\"properties\": {{\"a\": {{\"items\": {{\"enum\": [{}]}}}}}}}}", options.join(","));
    refused(vec![
        chart(
            "large ones",
            with(&large, "a: 1\n"),
            ("the schemas have more than 300000 values in all", "c/charts/d3/values.schema.json:1:1"),
        ),
        chart(
            "slow ones",
            with(&slow, &format!("a: [{}]\n", "v499,".repeat(500))),
            ("takes more than 1000000 steps", "c/charts/d3/values.schema.json:1:1"),
        ),
    ]);
}
