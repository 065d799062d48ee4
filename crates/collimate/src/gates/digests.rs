use findings::plural;
use release::DigestKind;

use super::{GateArgs, Verdict};
use crate::place::Manifest;

const GATE: &str = "resolved-digests";

/// Stand-ins name no image that a registry has.
pub(crate) fn resolved_digests(source: &Manifest<'_>, args: &GateArgs) -> Verdict {
    if source.release.digests.value == DigestKind::Resolved {
        return Verdict::passed(GATE);
    }
    if args.allow_sample_digests {
        return Verdict::passed_by(GATE, "passed by: sample digests are allowed");
    }
    let version = &source.release.version.value;
    let unknown = source.release.components.iter().filter(|component| component.digest.get().is_none()).count();
    let why = match unknown {
        0 => format!("the digests of `{version}` are stand-ins"),
        unknown => format!("`{version}` does not know {} yet", plural(unknown, "digest")),
    };
    Verdict::failed(GATE, why, "write the digests of the registry into its manifest, or give `--allow-sample-digests`")
}
