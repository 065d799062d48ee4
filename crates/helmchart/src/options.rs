//! What a render depends on beside the chart: the flags of `helm template`.

use camino::Utf8PathBuf;
use gotemplate::Limits;

use crate::HelmVersion;

/// One `--set…` flag. Helm applies them by kind in the order json, set, string, file, literal, whatever their order on the
/// command line; so do we.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetValue {
    /// `--set a.b=c,d=e`
    Set(String),
    /// `--set-string a.b=c`
    String(String),
    /// `--set-json 'a={"b": 1}'`
    Json(String),
    /// `--set-file a=path`; the path `-` asks the door to files for stdin. [`crate::set_files`] tells which paths there are.
    File(String),
    /// `--set-literal a=b`
    Literal(String),
}

/// The flags of `helm template` and `helm lint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderOptions {
    /// `helm template NAME`. Lint uses `test-release` whatever stands here.
    pub release_name: String,
    /// `--namespace`
    pub namespace: String,
    /// `--values`, in order; `-` as with `--set-file`.
    pub values: Vec<Utf8PathBuf>,
    /// `--set` and its relatives.
    pub set: Vec<SetValue>,
    /// `--kube-version`
    pub kube_version: Option<String>,
    /// `--api-versions`, appended to the built-in list.
    pub api_versions: Vec<String>,
    /// Which Helm to be.
    pub helm: HelmVersion,
    /// `--include-crds`
    pub include_crds: bool,
    /// `--skip-tests`
    pub skip_tests: bool,
    /// `--no-hooks`
    pub no_hooks: bool,
    /// `--is-upgrade`
    pub is_upgrade: bool,
    /// `--skip-schema-validation`
    pub skip_schema_validation: bool,
    /// `--render-subchart-notes`
    pub subchart_notes: bool,
    /// `helm lint --strict`: warnings fail too.
    pub strict: bool,
    /// Whether texts carry their origins.
    pub trace: bool,
    /// What `now` says, in seconds since 1970-01-01 UTC. `None`: the epoch, so that output does not depend on the clock.
    pub now: Option<i64>,
    /// Where random functions take their values from: a seed gives the same ones in every run, which is right for comparing
    /// renders and wrong for real secrets. `None`: the system.
    pub seed: Option<[u8; 32]>,
    /// Bounds for hostile charts.
    pub limits: Limits,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self {
            release_name: "release-name".to_owned(),
            namespace: "default".to_owned(),
            values: Vec::new(),
            set: Vec::new(),
            kube_version: None,
            api_versions: Vec::new(),
            helm: HelmVersion::default(),
            include_crds: false,
            skip_tests: false,
            no_hooks: false,
            is_upgrade: false,
            skip_schema_validation: false,
            subchart_notes: false,
            strict: false,
            trace: false,
            now: None,
            seed: None,
            limits: Limits::default(),
        }
    }
}
