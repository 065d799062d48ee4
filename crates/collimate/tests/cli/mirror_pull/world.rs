use std::collections::BTreeMap;
use std::fs;

use camino::Utf8PathBuf;
use testkit::{Cli, Exports, Recipe, Sandbox};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_collimate");

/// What must never be printed.
pub(crate) const PASSWORD: &str = "geheim-4711-acme";

pub(crate) const INDEX: &str = "/concelier/exports/index.json";
pub(crate) const MANIFEST: &str = "/concelier/exports/mirror/primary/manifest.json";
pub(crate) const BUNDLE: &str = "/concelier/exports/mirror/primary/bundle.json";
pub(crate) const SIGNATURE: &str = "/concelier/exports/mirror/primary/bundle.json.jws";
pub(crate) const VEX_DOMAIN: &str = "/excititor/mirror/domains/primary";
pub(crate) const VEX_INDEX: &str = "/excititor/mirror/domains/primary/index";
pub(crate) const VEX_EXPORT: &str = "/excititor/mirror/domains/primary/exports/openvex-1";

/// A mirror, and a folder with a password and the mirror's key.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) exports: Exports,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Recipe::default())
    }

    pub(crate) fn with(recipe: Recipe) -> Self {
        let (sandbox, exports) = (Sandbox::new(), Exports::start_with(recipe));
        sandbox.write("password", format!("{PASSWORD}\n")).write("jws.pem", exports.public_key());
        Self { sandbox, exports }
    }

    /// A pull into `copy` with the mirror's key, which asks once where the mirror fails.
    pub(crate) fn pull(&self) -> Cli {
        self.pull_unkeyed().args(["--key", "jws.pem"])
    }

    pub(crate) fn pull_unkeyed(&self) -> Cli {
        self.patient_pull().args(["--patience", "0"])
    }

    /// Without `--patience` and `--key`.
    pub(crate) fn patient_pull(&self) -> Cli {
        let url = self.exports.url();
        Cli::new(PROGRAM)
            .folder(self.sandbox.root())
            .replace(&url, "http://mirror")
            .args(["mirror", "pull", "copy", "--url", &url, "--domain", "primary", "--user", "acme"])
            .args(["--password-file", "password"])
    }

    /// What `latest` names.
    #[track_caller]
    pub(crate) fn latest(&self) -> String {
        let target = fs::read_link(self.sandbox.path("copy/latest")).expect("`latest` is a link");
        target.to_str().expect("a name").to_owned()
    }

    /// Files that `latest` shows, by their path, without the record.
    #[track_caller]
    pub(crate) fn shown(&self) -> BTreeMap<String, Vec<u8>> {
        let root = self.sandbox.path("copy").join(self.latest());
        let mut files = BTreeMap::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in folder.read_dir_utf8().unwrap() {
                let path = entry.unwrap().path().to_owned();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.insert(path.strip_prefix(&root).unwrap().to_string(), fs::read(&path).unwrap());
                }
            }
        }
        files.remove("replica.json").expect("a record");
        files
    }

    /// What a copy of the mirror's domain must show now.
    pub(crate) fn expected(&self) -> BTreeMap<String, Vec<u8>> {
        self.exports.paths().iter().filter_map(|path| Some((local(path)?, self.exports.file(path).to_vec()))).collect()
    }

    #[track_caller]
    pub(crate) fn assert_in_step(&self) {
        assert!(self.shown() == self.expected(), "the copy is not what the mirror has");
    }

    pub(crate) fn generations(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .sandbox
            .path("copy")
            .read_dir_utf8()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_owned())
            .filter(|name| name.starts_with("20"))
            .collect();
        names.sort();
        names
    }

    pub(crate) fn path(&self, path: &str) -> Utf8PathBuf {
        self.sandbox.path("copy").join(path)
    }
}

/// Where a path of HTTP lies in a generation, if it belongs to the domain.
pub(crate) fn local(path: &str) -> Option<String> {
    match path {
        INDEX => return Some("mirror/index.json".to_owned()),
        VEX_DOMAIN => return Some("excititor/mirror/domains/primary/domain.json".to_owned()),
        VEX_INDEX => return Some("excititor/mirror/domains/primary/index.json".to_owned()),
        _ => {}
    }
    let local = path.strip_prefix("/concelier/exports/").or(path.strip_prefix('/'))?;
    (local.starts_with("mirror/primary/") || local.starts_with("excititor/mirror/domains/primary/"))
        .then(|| local.to_owned())
}
