use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use release::{Assignment, Component, Difference, DigestKind, EditError, ImageRef, Release};
use source::FileId;

use super::named::{self, Named};
use super::settled;
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::records::{Purpose, Records};
use crate::session::Session;
use crate::write::{self, NewFile};
use crate::{differing, proving};

/// Who is told to others that find the lock: nothing is recorded, since nothing moves.
const SOMEBODY: &str = "somebody who edits";

/// Write tags and digests into a release that was not promoted yet
///
/// Only these bytes of the manifest change; comments stay. A release that is archived, was promoted or marked good is never changed: make the next
/// one with `release new`. Profiles follow with `collimate pin`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A component, and `TAG@DIGEST`, `@DIGEST` (the tag stays) or `IMAGE:TAG@DIGEST`
    #[arg(value_name = "COMPONENT=REF", required = true)]
    assignments: Vec<String>,

    /// The release: a channel or a file; by default that of the only channel that takes its releases from no other
    #[arg(long, value_name = "CHANNEL|FILE")]
    release: Option<String>,

    /// Print the change as a unified diff and write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let purpose = if args.dry_run { Purpose::DryRun } else { Purpose::Change };
    let records = Records::open(ctx, purpose, "release set", SOMEBODY)?;
    let session = &records.session;
    let name = match &args.release {
        Some(name) => name.clone(),
        None => only_source(session)?,
    };
    let named = named::find(ctx, Some(session), &name)?;
    let version = &named.release.version.value;
    if let Some(reason) = settled::reason(session, &records.ledger, &named) {
        return Err(Failure::new(Exit::Findings, format!("release `{version}` never changes any more"))
            .because(reason)
            .hint(format!("make the next one: `collimate release new VERSION --from {name}`")));
    }
    let mut assignments: Vec<Assignment> = Vec::new();
    for text in &args.assignments {
        let assignment = assignment(&named.release, text)?;
        if assignments.iter().any(|known| known.component == assignment.component) {
            return Err(Failure::usage(format!("`{}` is given twice", assignment.component)));
        }
        assignments.push(assignment);
    }
    let edited = release::assign(&named.text, &assignments).map_err(|error| refused(&named, &error))?;
    if edited == named.text {
        ctx.print(&format!("`{}` says so already; nothing to do\n", named.path))?;
        return Ok(Exit::Fine);
    }
    let Some(new) = Release::parse(&edited, FileId(0)).0.map(|release| release.manifest()) else {
        return Err(Failure::new(Exit::Bug, "the edited manifest cannot be read again"));
    };
    settled::one_digest_per_tag(session, &new, Some(&named.path))?;
    ctx.print(&differing::lines(&Difference::between(&named.release.manifest(), &new)))?;
    let texts = BTreeMap::from([(named.path.clone(), edited)]);
    if args.dry_run {
        ctx.print(&proving::diff(|_| named.text.clone(), &texts))?;
        return Ok(Exit::Fine);
    }
    write(&records, texts)?;
    ctx.print(&format!("wrote `{}`\n", named.path))?;
    let next = match &named.channel {
        Some(channel) => format!("next: `collimate pin {channel}`\n"),
        None => format!("next: `collimate release new {version} --from {} --channel CHANNEL`\n", named.path),
    };
    ctx.print(&next)?;
    Ok(Exit::Fine)
}

/// What the workspace knows changes through the journal, with its signatures; any other manifest is one file alone.
fn write(records: &Records, texts: BTreeMap<Utf8PathBuf, String>) -> Result<()> {
    let session = &records.session;
    if texts.keys().all(|path| session.releases.iter().any(|input| input.path == *path)) {
        return records.commit(texts, Vec::new()).map(drop);
    }
    let files: Vec<NewFile> = texts
        .into_iter()
        .map(|(path, text)| NewFile { path: session.files.absolute(&path), content: text.into_bytes() })
        .collect();
    write::replace_all(&files)
}

/// The channel in which releases begin.
fn only_source(session: &Session) -> Result<String> {
    let channels = session.workspace.channels.iter();
    let sources: Vec<&str> =
        channels.filter(|channel| channel.promote_from.is_none()).map(|channel| channel.name.value.as_str()).collect();
    match sources.as_slice() {
        [only] => Ok((*only).to_owned()),
        several => Err(Failure::usage("which release is meant is not said")
            .because(format!("{} channels take their releases from no other: {}", several.len(), several.join(", ")))
            .hint("name it with `--release CHANNEL`")),
    }
}

/// `web=1.2@sha256:…`, `web=@sha256:…`, `web=registry/web:1.2@sha256:…`.
fn assignment(release: &Release, text: &str) -> Result<Assignment> {
    let spelling = "write `COMPONENT=TAG@DIGEST`, `COMPONENT=@DIGEST` or `COMPONENT=IMAGE:TAG@DIGEST`";
    let wrong =
        |why: String| Failure::usage(format!("cannot set `{}`", source::redact(text))).because(why).hint(spelling);
    let (name, reference) = text.split_once('=').ok_or_else(|| wrong("it has no `=`".to_owned()))?;
    let component = release.component(name).ok_or_else(|| unknown(release, name))?;
    let (before, digest) = reference
        .rsplit_once('@')
        .ok_or_else(|| wrong("it has no digest, so that nobody would know which image is meant".to_owned()))?;
    let digest = digest.parse().map_err(|error| wrong(format!("`{digest}` is no digest: {error}")))?;
    let tag = if before.is_empty() {
        None
    } else if before.contains(['/', ':']) {
        tag_of(component, before).map_err(wrong)?
    } else {
        Some(before.to_owned())
    };
    if let Some(tag) = tag.as_ref().filter(|tag| !release::is_tag(tag)) {
        return Err(wrong(format!("`{tag}` is no tag")));
    }
    let new_tag = tag.as_deref().unwrap_or(&component.tag.value);
    if release.digests.value == DigestKind::Resolved
        && release::Digest::sample(&component.image.name(), new_tag) == digest
    {
        return Err(wrong(format!(
            "the digest is the stand-in of `{}:{new_tag}`, which no registry has",
            component.image.name()
        )));
    }
    Ok(Assignment { component: name.to_owned(), tag, digest })
}

fn tag_of(component: &Component, text: &str) -> std::result::Result<Option<String>, String> {
    let image: ImageRef = text.parse().map_err(|error: release::ImageRefError| error.to_string())?;
    if !component.image.same_name(&image) {
        return Err(format!(
            "`{}` is `{}`; `{}` is another image",
            component.name.value,
            component.image.name(),
            image.name()
        ));
    }
    Ok(image.tag().map(str::to_owned))
}

fn unknown(release: &Release, name: &str) -> Failure {
    let known = release.components.iter().map(|component| component.name.value.as_str());
    let failure = Failure::usage(format!("release `{}` lists no component `{name}`", release.version.value));
    match release::nearest(name, known) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint("`collimate release show RELEASE` lists them"),
    }
}

fn refused(named: &Named, error: &EditError) -> Failure {
    let failure = Failure::new(Exit::Findings, format!("cannot edit `{}`", named.path)).because(error);
    match error {
        EditError::NotEditable { .. } => {
            failure.hint("write tag and digest of the component as plain values of its own, then run this again")
        }
        EditError::Unknown { .. } | EditError::Damaged(_) => failure,
    }
}
