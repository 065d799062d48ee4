//! What a comment says, and that nothing foreign in it is more than text. The judge is a Markdown parser of somebody else's.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::*;

fn verdicts() -> [ProfileVerdict; 2] {
    [
        ProfileVerdict { name: "dev".into(), channel: "edge".into(), images: 3, verdict: Verdict::Failed },
        ProfileVerdict { name: "prod".into(), channel: "stable".into(), images: 2, verdict: Verdict::Aligned },
    ]
}

#[test]
fn the_comment_is_as_documented() {
    let sources = sources();
    let mut finding = mismatch(&sources);
    finding.profiles.extend(["dev".into(), "stage".into()]);
    let note = Finding::new("release-sample-digests", Severity::Note, Location::Nowhere, "sample | digests");
    let expected = "\
### collimate check: 1 error, 1 note

1 not aligned; 1 aligned of 2 profiles.

<details>
<summary>Profiles</summary>

| channel | profile | images | verdict |
| --- | --- | --- | --- |
| `edge` | `dev` | 3 | **not aligned** |
| `stable` | `prod` | 2 | aligned |

</details>

**1 error**

| where | what | profiles |
| --- | --- | --- |
| `compose/dev.yaml:3` | `digest-mismatch` profile pins a digest that the release does not list | `dev`, `stage` |

<details>
<summary>Places and ways out</summary>

```text
error[digest-mismatch]: profile pins a digest that the release does not list
 --> compose/dev.yaml:3:43
  |
3 |     image: registry.example.org/authority@sha256:5bd0e1f3
  |                                           ^^^^^^^^^^^^^^^ profile `dev` pins this
  |
 ::: releases/edge.yaml:4:13
  |
4 |     digest: sha256:9f1c77aa
  |             --------------- release `2025.10.0-edge` lists this
  |
  = help: run `collimate pin dev`
```

</details>
";
    let findings = [finding, note];
    assert_eq!(markdown(&findings, &verdicts(), &sources, Severity::Warning), expected);
    let all = markdown(&findings, &verdicts(), &sources, Severity::Note);
    assert!(all.contains("**1 note**\n\n| where | what | profiles |\n| --- | --- | --- |\n|  | `release-sample-digests` sample `\\|` digests |  |\n"), "{all}");
    assert_eq!(markdown(&[], &[], &sources, Severity::Note), "### collimate check: no findings\n\nNo profiles.\n");
}

/// Text of the tables' cells, code and plain apart, of a comment that must hold nothing but what we put there.
fn cells(comment: &str) -> Vec<(String, String)> {
    let (mut cells, mut inside) = (Vec::new(), false);
    for event in Parser::new_ext(comment, Options::all()) {
        match event {
            Event::Start(Tag::TableCell) => {
                inside = true;
                cells.push((String::new(), String::new()));
            }
            Event::End(TagEnd::TableCell) => inside = false,
            Event::Code(text) if inside => cells.last_mut().unwrap().0.push_str(&text),
            Event::Text(text) if inside => cells.last_mut().unwrap().1.push_str(&text),
            Event::Html(html) => assert!(
                html.lines().all(|line| ["<details>", "</details>"].contains(&line)
                    || line.strip_prefix("<summary>").is_some_and(|rest| rest.ends_with("</summary>"))),
                "{html}"
            ),
            Event::InlineHtml(_) | Event::FootnoteReference(_) | Event::InlineMath(_) | Event::DisplayMath(_) => {
                panic!("{event:?} in {comment}")
            }
            Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::Emphasis | Tag::Strikethrough | Tag::List(_)) => {
                panic!("{event:?} in {comment}")
            }
            _ => {}
        }
    }
    cells
}

const HOSTILE: &[&str] = &[
    "a | b",
    "a \\| b",
    "`a\\|b`",
    "`a` @all `b`",
    "@someone",
    "`@x",
    "``",
    "`",
    "```",
    "` ` `",
    "`` a ` b ``",
    "x`",
    "`\\`",
    "\\",
    "<img src=x onerror=alert(1)>",
    "</details>",
    "<!-- x",
    "&amp;",
    "[a](https://evil.example)",
    "![a](b)",
    "https://evil.example",
    "www.evil.example",
    "me@evil.example",
    "#123",
    "org/repo#1",
    "GH-12",
    "0123456789abcdef",
    ":tada:",
    "$x$",
    "*a*",
    "_a_",
    "~~a~~",
    "\n\n# heading",
    "\r\n::set-output name=a::b",
    "##[add-mask]x",
    "\n- a",
    "[^1]",
    "\\`a\\`",
    "a\\",
    "|",
    "||",
    "\\\\|",
    "` |` | `",
    "- [ ] task",
    "<https://evil.example>",
    "`a`b`c`",
    "é | 名前",
    "a\u{202e}b",
];

#[test]
fn nothing_foreign_is_more_than_text() {
    let sources = SourceMap::default();
    let mut messages: Vec<String> = HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    for first in HOSTILE {
        messages.extend(HOSTILE.iter().map(|second| format!("uses {first} and `{second}`")));
    }
    for message in &messages {
        let place = Location::File(message.replace('\n', " ").into());
        let mut finding = Finding::new("r", Severity::Error, place, message.as_str()).label(message.as_str());
        finding.profiles.insert(message.as_str().into());
        let profile =
            ProfileVerdict { name: message.clone(), channel: message.clone(), images: 1, verdict: Verdict::Failed };
        let comment = markdown(&[finding], &[profile], &sources, Severity::Note);
        let cells = cells(&comment);
        // Two tables: a head and a row of four cells, a head and a row of three.
        assert_eq!(cells.len(), 14, "{comment}");
        for (_, plain) in &cells {
            let words = plain.split_whitespace().all(|word| {
                word.chars().all(|char| char.is_alphabetic() || char.is_ascii_digit() || "-'().,;:\"?…".contains(char))
            });
            assert!(words && !plain.contains("www"), "`{plain}` in {comment}");
        }
        // What a reader sees is what was said, but for spaces and backticks.
        let seen: String = format!("{}{}", cells[12].0, cells[12].1);
        let sorted = |text: &str| {
            let mut chars: Vec<char> = text.chars().filter(|char| !char.is_whitespace() && *char != '`').collect();
            chars.sort_unstable();
            chars
        };
        assert_eq!(sorted(&seen), sorted(&format!("r{}", source::redact(message)).replace('\r', "")), "{comment}");
        let commands = comment.lines().any(|line| line.trim_start().starts_with("::set") || line.contains("##["));
        assert!(!commands, "{comment}");
    }
}

#[test]
fn a_comment_is_never_too_long() {
    let sources = sources();
    for (count, size) in [(0, 0), (3000, 20), (400, 3000), (2, 200_000)] {
        let findings: Vec<Finding<Location>> = (0..count)
            .map(|index| {
                let severity = if index % 2 == 0 { Severity::Error } else { Severity::Warning };
                let message = format!("{index} {}", "ü`|".repeat(size));
                Finding::new("r", severity, at(&sources, 0, "image"), message).help("h".repeat(size))
            })
            .collect();
        let profiles: Vec<ProfileVerdict> = (0..count)
            .map(|index| ProfileVerdict {
                name: format!("p{index}"),
                channel: "c".into(),
                images: 1,
                verdict: Verdict::Aligned,
            })
            .collect();
        let comment = markdown(&findings, &profiles, &sources, Severity::Note);
        assert!(comment.len() <= 65_000, "{count} findings of {size}: {}", comment.len());
        let shown = cells(&comment).iter().filter(|(code, _)| code.contains("dev.yaml")).count();
        assert_eq!(
            shown < count,
            comment.contains(&format!("\nand {} more; `collimate check` shows all\n", count - shown))
        );
        assert_eq!(comment.matches("<details>").count(), comment.matches("</details>").count());
    }
}

/// What tables may not take is left for the details of what stands in them.
#[test]
fn tables_leave_room_for_details() {
    let sources = sources();
    let rows = |count: usize, size: usize| {
        let finding = |index| {
            Finding::new("r", Severity::Error, at(&sources, 0, "image"), format!("{index} {}", "z".repeat(size)))
        };
        let findings: Vec<Finding<Location>> = (0..count).map(finding).collect();
        let profile = ProfileVerdict { name: "p".repeat(90), ..verdicts()[0].clone() };
        let comment = markdown(&findings, &vec![profile; count], &sources, Severity::Note);
        let tables = comment.find("Places and ways out").unwrap_or(comment.len());
        let profiles = comment.find("**1").unwrap_or(comment.len());
        (profiles, tables, comment)
    };
    // Half of it for the table of profiles; of each table, all but less than a row.
    let (profiles, tables, comment) = rows(1000, 300);
    let frame = 200;
    assert!((20_000 - 130..20_000 + frame).contains(&profiles), "{profiles}");
    assert!((40_000 - 400..40_000 + frame).contains(&tables), "{tables}");
    assert!(comment.len() > 60_000, "{}", comment.len());
    let cell = |size: usize| rows(1, size).2.matches('z').count();
    // Once in the table and once in the details, where texts may be ten times as long.
    assert_eq!((cell(398), cell(399)), (2 * 398, 398 + 399));
}
