use release::Gates;
use rollout::Moment;

use super::Verdict;
use crate::place::Manifest;
use crate::policy::Policy;
use crate::signature::{Refusal, Signatures};

const GATE: &str = "signature";

/// The manifest that is taken must be signed, by a key that has the role which the gates name. `None` where they name none.
pub(crate) fn signature(
    policy: &Policy,
    gates: &[&Gates],
    (channel, manifest): (&str, &Manifest<'_>),
    signatures: &Signatures,
    now: &Moment,
) -> Option<Verdict> {
    let roles: Vec<&str> = gates.iter().filter_map(|gates| Some(gates.signed_by.as_ref()?.value.as_str())).collect();
    let first = roles.first()?;
    let path = manifest.path;
    let Some(trust) = policy.trust() else {
        let why = format!("`{first}` must have signed `{path}`, and nobody's key is trusted");
        return Some(Verdict::failed(GATE, why, "let `trust` in `collimate.yaml` name them"));
    };
    if signatures.is_empty() {
        let why = format!("`{path}` is not signed, and `{first}` must have signed it");
        return Some(Verdict::failed(GATE, why, format!("collimate release sign {channel} --key KEY")));
    }
    let untrusted = |why: String| {
        let way_out = "do not take it; put back what was signed, or ask its maker, by another way";
        Some(Verdict::untrusted(GATE, format!("`{path}` is not trusted: {why}"), way_out))
    };
    let mut refusals = Vec::new();
    for key in &trust.keys {
        match signatures.verify(manifest.text.as_bytes(), &key.key) {
            Err(refusal) => refusals.push(refusal),
            Ok(()) => {
                let judged = roles.iter().try_for_each(|role| trust.judge(&key.key, role, now.day()).map(|_| ()));
                if let Err(fault) = judged {
                    return untrusted(fault.to_string());
                }
                let of = &manifest.release.channel.value;
                if of != channel {
                    return untrusted(format!("it is signed for channel `{of}`, and `{channel}` holds it"));
                }
                let (name, id) = (&key.name.value, key.key.id());
                return Some(Verdict::passed_by(GATE, format!("passed: `{name}`, key {id}")));
            }
        }
    }
    // Of many reasons, the one of the key that the signature names itself; else that no key is the right one.
    let told = refusals.iter().find(|refusal| !matches!(refusal, Refusal::OtherKey(_) | Refusal::ChangedOrOtherKey));
    untrusted(match (told, signatures.key_id()) {
        (Some(refusal), _) => refusal.to_string(),
        (None, Some(id)) => format!("key {id}, which signed it, is not among the trusted ones"),
        (None, None) => "it was changed since it was signed, or signed with a key that is not trusted".to_owned(),
    })
}
