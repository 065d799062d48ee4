use std::fmt::Write as _;

use alignment::{Standing, Survey};
use release::ImageRef;
use serde::Serialize;
use source::{SourceMap, Span};

use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::session::Session;
use crate::tracing;

/// Say where an image comes from
///
/// Every profile that uses it, by which service or container, and the line that sets it with the template lines on the way.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A component's name, or an image in any spelling: its whole name, its repository or the last part of it, with tag and digest or without; or its digest
    #[arg(value_name = "IMAGE|COMPONENT")]
    name: String,

    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Serialize)]
struct Answer {
    schema: u32,
    uses: Vec<Use>,
}

/// One place that leads to the image.
#[derive(Serialize)]
struct Use {
    profile: String,
    channel: String,
    user: String,
    image: String,
    standing: String,
    set_at: Option<Place>,
    carried_by: Vec<Place>,
}

#[derive(Serialize)]
struct Place {
    file: String,
    line: usize,
    column: usize,
    /// The line, with secrets masked.
    text: String,
}

pub(crate) fn run(args: Args, ctx: &Ctx) -> Result<Exit> {
    let session = Session::open(ctx)?;
    let (uses, gaps) = tracing::with_survey(ctx, &session, |survey, sources| {
        (uses(survey, sources, &args.name), tracing::gaps(survey, |_| true))
    });
    if uses.is_empty() && gaps.is_empty() {
        return Err(Failure::usage(format!("no profile uses an image or component `{}`", args.name))
            .hint("`collimate show` lists all components"));
    }
    match args.format {
        Format::Text => ctx.print(&text(&uses))?,
        Format::Json => {
            let mut json = serde_json::to_string_pretty(&Answer { schema: 1, uses }).unwrap_or_default();
            json.push('\n');
            ctx.print(&json)?;
        }
    }
    tracing::answered(gaps)
}

fn uses(survey: &Survey<'_>, sources: &SourceMap, name: &str) -> Vec<Use> {
    let mut uses = Vec::new();
    for profile in &survey.profiles {
        for used in &profile.images {
            let component = matches!(used.standing, Standing::Component(component) if component.name.value == name);
            let image = used.image.reference.as_ref().is_ok_and(|image| is_meant(image, name));
            if !component && !image && *used.image.text != *name {
                continue;
            }
            let resolved = tracing::set_at(profile, used);
            uses.push(Use {
                profile: profile.name().to_owned(),
                channel: profile.channel().to_owned(),
                user: used.image.user.clone(),
                image: used.image.text.to_string(),
                standing: tracing::standing(&used.standing),
                set_at: resolved.primary.map(|span| place(sources, span)),
                carried_by: resolved.via.iter().map(|span| place(sources, *span)).collect(),
            });
        }
    }
    uses
}

/// Whether an image is what somebody calls so.
fn is_meant(image: &ImageRef, name: &str) -> bool {
    if image.digest().is_some_and(|digest| digest.as_str() == name) {
        return true;
    }
    // `nginx` is Docker Hub's, and the last part of any other name too.
    let Ok(asked) = name.parse::<ImageRef>() else { return false };
    let ranges = asked.ranges();
    let start = ranges.registry.as_ref().unwrap_or(&ranges.repository).start;
    let written = name.get(start..ranges.repository.end).unwrap_or_default();
    (image.same_name(&asked) || [image.repository(), image.short_name()].contains(&written))
        && asked.tag().is_none_or(|tag| image.tag() == Some(tag))
        && asked.digest().is_none_or(|digest| image.digest() == Some(digest))
}

fn place(sources: &SourceMap, span: Span) -> Place {
    let (start, _) = sources.positions(span);
    let line = Span { end: span.start, ..span };
    let text = sources.excerpt(line).map(|excerpt| excerpt.text.trim().to_owned()).unwrap_or_default();
    Place { file: sources.path(span.file).to_string(), line: start.line, column: start.column, text }
}

fn text(uses: &[Use]) -> String {
    let mut out = String::new();
    for found in uses {
        let _ = writeln!(out, "{} ({}): {}", found.profile, found.channel, found.user);
        let _ = writeln!(out, "  {}  [{}]", found.image, found.standing);
        let set = found.set_at.iter().map(|place| ("set at", place));
        for (word, place) in set.chain(found.carried_by.iter().map(|place| ("through", place))) {
            let _ = writeln!(out, "  {word:7} {}:{}:{}", place.file, place.line, place.column);
            let _ = writeln!(out, "            {}", place.text);
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_found_in_every_spelling() {
        let digest = "sha256:2d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e1";
        let other = digest.replace('2', "3");
        let hub = format!("nginx:1.27@{digest}");
        for (image, name, expected) in [
            (hub.as_str(), "nginx", true),
            (&hub, "library/nginx", true),
            (&hub, "docker.io/nginx", true),
            (&hub, "docker.io/library/nginx", true),
            (&hub, "index.docker.io/library/nginx", true),
            (&hub, "nginx:1.27", true),
            (&hub, "docker.io/library/nginx:1.27", true),
            (&hub, "nginx:1.26", false),
            (&hub, digest, true),
            (&hub, &format!("nginx@{digest}"), true),
            (&hub, &format!("nginx@{other}"), false),
            (&hub, "quay.io/library/nginx", false),
            (&hub, "ginx", false),
            (&hub, "Nginx", false),
            ("r.example:5000/shop/web:1", "web", true),
            ("r.example:5000/shop/web:1", "shop/web:1", true),
            ("r.example:5000/shop/web:1", "r.example:5000/shop/web", true),
            ("r.example:5000/shop/web:1", "shop/web:2", false),
            ("r.example:5000/shop/web", "web:latest", false),
        ] {
            assert_eq!(is_meant(&image.parse().unwrap(), name), expected, "{image} {name}");
        }
    }
}
