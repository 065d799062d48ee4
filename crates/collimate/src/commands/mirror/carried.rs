//! What pull, export and import say in the same words.

use std::time::Duration;

use replica::{Class, Pruned, Signed};

use crate::exit::{Exit, Failure};

/// A failure of the crate `replica` as the program prints it.
pub(super) fn failure(error: replica::Error) -> Failure {
    let exit = match error.class() {
        Class::Usage => Exit::Usage,
        Class::Input => Exit::Input,
        Class::Outside => Exit::Outside,
        Class::Untrusted => Exit::Untrusted,
    };
    let failure =
        error.causes().iter().fold(Failure::new(exit, error.message()), |failure, cause| failure.because(cause));
    match error.way_out() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// A number of seconds, which may be none.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    if !(0.0..=86_400.0).contains(&seconds) {
        return Err("must be between 0 and 86400 seconds".to_owned());
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// What became of the bundle's signature.
pub(super) fn signature(signed: &Signed) -> String {
    match signed {
        Signed::Verified { kid: Some(kid) } => {
            format!("verified, by a key that calls itself `{}`", source::redact(kid))
        }
        Signed::Verified { kid: None } => "verified".to_owned(),
        Signed::NotChecked => "NOT CHECKED".to_owned(),
        Signed::Absent => "none".to_owned(),
    }
}

/// Lines about what was removed and what was not.
pub(super) fn kept(pruned: &Pruned) -> String {
    let mut text = String::new();
    for name in &pruned.removed {
        text.push_str(&format!("removed: generation {name}\n"));
    }
    for name in &pruned.in_use {
        text.push_str(&format!("kept: generation {name}, which is in use\n"));
    }
    text
}

pub(super) fn json_text(value: &serde_json::Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
