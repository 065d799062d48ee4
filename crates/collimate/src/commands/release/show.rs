use camino::Utf8Path;
use release::Group;
use serde::Serialize;

use super::named::{self, Named};
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::session::{ARCHIVE, Session};
use crate::signature::Signatures;
use crate::{columns, differing, place, tracing};

/// Version of the JSON shape. Raised when a field is added or changes.
const JSON_SCHEMA: u32 = 1;

/// Show a release, or all that the workspace has
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A channel, a ring, a version or a manifest file; all releases by default
    release: Option<String>,

    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs; has a schema number
    Json,
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Answer {
    schema: u32,
    releases: Vec<Shown>,
}

#[derive(Serialize)]
struct Shown {
    version: String,
    channel: String,
    file: String,
    /// Of the canonical manifest.
    sha256: String,
    calendar: Option<String>,
    date: Option<String>,
    digests: &'static str,
    promoted_from: Option<String>,
    support: Option<String>,
    /// Channels and rings that have it now.
    held_by: Vec<String>,
    archived: bool,
    /// Whether there is a signature beside it; by whom, `release verify` says.
    signed: bool,
    components: Vec<Component>,
}

#[derive(Serialize)]
struct Component {
    name: String,
    infrastructure: bool,
    image: String,
    tag: String,
    digest: Option<String>,
    only_in: Vec<String>,
}

pub(super) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let session = named::session(ctx)?;
    let known = session.as_ref().map(Known::of);
    let releases = match (&args.release, &known) {
        (Some(name), _) => vec![shown(known.as_ref(), &named::find(ctx, session.as_ref(), name)?, ctx)?],
        (None, Some(known)) => all(known, ctx)?,
        (None, None) => {
            return Err(Failure::usage("there is no workspace here").hint("name a manifest file"));
        }
    };
    ctx.print(&match (args.format, &args.release) {
        (Format::Json, _) => super::json_text(&Answer { schema: JSON_SCHEMA, releases }),
        (Format::Text, Some(_)) => source::redact(&releases.iter().map(one).collect::<String>()),
        (Format::Text, None) => source::redact(&table(&releases)),
    })?;
    match (&args.release, &known) {
        (None, Some(known)) => tracing::answered(tracing::unsound(known.session.releases.iter()).collect()),
        _ => Ok(Exit::Fine),
    }
}

/// The releases of a workspace with their identities, each computed once.
struct Known<'s> {
    session: &'s Session,
    /// The file of a manifest and the sha256 of its canonical form.
    identities: Vec<(&'s Utf8Path, String)>,
}

impl<'s> Known<'s> {
    fn of(session: &'s Session) -> Self {
        let identities = session
            .releases
            .iter()
            .filter_map(|input| Some((input.path.as_path(), input.release()?.identity().hex().to_owned())))
            .collect();
        Self { session, identities }
    }

    fn has(&self, path: &Utf8Path, sha256: &str) -> bool {
        self.identities.iter().any(|(known, identity)| *known == path && identity == sha256)
    }

    fn is_archived(&self, sha256: &str) -> bool {
        let is_archive = |path: &Utf8Path| path.parent().is_some_and(|folder| folder.file_name() == Some(ARCHIVE));
        self.identities.iter().any(|(path, identity)| identity == sha256 && is_archive(path))
    }

    /// `stable/stage`; a channel with rings has what its rings have.
    fn held_by(&self, sha256: &str) -> Vec<String> {
        let mut labels = Vec::new();
        for channel in &self.session.workspace.channels {
            let name = &channel.name.value;
            if channel.rings.is_empty() && self.has(&channel.release.value, sha256) {
                labels.push(name.clone());
            }
            for ring in &channel.rings {
                if self.has(&ring.release.as_ref().unwrap_or(&channel.release).value, sha256) {
                    labels.push(place::label(name, Some(&ring.name.value)));
                }
            }
        }
        labels
    }
}

/// Every release once, current ones first, of manifests without problems.
fn all(known: &Known<'_>, ctx: &Ctx) -> Result<Vec<Shown>> {
    let mut releases: Vec<Shown> = Vec::new();
    for (input, release) in known.session.releases.iter().filter_map(|input| Some((input, input.sound()?))) {
        let named = Named { path: input.path.clone(), release: release.clone(), text: String::new(), channel: None };
        let shown = shown(Some(known), &named, ctx)?;
        if releases.iter().all(|other| other.sha256 != shown.sha256) {
            releases.push(shown);
        }
    }
    Ok(releases)
}

fn shown(known: Option<&Known<'_>>, named: &Named, ctx: &Ctx) -> Result<Shown> {
    let release = &named.release;
    let path = known.map_or_else(|| named.path.clone(), |known| known.session.files.absolute(&named.path));
    let text = |value: &Option<release::Spanned<String>>| value.as_ref().map(|value| value.value.clone());
    let sha256 = release.identity().hex().to_owned();
    Ok(Shown {
        version: release.version.value.clone(),
        channel: release.channel.value.clone(),
        file: named.path.to_string(),
        calendar: text(&release.calendar),
        date: text(&release.date),
        digests: release.digests.value.as_str(),
        promoted_from: release.promoted_from.as_ref().map(|origin| origin.version.value.clone()),
        support: release.support.as_ref().map(|support| match &support.until {
            Some(until) => format!("{} until {}", support.line.value, until.value),
            None => support.line.value.clone(),
        }),
        held_by: known.map(|known| known.held_by(&sha256)).unwrap_or_default(),
        archived: known.is_some_and(|known| known.is_archived(&sha256)),
        signed: !Signatures::of_file(&path, ctx)?.is_empty(),
        components: release.components.iter().map(component).collect(),
        sha256,
    })
}

fn component(component: &release::Component) -> Component {
    Component {
        name: component.name.value.clone(),
        infrastructure: component.group == Group::Infrastructure,
        image: component.image.name(),
        tag: component.tag.value.clone(),
        digest: component.digest.get().map(ToString::to_string),
        only_in: component.only_in.iter().map(|only| only.as_str().to_owned()).collect(),
    }
}

fn one(release: &Shown) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut row = |key: &str, value: &str| rows.push(vec![key.to_owned(), value.to_owned()]);
    row("release", &release.version);
    row("channel", &release.channel);
    for (key, value) in [
        ("calendar", &release.calendar),
        ("date", &release.date),
        ("promoted from", &release.promoted_from),
        ("support", &release.support),
    ] {
        if let Some(value) = value {
            row(key, value);
        }
    }
    row("digests", release.digests);
    row("file", &release.file);
    row("sha256", &release.sha256);
    row("held by", &if release.held_by.is_empty() { "nothing".to_owned() } else { release.held_by.join(", ") });
    row("archived", yes(release.archived));
    row("signed", yes(release.signed));
    let mut out = columns::align(&rows);
    out.push('\n');
    let cells = |component: &Component| {
        let digest = component.digest.as_deref().map_or_else(|| "unresolved".to_owned(), differing::short);
        let only = if component.only_in.is_empty() {
            String::new()
        } else {
            format!("only in {}", component.only_in.join(", "))
        };
        vec![component.name.clone(), component.image.clone(), component.tag.clone(), digest, only]
    };
    out.push_str(&columns::align(&release.components.iter().map(cells).collect::<Vec<_>>()));
    out
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

fn table(releases: &[Shown]) -> String {
    let head = ["release", "channel", "held by", "date", "digests", "components", "archived", "signed", "sha256"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(releases.iter().map(|release| {
        vec![
            release.version.clone(),
            release.channel.clone(),
            if release.held_by.is_empty() { "-".to_owned() } else { release.held_by.join(", ") },
            release.date.clone().unwrap_or_else(|| "-".to_owned()),
            release.digests.to_owned(),
            release.components.len().to_string(),
            yes(release.archived).to_owned(),
            yes(release.signed).to_owned(),
            release.sha256.get(..12).unwrap_or_default().to_owned(),
        ]
    }));
    columns::align(&rows)
}
