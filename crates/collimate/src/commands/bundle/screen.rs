//! Secrets in settings and YAML: the net that knows what this workspace's files mean. The other one, which knows keys and tokens by
//! their bytes, is in the crate `bundle`.

use source::{FileId, is_secret_name};
use yamlspan::{Dialect, Kind, NodeRef};

/// Endings of files that hold keys and passwords, whatever is in them today.
const SECRET_ENDINGS: [&str; 10] =
    [".key", ".pem", ".p12", ".pfx", ".p8", ".jks", ".keystore", ".htpasswd", ".kubeconfig", ".env"];

/// Last words of names whose value is a secret itself. `secret` alone is not among them: charts name Secrets with it.
const PLAIN_NAMES: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "pwd",
    "dsn",
    "clientsecret",
    "secretkey",
    "authorization",
];

/// What a file holds that must not leave the house, beside what the crate `bundle` finds.
pub(super) fn secret(path: &str, bytes: &[u8]) -> Option<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let lower = name.to_ascii_lowercase();
    if lower == ".env" || lower.ends_with(".env") {
        return Some("settings of a real deployment; only examples are packed".to_owned());
    }
    if let Some(ending) = SECRET_ENDINGS.iter().find(|ending| lower.ends_with(*ending)) {
        return Some(format!("a file for keys or passwords, by its ending `{ending}`"));
    }
    let text = std::str::from_utf8(bytes).ok()?;
    if let Some((_, what)) = alignment::private_key(text) {
        return Some(format!("a key ({what})"));
    }
    if certificate(text) {
        return Some("a certificate; each site makes its own".to_owned());
    }
    let is_yaml =
        lower.ends_with(".yaml") || lower.ends_with(".yml") || lower.ends_with(".json") || lower.ends_with(".tpl");
    if let Some(what) = is_yaml.then(|| of_yaml(text)).flatten() {
        return Some(what);
    }
    // Also in comments and in prose, where examples stand; those are placeholders.
    if let Some(at) = text.lines().position(has_password_in_url) {
        return Some(format!("a password in a URL, on line {}", at + 1));
    }
    let is_settings = lower.contains(".env");
    let is_prose = lower.ends_with(".md");
    text.lines().filter(|_| !is_prose).find_map(|line| setting(line, is_settings))
}

/// A certificate with a body; prose names the line too.
fn certificate(text: &str) -> bool {
    text.split("-----BEGIN CERTIFICATE-----").skip(1).any(|rest| {
        let line = rest.trim_start().lines().next().unwrap_or_default().trim();
        line.len() >= 40 && line.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
    })
}

/// Values that the structure of YAML makes secret: those of a Kubernetes Secret, and the `value` beside a secret `name`.
fn of_yaml(text: &str) -> Option<String> {
    let Ok(documents) = yamlspan::parse(text, FileId(0), Dialect::GoYamlV2) else { return of_template(text) };
    documents.iter().find_map(|document| {
        let root = document.root();
        if is_scalar(root.get("kind"), "Secret") {
            let parts = ["data", "stringData"].into_iter().filter_map(|part| root.get(part));
            let mut entries = parts.flat_map(|part| part.target().entries());
            if let Some((key, _)) = entries.find(|(_, value)| is_secret(*value)) {
                return Some(of_secret(key.raw()));
            }
        }
        named_values(root)
    })
}

fn of_secret(key: &str) -> String {
    format!("the value of `{key}` of a Secret")
}

fn is_scalar(node: Option<NodeRef<'_>>, text: &str) -> bool {
    node.is_some_and(|node| node.kind() == Kind::Scalar && node.raw() == text)
}

fn is_secret(value: NodeRef<'_>) -> bool {
    let value = value.target();
    value.kind() == Kind::Scalar && alignment::is_secret_value(value.raw())
}

/// `{name: REDIS_PASSWORD, value: …}`, as containers have it, anywhere below. Aliases are not followed: their anchors are looked at.
fn named_values(root: NodeRef<'_>) -> Option<String> {
    let mut waiting = vec![root];
    while let Some(node) = waiting.pop() {
        waiting.extend(node.items());
        waiting.extend(node.entries().map(|(_, value)| value));
        let own =
            |key: &str| node.entries().find(|(name, _)| is_scalar(Some(*name), key)).map(|(_, value)| value.target());
        if let (Some(name), Some(value)) = (own("name"), own("value"))
            && name.kind() == Kind::Scalar
            && is_secret_name(name.raw())
            && is_secret(value)
        {
            return Some(format!("the value of `{}`", name.raw()));
        }
    }
    None
}

/// The Secrets of a template, which is no YAML yet: literal values below `data:` in a document that says `kind: Secret`.
fn of_template(text: &str) -> Option<String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    for document in
        text.split("\n---").filter(|document| document.lines().any(|line| line.trim_end() == "kind: Secret"))
    {
        let mut within: Option<usize> = None;
        for line in document.lines().filter(|line| !line.trim().is_empty()) {
            if matches!(line.trim(), "data:" | "stringData:") {
                within = Some(indent(line));
            } else if within.is_some_and(|outer| indent(line) <= outer) && !line.trim_start().starts_with("{{") {
                within = None;
            } else if let (Some(_), Some((key, value))) = (within, line.trim().split_once(':'))
                && !value.contains("{{")
                && alignment::is_secret_value(value)
            {
                return Some(of_secret(key));
            }
        }
    }
    None
}

/// Whether a line has a URL with a password that is not the shell's or a template's word for one, such as `docker://${image%%:*}@…`.
fn has_password_in_url(line: &str) -> bool {
    let mut rest = line;
    while let Some(password) = alignment::password_in_url(rest) {
        let start = rest[..password.start].rfind("://").unwrap_or(0);
        let user_info = &rest[start..password.end];
        if !user_info.contains("${") && !user_info.contains("{{") {
            return true;
        }
        rest = &rest[password.end..];
    }
    false
}

/// A line that sets something secret: `NAME=value`, `name: value`, also in a list or with quotes.
fn setting(line: &str, is_settings: bool) -> Option<String> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let line = line.strip_prefix("export ").unwrap_or(line);
    let line = line.trim_start_matches(['-', ' ', '"', '\'']);
    let end = line.find(|character: char| !character.is_ascii_alphanumeric() && !"_-.".contains(character))?;
    let (name, rest) = line.split_at(end);
    let rest = rest.trim_start_matches(['"', '\'']);
    let assigned = if is_settings { rest.strip_prefix('=') } else { rest.strip_prefix(':').or(rest.strip_prefix('=')) };
    let value = assigned.map(|value| value.split(" #").next().unwrap_or(value).trim().trim_matches(['"', '\'', ',']));
    let value = value?;
    let secret = if is_settings { is_secret_name(name) } else { is_plain_secret(name) };
    let literal = !value.contains("{{") && !value.starts_with(['{', '[', '&', '*', '|', '>', '!']);
    (secret && literal && alignment::is_secret_value(value)).then(|| format!("the value of `{name}`"))
}

fn is_plain_secret(name: &str) -> bool {
    let joined: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|character| character.to_ascii_lowercase()).collect();
    (is_secret_name(name) || joined.ends_with("authorization")) && PLAIN_NAMES.iter().any(|word| joined.ends_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, text: &str, expected: Option<&str>) {
        assert_eq!(secret(path, text.as_bytes()).as_deref(), expected, "{path}: {text}");
    }

    #[test]
    fn names_of_real_files() {
        let real = Some("settings of a real deployment; only examples are packed");
        check("deploy/compose/env/airgap.env", "A=1\n", real);
        check("x/.env", "", real);
        check("x/server.key", "", Some("a file for keys or passwords, by its ending `.key`"));
        check("x/airgap.env.example", "A=1\n", None);
    }

    #[test]
    fn settings() {
        let example = "x/airgap.env.example";
        check(example, "REDIS_PASSWORD=change-me:redis-password\nPORT=1\nTOKEN_FILE=/run/x\n", None);
        check(example, "# REDIS_PASSWORD=example\n", None);
        check(example, "REDIS_PASSWORD=hunter2\n", Some("the value of `REDIS_PASSWORD`"));
        check(example, "export CLIENT_SECRET='s3cret'\n", Some("the value of `CLIENT_SECRET`"));
        check(example, "REDIS=redis://u:hunter2@h/0\n", Some("a password in a URL, on line 1"));
        check("a.md", "\nAsk `https://u:hunter2@h/x`.\n", Some("a password in a URL, on line 2"));
        check("a.yaml", "# https://u:hunter2@h/x\n", Some("a password in a URL, on line 1"));
        check("a.md", "Ask `https://h/a@b`, `https://u@h` or `https://u:${P}@h`.\n", None);
        check("a.md", "copy \"docker://${image%%:*}@${image#*@}\" x\n", None);
        check("a.md", "`docker://${i%:*}@x` or https://u:hunter2@h\n", Some("a password in a URL, on line 1"));
        check(example, "IMAGE=registry/x@sha256:00\n", None);
    }

    #[test]
    fn yaml() {
        check("a.yaml", "basic_auth:\n  username: x\n  password: hunter2\n", Some("the value of `password`"));
        check("a.yaml", "password: ${env:PASSWORD}\ntoken: \"{{ .Values.token }}\"\npassword_file: x\n", None);
        check("a.yaml", "secret: stellaops-mongo\nsecretName: x\nexistingSecret: y\n", None);
        check("a.yaml", "headers: {X: 1}\n  authorization: Bearer abcdef\n", Some("the value of `authorization`"));
        let object =
            |value: &str| format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: x}}\ndata:\n  a: {value}\n");
        check("a.yaml", &object("aHVudGVyMg=="), Some("the value of `a` of a Secret"));
        check("a.yaml", &object("Y2hhbmdlLW1lOng="), None);
        check("a.yaml", &object("{{ .Values.a }}"), None);
        check(
            "a.yaml",
            &format!("{{{{- if .Values.x }}}}\n{}", object("aHVudGVyMg==")),
            Some("the value of `a` of a Secret"),
        );
        let env = |value: &str| {
            format!("env:\n  - {{name: PORT, value: '80'}}\n  - {{name: REDIS_PASSWORD, value: {value}}}\n")
        };
        check("a.yaml", &env("hunter2"), Some("the value of `REDIS_PASSWORD`"));
        check("a.yaml", &env("$(REDIS)"), None);
        let many = format!("kind: ConfigMap\ndata: {{a: b}}\n---\n{}", object("aHVudGVyMg=="));
        check("a.yaml", &many, Some("the value of `a` of a Secret"));
    }

    #[test]
    fn certificates_and_keys() {
        let body = "MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF";
        let block = |label: &str| format!("x: |\n  -----BEGIN {label}-----\n  {body}\n  -----END {label}-----\n");
        check("a.yaml", &block("CERTIFICATE"), Some("a certificate; each site makes its own"));
        check("a.yaml", &block(&["PRIVATE", "KEY"].join(" ")), Some("a key (private key)"));
        check("a.md", "A file with `-----BEGIN CERTIFICATE-----` in it.\n", None);
    }
}
