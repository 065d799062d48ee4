//! Which go-yaml.

/// The version of go-yaml whose reading is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `go.yaml.in/yaml/v2`, as `sigs.k8s.io/yaml` uses it: YAML 1.1 booleans (`yes`, `on`, `n`).
    GoYamlV2,
    /// `go.yaml.in/yaml/v3`.
    GoYamlV3,
    /// `go.yaml.in/yaml/v4`, as compose-go uses it.
    GoYamlV4,
}
