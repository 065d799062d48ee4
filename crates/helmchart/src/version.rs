//! The Helm whose behaviour is reproduced, and where its major versions differ.

/// Which Helm to be. Helm 4's differences are the named switches below; everything else is shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HelmVersion {
    /// Helm 3.22.
    #[default]
    V3,
    /// Helm 4.3.
    V4,
}

impl HelmVersion {
    /// `.Capabilities.HelmVersion.Version`.
    #[must_use]
    pub fn version(self) -> &'static str {
        match self {
            Self::V3 => "v3.22.0",
            Self::V4 => "v4.3.1",
        }
    }

    /// `.Capabilities.HelmVersion.GoVersion` of the pinned build.
    #[must_use]
    pub fn go_version(self) -> &'static str {
        "go1.26.8"
    }

    /// `.Capabilities.HelmVersion.KubeClientVersion`, which only Helm 4 has.
    #[must_use]
    pub fn kube_client_version(self) -> Option<&'static str> {
        match self {
            Self::V3 => None,
            Self::V4 => Some("v1.37"),
        }
    }

    /// Major and minor of the Kubernetes that a chart sees without `--kube-version`: the one whose client library is in the
    /// release, v0.37 in both.
    #[must_use]
    pub fn default_kube(self) -> (u32, u32) {
        (1, 37)
    }

    /// The package in which this version keeps `Values`, `Capabilities` and `KubeVersion`, as `%T` shows it.
    #[must_use]
    pub fn values_package(self) -> &'static str {
        match self {
            Self::V3 => "chartutil",
            Self::V4 => "common",
        }
    }

    /// Helm 4 leaves out nulls that a chart has among its own defaults; Helm 3 keeps them.
    #[must_use]
    pub fn drops_default_nulls(self) -> bool {
        self == Self::V4
    }

    /// Helm 4 gives templates the chart's metadata as a map with all fields; Helm 3 as a struct.
    #[must_use]
    pub fn chart_is_map(self) -> bool {
        self == Self::V4
    }
}
