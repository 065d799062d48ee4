//! Secrets that a controller makes because an object of its own asks for them: what a profile renders is only the request.

use crate::kubernetes::{KubeObject, text};

/// Kind, namespace and name of what a controller makes of an object, if it is one of those that people use in place of Secrets.
pub(crate) fn made_of<'a>(object: &KubeObject<'a>) -> Option<(&'a str, &'a str, &'a str)> {
    let at = |path: &[&str]| text(object.node, path).filter(|name| !name.is_empty());
    let name = match (object.kind, object.group()) {
        ("Certificate", "cert-manager.io") => at(&["spec", "secretName"])?,
        ("ExternalSecret", "external-secrets.io") => at(&["spec", "target", "name"]).unwrap_or(object.name),
        ("SealedSecret", "bitnami.com") | ("OnePasswordItem", "onepassword.com") => object.name,
        ("VaultDynamicSecret" | "VaultPKISecret" | "VaultStaticSecret", "secrets.hashicorp.com") => {
            at(&["spec", "destination", "name"])?
        }
        _ => return None,
    };
    Some(("Secret", object.namespace, name))
}
