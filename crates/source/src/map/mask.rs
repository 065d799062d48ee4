//! What must not be printed of a source line.

use std::borrow::Cow;
use std::ops::Range;

const MASK: &str = "•••";

/// Whether a word makes a key's value a secret when it is a whole part of its name (`DB_PASSWORD`, `clientSecret`). Asked of every word of every
/// variable and label: a pattern is compiled to a look at the length.
fn is_secret_word(word: &str) -> bool {
    matches!(
        word,
        "htpasswd"
            | "password"
            | "passwd"
            | "passphrase"
            | "secret"
            | "secrets"
            | "token"
            | "apikey"
            | "credential"
            | "credentials"
            | "privatekey"
            | "dsn"
            | "pwd"
            | "accesskey"
            | "secretkey"
            | "requirepass"
            | "masterauth"
    )
}

/// Last words of names that only point at a secret, or say something about it (`PASSWORD_FILE`, `secretName`, `API_KEY_RATE_LIMIT`).
const POINTER_WORDS: [&str; 24] = [
    "file",
    "path",
    "name",
    "names",
    "ref",
    "dir",
    "url",
    "endpoint",
    "type",
    "ttl",
    "lifetime",
    "header",
    "mount",
    "root",
    "limit",
    "expiry",
    "expiration",
    "timeout",
    "interval",
    "policy",
    "algorithm",
    "audience",
    "issuer",
    "selector",
];

#[derive(Debug)]
pub(super) struct Masked {
    pub(super) text: String,
    /// Byte range in the raw line → length of what replaced it in `text`; sorted.
    replaced: Vec<(Range<usize>, usize)>,
}

impl Masked {
    /// A raw byte offset as an offset in the masked text.
    pub(super) fn map(&self, offset: usize) -> usize {
        let mut mapped = offset;
        for (range, length) in &self.replaced {
            if offset >= range.end {
                mapped = mapped + length - range.len();
            } else if offset > range.start {
                return mapped - (offset - range.start);
            }
        }
        mapped
    }

    /// The text without a part of it that is a secret, and where the mask stands. A mask that it touches is part of it.
    pub(super) fn hiding(&self, place: Range<usize>) -> (Cow<'_, str>, Range<usize>) {
        let (before, after) = (&self.text[..place.start], &self.text[place.end..]);
        let (before, after) = (before.strip_suffix(MASK).unwrap_or(before), after.strip_prefix(MASK).unwrap_or(after));
        let start = before.len();
        (Cow::Owned(format!("{before}{MASK}{after}")), start..start + MASK.len())
    }
}

/// Whether a key of this name holds a secret.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let words = Words::of(name);
    let secret = words.any(is_secret_word);
    let last = words.run(words.ends.len().saturating_sub(1), 1);
    secret && !POINTER_WORDS.contains(&last) && !words.is_identifier()
}

/// Whether the value of a secret-named key is only the address of a server, as a DSN without a credential is. A path may be one.
#[must_use]
pub fn is_plain_address(name: &str, value: &str) -> bool {
    let words = Words::of(name);
    let is_dsn = !words.any(|word| word != "dsn" && is_secret_word(word));
    let Some((scheme, host)) = value.split_once("://") else { return false };
    let (host, port) =
        host.strip_suffix('/').unwrap_or(host).split_once(':').unwrap_or_else(|| (host.trim_end_matches('/'), ""));
    is_dsn
        && scheme.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'+')
        && !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
        && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// The words of a name in small letters: `DB_PASSWORD`, `dbPassword` and `db-password` have two.
#[must_use]
pub fn words_of_name(name: &str) -> Vec<String> {
    let words = Words::of(name);
    (0..words.ends.len()).map(|at| words.run(at, 1).to_owned()).collect()
}

/// The words of a name in small letters, one after the other: `accessKey_ID` is `access`, `key` and `id`.
struct Words {
    text: String,
    ends: Vec<usize>,
}

impl Words {
    fn of(name: &str) -> Self {
        let mut words = Self { text: String::with_capacity(name.len()), ends: Vec::with_capacity(8) };
        let mut previous_lower = false;
        let mut fresh = true;
        for character in name.chars() {
            if !character.is_alphanumeric() {
                fresh = true;
                continue;
            }
            if (fresh || (character.is_uppercase() && previous_lower)) && !words.text.is_empty() {
                words.ends.push(words.text.len());
            }
            fresh = false;
            previous_lower = character.is_lowercase() || character.is_numeric();
            if character.is_ascii() {
                words.text.push(character.to_ascii_lowercase());
            } else {
                words.text.extend(character.to_lowercase());
            }
        }
        if !words.text.is_empty() {
            words.ends.push(words.text.len());
        }
        words
    }

    /// Whether it holds of a word, or of two that are written apart.
    fn any(&self, holds: impl Fn(&str) -> bool) -> bool {
        (0..self.ends.len()).any(|at| holds(self.run(at, 1)) || holds(self.run(at, 2)))
    }

    /// Words from the one at `at` on, written as one; nothing where there are not as many.
    fn run(&self, at: usize, count: usize) -> &str {
        let from = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        let to = (at + count).checked_sub(1).and_then(|last| self.ends.get(last).copied());
        from.zip(to).and_then(|(from, to)| self.text.get(from..to)).unwrap_or_default()
    }

    /// Whether it ends as the name of an identifier (`AWS_ACCESS_KEY_ID`, `TOKEN_ID`). What calls itself the id of a secret is one:
    /// Vault's `SECRET_ID` opens doors.
    fn is_identifier(&self) -> bool {
        let before = |back: usize| self.ends.len().checked_sub(back).map(|at| self.run(at, 1));
        before(1) == Some("id") && before(2).is_some_and(|before| !before.starts_with("secret"))
    }
}

/// `line` with secrets masked and control characters replaced, for text that does not come from a source file (an error
/// of another program, a rendered value).
#[must_use]
pub fn redact(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(|raw| line(raw).text).collect();
    lines.join("\n")
}

/// A name with what must not be printed replaced: that of a file, which may hold anything but a slash.
#[must_use]
pub fn printable(name: &str) -> Cow<'_, str> {
    if !name.contains(is_unsafe) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.chars().map(|character| if is_unsafe(character) { REPLACEMENT } else { character }).collect())
}

/// Words of another side as a part of a message: on one line, what must not be printed replaced, cut after so many characters.
#[must_use]
pub fn quoted(words: &str, most: usize) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(most) {
        Some((end, _)) => printable(&line[..end]).into_owned() + "…",
        None => printable(&line).into_owned(),
    }
}

/// One line without its end.
pub(super) fn line(raw: &str) -> Masked {
    let mut secrets = password_hashes(raw);
    if let Some(range) = secret_value(raw) {
        let value = &raw[range.clone()];
        if is_template(value) {
            secrets.extend(literals(raw, range));
        } else if !is_harmless(value) && !is_plain_address(key_of(raw, range.start), value.trim_matches(['"', '\''])) {
            secrets.push(range);
        }
    }
    secrets.extend(inner_values(raw));
    secrets.extend(arguments(raw));
    secrets.extend(following(raw));
    secrets.extend(userinfo(raw));
    let mut hidden: Vec<(Range<usize>, String)> = secrets.into_iter().map(|range| (range, MASK.to_owned())).collect();
    hidden.extend(
        raw.char_indices()
            .filter(|(_, character)| is_unsafe(*character))
            .map(|(at, character)| (at..at + character.len_utf8(), replacement(character))),
    );
    hidden.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut text = String::new();
    let mut replaced: Vec<(Range<usize>, usize)> = Vec::new();
    let mut done = 0;
    for (range, with) in hidden {
        if range.start < done {
            // What reaches further than the one before is hidden to its own end.
            if let Some((last, _)) = replaced.last_mut().filter(|_| range.end > done) {
                last.end = range.end;
                done = range.end;
            }
            continue;
        }
        text.push_str(&raw[done..range.start]);
        text.push_str(&with);
        done = range.end;
        replaced.push((range, with.len()));
    }
    text.push_str(&raw[done..]);
    Masked { text, replaced }
}

/// Control characters, and what makes a line read other than it is: marks that set its direction, breaks that only some viewers
/// take for one, characters that nobody sees, and marks of bytes that are none (see [`crate::octets`]).
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' | '\u{10ff00}'..='\u{10ffff}'
        )
}

const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

fn replacement(character: char) -> String {
    if character == '\t' { " ".to_owned() } else { REPLACEMENT.to_string() }
}

/// The value of `KEY=value`, `key: value` or `- KEY=value` where the key is secret-named.
fn secret_value(raw: &str) -> Option<Range<usize>> {
    let content = raw.trim_start().trim_start_matches("- ").trim_start();
    let content = content.strip_prefix(['"', '\'']).unwrap_or(content);
    let content = content.strip_prefix("export ").unwrap_or(content);
    let key_start = raw.len() - content.len();
    let key_end = key_start + content.find(['=', ':'])?;
    let key = raw[key_start..key_end].trim().trim_matches(['"', '\'']);
    // A message about something of that name: nothing of YAML begins so.
    let is_quoted = key.starts_with('`') && key.ends_with('`') && raw[key_end..].starts_with(": ");
    if is_quoted || key.is_empty() || key.contains(char::is_whitespace) || !is_secret_name(key) {
        return None;
    }
    let after = &raw[key_end + 1..];
    let value = after.trim_start();
    let start = raw.len() - value.len();
    let value = value.trim_end();
    // In `"KEY=value",` the quote that opened before the key closes after the value: it stays.
    let opened = raw[..key_start].chars().next_back().filter(|last| matches!(last, '"' | '\''));
    let value = match opened.filter(|quote| !raw[key_start..key_end].contains(*quote)) {
        Some(quote) => match value.rfind(quote) {
            Some(end) if value[end + 1..].chars().all(|after| matches!(after, ',' | ']' | '}' | ' ')) => &value[..end],
            _ => value,
        },
        None => value,
    };
    Some(start..start + value.len())
}

/// The key before a value that [`secret_value`] found.
fn key_of(raw: &str, value: usize) -> &str {
    raw[..value].trim_end().trim_end_matches(['=', ':']).trim_start_matches(['-', ' ', '"', '\''])
}

/// Whether a value is a mapping that says of secrets only where they are: `{db: {file: ./db.txt}}` of a Compose file.
fn is_table_of_files(value: &str) -> bool {
    const WHERE: [&str; 4] = ["environment", "external", "file", "name"];
    let is_closed = value.starts_with('{') && value.ends_with('}');
    let mut entries =
        value.split(['{', '}', ',']).map(str::trim).filter(|entry| !entry.is_empty() && !entry.ends_with(':'));
    is_closed
        && entries
            .all(|entry| entry.split_once(": ").is_some_and(|(key, _)| WHERE.contains(&key.trim_matches(['"', '\'']))))
}

/// Whether a value is what an action of a template prints.
fn is_template(value: &str) -> bool {
    let bare = value.trim_matches(['"', '\'']);
    bare.starts_with("{{") && bare.ends_with("}}")
}

/// What stands in quotes in the actions of a value, but for the names of templates and of objects that are looked up.
fn literals(raw: &str, value: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = value.start + raw[value.clone()].find("{{").unwrap_or_default();
    while let Some(open) = raw[at..value.end].find(['"', '`']).map(|step| at + step) {
        let (quote, from) = (raw.as_bytes()[open], open + 1);
        let mut is_escaped = false;
        let ends = |byte: u8| {
            let ends = byte == quote && !is_escaped;
            is_escaped = byte == b'\\' && quote == b'"' && !is_escaped;
            ends
        };
        let to = raw.as_bytes()[from..value.end].iter().copied().position(ends).map_or(value.end, |step| from + step);
        let is_name = ["include", "template"].iter().any(|word| raw[..open].trim_end().ends_with(word));
        if from < to && !is_name && !is_looked_up(&raw[value.start..open]) {
            found.push(from..to);
        }
        at = (to + 1).min(value.end);
    }
    found
}

/// Whether what follows in an action says which object is looked up: `lookup "v1" "Secret" .Release.Namespace "db"`.
fn is_looked_up(before: &str) -> bool {
    let call = before.rsplit(['(', ')', '|', '{', '}']).next().unwrap_or_default().trim_start_matches(['-', ' ']);
    let call = call.rsplit_once("= ").map_or(call, |(_, call)| call);
    call.starts_with("lookup ")
}

/// Whether a value is a variable, a placeholder, masked already or nothing at all.
fn is_harmless(value: &str) -> bool {
    let bare = value.trim_matches(['"', '\'']);
    bare.is_empty()
        || bare.starts_with(MASK)
        || bare.starts_with('#')
        || bare.starts_with("change-me:")
        || bare.starts_with("${") && bare.ends_with('}') && !bare.contains(":-")
        || ["|", ">", "|-", ">-", "{", "[", "[]", "[],", "{}", "{},", "null", "~", "true", "false"].contains(&bare)
        || is_table_of_files(bare)
}

/// The values of secret-named keys inside a line: `{password: x}`, `Server=h;Password=x`, `$password := "x"`, `"{\"token\": \"x\"}"`, `?token=x`.
fn inner_values(raw: &str) -> Vec<Range<usize>> {
    let quote = |character: char| matches!(character, '"' | '\'' | '\\');
    let mut found = Vec::new();
    for (at, sign) in raw.match_indices(['=', ':']) {
        // `$password := "x"` of a template: what follows is behind the second sign.
        if raw[at..].starts_with(":=") {
            continue;
        }
        let before = raw[..at].strip_suffix(':').filter(|_| sign == "=").unwrap_or(&raw[..at]);
        let before = before.trim_end().trim_end_matches(quote);
        let named = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '.');
        let key = &before[before.trim_end_matches(named).len()..];
        // In `"…\npassword = x"` the first letter belongs to the escape.
        let is_escape = before[..before.len() - key.len()].ends_with('\\');
        let key = key.strip_prefix(['n', 'r', 't']).filter(|_| is_escape).unwrap_or(key);
        let lead = before[..before.len() - key.len()].trim_end_matches(quote).trim_end();
        // In prose a colon follows a word as well: only in a mapping does it make a value of what follows.
        let is_mapping = lead.is_empty() || lead.ends_with(['{', ',', '[', '-', '?', '&', ';']) || before.len() < at;
        if key.is_empty() || !is_secret_name(key) || sign == ":" && (!is_mapping || is_verdict(&raw[at + 1..])) {
            continue;
        }
        // `${PASSWORD:?}` asks for a value and holds none.
        if before[..before.len() - key.len()].ends_with("${") && raw[at..].starts_with(":?") {
            continue;
        }
        let value = raw[at + 1..].trim_start();
        // In a template no word without quotes is a value: it calls a function, or names one.
        if is_assignment(before, key, raw[..at].ends_with(':'))
            && value.starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '(' | '.'))
        {
            let start = raw.len() - value.len();
            found.extend(literals(raw, start..raw[start..].find("}}").map_or(raw.len(), |end| start + end)));
            continue;
        }
        let opened = value.len() - value.trim_start_matches(quote).len();
        let start = raw.len() - value.len() + opened;
        // A variable ends with its own brace.
        let ends: &[char] = match (opened > 0, raw[start..].starts_with(['$', '{'])) {
            (true, _) => &['"', '\'', '\\'],
            (false, true) => &[' ', '"', '\'', '\\', ';', '&'],
            (false, false) => &[' ', ',', ';', '&', '}', ']', '"', '\'', '\\'],
        };
        let end = raw[start..].find(ends).map_or(raw.len(), |end| start + end);
        let value = &raw[start..end];
        if !is_harmless(value) && !value.starts_with(['$', '{']) && !is_plain_address(key, value) {
            found.push(start..end);
        }
    }
    found
}

/// Whether a key is a variable to which a template gives a value: `$secret :=`, or `{{ $secret =`.
fn is_assignment(before: &str, key: &str, is_declared: bool) -> bool {
    let lead = &before[..before.len() - key.len()];
    lead.ends_with('$') && (is_declared || lead.contains("{{"))
}

/// `dict "password" "x"` in the actions of a template: the text that follows a secret-named one.
fn arguments(raw: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut at, mut of_secret) = (0, false);
    while let Some(open) = raw[at..].find("{{").map(|step| at + step) {
        let end = raw[open..].find("}}").map_or(raw.len(), |end| open + end);
        let mut before: Option<Range<usize>> = None;
        for literal in literals(raw, open..end) {
            let gap = before.as_ref().and_then(|before| raw.get(before.end + 1..literal.start - 1));
            if of_secret && gap.is_some_and(|gap| !gap.is_empty() && gap.trim().is_empty()) {
                found.push(literal.clone());
            }
            of_secret = is_secret_name(&raw[literal.clone()]);
            before = Some(literal);
        }
        at = (end + 2).min(raw.len());
        of_secret = false;
    }
    found
}

/// The word after a flag of Redis that takes a password: `--requirepass x`, `"--requirepass", "x"`. Other flags are masked with their `=` only: in prose a word follows too.
fn following(raw: &str) -> Vec<Range<usize>> {
    let between = |character: char| matches!(character, ' ' | '\t' | '"' | '\'' | ',');
    let mut found = Vec::new();
    for flag in ["--requirepass", "--masterauth"] {
        for (at, _) in raw.match_indices(flag) {
            let rest = &raw[at + flag.len()..];
            let value = rest.trim_start_matches(between);
            let start = raw.len() - value.len();
            let end = value
                .find(|character: char| between(character) || character == ']')
                .map_or(raw.len(), |end| start + end);
            if value.len() < rest.len() && !is_harmless(&raw[start..end]) && !value.starts_with(['-', '$', ']']) {
                found.push(start..end);
            }
        }
    }
    found
}

/// Whether this is what a JSON schema says of a value of another type, which is not in it: ` got number, want string`.
fn is_verdict(text: &str) -> bool {
    const TYPES: [&str; 7] = ["null", "boolean", "number", "integer", "string", "array", "object"];
    let got = text.strip_prefix(" got ").and_then(|text| text.split_once(", want "));
    got.is_some_and(|(got, want)| TYPES.contains(&got) && want.split(" or ").all(|want| TYPES.contains(&want)))
}

/// How hashes of passwords begin, as htpasswd and shadow files keep them.
const HASH_STARTS: [&str; 14] =
    ["$2a$", "$2b$", "$2x$", "$2y$", "$apr1$", "$1$", "$5$", "$6$", "$7$", "$y$", "$gy$", "$argon2", "{SHA}", "{SSHA}"];

/// The shortest of them have more after their beginning; what is shorter is some other `$1$`.
const LEAST_HASH: usize = 20;

/// Hashes of passwords: whoever guesses starts from them. Compose files double each `$`.
fn password_hashes(raw: &str) -> Vec<Range<usize>> {
    let in_hash = |character: char| character.is_ascii_alphanumeric() || "./$=,+-_".contains(character);
    let mut found = Vec::new();
    for (at, _) in raw.match_indices(['$', '{']) {
        let rest = &raw[at..];
        let single = || HASH_STARTS.iter().find(|start| rest.starts_with(**start)).map(|start| start.len());
        let double = || {
            let mut doubled = HASH_STARTS.iter().map(|start| start.replace('$', "$$"));
            doubled.find(|start| rest.starts_with(start.as_str())).map(|start| start.len())
        };
        let Some(start) = single().or_else(double) else { continue };
        let length = rest[start..].find(|character| !in_hash(character)).unwrap_or(rest.len() - start);
        if length >= LEAST_HASH {
            found.push(at..at + start + length);
        }
    }
    found
}

/// `user:password` of every `scheme://user:password@host` in the line.
fn userinfo(raw: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in raw.match_indices("://") {
        let start = at + 3;
        let authority_end = raw[start..].find(['/', ' ', '"', '\'', '?', '#']).map_or(raw.len(), |end| start + end);
        if let Some(sign) = raw[start..authority_end].rfind('@')
            && raw[start..start + sign].contains(':')
            && !is_variable_only(&raw[start..start + sign])
        {
            found.push(start..start + sign);
        }
    }
    found
}

/// `${USER}:${PASSWORD}`: nothing to hide.
fn is_variable_only(userinfo: &str) -> bool {
    userinfo.split(':').all(|part| part.is_empty() || part.starts_with("${") || part.starts_with("$("))
}
