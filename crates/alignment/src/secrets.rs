//! What a secret looks like in a file.

use std::ops::Range;

use camino::Utf8Path;
use source::{is_secret_name, words_of_name as words};
use yamlspan::base64;

use crate::{hosts, names};

/// How a secret is spelled in an example: `change-me:<name>`.
pub(crate) const PLACEHOLDER: &str = "change-me:";

/// The placeholder as the start of base64, for the `data` of a Secret.
const PLACEHOLDER_BASE64: &str = "Y2hhbmdlLW1l";

/// Whether a value is, or holds, a placeholder.
pub(crate) fn is_placeholder(value: &str) -> bool {
    value.contains(PLACEHOLDER) || value.starts_with(PLACEHOLDER_BASE64)
}

/// Whether the value of a secret-named key is a secret that should not stand in a file: not empty, no placeholder, no
/// variable, and not a mere switch or number.
#[must_use]
pub fn is_secret_value(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    // Of a connection string only the password is secret.
    if hosts::schemes(value).next().is_some() {
        return password_in_url(value).is_some();
    }
    let harmless = value.is_empty()
        || value.starts_with(['$', '/'])
        || is_blank(value)
        || is_path_of_key(value)
        || matches!(value, "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "~" | "[]" | "{}")
        // What Go's `printf` writes where it was given nothing: `%!s(<nil>)`.
        || value.starts_with("%!")
        || value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        || (value.contains('$') && (value.contains("${") || value.contains("$(")))
        || is_placeholder(value);
    !harmless
}

/// Whether a value has the form of a place to be filled in, `<your token>` or `XXXX`: nobody takes that for a password.
fn is_blank(value: &str) -> bool {
    let mut letters = value.bytes().filter(u8::is_ascii_alphanumeric).peekable();
    let is_crossed = letters.peek().is_some() && letters.all(|letter| matches!(letter, b'x' | b'X'));
    is_crossed || value.starts_with('<') && value.ends_with('>')
}

/// How files of keys and certificates end.
const KEY_FILES: [&str; 7] = [".crt", ".jks", ".key", ".keystore", ".p12", ".pem", ".pfx"];

/// Whether a value says where a key lies: `config/jwt/private.pem`.
fn is_path_of_key(value: &str) -> bool {
    value.contains('/') && KEY_FILES.iter().any(|ending| value.ends_with(ending))
}

/// Last words of names whose value people choose, so that it may be a number or any word. Of a token or a key a number is a lifetime or a count more often.
const CHOSEN: [&str; 5] = ["passphrase", "password", "passwd", "pwd", "secret"];

/// Digits of the shortest number that counts as a password: `0` and `1` are switches.
const LEAST_DIGITS: usize = 4;

/// Whether a file should not hold this value of a key of this name.
pub(crate) fn is_secret_pair(name: &str, value: &str) -> bool {
    is_secret_key(name, value) && is_secret_value_of(name, value)
}

/// Whether a key holds a secret by its name, and does not choose an option or point at an object with this value.
fn is_secret_key(name: &str, value: &str) -> bool {
    is_secret_name(name)
        && !is_option(name)
        && !is_name_of_object(name, value)
        && !is_none(name, value)
        && !is_open_source(name, value)
}

/// Words for "none", as programs want them that insist on a key.
const NONE: [&str; 8] = ["disabled", "dummy", "invalid", "missing", "none", "undefined", "unset", "unused"];

/// Whether a key or token is a word that says that there is none. Of a password, and of a secret that two sides share, it would be the value.
fn is_none(name: &str, value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    NONE.iter().any(|word| value.eq_ignore_ascii_case(word))
        && words(name).last().is_none_or(|last| !CHOSEN.contains(&last.as_str()))
}

/// Whether a data source lets nobody in: it is one word, as `memory`.
fn is_open_source(name: &str, value: &str) -> bool {
    words(name).last().is_some_and(|last| last == "dsn")
        && !value.contains(['@', '=', ':'])
        && !looks_random(value.trim())
}

/// Last words of names that choose how secrets are handled: `SECRET_BACKEND: vault`. Masking does not know them: it may hide too much.
/// The same goes for whose they are and where they come from: `CREDENTIAL_USERNAME`, `CREDENTIALS_SOURCE`.
const OPTIONS: [&str; 26] = [
    "backend",
    "class",
    "driver",
    "enabled",
    "encoding",
    "engine",
    "format",
    "hasher",
    "host",
    "hostname",
    "language",
    "length",
    "manager",
    "mechanism",
    "mode",
    "namespace",
    "protocol",
    "provider",
    "realm",
    "scheme",
    "servers",
    "source",
    "store",
    "strategy",
    "username",
    "version",
];

fn is_option(name: &str) -> bool {
    let words = words(name);
    // etcd's own: it tells clusters apart, and lets nobody in.
    words.last().is_some_and(|last| OPTIONS.contains(&last.as_str()))
        || words.ends_with(&["initial", "cluster", "token"].map(str::to_owned))
}

/// Words before `secret` where the value is the name of an object: `PULL_SECRET`, `existing-secret`, `TLS_SECRET`.
const OF_OBJECTS: [&str; 5] = ["cert", "certificate", "existing", "pull", "tls"];

/// Whether a value is the name of a Secret by what its key is called, and by its own looks.
fn is_name_of_object(name: &str, value: &str) -> bool {
    let words = words(name);
    let of_object =
        |pair: &[String]| OF_OBJECTS.contains(&pair[0].as_str()) && matches!(pair[1].as_str(), "secret" | "secrets");
    says_only_secret(&words)
        && words.windows(2).any(of_object)
        && is_object_name(value.trim().trim_matches(['[', ']', '"', '\'', ' ']))
}

/// Words of names that hold a secret which is no object.
const OF_VALUES: [&str; 19] = [
    "app",
    "client",
    "consumer",
    "cookie",
    "credential",
    "credentials",
    "hmac",
    "jwt",
    "key",
    "oauth",
    "passphrase",
    "passwd",
    "password",
    "pwd",
    "session",
    "shared",
    "signing",
    "token",
    "webhook",
];

fn says_only_secret(words: &[String]) -> bool {
    !words.iter().any(|word| OF_VALUES.contains(&word.as_str()))
}

/// Whether a key may hold the name of a Secret, if there is one of that name.
pub(crate) fn may_name_object(name: &str) -> bool {
    let words = words(name);
    says_only_secret(&words) && words.iter().any(|word| matches!(word.as_str(), "secret" | "secrets"))
}

/// Whether Kubernetes takes this as the name of an object, and nobody would as a key.
fn is_object_name(value: &str) -> bool {
    names::is_subdomain(value) && !looks_random(value)
}

/// Whether the value is a secret if a key of this name holds one: some passwords are numbers.
pub(crate) fn is_secret_value_of(name: &str, value: &str) -> bool {
    is_secret_value(value) || {
        let value = value.trim().trim_matches(['"', '\'']);
        let is_number = value.len() >= LEAST_DIGITS && value.bytes().all(|byte| byte.is_ascii_digit());
        is_number && words(name).last().is_some_and(|last| CHOSEN.contains(&last.as_str()))
    }
}

/// How files begin or go on that hold a secret in a form that others may see: encrypted, or the public half of it.
const COVERED: [&str; 4] = ["-----BEGIN ", "$ANSIBLE_VAULT;", "ENC[AES", "\"sops\":"];

/// Whether the text of a file that Compose takes as a secret is one that should not be committed. Keys are `private-key-committed`'s.
pub(crate) fn is_secret_file(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && !is_placeholder(text) && !COVERED.iter().any(|start| text.contains(start))
}

/// Words that a file name has where an operator is meant to copy it and fill it in: `.env.example`, `env.sample`, `example.env`.
const EXAMPLE_WORDS: [&str; 5] = ["dist", "example", "examples", "sample", "template"];

/// Whether a file is an example by its name. (`placeholder-in-use` is stricter: our own placeholder belongs in `*.example`.)
pub(crate) fn is_to_be_filled_in(path: &Utf8Path) -> bool {
    path.file_name().is_some_and(|name| name.split(['.', '-', '_']).any(|word| EXAMPLE_WORDS.contains(&word)))
}

/// How people ask for a value in an example, without punctuation: `CHANGE_ME`, `change-me`, `<your token>`, `replace-with-…`.
const ASKING: [&str; 10] = [
    "changeme",
    "changeit",
    "changethis",
    "enteryour",
    "fillin",
    "insertyour",
    "overrideme",
    "putyour",
    "replace",
    "your",
];

/// Whether a value of an example only stands for one.
pub(crate) fn asks_for_a_value(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let letters = || value.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase);
    is_blank(value) || ASKING.iter().any(|asking| letters().take(asking.len()).eq(asking.chars()))
}

/// Entries of a Secret that are secret whatever their names sound like, as Kubernetes and Docker call them.
const SECRET_ENTRIES: [&str; 6] = [".dockercfg", ".dockerconfigjson", "auth", "ca.key", "ssh-privatekey", "tls.key"];

/// Letters and digits of a value that nobody made up: keys and tokens are longer, names and settings mixed like this are shorter.
const LEAST_RANDOM: usize = 20;

/// What an entry of a Secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SecretEntry {
    /// A user name, a host, a whole configuration: a Secret holds them as well.
    Plain,
    Secret,
    /// A text with secrets in these places.
    Parts(Vec<Range<usize>>),
}

/// What an entry of a Secret is: by its name, by what its text holds, or because it looks like a key.
#[must_use]
pub(crate) fn secret_entry(name: &str, value: &str, is_base64: bool) -> SecretEntry {
    let decoded = is_base64.then(|| base64::decode(value.trim()));
    let text = match decoded {
        None => Some(value.to_owned()),
        Some(bytes) => match bytes.map(String::from_utf8) {
            Some(Ok(text)) => Some(text),
            Some(Err(error)) if is_archive(error.as_bytes()) && !is_secret_name(name) => return SecretEntry::Plain,
            _ => None,
        },
    };
    // What is no text is a key of some form.
    let Some(text) = text else { return SecretEntry::Secret };
    let is_named = is_secret_key(name, &text) || SECRET_ENTRIES.contains(&name);
    let mut parts = secret_lines(&text);
    parts.extend(password_in_url(&text).filter(|url| !parts.iter().any(|part| part.contains(&url.start))));
    let is_key = private_key(&text).is_some();
    // A name tells of one value; a text of several lines tells where it is.
    if !parts.is_empty() && !is_key && (!is_named || text.contains('\n')) {
        return if is_base64 { SecretEntry::Secret } else { SecretEntry::Parts(parts) };
    }
    if is_named || is_key || looks_random(text.trim()) { SecretEntry::Secret } else { SecretEntry::Plain }
}

/// How files begin that tools pack, compile or draw: no key is one.
const ARCHIVES: [&[u8]; 11] = [
    b"\x1f\x8b",
    b"PK\x03\x04",
    b"BZh",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"\x89PNG",
    b"GIF8",
    b"\xff\xd8\xff",
    b"\x7fELF",
    b"\0asm",
    b"%PDF",
];

fn is_archive(bytes: &[u8]) -> bool {
    ARCHIVES.iter().any(|start| bytes.starts_with(start))
}

/// How a block of YAML is opened, whose first line follows.
const BLOCKS: [&str; 6] = ["|", "|-", "|+", ">", ">-", ">+"];

/// Where secrets stand in the lines of a text: `PASSWORD=hunter2`, `export TOKEN=x`, `password: hunter2`.
fn secret_lines(text: &str) -> Vec<Range<usize>> {
    let (mut found, mut at) = (Vec::new(), 0);
    let mut opened: Option<&str> = None;
    for line in text.split_inclusive('\n') {
        let end = at + line.trim_end().len();
        at += line.len();
        let mut content = line.trim();
        let mut name = opened.take().filter(|_| !content.is_empty());
        if name.is_none() {
            content = content.trim_start_matches("- ");
            content = content.strip_prefix("export ").unwrap_or(content);
            let Some((key, value)) = content.split_once(['=', ':']) else { continue };
            let key = key.trim().trim_matches(['"', '\'']);
            if key.contains(char::is_whitespace) || !is_secret_name(key) {
                continue;
            }
            content = value.trim_start();
            if BLOCKS.contains(&content) {
                opened = Some(key);
                continue;
            }
            name = Some(key);
        }
        // In JSON a comma follows.
        let value = content.strip_suffix(',').unwrap_or(content);
        if name.is_some_and(|name| is_secret_pair(name, value)) {
            let start = end - content.len();
            let quotes = value.len() - value.trim_start_matches(['"', '\'']).len();
            found.push(start + quotes..start + value.trim_end_matches(['"', '\'']).len());
        }
    }
    found
}

/// Long, of one word, and with digits among both kinds of letters or hexadecimal ones.
fn looks_random(value: &str) -> bool {
    let in_key = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-');
    let has = |is: fn(&u8) -> bool| value.as_bytes().iter().any(is);
    let is_mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    let is_hexadecimal = value.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_token = value.starts_with("eyJ") && value.contains('.');
    value.len() >= LEAST_RANDOM
        && (is_token || value.bytes().all(in_key) && has(u8::is_ascii_digit) && (is_mixed || is_hexadecimal))
}

/// The password within a URL of the value, if it stands there as such.
#[must_use]
pub fn password_in_url(value: &str) -> Option<Range<usize>> {
    hosts::schemes(value).find_map(|at| userinfo(value, at))
}

fn userinfo(value: &str, at: usize) -> Option<Range<usize>> {
    let start = at + "://".len();
    let end = value[start..].find(['/', ' ', '"', '\'', '?', '#']).map_or(value.len(), |end| start + end);
    // A placeholder holds a colon of its own; a `/` or `@` in a password must be escaped in a URL.
    let sign = start + value[start..end].rfind('@')?;
    let colon = start + value[start..sign].find(':')?;
    let password = &value[colon + 1..sign];
    (!password.contains("://") && is_secret_value(password)).then_some(colon + 1..sign)
}

/// Flags whose value is a password, whoever reads them. Of others that end alike it may be a switch (`--validate-password=ON`).
const FLAGS: [&str; 6] =
    ["--admin-password", "--db-password", "--masterauth", "--password", "--requirepass", "--root-password"];

/// Flags whose value is the word after them. Of `--password` that may be what the command is about.
const FLAGS_BEFORE: [&str; 2] = ["--masterauth", "--requirepass"];

/// Whether the next item of a command is a password.
pub(crate) fn is_password_flag(item: &str) -> bool {
    FLAGS_BEFORE.contains(&item)
}

/// Whether a word of a command can only be a value, and is a secret one.
pub(crate) fn is_password_word(word: &str) -> bool {
    let is_value = |first: char| !matches!(first, '-' | '<' | '{' | '%' | '@' | '`' | '$' | '/');
    word.starts_with(is_value) && !word.contains("$(") && is_secret_value(word)
}

/// The password that a flag gives to a command: `--password=x`, `--requirepass x`.
pub(crate) fn password_of_flag(command: &str) -> Option<Range<usize>> {
    let quotes = ['"', '\''];
    let mut is_next = false;
    for word in command.split_ascii_whitespace() {
        let bare = word.trim_matches(quotes);
        let value = match bare.split_once('=') {
            Some((flag, value)) if FLAGS.contains(&flag) => Some(value.trim_matches(quotes)),
            _ => is_next.then_some(bare),
        };
        if let Some(value) = value.filter(|value| is_password_word(value)) {
            // Words are parts of the command.
            let start = value.as_ptr() as usize - command.as_ptr() as usize;
            return Some(start..start + value.len());
        }
        is_next = is_password_flag(bare);
    }
    None
}

/// How PEM and OpenPGP blocks begin.
const BLOCK: &str = "-----BEGIN ";
/// How age's secret keys begin.
const AGE: &str = "AGE-SECRET-KEY-1";

/// Whether [`private_key`] has to look at these bytes: of nearly no file.
#[must_use]
pub fn may_have_private_key(bytes: &[u8]) -> bool {
    [BLOCK, AGE].iter().any(|start| memchr::memmem::find(bytes, start.as_bytes()).is_some())
}

/// The first private key of a text: where its first line stands, and what it is. For tracked files, text or not.
#[must_use]
pub fn private_key(text: &str) -> Option<(Range<usize>, String)> {
    for at in memchr::memmem::find_iter(text.as_bytes(), BLOCK) {
        let line_end = text[at..].find(['\n', '\r']).map_or(text.len(), |end| at + end);
        let line = &text[at..line_end];
        let Some(what) = line.strip_prefix(BLOCK).and_then(|rest| rest.trim_end().strip_suffix("-----")) else {
            continue;
        };
        let what = what.strip_suffix(" BLOCK").unwrap_or(what);
        let Some(kind) = what.strip_suffix("PRIVATE KEY") else { continue };
        // Code and prose name the line too; a key has a body of base64 after it.
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        let body = text[line_end..].lines().map(str::trim).filter(|line| !line.is_empty());
        let has_body = body.take(6).any(|line| line.len() >= 32 && line.bytes().all(is_base64));
        if has_body && !kind.contains(|character: char| !character.is_ascii_uppercase() && character != ' ') {
            let kind = kind.trim();
            let what = if kind.is_empty() { "private key".to_owned() } else { format!("{kind} private key") };
            return Some((at..line_end, what));
        }
    }
    let at = memchr::memmem::find(text.as_bytes(), AGE.as_bytes())?;
    let end = text[at..].find(|character: char| !character.is_ascii_alphanumeric() && character != '-');
    let end = end.map_or(text.len(), |end| at + end);
    // The Bech32 form of a 32-byte key.
    (end - at >= 74).then(|| (at..end, "age private key".to_owned()))
}

#[cfg(test)]
mod tests {
    use ::base64::Engine as _;
    use ::base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn secrets_are_told_from_what_stands_for_them() {
        for (value, expected) in [
            ("hunter2", true),
            ("change-me:redis-password", false),
            ("\"\"", false),
            ("${REDIS_PASSWORD:?}", false),
            ("/run/secrets/redis", false),
            ("true", false),
            ("yes", false),
            ("redis://:$(REDIS_PASSWORD)@redis:6379/0", false),
            ("redis://redis:6379/0", false),
            ("redis://:hunter2@redis:6379/0", true),
            ("3600", false),
            ("Y2hhbmdlLW1lOng=", false),
            ("<YOUR-SECRET>", false),
            ("xxx-xxx", false),
            ("mysql://reader:XXXXXXXXXX@db/x", false),
            ("x1", true),
            ("%project_dir%/config/jwt/private.pem", false),
            ("config/tls.key", false),
            ("hunter2/x", true),
        ] {
            assert_eq!(is_secret_value(value), expected, "{value}");
        }
        assert_eq!(password_in_url("redis://u:hunter2@h/0"), Some(10..17));
        for value in ["redis://u:change-me:x@h", "redis://u:${P}@h", "redis://h:6379", "http://a@b", "x"] {
            assert_eq!(password_in_url(value), None, "{value}");
        }
    }

    #[test]
    fn passwords_of_flags_are_found() {
        for (command, expected) in [
            ("redis-server --requirepass hunter2 --port 1", Some("hunter2")),
            ("mysqladmin ping --password='hunter2'", Some("hunter2")),
            ("--admin-password=hunter2", Some("hunter2")),
            ("mysqladmin --password ping", None),
            ("mysqld --validate-password=ON --default-authentication-plugin=mysql_native_password", None),
            ("redis-server --requirepass $PASSWORD", None),
            ("redis-server --requirepass \"$(cat /run/secrets/redis)\"", None),
            ("redis-server --requirepass", None),
            ("app --password=/run/secrets/db --password-file=x", None),
        ] {
            assert_eq!(password_of_flag(command).map(|range| &command[range]), expected, "{command}");
        }
    }

    #[test]
    fn some_passwords_are_numbers() {
        for (name, value, expected) in [
            ("MARIADB_ROOT_PASSWORD", "123456", true),
            ("rootPassword", "'123456'", true),
            ("db-password", "0", false),
            ("PASSWORD_ROUNDS", "10000", false),
            ("REFRESH_TOKEN", "86400", false),
            ("PASSWORD", "1.5", false),
            ("MARIADB_PORT", "3306", false),
        ] {
            assert_eq!(is_secret_pair(name, value), expected, "{name}: {value}");
        }
        for (text, expected) in [
            ("hunter2\n", true),
            ("\n", false),
            ("change-me:db\n", false),
            ("-----BEGIN CERTIFICATE-----\nx\n", false),
            ("$ANSIBLE_VAULT;1.1;AES256\n6161\n", false),
        ] {
            assert_eq!(is_secret_file(text), expected, "{text}");
        }
    }

    #[test]
    fn what_asks_for_a_value_is_told_from_values() {
        for (value, expected) in [
            ("CHANGE_ME", true),
            ("'changeme'", true),
            ("<token>", true),
            ("your-secret-key", true),
            ("xxxxxxxx", true),
            ("replace_with_a_long_one", true),
            ("hunter2", false),
            ("admin", false),
            ("", false),
        ] {
            assert_eq!(asks_for_a_value(value), expected, "{value}");
        }
        for (path, expected) in [
            (".env.example", true),
            ("a/env.sample", true),
            ("example.env", true),
            ("example/.env", false),
            ("prod.env", false),
        ] {
            assert_eq!(is_to_be_filled_in(Utf8Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn secret_entries_are_told_from_settings() {
        for (name, value, expected) in [
            ("DB_PASSWORD", "x", true),
            ("tls.key", "x", true),
            ("LOG_LEVEL", "info", false),
            ("username", "postgres", false),
            ("template.tmpl", "{{ define \"token\" }}", false),
            ("config.env", "export MINIO_ROOT_USER=minio\nexport MINIO_ROOT_PASSWORD=minio123", true),
            ("my.cnf", "[client]\nuser=x\npassword = hunter2", true),
            ("my.cnf", "[client]\nuser=x\npassword = ${PASSWORD}", false),
            ("uri", "mongodb://mongodb:27017", false),
            ("uri", "mongodb://u:hunter2@mongodb:27017", true),
            ("serviceKey", "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoieCJ9.x", true),
            ("salt", "UpNVntn3cDxHJpq99YMc1T1AQgQpc8kf", true),
            ("cipher", "850181e4652dd023b7a98c58ae0d2d34", true),
            ("bundle", "com.example.Application2", false),
            ("fingerprint", "AC:73:8E:DE:EB:56:EA:CC:10:87:02:A7", false),
        ] {
            assert_eq!(secret_entry(name, value, false) != SecretEntry::Plain, expected, "{name}");
            let encoded = secret_entry(name, &STANDARD.encode(value), true);
            assert_eq!(encoded != SecretEntry::Plain, expected, "{name} in base64");
        }
        for (bytes, expected) in
            [(&b"\x1f\x8b\x08\0"[..], SecretEntry::Plain), (b"\xfe\xed\xfe\xed", SecretEntry::Secret)]
        {
            assert_eq!(secret_entry("app.tgz", &STANDARD.encode(bytes), true), expected, "{bytes:?}");
        }
    }

    #[test]
    fn in_a_text_the_secrets_are_the_place() {
        for (text, expected) in [
            ("a: 1\npassword: hunter2\n", &["hunter2"][..]),
            ("{\n  \"token\": \"hunter2\",\n  \"secret\": \"\"\n}", &["hunter2"]),
            ("export TOKEN='hunter2'\nurl: redis://:hunter3@h\n", &["hunter2", "hunter3"]),
            ("password: |\n  hunter2\n  x\n", &["hunter2"]),
            (
                "pullSecrets: []\nsecretSync: {}\nimagePullSecrets: [x]\npassword: null\nexistingSecret:\ntoken: \"\"\n",
                &[],
            ),
            ("uri: mongodb://%!s(<nil>):%!s(<nil>)@db\n", &[]),
        ] {
            let parts = match secret_entry("config.yaml", text, false) {
                SecretEntry::Plain => Vec::new(),
                SecretEntry::Secret => panic!("{text}"),
                SecretEntry::Parts(parts) => parts,
            };
            let found: Vec<&str> = parts.into_iter().map(|part| &text[part]).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn names_of_objects_and_options_are_told_from_values() {
        for (name, value, expected) in [
            ("PULL_SECRET", "registry-login", false),
            ("imagePullSecrets", "[registry-login]", false),
            ("REGISTRY_CERTIFICATE_SECRET", "epinio-registry-tls", false),
            ("hub-existing-secret-or-default", "hub", false),
            ("TLS_SECRET", "Hunter2!", true),
            ("TLS_SECRET", "850181e4652dd023b7a98c58ae0d2d34", true),
            ("TLS_SECRET_PASSWORD", "hunter2", true),
            ("CLIENT_SECRET", "hunter2", true),
            ("REGISTRY_AUTH_HTPASSWD_REALM", "Registry Realm", false),
            ("SECRET_BACKEND", "vault", false),
            ("PASSWORD_HASHER", "argon2", false),
            ("ETCD_INITIAL_CLUSTER_TOKEN", "etcd-cluster", false),
            ("K3S_CLUSTER_TOKEN", "hunter2", true),
            ("SECRET_FORCED_LANGUAGE", "en", false),
            ("SECRET_PARAM_SECURITY_PROTOCOL", "SASL_PLAINTEXT", false),
            ("CONFIG_PROVIDERS_SECRET_CLASS", "org.example.Provider", false),
            ("BEARER_AUTH_CREDENTIALS_SOURCE", "OAUTHBEARER", false),
            ("CA_SECRET_NAMESPACE", "default", false),
            ("API_KEY_SERVER_PUBLIC_HOST", "host.docker.internal", false),
            ("REGISTRY_CREDENTIAL_USERNAME", "registry", false),
        ] {
            assert_eq!(is_secret_pair(name, value), expected, "{name}: {value}");
        }
        for (name, expected) in [("OPERATOR_SECRET", true), ("CLIENT_SECRET", false), ("DB_PASSWORD", false)] {
            assert_eq!(may_name_object(name), expected, "{name}");
        }
    }

    #[test]
    fn a_word_for_none_is_no_key_but_may_be_a_password() {
        for (name, value, expected) in [
            ("API_KEY", "invalid", false),
            ("GITHUB_PRIVATE_KEY", "disabled", false),
            ("api-key", "MISSING", false),
            ("ACCESS_TOKEN", "'none'", false),
            ("DB_PASSWORD", "none", true),
            ("CLIENT_SECRET", "disabled", true),
            ("ACCESS_TOKEN", "nonesuch", true),
        ] {
            assert_eq!(is_secret_pair(name, value), expected, "{name}: {value}");
        }
    }

    #[test]
    fn a_data_source_is_a_secret_where_it_lets_somebody_in() {
        for (name, value, expected) in [
            ("dsn", "memory", false),
            ("DSN", "sqlite:///var/lib/x.db", false),
            ("DSN", "user:hunter2@tcp(db:3306)/x", true),
            ("DSN", "host=db password=hunter2", true),
            ("SENTRY_DSN", "https://850181e4652dd023b7a98c58ae0d2d34@sentry.example.com/1", false),
            ("DSN_PASSWORD", "memory", true),
        ] {
            assert_eq!(is_secret_pair(name, value), expected, "{name}: {value}");
        }
    }

    #[test]
    fn private_keys_are_told_from_text_about_them() {
        let body = "MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF";
        let marker = |kind: &str, end: &str| format!("-----BEGIN {kind}PRIVATE KEY-----{end}");
        for (text, expected) in [
            (format!("{}\n{body}\n", marker("", "")), Some("private key")),
            (format!("# x\r\n{}\r\n{body}\r\n", marker("RSA ", "")), Some("RSA private key")),
            (format!("{}\nProc-Type: 4,ENCRYPTED\n\n{body}", marker("EC ", "")), Some("EC private key")),
            (marker("", "\\n"), None),
            (format!("look for {}\n", marker("", "")), None),
            (format!("-----BEGIN PUBLIC KEY-----\n{body}\n"), None),
            (format!("{AGE}{}", "Q".repeat(58)), Some("age private key")),
        ] {
            assert_eq!(private_key(&text).map(|(_, what)| what).as_deref(), expected, "{text}");
            assert!(expected.is_none() || may_have_private_key(text.as_bytes()), "{text}");
        }
    }
}
