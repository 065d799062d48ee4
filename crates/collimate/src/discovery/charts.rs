//! Charts as people install them: with their default values, and with each values file beside them.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use helmchart::{Chart, ErrorKind, RenderOptions};
use source::{EntryKind, Files as _};
use yamlspan::Dialect;

use super::{CHART_FILE, Candidate, DraftSource, LeftOut, folder_names, names, words};
use crate::disk::DiskFiles;
use crate::rendering;

/// Longest release name that Helm takes.
const LONGEST_RELEASE_NAME: usize = 53;

/// Profiles of all charts, and the `appVersion` that all of them have; charts in no profile are added to `left_out`.
pub(super) fn candidates(
    paths: &[Utf8PathBuf],
    files: &DiskFiles,
    folder: &Utf8Path,
    left_out: &mut Vec<LeftOut>,
) -> (Vec<Candidate>, Option<String>) {
    let mut candidates = Vec::new();
    let mut versions: BTreeSet<String> = BTreeSet::new();
    for path in paths {
        let named = if path.as_str().is_empty() { Utf8Path::new(".") } else { path };
        let called = source::normalize(&folder.join(path));
        if is_library(path, files) {
            left_out.push(LeftOut::new(named, "a library chart: other charts use it, it renders nothing itself"));
            continue;
        }
        let chart = match Chart::load(named, files) {
            Ok(chart) => chart,
            Err(error) => {
                left_out.push(refusal(named, &called, &error, files));
                continue;
            }
        };
        let sets = std::iter::once((None, None)).chain(values_files(path, files));
        let before = candidates.len();
        for (variant, values) in sets {
            match render(&chart, values.as_deref(), files) {
                Ok(()) => candidates.push(candidate(&chart, path, variant, values)),
                Err(error) => {
                    left_out.push(refusal(values.as_deref().unwrap_or(named), &called, &error, files));
                    if error.kind() == ErrorKind::Dependency {
                        // No values file brings what is missing.
                        break;
                    }
                }
            }
        }
        if candidates.len() > before {
            versions.insert(chart.app_version().to_owned());
        }
    }
    let mut versions = versions.into_iter();
    let version = versions.next().filter(|version| !version.is_empty() && versions.next().is_none());
    (candidates, version)
}

fn is_library(path: &Utf8Path, files: &DiskFiles) -> bool {
    let Ok((file, text)) = files.read_text(&path.join(CHART_FILE)) else { return false };
    let Ok(Some(document)) = yamlspan::parse_first(text, file, Dialect::GoYamlV2) else { return false };
    document.root().target().get("type").is_some_and(|kind| kind.raw().eq_ignore_ascii_case("library"))
}

/// `values-prod.yaml` and `values.prod.yaml`, with `prod`.
fn values_files(path: &Utf8Path, files: &DiskFiles) -> Vec<(Option<String>, Option<Utf8PathBuf>)> {
    let entries = files.list(path).unwrap_or_default();
    let names = entries.into_iter().filter(|entry| entry.kind == EntryKind::File).filter_map(|entry| {
        let variant = values_variant(&entry.name)?.to_owned();
        Some((Some(variant), Some(path.join(entry.name))))
    });
    names.collect()
}

fn values_variant(name: &str) -> Option<&str> {
    let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"))?;
    let variant = stem.strip_prefix("values")?.strip_prefix(['-', '.', '_'])?;
    // A schema in YAML, from which some projects make `values.schema.json`.
    (!variant.is_empty() && variant != "schema").then_some(variant)
}

fn render(chart: &Chart, values: Option<&Utf8Path>, files: &DiskFiles) -> Result<(), helmchart::Error> {
    let options = RenderOptions {
        release_name: release_name(chart).unwrap_or_else(|| RenderOptions::default().release_name),
        values: values.into_iter().map(Utf8Path::to_owned).collect(),
        seed: Some(rendering::SEED),
        ..RenderOptions::default()
    };
    helmchart::render(chart, &options, files).map(|_| ())
}

/// The chart's name, where a release may be called so.
fn release_name(chart: &Chart) -> Option<String> {
    let name = chart.name();
    let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let ends = !name.starts_with('-') && !name.ends_with('-');
    (plain && ends && !name.is_empty() && name.len() <= LONGEST_RELEASE_NAME).then(|| name.to_owned())
}

fn refusal(path: &Utf8Path, chart: &Utf8Path, error: &helmchart::Error, files: &DiskFiles) -> LeftOut {
    LeftOut { path: path.to_owned(), reason: words(error, files), help: error.way_out(chart) }
}

fn candidate(chart: &Chart, path: &Utf8Path, variant: Option<String>, values: Option<Utf8PathBuf>) -> Candidate {
    let name = names::slug(chart.name());
    let above = folder_names(path);
    let mut short = match variant.as_deref().map(names::slug) {
        Some(variant) => {
            let longer: Vec<String> = above.iter().map(|folder| format!("{folder}-{variant}")).collect();
            [variant.clone(), format!("{name}-{variant}")].into_iter().chain(longer).collect()
        }
        None => std::iter::once(name.clone()).chain(above).collect::<Vec<String>>(),
    };
    let stem = values.as_deref().and_then(Utf8Path::file_stem).map_or_else(|| "chart".to_owned(), names::slug);
    short.push(match folder_names(path).pop() {
        Some(folder) => format!("{folder}-{stem}"),
        None => format!("{name}-{stem}"),
    });
    let chart_path = if path.as_str().is_empty() { Utf8PathBuf::from(".") } else { path.to_owned() };
    Candidate {
        names: short.into_iter().map(|name| format!("helm/{name}")).collect(),
        source: DraftSource::Helm {
            chart: chart_path,
            values: values.into_iter().collect(),
            release_name: release_name(chart),
            // Known when all profiles are rendered together.
            external: Vec::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_files_name_their_variant() {
        for (name, expected) in [
            ("values-prod.yaml", Some("prod")),
            ("values.prod.yml", Some("prod")),
            ("values.yaml", None),
            ("values-.yaml", None),
            ("values.schema.json", None),
            ("values.schema.yaml", None),
            ("my-values-prod.yaml", None),
        ] {
            assert_eq!(values_variant(name), expected, "{name}");
        }
    }
}
