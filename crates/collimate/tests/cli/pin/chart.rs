//! A chart whose templates put each image together in another way, with values of each profile.

use super::compose::Shape;
use super::image::{Held, REGISTRY};
use super::slots::slot;
use super::world::Files;
use crate::rollout::model::Chance;

pub(crate) const CHART: &str = "chart";

/// A chart while it is made.
pub(crate) struct Chart {
    templates: String,
    /// Values of each profile, in the order of the profiles.
    values: Vec<String>,
    /// Below `sub:` of each.
    sub_values: Vec<String>,
    sub_templates: String,
    /// Below `global:` of each.
    globals: Vec<String>,
}

const HELPERS: &str = "\
{{- define \"app.image\" -}}
{{- $tag := .tag | default \"none\" -}}
{{ .registry }}/{{ .repository }}:{{ $tag }}{{ with .digest }}@{{ . }}{{ end }}
{{- end -}}
{{- /* eine Zeile\tmit Tab, für Ö */ -}}
{{- define \"app.join\" -}}
{{ printf \"%s/%s:%s@%s\" .registry .repository (.tag | toString) .digest }}
{{- end -}}
";

impl Chart {
    pub(crate) fn new(profiles: usize) -> Self {
        Self {
            templates: String::new(),
            values: vec![String::new(); profiles],
            sub_values: vec![String::new(); profiles],
            sub_templates: String::new(),
            globals: vec![String::new(); profiles],
        }
    }

    /// One component, as each profile holds it.
    pub(crate) fn component(
        &mut self,
        chance: &mut Chance,
        held: &[Held],
        versions: &[String],
        refused: bool,
    ) -> Shape {
        let name = held[0].component.name.clone();
        let repository = held[0].component.repository();
        let full: Vec<String> = held.iter().map(Held::reference).collect();
        let split: Vec<Held> = held.iter().map(|held| held.clone().with_digest()).collect();
        let parts = |held: &Held| {
            format!(
                "registry: {REGISTRY}\n  repository: {repository}\n  tag: {}\n  digest: {}",
                held.plain_tag(),
                held.digest()
            )
        };
        let each = |write: &mut dyn FnMut(usize) -> String| -> Vec<String> { (0..held.len()).map(write).collect() };
        let v = format!(".Values.{name}");
        if refused {
            return self.refusal(chance, held, &split);
        }
        let (image, values): (String, Vec<String>) = match chance.below(19) {
            0 => (format!("{{{{ {v}.image }}}}"), each(&mut |at| format!("{name}:\n  image: {} # kept\n", full[at]))),
            1 => (
                format!("{{{{ {v}.image | quote }}}}"),
                each(&mut |at| format!("{name}: {{image: \"{}\"}}\n", full[at])),
            ),
            2 => (
                format!("\"{{{{ {v}.registry }}}}/{{{{ {v}.repository }}}}:{{{{ {v}.tag }}}}@{{{{ {v}.digest }}}}\""),
                each(&mut |at| format!("{name}:\n  {}\n", parts(&split[at]))),
            ),
            3 => (
                format!("{{{{ printf \"%s/%s:%s@%s\" {v}.registry {v}.repository {v}.tag {v}.digest | quote }}}}"),
                each(&mut |at| format!("{name}:\n  {}\n", parts(&split[at]))),
            ),
            4 => (
                format!("{{{{ include \"app.image\" {v} }}}}"),
                each(&mut |at| format!("{name}:\n  {}\n", parts(&split[at]))),
            ),
            5 => (
                format!("{{{{- include \"app.join\" {v} | nindent 12 }}}}"),
                each(&mut |at| format!("{name}:\n  {}\n", parts(&split[at]))),
            ),
            6 => (
                format!("{{{{ tpl {v}.image $ }}}}"),
                each(&mut |at| {
                    let (tag, digest) = (split[at].tag(), split[at].digest());
                    format!(
                        "{name}:\n  registry: {REGISTRY}\n  image: '{{{{ {v}.registry }}}}/{repository}:{tag}@{digest}'\n"
                    )
                }),
            ),
            7 => (
                format!(
                    "{{{{ with {v} }}}}{REGISTRY}/{{{{ .repository }}}}:{{{{ .tag }}}}@{{{{ .digest }}}}{{{{ end }}}}"
                ),
                each(&mut |at| {
                    format!(
                        "{name}: {{ repository: '{repository}', tag: '{}', digest: {} }}\n",
                        split[at].tag(),
                        split[at].digest()
                    )
                }),
            ),
            8 => (
                format!("{REGISTRY}/{repository}:{{{{ {v}.tag }}}}@sha256:{{{{ {v}.hex }}}}"),
                each(&mut |at| format!("{name}:\n  tag: \"{}\"\n  hex: \"{}\"\n", split[at].tag(), split[at].hex())),
            ),
            9 => (
                format!(
                    "{REGISTRY}/{repository}:{{{{ {v}.tag | default {v}.otherTag }}}}@{{{{ default \"none\" {v}.digest }}}}"
                ),
                each(&mut |at| {
                    format!(
                        "{name}:\n  tag: \"\"\n  otherTag: '{}'\n  digest: >-\n    {}\n",
                        split[at].tag(),
                        split[at].digest()
                    )
                }),
            ),
            10 => (
                format!("{{{{ include \"app.image\" {v} }}}}"),
                each(&mut |at| format!("x{name}: &{name}\n  {}\n{name}: *{name}\n", parts(&split[at]))),
            ),
            11 => (
                format!("{{{{ include \"app.image\" {v} }}}}"),
                each(&mut |at| {
                    format!("x{name}: &{name}\n  {}\n{name}:\n  <<: *{name}\n  pullPolicy: Always\n", parts(&split[at]))
                }),
            ),
            12 => {
                let template = deployment(&name, "", None);
                let (head, _) = template.split_once("        - name:").unwrap();
                self.templates.push_str(&format!("{head}{{{{- toYaml {v}.containers | nindent 8 }}}}\n"));
                for (at, values) in self.values.iter_mut().enumerate() {
                    values
                        .push_str(&format!("{name}:\n  containers:\n    - name: {name}\n      image: {}\n", full[at]));
                }
                return Shape::Written;
            }
            13 => {
                for (at, globals) in self.globals.iter_mut().enumerate() {
                    let (tag, digest) = (split[at].tag(), split[at].digest());
                    globals.push_str(&format!("  {name}:\n    tag: '{tag}'\n    digest: {digest}\n"));
                }
                let value = |key: &str| format!("{{{{ .Values.global.{name}.{key} }}}}");
                let image = format!("{REGISTRY}/{repository}:{}@{}", value("tag"), value("digest"));
                self.sub_templates.push_str(&deployment(&name, &image, None));
                return Shape::Written;
            }
            14 => {
                let value = |key: &str| format!("{{{{ .Values.{name}.{key} }}}}");
                let image = format!("{REGISTRY}/{repository}:{}@{}", value("tag"), value("digest"));
                self.sub_templates.push_str(&deployment(&name, &image, None));
                for (at, values) in self.sub_values.iter_mut().enumerate() {
                    values.push_str(&format!(
                        "  {name}:\n    tag: \"{}\"\n    digest: \"{}\"\n",
                        split[at].tag(),
                        split[at].digest()
                    ));
                }
                return Shape::Written;
            }
            15 if held.len() == 1 => (full[0].clone(), vec![String::new()]),
            // What is kept for a digest takes one.
            16 | 17 => (
                format!("{{{{ include \"app.image\" {v} }}}}"),
                each(&mut |at| {
                    let digest = match &held[at].digest {
                        None if chance.one_in(2) => slot("", &format!(" sha256:{}", held[at].component.digest)),
                        _ => format!(" \"{}\"", held[at].digest()),
                    };
                    let (tag, repository) = (held[at].plain_tag(), &repository);
                    format!(
                        "{name}:\n  registry: {REGISTRY}\n  digest:{digest}\n  repository: {repository}\n  tag: {tag}\n"
                    )
                }),
            ),
            _ => (
                format!(
                    "{{{{ ternary {v}.digest \"\" true | printf \"%s/%s:%s@%s\" \"{REGISTRY}\" \"{repository}\" {v}.tag }}}}"
                ),
                each(&mut |at| {
                    format!("{name}:\n  tag: \"{}\"\n  digest: |-\n    {}\n", split[at].tag(), split[at].digest())
                }),
            ),
        };
        let label =
            chance.one_in(3).then(|| format!("example.org/release.version: {{{{ .Values.{name}Version | quote }}}}"));
        self.templates.push_str(&deployment(&name, &image, label.as_deref()));
        for (at, own) in self.values.iter_mut().enumerate() {
            own.push_str(&values[at]);
            if label.is_some() {
                own.push_str(&format!("{name}Version: \"{}\"\n", versions[at]));
            }
        }
        Shape::Written
    }

    fn refusal(&mut self, chance: &mut Chance, held: &[Held], split: &[Held]) -> Shape {
        let name = held[0].component.name.clone();
        let repository = held[0].component.repository();
        let without: Vec<Held> = held.iter().map(|held| Held { digest: None, ..held.clone() }).collect();
        let v = format!(".Values.{name}");
        let kind = chance.below(3);
        let (image, label, shape) = match kind {
            // What `b64dec` makes has no bytes of its own in the values.
            0 => (
                format!("{REGISTRY}/{repository}:{{{{ {v}.tag }}}}@{{{{ {v}.digest | b64enc | b64dec }}}}"),
                None,
                Shape::Refused,
            ),
            // The tag is a label as well, which cannot hold a digest.
            1 => (
                format!("{{{{ include \"app.image\" {v} }}}}"),
                Some(format!("app.kubernetes.io/version: {{{{ {v}.tag | trunc 20 | quote }}}}")),
                Shape::Refused,
            ),
            _ => (format!("\"{REGISTRY}/{repository}:{{{{ {v}.tag }}}}\""), None, Shape::TagWithDigest),
        };
        self.templates.push_str(&deployment(&name, &image, label.as_deref()));
        for (at, own) in self.values.iter_mut().enumerate() {
            let start = format!("{name}:\n  registry: {REGISTRY}\n  repository: {repository}\n");
            own.push_str(&match kind {
                0 => {
                    let other = Held { digest: Some(rollout::Hash::of(b"of another day")), ..split[at].clone() };
                    format!("{start}  tag: '{}'\n  digest: {}\n", other.tag, other.digest())
                }
                1 => format!("{start}  tag: '{}'\n", &without[at].end()[1..]),
                _ => format!("{start}  tag: \"{}\"\n", &without[at].end()[1..]),
            });
        }
        shape
    }

    /// Writes the chart; gives what the workspace says of each profile.
    pub(crate) fn write(self, chance: &mut Chance, files: &mut Files, names: &[String]) -> Vec<String> {
        files.put(chance, &format!("{CHART}/Chart.yaml"), "apiVersion: v2\nname: app\nversion: 0.1.0\n".to_owned());
        files.put(chance, &format!("{CHART}/values.yaml"), "# Werte für alle\nunused: true\n".to_owned());
        files.put(chance, &format!("{CHART}/templates/_helpers.tpl"), HELPERS.to_owned());
        if !self.templates.is_empty() {
            files.put(chance, &format!("{CHART}/templates/all.yaml"), self.templates);
        }
        if !self.sub_templates.is_empty() {
            let sub = format!("{CHART}/charts/sub");
            files.put(chance, &format!("{sub}/Chart.yaml"), "apiVersion: v2\nname: sub\nversion: 0.1.0\n".to_owned());
            files.put(chance, &format!("{sub}/templates/all.yaml"), self.sub_templates);
        }
        let mut sources = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let mut values = format!("# «{name}»\ttabs\n{}", self.values[at]);
            for (key, below) in [("sub", &self.sub_values[at]), ("global", &self.globals[at])] {
                if !below.is_empty() {
                    values.push_str(&format!("{key}:\n{below}"));
                }
            }
            let path = format!("values/{name}.yaml");
            files.put(chance, &path, values);
            sources.push(format!("chart: {CHART}, values: [{path}]"));
        }
        sources
    }
}

fn deployment(name: &str, image: &str, label: Option<&str>) -> String {
    let label = label.map(|label| format!("        {label}\n")).unwrap_or_default();
    format!(
        "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\nspec:\n  selector: {{matchLabels: {{app: {name}}}}}\n  \
         template:\n    metadata:\n      labels:\n        app: {name}\n{label}    spec:\n      containers:\n        - name: {name}\n          \
         image: {image}\n"
    )
}
