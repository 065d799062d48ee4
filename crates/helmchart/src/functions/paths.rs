//! Go's `path` functions. Charts are rendered for Unix, so `path/filepath` (the `os…` names) is the same.

use source::Text;

use super::call::Call;
use super::go::{Answer, derived_text};

pub(crate) fn base(call: &mut Call<'_, '_>) -> Answer {
    let path = call.text(0);
    if path.is_empty() {
        return Ok(".".into());
    }
    let kept = path.trimmed(|path| path.trim_end_matches('/'));
    if kept.is_empty() {
        return Ok("/".into());
    }
    Ok(kept.trimmed(|path| path.rsplit('/').next().unwrap_or(path)).into())
}

pub(crate) fn dir(call: &mut Call<'_, '_>) -> Answer {
    let path = call.text(0);
    let end = path.rfind('/').map_or(0, |at| at + 1);
    Ok(derived_text(cleaned(&path[..end]), &path))
}

pub(crate) fn clean(call: &mut Call<'_, '_>) -> Answer {
    let path = call.text(0);
    Ok(derived_text(cleaned(&path), &path))
}

pub(crate) fn ext(call: &mut Call<'_, '_>) -> Answer {
    let path = call.text(0);
    let name = path.rfind('/').map_or(0, |at| at + 1);
    let start = path[name..].rfind('.').map_or(path.len(), |dot| name + dot);
    Ok(path.slice(start..path.len()).into())
}

pub(crate) fn is_abs(call: &mut Call<'_, '_>) -> Answer {
    let path: Text = call.text(0);
    Ok(path.starts_with('/').into())
}

/// `path.Clean`.
fn cleaned(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut kept: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if kept.last().is_some_and(|last| *last != "..") => {
                kept.pop();
            }
            ".." if rooted => {}
            _ => kept.push(part),
        }
    }
    match (rooted, kept.is_empty()) {
        (true, _) => format!("/{}", kept.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => kept.join("/"),
    }
}
