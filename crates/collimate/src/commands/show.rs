use alignment::{ProfileSurvey, Survey, Used};
use release::{Component, Release};
use serde::Serialize;
use source::SourceMap;

use crate::columns;
use crate::context::Ctx;
use crate::exit::{Exit, Result};
use crate::session::Session;
use crate::tracing;

/// Show which component each profile runs, and where it is set
///
/// One matrix per release: components in rows, profiles in columns.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Channels or profiles; all by default
    #[arg(value_name = "CHANNEL|PROFILE")]
    names: Vec<String>,

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
    releases: Vec<Matrix>,
}

#[derive(Serialize)]
struct Matrix {
    release: String,
    manifest: String,
    profiles: Vec<String>,
    components: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    component: String,
    image: String,
    tag: String,
    digest: Option<String>,
    /// One per profile, in the order of `profiles`.
    cells: Vec<Cell>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "lowercase", tag = "state")]
enum Cell {
    /// The profile uses the release's digest.
    Aligned { set_at: Option<String> },
    /// It uses another one, or none.
    Differs { image: String, set_at: Option<String> },
    /// It does not use the component.
    Unused,
    /// It does not render, and what does of it does not use the component.
    Unknown,
}

pub(crate) fn run(args: Args, ctx: &Ctx) -> Result<Exit> {
    let session = Session::open(ctx)?;
    let selected: Vec<&str> =
        session.select(&args.names)?.into_iter().map(|profile| profile.name.value.as_str()).collect();
    let (releases, gaps) = tracing::with_survey(ctx, &session, |survey, sources| {
        (matrices(survey, sources, &selected), tracing::gaps(survey, |name| selected.contains(&name)))
    });
    match args.format {
        Format::Text => ctx.print(&releases.iter().map(text).collect::<Vec<_>>().join("\n"))?,
        Format::Json => {
            let mut json = serde_json::to_string_pretty(&Answer { schema: 1, releases }).unwrap_or_default();
            json.push('\n');
            ctx.print(&json)?;
        }
    }
    tracing::answered(gaps)
}

/// One matrix for each release that a selected profile is held to, in the order in which profiles name them.
fn matrices(survey: &Survey<'_>, sources: &SourceMap, selected: &[&str]) -> Vec<Matrix> {
    let profiles: Vec<&ProfileSurvey<'_>> =
        survey.profiles.iter().filter(|profile| selected.contains(&profile.name())).collect();
    let mut paths: Vec<&camino::Utf8PathBuf> = Vec::new();
    for held in profiles.iter().filter_map(|profile| profile.release) {
        if !paths.contains(&&held.input.path) {
            paths.push(&held.input.path);
        }
    }
    let matrix = |path: &camino::Utf8PathBuf| {
        let columns: Vec<&ProfileSurvey<'_>> = profiles
            .iter()
            .copied()
            .filter(|profile| profile.release.is_some_and(|held| held.input.path == *path))
            .collect();
        let release: &Release = columns.first()?.release?.release;
        Some(Matrix {
            release: release.version.value.clone(),
            manifest: path.to_string(),
            profiles: columns.iter().map(|profile| profile.name().to_owned()).collect(),
            components: release.components.iter().map(|component| row(component, &columns, sources)).collect(),
        })
    };
    paths.into_iter().filter_map(matrix).collect()
}

fn row(component: &Component, profiles: &[&ProfileSurvey<'_>], sources: &SourceMap) -> Row {
    Row {
        component: component.name.value.clone(),
        image: component.image.name(),
        tag: component.tag.value.clone(),
        digest: component.digest.get().map(ToString::to_string),
        cells: profiles.iter().map(|profile| cell(component, profile, sources)).collect(),
    }
}

/// The worst use of a component in a profile: one that differs, if there is one.
fn cell(component: &Component, profile: &ProfileSurvey<'_>, sources: &SourceMap) -> Cell {
    let uses = profile.components().filter(|(_, used)| used.name.value == component.name.value);
    let cells = uses.map(|(used, _)| {
        let set_at = tracing::set_at(profile, used).primary.map(|span| tracing::position(sources, span));
        if is_aligned(component, used) {
            Cell::Aligned { set_at }
        } else {
            Cell::Differs { image: used.image.text.to_string(), set_at }
        }
    });
    cells.min_by_key(|cell| matches!(cell, Cell::Aligned { .. })).unwrap_or(if profile.is_rendered() {
        Cell::Unused
    } else {
        Cell::Unknown
    })
}

fn is_aligned(component: &Component, used: &Used<'_>) -> bool {
    used.image.reference.as_ref().is_ok_and(|image| {
        let tag = image.tag().is_none_or(|tag| tag == component.tag.value);
        tag && image.digest() == component.digest.get()
    })
}

fn text(matrix: &Matrix) -> String {
    let header = ["component", "tag", "digest"].into_iter().map(str::to_owned);
    let mut rows: Vec<Vec<String>> = vec![header.chain(matrix.profiles.iter().cloned()).collect()];
    for row in &matrix.components {
        let digest = row.digest.as_deref().map_or("unresolved", |digest| digest.get(..19).unwrap_or(digest));
        let cells = row.cells.iter().map(|cell| match cell {
            Cell::Aligned { set_at: Some(place) } => short(place).to_owned(),
            Cell::Aligned { set_at: None } => "aligned".to_owned(),
            Cell::Differs { set_at, .. } => {
                format!("DIFFERS {}", set_at.as_deref().map(short).unwrap_or_default())
            }
            Cell::Unused => "-".to_owned(),
            Cell::Unknown => "?".to_owned(),
        });
        let fixed = [row.component.clone(), row.tag.clone(), digest.to_owned()];
        rows.push(fixed.into_iter().chain(cells).collect());
    }
    format!("release {} ({})\n{}", matrix.release, matrix.manifest, columns::align(&rows))
}

/// `values-stage.yaml:12` of `deploy/helm/stellaops/values-stage.yaml:12:13`: columns must fit side by side.
fn short(place: &str) -> &str {
    let name = place.rsplit('/').next().unwrap_or(place);
    name.rsplit_once(':').map_or(name, |(line, _)| line)
}
