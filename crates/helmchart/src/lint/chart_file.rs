//! `Chart.yaml`.

use yamlspan::Data;

use super::addresses::{is_email, is_request_url, is_url};
use super::{Lint, LintFiles, LintSeverity};
use crate::ErrorKind;
use crate::functions::version::Version;
use crate::metadata::{Metadata, go_base};
use crate::yaml;

const FILE: &str = "Chart.yaml";

pub(super) fn check(source: &LintFiles<'_>, lint: &mut Lint) {
    let text = match source.read(FILE) {
        Some(Ok(text)) => text,
        Some(Err(message)) => {
            if message.ends_with("is a directory") {
                lint.push(LintSeverity::Error, FILE, "should be a file, not a directory");
            }
            lint.push(LintSeverity::Error, FILE, format!("unable to parse YAML\n\t{message}"));
            return;
        }
        None => return,
    };
    let file = text.segments().first().and_then(|segment| segment.origin.spans().first()).map(|span| span.file);
    let mut metadata = Metadata::default();
    let data = match yaml::read_data(&text) {
        Ok(data) => data,
        Err(error) => {
            let error = error.into_error(ErrorKind::Load, file);
            lint.push_error(FILE, "unable to parse YAML\n\t", &error);
            return;
        }
    };
    if let Err(message) = metadata.read(&data) {
        lint.push(LintSeverity::Error, FILE, format!("unable to parse YAML\n\t{message}"));
        return;
    }
    let problems = [
        name(&metadata),
        api_version(&metadata),
        not_a_string(&data, "version"),
        version(&metadata),
        not_a_string(&data, "appVersion"),
        maintainers(&metadata),
        sources(&metadata),
    ];
    for problem in problems.into_iter().flatten() {
        lint.push(LintSeverity::Error, FILE, problem);
    }
    if metadata.icon.is_empty() {
        lint.push(LintSeverity::Info, FILE, "icon is recommended");
    } else if !is_request_url(&metadata.icon) {
        lint.push(LintSeverity::Error, FILE, format!("invalid icon URL '{}'", metadata.icon));
    }
    let api = &metadata.api_version;
    if !metadata.chart_type.is_empty() && api != "v2" {
        let text = format!("chart type is not valid in apiVersion '{api}'. It is valid in apiVersion 'v2'");
        lint.push(LintSeverity::Error, FILE, text);
    }
    let has_dependencies =
        metadata.null_dependency || metadata.dependencies.as_ref().is_some_and(|dependencies| !dependencies.is_empty());
    if has_dependencies && api != "v2" {
        let text = format!(
            "dependencies are not valid in the Chart file with apiVersion '{api}'. They are valid in apiVersion 'v2'"
        );
        lint.push(LintSeverity::Error, FILE, text);
    }
}

fn name(metadata: &Metadata) -> Option<String> {
    if metadata.name.is_empty() {
        return Some("name is required".to_owned());
    }
    let quoted = gotemplate::format::quote(metadata.name.as_bytes());
    (go_base(&metadata.name) != metadata.name).then(|| format!("chart name {quoted} is invalid"))
}

fn api_version(metadata: &Metadata) -> Option<String> {
    let expected = "The value must be either \"v1\" or \"v2\"";
    match metadata.api_version.as_str() {
        "v1" | "v2" => None,
        "" => Some(format!("apiVersion is required. {expected}")),
        other => Some(format!("apiVersion '{other}' is not valid. {expected}")),
    }
}

fn version(metadata: &Metadata) -> Option<String> {
    if metadata.version.is_empty() {
        return Some("version is required".to_owned());
    }
    let Ok(version) = Version::parse(&metadata.version) else {
        return Some(format!("version '{}' is not a valid SemVer", metadata.version));
    };
    let Ok(lowest) = Version::parse("0.0.0-0") else { return None };
    if version.compare(&lowest).is_gt() {
        return None;
    }
    let quoted = gotemplate::format::quote(metadata.version.as_bytes());
    Some(format!("version {quoted} is less than or equal to \"0.0.0-0\""))
}

/// A number or a date where a text is wanted; Helm still takes it, but a `1.10` has become `1.1` by then.
fn not_a_string(data: &Data, key: &str) -> Option<String> {
    let Data::Map(entries) = data else { return None };
    let (_, value) = entries.iter().find(|(name, _)| &**name == key)?;
    let found = match value {
        Data::Str(_) => return None,
        Data::Null => "<nil>",
        Data::Bool(_) => "bool",
        Data::Int(_) | Data::Uint(_) | Data::Float(_) => "float64",
        Data::Seq(_) => "[]interface {}",
        Data::Map(_) => "map[string]interface {}",
    };
    Some(format!("{key} should be of type string but it's of type {found}"))
}

fn maintainers(metadata: &Metadata) -> Option<String> {
    metadata.maintainers.iter().find_map(|maintainer| {
        let Some(maintainer) = maintainer else { return Some("a maintainer entry is empty".to_owned()) };
        let name = &maintainer.name;
        if name.is_empty() {
            return Some("each maintainer requires a name".to_owned());
        }
        if !maintainer.email.is_empty() && !is_email(&maintainer.email) {
            return Some(format!("invalid email '{}' for maintainer '{name}'", maintainer.email));
        }
        if !maintainer.url.is_empty() && !is_url(&maintainer.url) {
            return Some(format!("invalid url '{}' for maintainer '{name}'", maintainer.url));
        }
        None
    })
}

fn sources(metadata: &Metadata) -> Option<String> {
    let bad = metadata.sources.iter().find(|source| !is_request_url(source))?;
    Some(format!("invalid source URL '{bad}'"))
}
