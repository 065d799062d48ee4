//! Keys that one `trust.yaml` trusts and another does not, or not for so much or so long.

use alignment::Weakening;
use rollout::Trust;

/// Keys that only the working tree trusts, or trusts for more or longer.
pub(super) fn weaker_keys(trusted: Option<&Trust>, own: Option<&Trust>) -> Vec<Weakening> {
    let mut out = Vec::new();
    let mut add = |span, what| out.push(Weakening { span: Some(span), what });
    for key in own.iter().flat_map(|own| &own.keys) {
        let name = &key.name.value;
        let Some(known) = trusted.and_then(|trusted| trusted.entry(&key.key)) else {
            add(key.name.span, format!("the key {} of `{name}` is trusted", key.key.id()));
            continue;
        };
        if known.name.value != *name {
            add(key.name.span, format!("the key {} is of `{name}`, not of `{}`", key.key.id(), known.name.value));
        }
        for role in key.roles.iter().filter(|role| known.may_be(&role.value).is_err()) {
            add(role.span, format!("`{name}` may be `{}`", role.value));
        }
        if key.from.value < known.from.value || known.until.value < key.until.value {
            add(key.name.span, format!("the key {} of `{name}` is trusted for longer", key.key.id()));
        }
        let end = |key: &rollout::TrustedKey| key.revoked.as_ref().map(|day| day.value);
        if let Some(revoked) = end(known)
            && end(key).is_none_or(|own| own > revoked)
        {
            add(key.name.span, format!("the key {} of `{name}` is not revoked on {revoked}", key.key.id()));
        }
    }
    out
}
