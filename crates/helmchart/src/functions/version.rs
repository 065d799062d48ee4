//! Semantic versions and constraints as Masterminds' `semver` v3.5 reads them: looser than semver.org
//! (`v1`, `1.2`, leading zeros) and with ranges that the `semver` crate does not know (`1.x`, `1.2 - 2`, `~>1`).

use std::cmp::Ordering;
use std::fmt;

/// Longest version text that is read; the same number as in the original.
const MOST_VERSION_BYTES: usize = 256;
/// Longest constraint text that is read; the same number as in the original.
const MOST_CONSTRAINT_BYTES: usize = 512;
/// Most `||` groups of a constraint; the same number as in the original.
const MOST_CONSTRAINT_GROUPS: usize = 32;

/// A version. Equality and order ignore metadata; use [`Version::compare`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Version {
    pub(crate) major: u64,
    pub(crate) minor: u64,
    pub(crate) patch: u64,
    pub(crate) prerelease: String,
    pub(crate) metadata: String,
    pub(crate) original: String,
}

impl Version {
    /// Reads a version. Errors are worded as the original words them.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MOST_VERSION_BYTES {
            return Err(format!("version string is too long (max {MOST_VERSION_BYTES} bytes)"));
        }
        let invalid = || "invalid semantic version".to_owned();
        let mut rest = text.strip_prefix('v').unwrap_or(text);
        let mut numbers = ["", "", ""];
        for (index, number) in numbers.iter_mut().enumerate() {
            let body = match (index, rest.strip_prefix('.')) {
                (0, _) => rest,
                (_, Some(body)) if body.starts_with(|c: char| c.is_ascii_digit()) => body,
                _ => break,
            };
            let end = body.find(|c: char| !c.is_ascii_digit()).unwrap_or(body.len());
            if end == 0 {
                return Err(invalid());
            }
            (*number, rest) = body.split_at(end);
        }
        let mut prerelease = "";
        if let Some(body) = rest.strip_prefix('-') {
            let end = identifiers(body).ok_or_else(invalid)?;
            (prerelease, rest) = body.split_at(end);
        }
        let mut metadata = "";
        if let Some(body) = rest.strip_prefix('+') {
            let end = identifiers(body).ok_or_else(invalid)?;
            (metadata, rest) = body.split_at(end);
        }
        if !rest.is_empty() {
            return Err(invalid());
        }
        let segment = |digits: &str| {
            if digits.is_empty() {
                return Ok(0);
            }
            digits.parse::<u64>().map_err(|_| {
                format!("error parsing version segment: strconv.ParseUint: parsing \"{digits}\": value out of range")
            })
        };
        let version = Self {
            major: segment(numbers[0])?,
            minor: segment(numbers[1])?,
            patch: segment(numbers[2])?,
            prerelease: prerelease.to_owned(),
            metadata: metadata.to_owned(),
            original: text.to_owned(),
        };
        let zero_led = |part: &str| part.len() > 1 && part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit());
        if prerelease.split('.').any(zero_led) {
            return Err("version segment starts with 0".to_owned());
        }
        Ok(version)
    }

    /// Order of two versions: metadata does not count, a pre-release is lower than its release.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let numbers = (self.major, self.minor, self.patch).cmp(&(other.major, other.minor, other.patch));
        numbers.then_with(|| match (self.prerelease.is_empty(), other.prerelease.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => compare_prereleases(&self.prerelease, &other.prerelease),
        })
    }

    /// The leading `v` of the original text, if it had one.
    pub(crate) fn prefix(&self) -> &'static str {
        if self.original.starts_with('v') { "v" } else { "" }
    }

    /// The same version with its original text rewritten from its parts, as after `IncMinor` and `SetPrerelease`.
    pub(crate) fn renamed(mut self) -> Self {
        self.original = format!("{}{self}", self.prefix());
        self
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(formatter, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(formatter, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

/// Length of the dot-separated identifiers that `text` starts with; `None` if there is not even one.
fn identifiers(text: &str) -> Option<usize> {
    let word = |text: &str| text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(text.len());
    let mut end = word(text);
    if end == 0 {
        return None;
    }
    while let Some(next) = text[end..].strip_prefix('.') {
        let length = word(next);
        if length == 0 {
            break;
        }
        end += 1 + length;
    }
    Some(end)
}

fn compare_prereleases(a: &str, b: &str) -> Ordering {
    let mut left = a.split('.');
    let mut right = b.split('.');
    loop {
        let (part, other) = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (part, other) => (part.unwrap_or(""), other.unwrap_or("")),
        };
        if part == other {
            continue;
        }
        if part.is_empty() {
            return Ordering::Less;
        }
        if other.is_empty() {
            return Ordering::Greater;
        }
        return match (part.parse::<u64>(), other.parse::<u64>()) {
            // `+1` parses here but not in Go; it cannot occur: identifiers have no plus sign.
            (Ok(part), Ok(other)) => {
                if part > other {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => part.cmp(other),
        };
    }
}

/// A constraint: groups joined by `||`, each a list of conditions that must all hold.
#[derive(Clone, Debug)]
pub(crate) struct Constraint {
    groups: Vec<Group>,
}

#[derive(Clone, Debug)]
struct Group {
    conditions: Vec<Condition>,
    allows_prereleases: bool,
}

#[derive(Clone, Debug)]
struct Condition {
    operator: Operator,
    version: Version,
    /// Some number was left out or an `x`.
    open: bool,
    open_minor: bool,
    open_patch: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    Tilde,
    Caret,
}

/// In the order of the original's alternation; the two-character ones stand first so that the first hit is the longest.
const OPERATORS: &[(&str, Operator)] = &[
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterEqual),
    ("=>", Operator::GreaterEqual),
    ("<=", Operator::LessEqual),
    ("=<", Operator::LessEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

impl Constraint {
    /// Reads a constraint. Errors are worded as the original words them.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MOST_CONSTRAINT_BYTES {
            return Err(format!("constraint string is too long (max {MOST_CONSTRAINT_BYTES} bytes)"));
        }
        let text = rewrite_ranges(text);
        if text.split("||").count() > MOST_CONSTRAINT_GROUPS {
            return Err(format!("too many constraint groups (max {MOST_CONSTRAINT_GROUPS})"));
        }
        let groups = text.split("||").map(Group::parse).collect::<Result<_, _>>()?;
        Ok(Self { groups })
    }

    /// Whether `version` satisfies this constraint.
    pub(crate) fn holds(&self, version: &Version) -> bool {
        self.groups
            .iter()
            .any(|group| group.conditions.iter().all(|condition| condition.holds(version, group.allows_prereleases)))
    }
}

impl Group {
    fn parse(text: &str) -> Result<Self, String> {
        let improper = || format!("improper constraint: {}", quoted(text));
        let mut rest = text.trim_start_matches(is_space);
        let mut conditions = Vec::new();
        loop {
            let operator = OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign));
            let (operator, body) = match operator {
                Some((sign, operator)) => (*operator, &rest[sign.len()..]),
                None => (Operator::Equal, rest),
            };
            let body = body.trim_start_matches(is_space);
            let (pattern, after) = Pattern::read(body).ok_or_else(improper)?;
            conditions.push(pattern.condition(operator)?);
            let next = after.trim_start_matches(is_space);
            if next.is_empty() {
                break;
            }
            rest = match next.strip_prefix(',') {
                Some(next) => next.trim_start_matches(is_space),
                None if next.len() < after.len() => next,
                None => return Err(improper()),
            };
        }
        let allows_prereleases = conditions.iter().any(|condition| !condition.version.prerelease.is_empty());
        Ok(Self { conditions, allows_prereleases })
    }
}

fn quoted(text: &str) -> String {
    gotemplate::format::quote(text.as_bytes())
}

/// What `\s` is in RE2.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

/// A version pattern such as `v1.x`, cut into its pieces.
struct Pattern<'t> {
    text: &'t str,
    numbers: [&'t str; 3],
    /// The pre-release with its leading `-`.
    prerelease: &'t str,
}

impl<'t> Pattern<'t> {
    /// The longest pattern at the start of `text`, and what follows it.
    fn read(text: &'t str) -> Option<(Self, &'t str)> {
        let is_number = |c: char| c.is_ascii_digit() || matches!(c, 'x' | 'X' | '*' | '|');
        let mut rest = text.strip_prefix('v').unwrap_or(text);
        let mut numbers = ["", "", ""];
        for (index, number) in numbers.iter_mut().enumerate() {
            let body = match (index, rest.strip_prefix('.')) {
                (0, _) => rest,
                (_, Some(body)) if body.starts_with(is_number) => body,
                _ => break,
            };
            let end = body.find(|c| !is_number(c)).unwrap_or(body.len());
            if end == 0 {
                return None;
            }
            (*number, rest) = body.split_at(end);
        }
        let mut prerelease = "";
        if let Some(end) = rest.strip_prefix('-').and_then(identifiers) {
            (prerelease, rest) = rest.split_at(end + 1);
        }
        if let Some(end) = rest.strip_prefix('+').and_then(identifiers) {
            rest = &rest[end + 1..];
        }
        let length = text.len() - rest.len();
        Some((Self { text: &text[..length], numbers, prerelease }, rest))
    }

    fn condition(&self, operator: Operator) -> Result<Condition, String> {
        let is_open = |number: &str| matches!(number, "" | "x" | "X" | "*");
        let [major, minor, patch] = self.numbers;
        let prerelease = self.prerelease;
        let mut condition = (false, false, false);
        let text = if is_open(major) {
            condition.0 = true;
            format!("0.0.0{prerelease}")
        } else if is_open(minor) {
            condition = (true, true, false);
            format!("{major}.0.0{prerelease}")
        } else if is_open(patch) {
            condition = (true, false, true);
            format!("{major}.{minor}.0{prerelease}")
        } else {
            self.text.to_owned()
        };
        let version = Version::parse(&text).map_err(|_| "constraint parser error".to_owned())?;
        let (open, open_minor, open_patch) = condition;
        Ok(Condition { operator, version, open, open_minor, open_patch })
    }
}

impl Condition {
    fn holds(&self, version: &Version, allows_prereleases: bool) -> bool {
        if !version.prerelease.is_empty() && !allows_prereleases {
            return false;
        }
        let order = version.compare(&self.version);
        let wanted = &self.version;
        match self.operator {
            Operator::Equal if self.open => self.tilde(version, order),
            Operator::Equal => order.is_eq(),
            Operator::NotEqual => self.differs(version, order),
            Operator::Greater if !self.open => order.is_gt(),
            Operator::Greater if version.major != wanted.major => version.major > wanted.major,
            Operator::Greater if self.open_minor => false,
            Operator::Greater if self.open_patch => version.minor > wanted.minor,
            Operator::Greater => order.is_gt(),
            Operator::Less => order.is_lt(),
            Operator::GreaterEqual => order.is_ge(),
            Operator::LessEqual if !self.open => order.is_le(),
            Operator::LessEqual => {
                let later_minor = version.major == wanted.major && version.minor > wanted.minor && !self.open_minor;
                version.major <= wanted.major && !later_minor
            }
            Operator::Tilde => self.tilde(version, order),
            Operator::Caret => self.caret(version, order),
        }
    }

    fn differs(&self, version: &Version, order: Ordering) -> bool {
        let wanted = &self.version;
        if !self.open {
            return order.is_ne();
        }
        if wanted.major != version.major {
            return true;
        }
        if wanted.minor != version.minor && !self.open_minor {
            return true;
        }
        if self.open_minor {
            return false;
        }
        if wanted.patch != version.patch && !self.open_patch {
            return true;
        }
        if self.open_patch {
            let either = !version.prerelease.is_empty() || !wanted.prerelease.is_empty();
            return either && compare_prereleases(&version.prerelease, &wanted.prerelease).is_ne();
        }
        order.is_ne()
    }

    fn tilde(&self, version: &Version, order: Ordering) -> bool {
        let wanted = &self.version;
        if order.is_lt() {
            return false;
        }
        let any = (wanted.major, wanted.minor, wanted.patch) == (0, 0, 0) && !self.open_minor && !self.open_patch;
        any || (version.major == wanted.major && (version.minor == wanted.minor || self.open_minor))
    }

    fn caret(&self, version: &Version, order: Ordering) -> bool {
        let wanted = &self.version;
        if order.is_lt() {
            return false;
        }
        if wanted.major > 0 || self.open_minor {
            return version.major == wanted.major;
        }
        if version.major > 0 {
            return false;
        }
        if wanted.minor > 0 || self.open_patch {
            return version.minor == wanted.minor;
        }
        version.minor == 0 && wanted.patch == version.patch
    }
}

/// Turns `1.2 - 3` into `>= 1.2, <= 3 `.
fn rewrite_ranges(text: &str) -> String {
    let mut rewritten = text.to_owned();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some((found, from, to)) = range_at(rest) {
            rewritten = rewritten.replacen(found, &format!(">= {from}, <= {to} "), 1);
            rest = &rest[found.len()..];
        } else {
            let mut characters = rest.chars();
            characters.next();
            rest = characters.as_str();
        }
    }
    rewritten
}

/// The range at the very start of `text` (white space around it included) and its two ends.
fn range_at(text: &str) -> Option<(&str, &str, &str)> {
    let (from, after) = Pattern::read(text.trim_start_matches(is_space))?;
    let dash = after.trim_start_matches(is_space);
    let body = dash.strip_prefix('-')?;
    let end = body.trim_start_matches(is_space);
    if dash.len() == after.len() || end.len() == body.len() {
        return None;
    }
    let (to, after) = Pattern::read(end)?;
    let rest = after.trim_start_matches(is_space);
    Some((&text[..text.len() - rest.len()], from.text, to.text))
}
