//! Charts: archives that reach out or unpack without end, subcharts in subcharts, schemas, files without end.

use std::io::Write as _;

use super::watch::{chart, packed, refused};

/// A member of a tar archive: its name, type, link and content.
type Member<'a> = (&'a str, u8, &'a str, &'a [u8]);

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

fn tgz(members: &[Member<'_>]) -> Vec<u8> {
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
    refused(vec![
        packed(
            "a name that leads out",
            tgz(&[CHART, ("c/../../x", b'0', "", b"x")]),
            ("chart illegally references parent directory", "collimate.yaml:4:29"),
        ),
        packed(
            "a large file",
            tgz(&[CHART, ("c/f", b'0', "", &large)]),
            ("larger than the maximum", "collimate.yaml:4:29"),
        ),
        packed("a bomb", tgz(&bomb), ("larger than the maximum", "collimate.yaml:4:29")),
        packed("many files", tgz(&many), ("larger than the maximum", "collimate.yaml:4:29")),
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
    refused(vec![
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

#[test]
fn schemas() {
    let with = |schema: String| {
        [
            ("c/values.schema.json", schema),
            ("c/values.yaml", "a: {b: {c: 1}}\n".to_owned()),
            ("c/templates/t.yaml", "{{ fail \"end\" }}".to_owned()),
        ]
    };
    refused(vec![
        chart("references in a circle", with("{\"$ref\": \"#/definitions/a\", \"definitions\": {\"a\": {\"$ref\": \"#/definitions/b\"}, \"b\": {\"$ref\": \"#/definitions/a\"}}}".to_owned()), ("", "")),
        chart("another machine's", with("{\"$ref\": \"http://127.0.0.1:9/x.json\"}".to_owned()), ("http://127.0.0.1:9/x.json", "")),
        chart("the system's", with("{\"$ref\": \"file:///etc/passwd\"}".to_owned()), ("file:///etc/passwd", "")),
        chart("deep", with("{\"not\":".repeat(10_000) + "{}" + &"}".repeat(10_000)), ("", "")),
    ]);
}
