//! Values that the API server reads as base64.

use findings::Severity;
use yamlspan::{Scalar, base64};

use super::{Wrong, is_left_open};
use crate::secrets::asks_for_a_value;

impl Wrong<'_, '_, '_> {
    /// One finding for each object: where the kind is wrong, or the part that the values stand in, all of them are.
    pub(super) fn encoded(&mut self) {
        let object = self.object;
        let (part, plain) = match (object.kind, object.group()) {
            ("Secret", "") => ("data", "stringData"),
            ("ConfigMap", "") => ("binaryData", "data"),
            _ => return,
        };
        let Some(data) = object.node.target().get(part) else { return };
        let wrong = data.target().entries().find(|(_, value)| {
            let value = value.target();
            let text = value.raw();
            value.value() == Scalar::Str && base64::decode(text).is_none() && !is_left_open(text) && !asks_for_a_value(text)
        });
        let Some((key, _)) = wrong else { return };
        let key = key.raw();
        let message = format!("`{key}` under `{part}` of {} is no base64", object.title());
        let help = format!("encode it, or write it as it is under `{plain}`");
        let path = object.path_of(&[part]).key(key);
        let mut finding = self.finding(Severity::Error, path, message, &help);
        finding.is_secret = object.kind == "Secret";
        self.out.push(finding);
    }
}
