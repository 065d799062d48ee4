//! Compose files in which each service writes its image in another way.

use super::image::{Held, REGISTRY};
use super::world::Files;
use crate::rollout::model::Chance;

/// A Compose profile while it is made; texts hold slots.
#[derive(Default)]
pub(crate) struct Parts {
    /// Before `services:`.
    top: String,
    services: String,
    include: Vec<String>,
    env: String,
    /// Services of a second file, laid over the first.
    over: String,
    /// Whole files beside the first, by name.
    beside: Vec<(String, String)>,
}

/// How a refusal of a shape can be got past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `pin` can write it.
    Written,
    /// It cannot.
    Refused,
    /// Only with `--tag-with-digest`.
    TagWithDigest,
}

/// One service that uses `held`, in any way that can be written, or with `refused` in one that cannot.
pub(crate) fn service(chance: &mut Chance, parts: &mut Parts, held: &Held, version: &str, refused: bool) -> Shape {
    let name = held.component.name.as_str();
    let upper = name.to_uppercase();
    let repository = format!("{REGISTRY}/{}", held.component.repository());
    if refused {
        return refusal(chance, parts, held);
    }
    let reference = held.reference();
    let split = held.clone().with_digest();
    let old = format!("{repository}:0.9@sha256:{}", "0".repeat(64));
    let block = |image: &str| format!("  {name}:\n    image: {image}\n");
    let mut text = match chance.below(19) {
        0 => block(&reference),
        1 => block(&format!("{reference}   # was\t{old} «früher»")),
        2 => block(&format!("\"{reference}\" # in quotes")),
        3 => block(&format!("'{reference}'")),
        4 => format!("  {name}:\n    hostname: {name}\n    image: >-\n      {reference}\n"),
        5 => format!("  {name}:\n    image: |-\n      {reference}\n    hostname: {name}\n"),
        6 => {
            parts.services.push_str(&format!("  {name}: {{hostname: {name}, image: {reference}}} # {{}}\n"));
            return Shape::Written;
        }
        7 => {
            parts.services.push_str(&format!("  {name}: {{ \"image\" : \"{reference}\" , hostname: 'ü' }}\n"));
            return Shape::Written;
        }
        8 => {
            parts.top.push_str(&format!("x-{name}: &{name} {reference}\n"));
            block(&format!("*{name}"))
        }
        9 => {
            parts.top.push_str(&format!("x-{name}: &{name}\n  image: {reference} # shared\n  hostname: {name}\n"));
            format!("  {name}:\n    <<: *{name}\n    hostname: other\n")
        }
        10 => block(&format!("${{{upper}_REF:-{reference}}}")),
        11 => {
            parts.env.push_str(&env_line(chance, &format!("{upper}_REF"), &reference));
            block(&format!("${{{upper}_REF:?set it}}"))
        }
        12 => {
            parts.env.push_str(&env_line(chance, &format!("{upper}_TAG"), &split.tag()));
            parts.env.push_str(&env_line(chance, &format!("{upper}_DIGEST"), &split.digest()));
            block(&format!("{repository}:${{{upper}_TAG}}@${upper}_DIGEST"))
        }
        13 => {
            let (tag, digest) = (split.tag(), split.digest());
            block(&format!("\"{repository}:${{{upper}_TAG:-{tag}}}@${{{upper}_DIGEST-{digest}}}\""))
        }
        14 => {
            let file = format!("{name}-base.yaml");
            parts.beside.push((file.clone(), format!("services:\n  base:\n    image: {reference} # the base\n")));
            format!("  {name}:\n    extends: {{file: {file}, service: base}}\n    hostname: {name}\n")
        }
        15 => {
            let file = format!("{name}-included.yaml");
            parts.beside.push((file.clone(), format!("services:\n  {name}:\n    image: {reference}\n")));
            parts.include.push(file);
            return Shape::Written;
        }
        16 => {
            parts.over.push_str(&block(&reference));
            block(&old)
        }
        // An escape in it: the reference is no one piece of the file any more, but its tag and its digest are.
        17 => {
            let end = split.end();
            block(&format!("\"{REGISTRY}\\x2f{}{end}\"", held.component.repository()))
        }
        _ => {
            parts.env.push_str(&format!("{upper}_REGISTRY={REGISTRY}\n"));
            let inner =
                format!("\"${{{upper}_REGISTRY}}/{}:{}@{}\"", held.component.repository(), split.tag(), split.digest());
            parts.env.push_str(&format!("{upper}_REF={inner}\n"));
            block(&format!("${{{upper}_REF}}"))
        }
    };
    match chance.below(4) {
        0 => text.push_str(&format!("    labels:\n      org.example.release.version: \"{version}\"\n")),
        1 => text.push_str(&format!("    labels:\n      - org.example.release.version={version}\n")),
        _ => {}
    }
    parts.services.push_str(&text);
    Shape::Written
}

fn refusal(chance: &mut Chance, parts: &mut Parts, held: &Held) -> Shape {
    let name = held.component.name.as_str();
    let upper = name.to_uppercase();
    let repository = format!("{REGISTRY}/{}", held.component.repository());
    let without = Held { digest: None, ..held.clone() };
    let (text, shape) = match chance.below(3) {
        // A digest over two lines is no one piece of the file.
        0 => {
            let held = Held { digest: Some(rollout::Hash::of(b"of another day")), ..held.clone() };
            let hex = rollout::Hash::of(b"of another day").to_string();
            let (first, second) = hex.split_at(20);
            (format!("\"{repository}:{}@sha256:{first}\\\n      {second}\"", held.tag), Shape::Refused)
        }
        1 => {
            parts.env.push_str(&env_line(chance, &format!("{upper}_TAG"), &without.end()[1..]));
            (format!("{repository}:${{{upper}_TAG}}"), Shape::TagWithDigest)
        }
        _ => (format!("\"{repository}:${{{upper}_TAG:-{}}}\"", &without.end()[1..]), Shape::TagWithDigest),
    };
    parts.services.push_str(&format!("  {name}:\n    image: {text}\n"));
    shape
}

/// `NAME=value`, in any spelling of env files.
fn env_line(chance: &mut Chance, name: &str, value: &str) -> String {
    match chance.below(6) {
        0 => format!("{name}={value}\n"),
        1 => format!("export {name}={value}\n"),
        2 => format!("# {name}=old\n{name}='{value}'\n"),
        3 => format!("{name}=\"{value}\" # «kept»\n"),
        4 => format!("{name}={value}   # after\tspaces\n"),
        _ => format!("\n  {name} = {value}\n"),
    }
}

impl Parts {
    /// Writes the files into `folder`; gives what the workspace says of them.
    pub(crate) fn write(self, chance: &mut Chance, files: &mut Files, folder: &str) -> String {
        let mut text = format!("# {}\n", chance.of(&["Dienste für alle", "services\tof\ttabs", "---"]));
        if !self.include.is_empty() {
            text.push_str(&format!("include: [{}]\n", self.include.join(", ")));
        }
        text.push_str(&self.top);
        text.push_str("services:\n");
        text.push_str(&self.services);
        if self.services.is_empty() {
            text.push_str("  # all are included\n  {}\n");
        }
        let mut compose = vec![format!("{folder}/compose.yaml")];
        files.put(chance, &compose[0], text);
        for (name, text) in self.beside {
            files.put(chance, &format!("{folder}/{name}"), text);
        }
        if !self.over.is_empty() {
            compose.push(format!("{folder}/over.yaml"));
            files.put(chance, &compose[1], format!("services:\n{}", self.over));
        }
        let mut source = format!("compose: [{}]", compose.join(", "));
        if !self.env.is_empty() {
            let env = format!("{folder}/{}", chance.of(&["prod.env", ".env", ".hidden/x.env"]));
            files.put(chance, &env, self.env);
            source.push_str(&format!(", env: [{env}]"));
        }
        source
    }
}
