use release::{Change, Difference, Listed};
use serde::Serialize;

use super::named::{self, Named};
use crate::context::Ctx;
use crate::differing;
use crate::exit::{Exit, Result};

/// Version of the JSON shape. Raised when a field is added or changes.
const JSON_SCHEMA: u32 = 1;

/// Show what differs between two releases
///
/// Each is a channel, a ring (`stable/prod`), a version that is current or archived, or a manifest file. A tag is MOVED where both list the same
/// image and tag with different digests. Ends with 0 whatever differs; with `--exit-code`, as `git diff` does, with 1 if anything does.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The release before
    before: String,

    /// The release after
    after: String,

    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,

    /// End with 1 if there are differences
    #[arg(long)]
    exit_code: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs; has a schema number
    Json,
    /// For change tickets
    Markdown,
}

pub(super) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let session = named::session(ctx)?;
    let before = named::find(ctx, session.as_ref(), &args.before)?;
    let after = named::find(ctx, session.as_ref(), &args.after)?;
    let difference = Difference::between(&before.release.manifest(), &after.release.manifest());
    ctx.print(&match args.format {
        Format::Text => text(&before, &after, &difference),
        Format::Json => json(&before, &after, &difference),
        Format::Markdown => markdown(&before, &after, &difference),
    })?;
    Ok(if args.exit_code && !difference.is_empty() { Exit::Findings } else { Exit::Fine })
}

fn text(before: &Named, after: &Named, difference: &Difference) -> String {
    let title = |named: &Named| format!("`{}` ({})", named.release.version.value, named.path);
    let mut out = format!("{} → {}\n", title(before), title(after));
    if difference.is_empty() {
        out.push_str("no difference\n");
        return out;
    }
    for about in &difference.about {
        out.push_str(&format!("{}: {} → {}\n", about.key, or_none(&about.before), or_none(&about.after)));
    }
    out.push_str(&differing::lines(difference));
    out.push_str(&format!("{}\n", summary(difference)));
    source::redact(&out)
}

fn or_none(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("none")
}

/// `1 moved, 2 changed, 1 added`.
fn summary(difference: &Difference) -> String {
    const ORDER: [Change; 9] = [
        Change::Moved,
        Change::Tag,
        Change::Image,
        Change::Added,
        Change::Removed,
        Change::Resolved,
        Change::Unresolved,
        Change::Name,
        Change::Description,
    ];
    let count = |change: Change| difference.components.iter().filter(|found| found.change == change).count();
    let parts: Vec<String> = ORDER
        .into_iter()
        .map(|change| (change, count(change)))
        .filter(|(_, count)| *count > 0)
        .map(|(change, count)| match change {
            Change::Image => format!("{count} with another image"),
            change => format!("{count} {}", change.as_str()),
        })
        .collect();
    if parts.is_empty() { "the images are the same".to_owned() } else { parts.join(", ") }
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Answer<'a> {
    schema: u32,
    before: Side<'a>,
    after: Side<'a>,
    equal: bool,
    about: Vec<About<'a>>,
    components: Vec<Component<'a>>,
}

#[derive(Serialize)]
struct Side<'a> {
    version: &'a str,
    channel: &'a str,
    file: &'a str,
    /// Of the canonical manifest.
    sha256: String,
}

#[derive(Serialize)]
struct About<'a> {
    key: &'a str,
    before: Option<&'a str>,
    after: Option<&'a str>,
}

#[derive(Serialize)]
struct Component<'a> {
    name: &'a str,
    former_name: Option<&'a str>,
    change: &'a str,
    before: Option<Image<'a>>,
    after: Option<Image<'a>>,
}

#[derive(Serialize)]
struct Image<'a> {
    image: &'a str,
    tag: &'a str,
    digest: &'a str,
}

fn json(before: &Named, after: &Named, difference: &Difference) -> String {
    fn side(named: &Named) -> Side<'_> {
        Side {
            version: &named.release.version.value,
            channel: &named.release.channel.value,
            file: named.path.as_str(),
            sha256: named.release.identity().hex().to_owned(),
        }
    }
    fn image(listed: Option<&Listed>) -> Option<Image<'_>> {
        listed.map(|Listed { image, tag, digest, .. }| Image { image, tag, digest })
    }
    let answer = Answer {
        schema: JSON_SCHEMA,
        before: side(before),
        after: side(after),
        equal: difference.is_empty(),
        about: difference
            .about
            .iter()
            .map(|about| About { key: about.key, before: about.before.as_deref(), after: about.after.as_deref() })
            .collect(),
        components: difference
            .components
            .iter()
            .map(|found| Component {
                name: &found.name,
                former_name: found.former_name.as_deref(),
                change: found.change.as_str(),
                before: image(found.before.as_ref()),
                after: image(found.after.as_ref()),
            })
            .collect(),
    };
    super::json_text(&answer)
}

fn markdown(before: &Named, after: &Named, difference: &Difference) -> String {
    let version = |named: &Named| code(&named.release.version.value);
    let mut out = format!("## {} → {}\n\n", version(before), version(after));
    if difference.is_empty() {
        out.push_str("No difference.\n");
        return out;
    }
    out.push_str(&format!("{}.\n", sentence(&summary(difference))));
    if !difference.about.is_empty() {
        out.push_str("\n| release | before | after |\n|---|---|---|\n");
        for about in &difference.about {
            let cell = |value: &Option<String>| value.as_deref().map_or_else(String::new, code);
            out.push_str(&row(&[about.key.to_owned(), cell(&about.before), cell(&about.after)]));
        }
    }
    if !difference.components.is_empty() {
        out.push_str("\n| component | change | before | after |\n|---|---|---|---|\n");
        for found in &difference.components {
            let cell =
                |listed: &Option<Listed>| listed.as_ref().map_or_else(String::new, |listed| code(&listed.reference()));
            let change = match (found.change, &found.former_name) {
                (Change::Moved, _) => "**moved**".to_owned(),
                (change, Some(former)) => format!("{} (was {})", change.as_str(), code(former)),
                (change, None) => change.as_str().to_owned(),
            };
            out.push_str(&row(&[code(&found.name), change, cell(&found.before), cell(&found.after)]));
        }
    }
    source::redact(&out)
}

fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// A manifest's text as code in a table: it can neither end the cell nor the code.
fn code(text: &str) -> String {
    let safe: String = text
        .chars()
        .map(|letter| match letter {
            '`' => '\'',
            letter if letter.is_control() => ' ',
            letter => letter,
        })
        .collect();
    format!("`{}`", safe.replace('|', "\\|"))
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
