//! The managed mirror: its settings and everything that follows from them, as values.
//!
//! Start with [`Mirror`], which is `mirror.yaml`; [`rendered`] gives the files that follow from it.

pub mod config;
pub mod environment;
pub mod exports;
pub mod gateway;
pub mod htpasswd;
pub mod jws;
pub mod usage;

use camino::Utf8PathBuf;

pub use config::schema::mirror_schema;
pub use config::{Deployment, Domain, Mirror};

/// The first words of every file that [`rendered`] gives: what begins with them was made here and may be removed here.
pub const MARK: &str = "# Written by `collimate mirror render`";

/// A file that follows from the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// From the root of the workspace.
    pub path: Utf8PathBuf,
    pub text: String,
}

/// A folder that follows from the settings: all files in it that begin with [`MARK`] and are not listed here are left over from other
/// settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// From the root of the workspace.
    pub path: Utf8PathBuf,
    /// Sorted by name.
    pub files: Vec<File>,
}

/// How a file that is there compares with what follows from the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Same,
    Missing,
    /// The first line, counted from 1, that is another one.
    Differs {
        line: usize,
    },
}

/// Compares a file with what follows from the settings.
#[must_use]
pub fn standing(wanted: &str, present: Option<&str>) -> Standing {
    let Some(present) = present else { return Standing::Missing };
    if wanted == present {
        return Standing::Same;
    }
    let same = wanted.split_inclusive('\n').zip(present.split_inclusive('\n')).take_while(|(a, b)| a == b).count();
    Standing::Differs { line: same + 1 }
}

/// Everything that follows from the settings. `source` is the path of `mirror.yaml` as the files are to name it.
#[must_use]
pub fn rendered(mirror: &Mirror, source: &str) -> Vec<Folder> {
    let folder = |path: &Utf8PathBuf, texts: Vec<(String, String)>| {
        let mark = format!("{MARK} from `{source}`: change that file and render again.\n");
        let files = texts.into_iter().map(|(name, text)| File { path: path.join(name), text: format!("{mark}{text}") });
        let mut files: Vec<File> = files.collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Folder { path: path.clone(), files }
    };
    let deployments = mirror.deployments.iter();
    let folders = deployments.flat_map(|deployment| {
        [
            folder(&deployment.gateway, gateway::files(mirror, deployment)),
            folder(&deployment.environment, environment::files(mirror)),
        ]
    });
    folders.collect()
}
