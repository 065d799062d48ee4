//! Which images run somewhere, as an engine or a cluster tells it.
//!
//! Threat: the file comes from another machine. Its size has a limit; what is no digest is refused or passed over, and
//! nothing of it is printed but names that were cut to one line and digests that were checked.

use std::collections::BTreeSet;

use release::{Digest, ImageRef};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Hash, Moment};

/// The schema of our own form.
const SCHEMA: u64 = 1;

/// A pod has some ten kilobytes of JSON; these are eight hundred of them. Two bytes of JSON can take thirty in memory.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// A name of an image is shorter; what is longer is shown cut.
const LONGEST_NAME: usize = 200;

/// One image that runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunningImage {
    /// Registry and repository as the source spells them; absent where it gave a digest alone.
    pub name: Option<String>,
    pub digest: Digest,
    /// Whether the digest is the engine's own name for the image. That is the digest of a manifest only where the engine keeps its images in
    /// containerd's store; elsewhere it names the image's configuration, which no release lists.
    pub is_id: bool,
    /// The engine's name for the image, where it gives several digests of one: that of an index and of what it leads to, or of several
    /// registries. Empty elsewhere.
    pub group: String,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// When, where the file says so.
    pub seen: Option<Moment>,
    /// Sorted, each once.
    pub images: Vec<RunningImage>,
    pub configuration: Option<Hash>,
    /// Containers of which the file names no digest: a tag that somebody moved cannot be told from one that stayed.
    pub unknown: Vec<String>,
    /// Which form it was.
    pub form: &'static str,
}

/// Why a file does not say what runs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunningError {
    #[error("it has {0} bytes; of what runs somewhere, at most {MOST_BYTES} are read")]
    TooLarge(usize),
    #[error("it is no JSON: {0}")]
    Malformed(String),
    #[error(
        "it is none of the forms that are understood: schema {SCHEMA} of this program, `docker inspect`, `docker image inspect`, `docker compose images --format json`, `kubectl get pods -o json`"
    )]
    Unknown,
    #[error("it has schema {0}; this program reads schema {SCHEMA}")]
    Schema(u64),
    #[error("`{0}` is no image with a digest: `sha256:…` or `IMAGE@sha256:…`")]
    NoDigest(String),
    #[error("nothing runs there, as far as it says")]
    Nothing,
}

/// Our own form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    schema: u64,
    seen: Moment,
    images: Vec<String>,
    #[serde(default)]
    configuration: Option<Hash>,
}

impl Running {
    /// Reads any of the forms.
    ///
    /// # Errors
    /// What is no JSON, of no known form, or names no image that runs.
    pub fn read(bytes: &[u8]) -> Result<Self, RunningError> {
        if bytes.len() > MOST_BYTES {
            return Err(RunningError::TooLarge(bytes.len()));
        }
        let value: Value = match serde_json::from_slice(bytes) {
            Ok(value) => value,
            // Compose has printed one object per line in some versions.
            Err(error) => lines(bytes).ok_or_else(|| RunningError::Malformed(error.to_string()))?,
        };
        let mut running = match &value {
            Value::Object(object) if object.contains_key("schema") => own(&value)?,
            Value::Object(object) if object.contains_key("items") => pods(object)?,
            Value::Object(object) if object.get("kind").and_then(Value::as_str) == Some("Pod") => {
                of_pods(std::slice::from_ref(&value))
            }
            Value::Object(_) => listed(std::slice::from_ref(&value))?,
            Value::Array(items) => listed(items)?,
            _ => return Err(RunningError::Unknown),
        };
        running.images.sort();
        running.images.dedup();
        running.unknown.sort();
        running.unknown.dedup();
        if running.images.is_empty() && running.unknown.is_empty() {
            return Err(RunningError::Nothing);
        }
        Ok(running)
    }

    /// The digests alone, sorted, as the ledger records them.
    #[must_use]
    pub fn digests(&self) -> Vec<String> {
        let digests: BTreeSet<String> = self.images.iter().map(|image| image.digest.to_string()).collect();
        digests.into_iter().collect()
    }

    fn of(form: &'static str) -> Self {
        Self { seen: None, images: Vec::new(), configuration: None, unknown: Vec::new(), form }
    }

    fn add(&mut self, reference: &str) {
        match image(reference) {
            Some(found) => self.images.push(found),
            None => self.unknown.push(shown(reference)),
        }
    }
}

fn lines(bytes: &[u8]) -> Option<Value> {
    let values: Result<Vec<Value>, _> = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>().collect();
    values.ok().filter(|values| values.len() > 1 && values.iter().all(Value::is_object)).map(Value::Array)
}

fn own(value: &Value) -> Result<Running, RunningError> {
    if let Some(schema) = value.get("schema").and_then(Value::as_u64).filter(|schema| *schema != SCHEMA) {
        return Err(RunningError::Schema(schema));
    }
    let own: Own = Own::deserialize(value).map_err(|error| RunningError::Malformed(error.to_string()))?;
    if own.schema != SCHEMA {
        return Err(RunningError::Schema(own.schema));
    }
    let images: Result<Vec<RunningImage>, RunningError> =
        own.images.iter().map(|text| image(text).ok_or_else(|| RunningError::NoDigest(shown(text)))).collect();
    Ok(Running { seen: Some(own.seen), images: images?, configuration: own.configuration, ..Running::of("schema 1") })
}

/// What `kubectl get pods -o json` prints.
fn pods(list: &Map<String, Value>) -> Result<Running, RunningError> {
    let items = list.get("items").and_then(Value::as_array).ok_or(RunningError::Unknown)?;
    if items.iter().any(|item| item.get("kind").and_then(Value::as_str).is_some_and(|kind| kind != "Pod")) {
        return Err(RunningError::Unknown);
    }
    Ok(of_pods(items))
}

/// Containers that run, and the init containers of pods that run, which ran before them. Pods that ended are left out: what they were is
/// not what runs.
fn of_pods(pods: &[Value]) -> Running {
    let mut running = Running::of("kubectl get pods");
    for pod in pods {
        let Some(status) = pod.get("status") else { continue };
        if status.get("phase").and_then(Value::as_str) != Some("Running") {
            continue;
        }
        for (key, also_ended) in
            [("containerStatuses", false), ("initContainerStatuses", true), ("ephemeralContainerStatuses", false)]
        {
            for container in status.get(key).and_then(Value::as_array).into_iter().flatten() {
                let state = |name: &str| container.get("state").is_some_and(|state| state.get(name).is_some());
                if !(state("running") || also_ended && state("terminated")) {
                    continue;
                }
                let text = |key: &str| container.get(key).and_then(Value::as_str).unwrap_or_default();
                let id = text("imageID");
                // The runtime's own spelling: with Docker's shim before it, or the image's configuration where nothing was pulled.
                let id = id.split_once("://").map_or(id, |(_, rest)| rest);
                if id.contains('@') {
                    running.add(id);
                } else {
                    running.unknown.push(shown(text("image")));
                }
            }
        }
    }
    running
}

/// Lists of `docker inspect` and of `docker compose images`.
fn listed(items: &[Value]) -> Result<Running, RunningError> {
    let has = |item: &Value, key: &str| item.get(key).is_some();
    let text = |item: &Value, key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    if items.is_empty() {
        return Err(RunningError::Nothing);
    }
    if items.iter().all(|item| has(item, "RepoDigests")) {
        let mut running = Running::of("docker image inspect");
        for item in items {
            let digests: Vec<&str> = item
                .get("RepoDigests")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            if digests.is_empty() {
                let tag = item.get("RepoTags").and_then(|tags| tags.get(0)).and_then(Value::as_str);
                running.unknown.push(shown(tag.unwrap_or(&text(item, "Id"))));
            }
            let first = running.images.len();
            digests.into_iter().for_each(|digest| running.add(digest));
            running.images.iter_mut().skip(first).for_each(|image| image.group = shown(&text(item, "Id")));
        }
        return Ok(running);
    }
    if items.iter().all(|item| has(item, "State") && item.get("Config").is_some_and(|config| has(config, "Image"))) {
        let mut running = Running::of("docker inspect");
        let runs = |item: &&Value| {
            item.get("State").and_then(|state| state.get("Running")).and_then(Value::as_bool) == Some(true)
        };
        for item in items.iter().filter(runs) {
            running.add(&item.get("Config").map(|config| text(config, "Image")).unwrap_or_default());
        }
        return Ok(running);
    }
    if items.iter().all(|item| has(item, "ContainerName") && has(item, "Repository") && has(item, "ID")) {
        let mut running = Running::of("docker compose images");
        for item in items {
            let name = format!("{}:{}", text(item, "Repository"), text(item, "Tag"));
            match text(item, "ID").parse() {
                Ok(digest) => {
                    let name = Some(shown(&text(item, "Repository")));
                    running.images.push(RunningImage { name, digest, is_id: true, group: String::new() });
                }
                Err(_) => running.unknown.push(shown(&name)),
            }
        }
        return Ok(running);
    }
    Err(RunningError::Unknown)
}

/// `sha256:…`, or an image with a digest.
fn image(text: &str) -> Option<RunningImage> {
    if let Ok(digest) = text.parse::<Digest>() {
        return Some(RunningImage { name: None, digest, is_id: false, group: String::new() });
    }
    let reference: ImageRef = text.parse().ok()?;
    let digest = reference.digest()?.clone();
    Some(RunningImage { name: Some(shown(&reference.name())), digest, is_id: false, group: String::new() })
}

fn shown(text: &str) -> String {
    text.chars().take(LONGEST_NAME).map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn read(text: &str) -> Result<Running, RunningError> {
        Running::read(text.replace("AAA", A).replace("BBB", B).as_bytes())
    }

    fn names(running: &Running) -> Vec<(&str, bool)> {
        running
            .images
            .iter()
            .map(|image| (image.name.as_deref().unwrap_or(""), image.digest.to_string() == A))
            .collect()
    }

    #[test]
    fn our_own_form_says_when() {
        let text =
            r#"{"schema": 1, "seen": "2026-01-01T00:00:00Z", "images": ["BBB", "r.example.org/web:1@AAA", "BBB"]}"#;
        let running = read(text).unwrap();
        assert_eq!(running.seen.as_ref().unwrap().as_str(), "2026-01-01T00:00:00Z");
        assert_eq!(names(&running), [("", false), ("r.example.org/web", true)]);
        assert_eq!(running.digests(), [A, B]);
        for (from, to) in [
            ("\"seen\": \"2026-01-01T00:00:00Z\", ", ""),
            ("2026-01-01T00:00:00Z", "yesterday"),
            ("r.example.org/web:1@AAA", "r.example.org/web:1"),
            ("\"schema\": 1", "\"schema\": 2"),
            ("\"schema\": 1", "\"schema\": 1, \"more\": 1"),
        ] {
            assert!(text.contains(from), "{from}");
            assert!(read(&text.replacen(from, to, 1)).is_err(), "{from} → {to}");
        }
        assert_eq!(read(r#"{"schema": 1, "seen": "2026-01-01T00:00:00Z", "images": []}"#), Err(RunningError::Nothing));
    }

    #[test]
    fn pods_that_run_count_and_what_has_no_digest_is_named() {
        let running = read(
            r#"{"apiVersion": "v1", "kind": "List", "items": [
                {"apiVersion": "v1", "kind": "Pod", "status": {"phase": "Running",
                    "initContainerStatuses": [{"image": "r.example.org/init:1", "imageID": "r.example.org/init@BBB",
                        "state": {"terminated": {"exitCode": 0}}}],
                    "containerStatuses": [
                        {"image": "r.example.org/web:1", "imageID": "docker-pullable://r.example.org/web@AAA", "state": {"running": {}}},
                        {"image": "r.example.org/local:1", "imageID": "BBB", "state": {"running": {}}},
                        {"image": "r.example.org/crash:1", "imageID": "r.example.org/crash@AAA", "state": {"waiting": {}}}]}},
                {"apiVersion": "v1", "kind": "Pod", "status": {"phase": "Succeeded",
                    "containerStatuses": [{"image": "r.example.org/old:1", "imageID": "r.example.org/old@AAA", "state": {"terminated": {}}}]}},
                {"apiVersion": "v1", "kind": "Pod", "status": {"phase": "Pending"}}]}"#,
        )
        .unwrap();
        assert_eq!(names(&running), [("r.example.org/init", false), ("r.example.org/web", true)]);
        assert_eq!((running.unknown, running.seen), (vec!["r.example.org/local:1".to_owned()], None));
        assert_eq!(read(r#"{"kind": "List", "items": []}"#), Err(RunningError::Nothing));
        assert_eq!(read(r#"{"kind": "List", "items": [{"kind": "Service"}]}"#), Err(RunningError::Unknown));
    }

    #[test]
    fn engines_tell_digests_in_their_own_ways() {
        let images = r#"[{"Id": "BBB", "RepoTags": ["r.example.org/web:1"], "RepoDigests": ["r.example.org/web@AAA", "mirror.example.org/web@AAA"]},
            {"Id": "BBB", "RepoTags": ["built:here"], "RepoDigests": []}]"#;
        let running = read(images).unwrap();
        assert_eq!(names(&running), [("mirror.example.org/web", true), ("r.example.org/web", true)]);
        assert_eq!(running.unknown, ["built:here"]);

        let containers = r#"[{"Id": "1", "Image": "BBB", "State": {"Running": true}, "Config": {"Image": "r.example.org/web:1@AAA"}},
            {"Id": "2", "Image": "BBB", "State": {"Running": true}, "Config": {"Image": "r.example.org/worker:1"}},
            {"Id": "3", "Image": "BBB", "State": {"Running": false}, "Config": {"Image": "r.example.org/init:1@AAA"}}]"#;
        let running = read(containers).unwrap();
        assert_eq!(names(&running), [("r.example.org/web", true)]);
        assert_eq!(running.unknown, ["r.example.org/worker:1"]);

        let compose = r#"{"ID": "AAA", "ContainerName": "x-web-1", "Repository": "r.example.org/web", "Tag": "1", "Platform": "linux/amd64", "Size": 1}"#;
        for text in [format!("[{compose}]"), format!("{compose}\n{}", compose.replace("web", "worker"))] {
            let running = read(&text).unwrap();
            assert!(
                running.images.iter().all(|image| image.is_id) && running.form == "docker compose images",
                "{text}"
            );
        }
    }

    #[test]
    fn size_and_names_have_a_limit() {
        let mut whole = format!(r#"[{{"RepoDigests": ["r.example.org/web@{A}"]}}]"#).into_bytes();
        whole.resize(8 << 20, b' ');
        assert!(Running::read(&whole).is_ok());
        whole.push(b' ');
        let error = Running::read(&whole).unwrap_err().to_string();
        assert_eq!(error, "it has 8388609 bytes; of what runs somewhere, at most 8388608 are read");
        let running = read(&format!(r#"[{{"RepoTags": ["{}"], "RepoDigests": []}}]"#, "x".repeat(1_000))).unwrap();
        assert_eq!(running.unknown, ["x".repeat(200)]);
    }

    #[test]
    fn what_is_something_else_is_refused() {
        for text in ["", "x", "1", "[1]", "{}", "[]", "[{}]", "{\"items\": 1}", "[{\"RepoDigests\": 1}, {}]"] {
            assert!(read(text).is_err(), "{text}");
        }
        let whole = format!(r#"[{{"RepoDigests": ["r.example.org/web@{A}"]}}]"#);
        for end in 0..whole.len() {
            assert!(Running::read(&whole.as_bytes()[..end]).is_err(), "{end}");
        }
    }
}
