use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::signer::Signer;

/// Stands where a bundle's padding will be.
const PADDING: &str = "<padding>";

/// What an export tree holds.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// When the generation was made; a whole second.
    pub created: Timestamp,
    pub domains: Vec<DomainRecipe>,
    pub signature: Signature,
    /// Whether the index names sizes and digests of what it lists.
    pub references: bool,
}

/// One domain of it.
#[derive(Clone, Debug)]
pub struct DomainRecipe {
    pub id: String,
    pub display_name: String,
    /// How many advisories.
    pub advisories: usize,
    /// How many bytes the bundle has; as many as it needs if nothing is said.
    pub bundle_size: Option<usize>,
    /// How many exports of Excititor.
    pub exports: usize,
}

/// The form of `bundle.json.jws`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// There is none.
    Absent,
    /// The bundle is inside.
    Attached { eddsa: bool },
    /// The middle part is empty. `b64: false` signs the bytes as they are (RFC 7797), `b64: true` their base64url text.
    Detached { eddsa: bool, b64: bool },
}

impl Signature {
    pub(super) fn is_eddsa(&self) -> bool {
        matches!(self, Self::Attached { eddsa: true } | Self::Detached { eddsa: true, .. })
    }
}

impl Default for Recipe {
    fn default() -> Self {
        let domain = |id: &str, display_name: &str, advisories, exports| DomainRecipe {
            id: id.to_owned(),
            display_name: display_name.to_owned(),
            advisories,
            bundle_size: None,
            exports,
        };
        Self {
            created: "2025-10-01T06:00:00Z".parse().expect("a moment"),
            domains: vec![domain("primary", "Primary mirror", 5, 2), domain("community", "Community mirror", 3, 1)],
            signature: Signature::Detached { eddsa: false, b64: false },
            references: true,
        }
    }
}

impl Recipe {
    /// The domain of that id.
    #[track_caller]
    pub fn domain(&mut self, id: &str) -> &mut DomainRecipe {
        self.domains.iter_mut().find(|domain| domain.id == id).expect("the recipe has that domain")
    }

    /// The next generation: an hour younger, one advisory more in every domain.
    pub fn advance(&mut self) {
        self.created += SignedDuration::from_hours(1);
        for domain in &mut self.domains {
            domain.advisories += 1;
        }
    }
}

/// A change of a JSON value.
#[derive(Clone)]
pub(super) struct Edit(Arc<dyn Fn(&mut Value) + Send + Sync>);

impl Edit {
    pub(super) fn new(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self(Arc::new(change))
    }
}

impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Edit")
    }
}

/// All files of one moment, by their paths of HTTP.
#[derive(Debug)]
pub(super) struct Generation {
    files: BTreeMap<String, Document>,
    modified: String,
}

/// One file.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) bytes: Arc<[u8]>,
    /// With its quotes. Made once: the digest of 50 MB takes a while.
    pub(super) etag: String,
}

impl Document {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        let etag = format!("\"{}\"", &digest(&bytes)["sha256:".len()..][..32]);
        Self { bytes: Arc::from(bytes), etag }
    }
}

impl Generation {
    /// Bundles first, then what names their digests.
    pub(super) fn make(recipe: &Recipe, edits: &[(String, Edit)], signer: &Signer) -> Self {
        let created = recipe.created.to_string();
        let mut files = BTreeMap::new();
        let edited = |path: &str, mut value: Value| {
            for (_, edit) in edits.iter().filter(|(edited, _)| edited == path) {
                (edit.0)(&mut value);
            }
            value
        };
        let mut listed = Vec::new();
        let mut vex = Vec::new();
        for domain in &recipe.domains {
            let folder = format!("mirror/{}", domain.id);
            let at = |name: &str| format!("/concelier/exports/{folder}/{name}");
            let bundle = edited(&at("bundle.json"), domain.bundle(&created));
            let bundle = padded(bundle, domain.bundle_size);
            let mut manifest = json!({
                "schemaVersion": 1,
                "domainId": domain.id,
                "displayName": domain.display_name,
                "created": created,
                "advisories": domain.advisories,
                "bundle": reference(&format!("{folder}/bundle.json"), &bundle),
            });
            if let Some(signature) = signer.sign(&recipe.signature, &bundle) {
                manifest["bundle"]["signature"] = json!({"path": format!("{folder}/bundle.json.jws")});
                files.insert(at("bundle.json.jws"), Document::new(signature));
            }
            let manifest = written(&edited(&at("manifest.json"), manifest));
            let mut entry = json!({"id": domain.id, "displayName": domain.display_name});
            if recipe.references {
                entry["manifest"] = reference(&format!("{folder}/manifest.json"), &manifest);
                entry["bundle"] = reference(&format!("{folder}/bundle.json"), &bundle);
            }
            listed.push(entry);
            files.insert(at("bundle.json"), Document::new(bundle));
            files.insert(at("manifest.json"), Document::new(manifest));
            vex.push(json!({"id": domain.id, "displayName": domain.display_name}));
            domain.excititor(&created, &edited, &mut files);
        }
        let index = "/concelier/exports/index.json";
        let value = edited(index, json!({"schemaVersion": 1, "created": created, "domains": listed}));
        files.insert(index.to_owned(), Document::new(written(&value)));
        let domains = "/excititor/mirror/domains";
        let value = edited(domains, json!({"domains": vex}));
        files.insert(domains.to_owned(), Document::new(written(&value)));
        let modified = DateTimePrinter::new().timestamp_to_rfc9110_string(&recipe.created);
        Self { files, modified: modified.expect("a moment of this age") }
    }

    pub(super) fn file(&self, path: &str) -> Option<Document> {
        self.files.get(path).cloned()
    }

    pub(super) fn paths(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    /// As a `Last-Modified` says it.
    pub(super) fn modified(&self) -> &str {
        &self.modified
    }
}

impl DomainRecipe {
    fn bundle(&self, created: &str) -> Value {
        let advisories: Vec<Value> = (1..=self.advisories)
            .map(|number| {
                let severity = ["low", "medium", "high", "critical"][number % 4];
                json!({
                    "advisoryKey": format!("CVE-2025-{:05}", 10_000 + number),
                    "title": format!("Advisory {number} of {}", self.display_name),
                    "severity": severity,
                    "published": created,
                })
            })
            .collect();
        let mut bundle =
            json!({"schemaVersion": 1, "domainId": self.id, "generatedAt": created, "advisories": advisories});
        if self.bundle_size.is_some() {
            bundle["padding"] = PADDING.into();
        }
        bundle
    }

    fn excititor(&self, created: &str, edited: &impl Fn(&str, Value) -> Value, files: &mut BTreeMap<String, Document>) {
        let at = format!("/excititor/mirror/domains/{}", self.id);
        let mut exports = Vec::new();
        for number in 1..=self.exports {
            // A key says what it is the export of, so that its content never changes.
            let document = json!({"@context": "https://openvex.dev/ns/v0.2.0", "author": self.id, "version": number, "statements": []});
            let bytes = written(&edited(&format!("{at}/exports/openvex-{number}"), document));
            let key = format!("openvex-{number}");
            exports.push(json!({
                "exportKey": key,
                "format": "openvex",
                "createdAt": created,
                "sizeBytes": bytes.len(),
                "digest": digest(&bytes),
            }));
            files.insert(format!("{at}/exports/{key}"), Document::new(bytes));
        }
        let keys: Vec<&Value> = exports.iter().map(|export| &export["exportKey"]).collect();
        let detail = json!({"id": self.id, "displayName": self.display_name, "exports": keys});
        let index =
            json!({"id": self.id, "displayName": self.display_name, "generatedAt": created, "exports": exports});
        files.insert(at.clone(), Document::new(written(&edited(&at, detail))));
        let path = format!("{at}/index");
        files.insert(path.clone(), Document::new(written(&edited(&path, index))));
    }
}

fn written(value: &Value) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("a value is JSON");
    bytes.push(b'\n');
    bytes
}

/// The bundle's bytes, with padding that makes them `size` if that is more than they are. Filled in as bytes: a serialiser without
/// optimisation takes seconds for 50 MB.
#[track_caller]
fn padded(bundle: Value, size: Option<usize>) -> Vec<u8> {
    let bytes = written(&bundle);
    let text = String::from_utf8(bytes).expect("JSON is text");
    let Some((before, after)) = size.and_then(|_| text.split_once(PADDING)) else { return text.into_bytes() };
    let room = size.unwrap_or_default().saturating_sub(before.len() + after.len());
    let mut bytes = Vec::with_capacity(before.len() + room + after.len());
    bytes.extend_from_slice(before.as_bytes());
    let block = block();
    while bytes.len() < before.len() + room {
        let left = before.len() + room - bytes.len();
        bytes.extend_from_slice(&block[..left.min(block.len())]);
    }
    bytes.extend_from_slice(after.as_bytes());
    bytes
}

/// Characters that look random and are the same in every run. Its length is a prime, so that no page or buffer size hides a shift.
fn block() -> Vec<u8> {
    const CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..65_521)
        .map(|_| {
            // Knuth's MMIX generator; its upper bits are the good ones.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            CHARACTERS[(state >> 58) as usize]
        })
        .collect()
}

fn reference(path: &str, bytes: &[u8]) -> Value {
    json!({"path": path, "sizeBytes": bytes.len(), "digest": digest(bytes)})
}

/// `sha256:<hex>`.
pub(super) fn digest(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
