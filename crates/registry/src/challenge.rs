//! What a registry wants to see before it answers: the header `WWW-Authenticate` (RFC 9110).

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// One way to be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// Lower-case: `basic`, `bearer`.
    pub(crate) scheme: String,
    /// Names in lower case, in their order.
    parameters: Vec<(String, String)>,
}

impl Challenge {
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All challenges of an answer. What cannot be read ends its header, not the others.
    pub(crate) fn all(headers: &HeaderMap) -> Vec<Self> {
        headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| Reader { rest: text }.challenges())
            .collect()
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// `scheme key=value, key="value", scheme …`: a word without `=` begins the next challenge.
    fn challenges(mut self) -> Vec<Challenge> {
        let mut found: Vec<Challenge> = Vec::new();
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', ',']);
            let Some(word) = self.word() else { return found };
            let after = self.rest.trim_start_matches([' ', '\t']);
            match after.strip_prefix('=') {
                Some(value) => {
                    self.rest = value.trim_start_matches([' ', '\t']);
                    let Some(value) = self.value() else { return found };
                    let Some(challenge) = found.last_mut() else { return found };
                    challenge.parameters.push((word, value));
                }
                None => found.push(Challenge { scheme: word, parameters: Vec::new() }),
            }
        }
    }

    fn word(&mut self) -> Option<String> {
        let is_token = |letter: char| letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter);
        let end = self.rest.find(|letter| !is_token(letter)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).filter(|(word, _)| !word.is_empty())?;
        self.rest = rest;
        Some(word.to_ascii_lowercase())
    }

    fn value(&mut self) -> Option<String> {
        let Some(quoted) = self.rest.strip_prefix('"') else {
            // Values without quotes hold what tokens cannot, such as `:` and `/`, with some registries.
            let end = self.rest.find([',', ' ', '\t']).unwrap_or(self.rest.len());
            let (value, rest) = self.rest.split_at_checked(end)?;
            self.rest = rest;
            return Some(value.to_owned());
        };
        let mut value = String::new();
        let mut letters = quoted.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.rest = quoted.get(at + 1..)?;
                    return Some(value);
                }
                '\\' => value.push(letters.next()?.1),
                letter => value.push(letter),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Challenge> {
        Reader { rest: text }.challenges()
    }

    #[test]
    fn the_usual_forms_are_read() {
        let all = read(
            r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#,
        );
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].scheme, "bearer");
        assert_eq!(all[0].parameter("realm"), Some("https://auth.docker.io/token"));
        assert_eq!(all[0].parameter("scope"), Some("repository:a/b:pull,push"));

        let all = read(
            r#"Negotiate, Basic realm="with \" and, comma" , BEARER Realm=https://x/token, error="invalid_token""#,
        );
        let schemes: Vec<&str> = all.iter().map(|challenge| challenge.scheme.as_str()).collect();
        assert_eq!(schemes, ["negotiate", "basic", "bearer"]);
        assert_eq!(all[1].parameter("realm"), Some("with \" and, comma"));
        assert_eq!(all[2].parameter("realm"), Some("https://x/token"));
        assert_eq!(all[2].parameter("error"), Some("invalid_token"));
    }

    #[test]
    fn damaged_ones_end_without_harm() {
        for text in ["", "=", "\"", ",,,", "Bearer realm=\"open", "a=b", "Bearer realm=\"x\\", "Bearer é"] {
            assert!(read(text).iter().all(|challenge| challenge.parameter("realm").is_none()), "{text}");
        }
    }
}
