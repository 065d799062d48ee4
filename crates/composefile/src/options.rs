//! What to load and how: the flags of `docker compose … config`.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

/// Which of Compose's own `profiles:` are active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Profiles {
    /// These, as `--profile` would give them. None named: `COMPOSE_PROFILES` decides.
    Named(Vec<String>),
    /// All, as `--profile "*"`.
    All,
}

/// How to load a project. `Options::default()` with `files` is `docker compose -f … config` in the folder `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Absolute folder that relative paths given here start from, and that makes paths in the output absolute. Files
    /// below it are asked for by their path relative to it.
    pub current_dir: Utf8PathBuf,
    /// `-f`, in order. Empty: `COMPOSE_FILE`, else the first default name found in the project folder.
    pub files: Vec<Utf8PathBuf>,
    /// `--env-file`, in order. Empty: `COMPOSE_ENV_FILES`, else `.env` in the project folder if there is one.
    pub env_files: Vec<Utf8PathBuf>,
    /// The host's environment; it wins over env files.
    pub environment: BTreeMap<String, String>,
    /// `-p`.
    pub project_name: Option<String>,
    /// `--project-directory`. Default: the folder of the first file.
    pub project_directory: Option<Utf8PathBuf>,
    /// `--profile`.
    pub profiles: Profiles,
    /// Only these services and what they depend on; empty: all.
    pub services: Vec<String>,
    /// Whether texts carry the places of their bytes.
    pub trace: bool,
    /// `false` is `--no-interpolate`.
    pub interpolate: bool,
    /// `false` is `--no-normalize`.
    pub normalize: bool,
    /// `false` is `--no-consistency`.
    pub consistency: bool,
    /// `false` is `--no-path-resolution`.
    pub resolve_paths: bool,
    /// `false` is `--no-env-resolution`.
    pub resolve_environment: bool,
    /// Whether networks, volumes, secrets, configs and models that no service uses are dropped, as `config` does.
    pub prune: bool,
    pub limits: Limits,
}

/// What hostile input may use up. The defaults are far above what real projects need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Nodes of one document after its aliases are expanded. Compose stops at 100,000 visited nodes *before*
    /// expansion; this bounds memory (about 100 bytes each) after it.
    pub nodes: usize,
    /// Nesting of mappings and sequences: every step recurses, and a thread's stack is finite.
    pub depth: usize,
    /// Files reached one through the other by `include`.
    pub include_depth: usize,
    /// Services reached one through the other by `extends`.
    pub extends_depth: usize,
    /// Files read in all: `include` in a tree of folders grows exponentially.
    pub files: usize,
    /// `${A:-${B:-…}}`: each level recurses.
    pub interpolation_depth: usize,
    /// Bytes of one interpolated value: twenty lines of `B=$A$A` in an env file make a megabyte, thirty a gigabyte.
    pub interpolated_bytes: usize,
    /// Bytes of all interpolated values together: five hundred uses of one megabyte are half a gigabyte. Those of real projects
    /// stay below one megabyte.
    pub all_interpolated_bytes: usize,
    /// Bytes searched for the ends of variables: `${A:-${A:-…` has as many ends to look for as it has bytes, so that the work grows
    /// with the square of its length. This is a tenth of a second of it.
    pub searched_bytes: usize,
    /// Variables that all env files set, those of services counted for each. Each is kept with its place; a file has a few hundred.
    pub variables: usize,
    /// Values that services take over by `extends`: a thousand services that extend one with a thousand variables make a
    /// million of three kilobytes. Each takes some 400 bytes until the project is printed.
    pub extended_nodes: usize,
    /// Ports that one range such as `1-65535` may stand for, summed over a project: each becomes an entry of its own, and Docker starts
    /// a process for it.
    pub ports: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            nodes: 500_000,
            depth: 100,
            include_depth: 50,
            extends_depth: 100,
            files: 2_000,
            interpolation_depth: 50,
            interpolated_bytes: 4 << 20,
            all_interpolated_bytes: 16 << 20,
            searched_bytes: 1 << 30,
            variables: 200_000,
            extended_nodes: 300_000,
            ports: 70_000,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            current_dir: Utf8PathBuf::from("/"),
            files: Vec::new(),
            env_files: Vec::new(),
            environment: BTreeMap::new(),
            project_name: None,
            project_directory: None,
            profiles: Profiles::Named(Vec::new()),
            services: Vec::new(),
            trace: false,
            interpolate: true,
            normalize: true,
            consistency: true,
            resolve_paths: true,
            resolve_environment: true,
            prune: true,
            limits: Limits::default(),
        }
    }
}
