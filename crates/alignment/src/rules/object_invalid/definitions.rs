//! What a CustomResourceDefinition calls the resource that it defines.

use findings::Severity;
use yamlspan::NodeRef;

use super::Wrong;
use crate::kubernetes::text;
use crate::place::Path;

impl<'a> Wrong<'_, '_, 'a> {
    pub(super) fn definition(&mut self) {
        let object = self.object;
        if (object.kind, object.group()) != ("CustomResourceDefinition", "apiextensions.k8s.io") {
            return;
        }
        let Some(spec) = object.node.target().get("spec") else { return };
        let path = object.path_of(&["spec"]);
        let Some(group) = self.said(spec, "group", &path) else { return };
        let Some(names) = spec.target().get("names") else { return };
        let path = path.key("names");
        let Some(plural) = self.said(names, "plural", &path) else { return };
        if !object.name.is_empty() && object.name.strip_suffix(group).and_then(|name| name.strip_suffix('.')) != Some(plural) {
            let message = format!("{} defines `{plural}.{group}`, and has another name", object.title());
            let place = |path: Path| self.profile.value(self.variant, object.object, path);
            let finding = self
                .finding(Severity::Error, object.path_of(&["metadata", "name"]), message, "its name is `plural` and `group`, with a `.` between")
                .related(place(path.key("plural")), "`plural`")
                .related(place(object.path_of(&["spec", "group"])), "`group`");
            self.out.push(finding);
        }
        let Some(kind) = self.said(names, "kind", &path) else { return };
        // Both follow from the kind where nobody writes them; one alone may be another on purpose.
        let singular = text(names, &["singular"]).filter(|singular| !singular.eq_ignore_ascii_case(kind));
        let list = text(names, &["listKind"]).filter(|list| list.strip_suffix("List") != Some(kind));
        if let (Some(singular), Some(list)) = (singular, list) {
            let message = format!("`kind` of {} is `{kind}`, with `singular: {singular}` and `listKind: {list}`", object.title());
            let help = match list.strip_suffix("List").filter(|kind| kind.eq_ignore_ascii_case(singular)) {
                Some(kind) => format!("did you mean `{kind}`?"),
                None => "give all three one name".to_owned(),
            };
            let other = self.profile.value(self.variant, object.object, path.key("listKind"));
            let finding = self.finding(Severity::Warning, path.key("kind"), message, &help);
            self.out.push(finding.related(other, "a list of another kind"));
        }
    }

    /// What a key says, or a finding where it says nothing.
    fn said(&mut self, node: NodeRef<'a>, key: &str, path: &Path) -> Option<&'a str> {
        let said = text(node, &[key]).filter(|said| !said.is_empty());
        if said.is_none() {
            let path = if node.target().get(key).is_some() { path.key(key) } else { path.clone() };
            let message = format!("{} has no `{key}`", self.object.title());
            self.push(path, message, &format!("write `{key}`"));
        }
        said
    }
}
