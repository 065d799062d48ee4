//! The rules: one file each, one table.
//!
//! A rule's id is its file (with `_` for `-`), its fixture folder and its heading in `docs/rules.md`; a test holds that.
//! Rules see a [`Survey`] and report symbolic places. They may be wrong about policy, never about position.

use std::ops::RangeInclusive;

use findings::{Finding, Severity};

use crate::pins::Pin;
use crate::place::Place;
use crate::survey::Survey;

/// One rule.
pub trait Rule: Sync {
    /// Its id, such as `digest-mismatch`.
    fn id(&self) -> &'static str;

    /// What it finds, in one line.
    fn summary(&self) -> &'static str;

    /// What its findings are, if the workspace says nothing else: from the least to the most severe.
    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Error..=Severity::Error
    }

    /// Reports what it finds.
    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>);

    /// Reports what only the places of all pins show. Called where a check found something that `pin` could mend.
    fn check_pins(&self, _pins: &[Pin<'_>], _out: &mut Vec<Finding<Place>>) {}
}

macro_rules! rules {
    ($($module:ident :: $rule:ident,)*) => {
        $(pub(crate) mod $module;)*

        /// Every rule, in the order of `docs/rules.md`.
        pub static RULES: &[&dyn Rule] = &[$(&$module::$rule,)*];
    };
}

rules! {
    release_schema::ReleaseSchema,
    release_duplicate_component::ReleaseDuplicateComponent,
    release_channel_mismatch::ReleaseChannelMismatch,
    release_tag_moved::ReleaseTagMoved,
    release_sample_digests::ReleaseSampleDigests,
    release_label_differs::ReleaseLabelDiffers,
    image_unlisted::ImageUnlisted,
    digest_mismatch::DigestMismatch,
    image_unpinned::ImageUnpinned,
    tag_digest_conflict::TagDigestConflict,
    component_swapped::ComponentSwapped,
    component_unused::ComponentUnused,
    profiles_differ::ProfilesDiffer,
    platform_digest::PlatformDigest,
    shared_pin_conflict::SharedPinConflict,
    unmanaged_unused::UnmanagedUnused,
    images_at_unused::ImagesAtUnused,
    image_from_environment::ImageFromEnvironment,
    yaml_misread::YamlMisread,
    compose_invalid::ComposeInvalid,
    env_undefined::EnvUndefined,
    env_unused::EnvUnused,
    secret_value_committed::SecretValueCommitted,
    placeholder_in_use::PlaceholderInUse,
    mount_source_missing::MountSourceMissing,
    port_collision::PortCollision,
    healthcheck_missing::HealthcheckMissing,
    private_key_committed::PrivateKeyCommitted,
    single_file_mount::SingleFileMount,
    helm_render::HelmRender,
    helm_lint::HelmLint,
    object_invalid::ObjectInvalid,
    duplicate_object::DuplicateObject,
    selector_mismatch::SelectorMismatch,
    label_unstable::LabelUnstable,
    port_unknown::PortUnknown,
    dangling_reference::DanglingReference,
    nondeterministic_template::NondeterministicTemplate,
    config_value_not_string::ConfigValueNotString,
    outbound_host::OutboundHost,
    collector_config_differs::CollectorConfigDiffers,
    collector_tls_missing::CollectorTlsMissing,
    collector_pipeline_dangling::CollectorPipelineDangling,
    mirror_domains_differ::MirrorDomainsDiffer,
    mirror_password_weak::MirrorPasswordWeak,
    docs_version_stale::DocsVersionStale,
    ignore_unused::IgnoreUnused,
    ignore_expired::IgnoreExpired,
    policy_weakened::PolicyWeakened,
}

/// The rule of this id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static dyn Rule> {
    RULES.iter().copied().find(|rule| rule.id() == id)
}

/// Everything that the rules find, in the order of the table.
#[must_use]
pub fn check(survey: &Survey<'_>) -> Vec<Finding<Place>> {
    let mut out = Vec::new();
    for rule in RULES {
        rule.check(survey, &mut out);
    }
    out
}

/// Everything that the rules find in the places of all pins (see [`pins`](crate::pins())).
#[must_use]
pub fn check_pins(pins: &[Pin<'_>]) -> Vec<Finding<Place>> {
    let mut out = Vec::new();
    for rule in RULES {
        rule.check_pins(pins, &mut out);
    }
    out
}
