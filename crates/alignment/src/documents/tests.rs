use release::Release;
use source::FileId;

use super::marks::find;
use super::{BlockKind, content};

/// What is between the marks of each block, or the message of each fault.
fn found(text: &str) -> Vec<String> {
    find(text, FileId(0))
        .into_iter()
        .map(|found| match found {
            Ok(marked) => {
                assert_eq!(&text[marked.name.range()], marked.holder);
                format!("{} {}: {}", marked.kind.as_str(), marked.holder, &text[marked.content.range()])
            }
            Err(fault) => fault.message,
        })
        .collect()
}

#[test]
fn marks_are_found_outside_of_code() {
    for (text, expected) in [
        ("<!-- collimate:version stable -->1<!-- /collimate -->", vec!["version stable: 1"]),
        ("<!--collimate:version\tstable-->1<!--/collimate-->", vec!["version stable: 1"]),
        ("<!-- collimate:images a/b -->\nä\n<!-- /collimate -->", vec!["images a/b: \nä\n"]),
        ("`<!-- collimate:version stable -->`", vec![]),
        ("``a ` <!-- collimate:version stable -->``", vec![]),
        ("a ` b <!-- collimate:version s -->1<!-- /collimate -->", vec!["version s: 1"]),
        ("a `\n\n<!-- collimate:version s -->1<!-- /collimate --> `", vec!["version s: 1"]),
        ("```sh\n<!-- collimate:version stable -->\n```\n", vec![]),
        ("~~~\n<!-- collimate:version stable -->\n```\n", vec![]),
        (
            "   ````\n<!-- collimate:version s -->\n```\n````\n<!-- /collimate -->",
            vec!["a mark ends a block, and none is open"],
        ),
        ("```a``` <!-- collimate:version s -->1<!-- /collimate -->", vec!["version s: 1"]),
        ("<!-- collimate's own remark --><!-- /collimates -->", vec![]),
        ("<!-- collimate: version stable --><!-- /collimate -->", vec!["there is no kind of block ``"]),
        ("<!-- collimate:version s -->1<!-- /collimate:version -->", vec!["version s: 1"]),
        ("<!-- collimate:version s -->1<!-- /collimate", vec!["a block is not closed"]),
        ("<!-- collimate:version s", vec![]),
    ] {
        assert_eq!(found(text), expected, "{text}");
    }
}

#[test]
fn one_mistake_is_one_message() {
    let block = |inner: &str| format!("<!-- collimate:version s -->{inner}<!-- /collimate -->");
    let nested = format!("{} {}", block(&block("1")), block("2"));
    assert_eq!(found(&nested), ["a block begins within another one", "version s: 1", "version s: 2"]);
    let open = format!("<!-- collimate:version s -->1 {}", block("2"));
    assert_eq!(found(&open), ["a block begins within another one", "version s: 2"]);
}

#[test]
fn a_stand_in_is_shown_as_one() {
    let sample = release::Digest::sample("registry.example.org/a", "1");
    let text = format!(
        "schema: 1\nversion: 1.0.0\nchannel: stable\ndigests: sample\ncomponents:\n  \
         a: {{image: registry.example.org/a, tag: \"1\", digest: \"{sample}\"}}\n  \
         b: {{image: registry.example.org/b, tag: \"2\", digest: unresolved}}\n"
    );
    let release = Release::parse(&text, FileId(0)).0.unwrap();
    assert_eq!(content(BlockKind::Version, &release, "\n"), "1.0.0");
    assert_eq!(
        content(BlockKind::Images, &release, "\r\n"),
        format!(
            "\r\n| component | image | digest |\r\n|---|---|---|\r\n| a | `registry.example.org/a:1` | `{sample}` (sample) |\r\n\
             | b | `registry.example.org/b:2` | – |\r\n"
        )
    );
}

#[test]
fn damaged_documents_do_not_panic() {
    let text = "ä `<!-- x` <!-- collimate:version stable/prod -->1<!-- /collimate -->\n```\n<!-- collimate:images s -->\n|\n<!-- /collimate -->";
    for start in (0..text.len()).filter(|start| text.is_char_boundary(*start)) {
        for end in (start..text.len()).filter(|end| text.is_char_boundary(*end)) {
            find(&text[start..end], FileId(0));
        }
    }
}
