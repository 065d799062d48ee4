//! Moving profiles to another release: new manifests in, the bytes of every profile out, proved by a check of the result.

use std::collections::{BTreeMap, BTreeSet};

use alignment::{Role, Words};
use camino::{Utf8Path, Utf8PathBuf};
use findings::{Severity, TextOptions, plural};
use release::Channel;
use rollout::Held;
use source::Files as _;

use crate::checking::{self, Checked, Scope};
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::pinning::trial;
use crate::session::Session;
use crate::{archive, documents, place, proving};

/// The state of the workspace before anything moves.
pub(crate) struct Before {
    pub(crate) checked: Checked,
    /// What it had in common with the archived manifests that were looked at.
    words: Words,
    archive: BTreeSet<Utf8PathBuf>,
}

/// Looks at the workspace before anything moves.
pub(crate) fn look(ctx: &Ctx, session: &Session) -> Before {
    look_beside(ctx, session, Words::of(session.releases.iter()))
}

fn look_beside(ctx: &Ctx, session: &Session, words: Words) -> Before {
    let archive = touched(session, &words);
    Before { checked: checking::check(ctx, session, &scope(session, &archive)), words, archive }
}

/// The archived manifests that can matter to what runs now or runs next, which has these words: a move makes no finding of any other.
fn touched(session: &Session, words: &Words) -> BTreeSet<Utf8PathBuf> {
    let archived = session.mentioning(words).into_iter().filter(|input| input.role == Role::Archive);
    archived.map(|input| input.path.clone()).collect()
}

/// What `before` looked at is not looked at again, unless the move is about more of the archive.
///
/// Adds to `texts` (manifests and the workspace file as they shall be) what the named profiles must hold then, and what documents
/// must say. Nothing is written;
/// what cannot be pinned, or would bring an error, is printed and refused.
pub(crate) fn prove(
    ctx: &Ctx,
    session: &Session,
    before: Option<Before>,
    texts: &mut BTreeMap<Utf8PathBuf, String>,
    profiles: &BTreeSet<String>,
) -> Result<()> {
    let next = session.with(ctx, texts)?;
    let words = Words::of(session.releases.iter().chain(&next.releases));
    let has_seen = |before: &Before| {
        let more = before.words.beyond(&words);
        more.is_none_or(|more| touched(session, &more).is_subset(&before.archive))
    };
    let before = before.filter(has_seen).unwrap_or_else(|| look_beside(ctx, session, words));
    // With what the move itself puts there.
    let mut archive = before.archive;
    archive.extend(texts.keys().cloned());
    let selected: BTreeSet<&str> = profiles.iter().map(String::as_str).collect();
    let tried = trial::pin(ctx, &next, &selected, false)?;
    let mut edited = tried.texts;
    edited.extend(documents::of_move(session, &next));
    for (path, text) in &edited {
        next.files.overlay(path, text);
    }
    let after = checking::check(ctx, &next, &scope(&next, &archive));
    let new = proving::new_findings_by_file(&before.checked, &after);
    if !new.is_empty() {
        ctx.print(&findings::text(&new, &after.sources, TextOptions { colour: ctx.color() }))?;
        let errors = new.iter().filter(|finding| finding.severity == Severity::Error).count();
        // A warning must not keep anybody from going back to what is known good.
        if errors > 0 {
            return Err(Failure::new(Exit::Findings, format!("this would cause {}", plural(errors, "new error")))
                .hint("nothing was written; the findings above show what the other release does not go with"));
        }
    }
    texts.extend(edited);
    Ok(())
}

fn scope<'s>(session: &'s Session, archive: &'s BTreeSet<Utf8PathBuf>) -> Scope<'s> {
    Scope { profiles: session.workspace.profiles.iter().collect(), archive: Some(archive), ..Scope::default() }
}

/// Makes `text` the channel's current manifest. The one before is archived; the first ring moves, and rings that followed until now keep
/// the archived one. Gives the rings that move; none in a channel without rings.
pub(crate) fn replace(
    session: &Session,
    channel: &Channel,
    (was, current): (&Held, &str),
    text: &str,
    texts: &mut BTreeMap<Utf8PathBuf, String>,
) -> Result<Vec<String>> {
    let kept = archive::keep(session, channel, (was, current), texts)?;
    texts.insert(channel.release.value.clone(), text.to_owned());
    let Some(first) = channel.rings.first() else { return Ok(Vec::new()) };
    let first = &first.name.value;
    set_ring(session, channel, first, None, texts)?;
    for ring in place::following(channel).iter().filter(|ring| *ring != first) {
        set_ring(session, channel, ring, Some(&kept), texts)?;
    }
    Ok(vec![first.clone()])
}

/// The profiles of these rings, and those of the channel outside of its rings.
pub(crate) fn profiles(session: &Session, channel: &Channel, rings: &[String]) -> BTreeSet<String> {
    let moves = |profile: &&release::Profile| place::is_in(profile, channel, rings);
    session.workspace.profiles.iter().filter(moves).map(|profile| profile.name.value.clone()).collect()
}

/// Lets a ring name an archived release, or follow its channel, in the workspace file as `texts` have it.
pub(crate) fn set_ring(
    session: &Session,
    channel: &Channel,
    ring: &str,
    release: Option<&Utf8Path>,
    texts: &mut BTreeMap<Utf8PathBuf, String>,
) -> Result<()> {
    let path = session.workspace_path();
    let now = texts.get(&path).cloned().unwrap_or_else(|| text_of(session, &path));
    let edited = rollout::set_ring(&now, &channel.name.value, ring, release).map_err(|error| {
        Failure::new(Exit::Findings, format!("cannot write into `{path}` what `{ring}` runs"))
            .because(error)
            .hint("write the ring as a plain name, or as `{name: …, release: …}`")
    })?;
    if edited != now {
        texts.insert(path, edited);
    }
    Ok(())
}

/// All changes as one unified diff, secrets masked.
pub(crate) fn diff(session: &Session, texts: &BTreeMap<Utf8PathBuf, String>) -> String {
    proving::diff(|path| text_of(session, path), texts)
}

/// Empty where there is no such file.
fn text_of(session: &Session, path: &Utf8Path) -> String {
    session.files.read_text(path).map(|(_, text)| text.to_string()).unwrap_or_default()
}
