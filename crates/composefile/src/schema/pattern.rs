//! The few regular expressions of the schema, by hand.

/// An expression of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// `^[a-zA-Z0-9._-]+$`
    Name,
    /// `^x-`
    Extension,
    /// `^.+$`
    OneLine,
    /// `.+`
    NotEmpty,
    /// `^[a-z]+$`
    LowerCase,
    /// `[a-zA-Z0-9][a-zA-Z0-9_.-]+`, anywhere in the text
    ContainerName,
    /// `^(always|…|every_([0-9]+[wdhms])+)$`
    PullPolicy,
}

impl Pattern {
    pub(crate) fn matches(self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        match self {
            Self::Name => !bytes.is_empty() && bytes.iter().all(in_name),
            Self::Extension => text.starts_with("x-"),
            Self::OneLine => !text.is_empty() && !text.contains('\n'),
            Self::NotEmpty => bytes.iter().any(|byte| *byte != b'\n'),
            Self::LowerCase => !bytes.is_empty() && bytes.iter().all(u8::is_ascii_lowercase),
            Self::ContainerName => bytes.windows(2).any(|pair| pair[0].is_ascii_alphanumeric() && in_name(&pair[1])),
            Self::PullPolicy => match text.strip_prefix("every_") {
                Some(delay) => is_delay(delay),
                None => {
                    matches!(
                        text,
                        "always" | "never" | "build" | "if_not_present" | "missing" | "refresh" | "daily" | "weekly"
                    )
                }
            },
        }
    }

    /// The expression as the schema writes it.
    pub(crate) fn expression(self) -> &'static str {
        match self {
            Self::Name => "^[a-zA-Z0-9._-]+$",
            Self::Extension => "^x-",
            Self::OneLine => "^.+$",
            Self::NotEmpty => ".+",
            Self::LowerCase => "^[a-z]+$",
            Self::ContainerName => "[a-zA-Z0-9][a-zA-Z0-9_.-]+",
            Self::PullPolicy => {
                "^(always|never|build|if_not_present|missing|refresh|daily|weekly|every_([0-9]+[wdhms])+)$"
            }
        }
    }
}

fn is_delay(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let after = rest.trim_start_matches(|character: char| character.is_ascii_digit());
        let Some(unit) = after.strip_prefix(['w', 'd', 'h', 'm', 's']) else { return false };
        if after.len() == rest.len() {
            return false;
        }
        rest = unit;
    }
    !text.is_empty()
}
