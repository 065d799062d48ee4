use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use findings::{Severity, TextOptions, Verdict, plural};
use release::{Channel, DigestKind, Origin};
use rollout::{Draft, Gate, Hash, Held, Kind, Source};

use super::hold;
use crate::checking::{self, Scope};
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::identity::IdentityArgs;
use crate::place::{self, Manifest};
use crate::records::{Purpose, Records};
use crate::rendering::Charts;
use crate::session::Session;
use crate::{archive, columns, moving};

/// Take the release of one channel into the next
///
/// Tags and digests travel unchanged: what was tested is what is promoted. The first ring of the channel moves; its other rings keep the
/// release that they have. Manifest, archive, profiles and ledger change together or not at all.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The channel whose release is taken
    from: String,

    /// The channel that takes it: its `promote_from` names the first one
    to: String,

    /// What the release is called there; by default its version without `-FROM`, in the spelling of the channel's versions
    #[arg(long = "as", value_name = "VERSION")]
    version: Option<String>,

    /// Print gates and change, as a unified diff, and write nothing
    #[arg(long)]
    dry_run: bool,

    /// Take a release whose digests are stand-ins: nothing can be deployed from it
    #[arg(long)]
    allow_sample_digests: bool,

    /// A component that the target got by itself since its last promotion: take the source's all the same
    #[arg(long, value_name = "COMPONENT")]
    take: Vec<String>,

    /// A component that the target got by itself since its last promotion: keep it
    #[arg(long, value_name = "COMPONENT")]
    keep: Vec<String>,

    #[command(flatten)]
    identity: IdentityArgs,
}

/// A condition of the promotion.
struct Checked {
    gate: &'static str,
    /// What the ledger says of it.
    result: String,
    /// Why it is not met, and the way out.
    failure: Option<(String, String)>,
}

pub(crate) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let by = args.identity.resolve(ctx)?;
    let purpose = if args.dry_run { Purpose::DryRun } else { Purpose::Change };
    let records = Records::open(ctx, purpose, &format!("promote {} {}", args.from, args.to), &by)?;
    let session = &records.session;
    let (from, to) = channels(session, &args.from, &args.to)?;
    let source = place::manifest(session, &from.release.value)?;
    let current = place::manifest(session, &to.release.value)?;
    if is_there(&source, &current, args.version.as_deref()) {
        ctx.print(&format!(
            "`{}` has release `{}` of `{}` already, as `{}`; nothing to do\n",
            args.to, source.release.version.value, args.from, current.release.version.value
        ))?;
        return Ok(Exit::Fine);
    }
    let version = version(args, &source, &current)?;
    let before = moving::look(ctx, session);
    let hotfixes = hotfixes(&records, to, &source, &current);
    if let Some(name) = args.keep.iter().chain(&args.take).find(|name| !hotfixes.contains(name)) {
        let others = if hotfixes.is_empty() {
            "there is none".to_owned()
        } else {
            format!("there are: {}", hotfixes.join(", "))
        };
        return Err(Failure::usage(format!("`{name}` is no component that `{}` got by itself", args.to)).hint(others));
    }
    let gates = gates(ctx, &records, (from, &source), &before, &hotfixes, args)?;
    let failed: Vec<&Checked> = gates.iter().filter(|gate| gate.failure.is_some()).collect();
    if !args.dry_run && !failed.is_empty() {
        return Err(refused(&args.to, &failed).hint("nothing was written"));
    }

    let (held, was) = (place::held(source.release), place::held(current.release));
    let mut manifest = source.release.manifest();
    rollout::keep(&mut manifest, &current.release.manifest(), &args.keep);
    manifest.version.clone_from(&version);
    manifest.channel.clone_from(&to.name.value);
    manifest.date = Some(records.now.to_string());
    manifest.promoted_from = Some(Origin { version: held.version.clone(), sha256: held.sha256.to_string() });
    let (new, text) = match archive::again(session, to, &manifest)? {
        // Taken before and gone back from: a version names one release for ever, its date included.
        Some(archived) => (place::held(archived.release), archived.text),
        None => {
            let new = Held { version: version.clone(), sha256: Hash::from(&manifest.identity()) };
            (new, manifest.to_yaml())
        }
    };

    let mut texts = BTreeMap::new();
    let moved = plan(session, to, (&was, &current.text), (&new, &text), &mut texts)?;
    let profiles: BTreeSet<String> = session
        .workspace
        .profiles
        .iter()
        .filter(|profile| place::is_in(profile, to, &moved))
        .map(|profile| profile.name.value.clone())
        .collect();
    moving::prove(ctx, session, &before, &mut texts, &profiles)?;

    let label = place::label(&to.name.value, moved.first().map(String::as_str));
    ctx.print(&format!("`{label}`: `{}` → `{version}` (`{}` of `{}`)\n", was.version, held.version, args.from))?;
    let rows: Vec<Vec<String>> =
        gates.iter().map(|gate| vec![format!("gate {}", gate.gate), gate.result.clone()]).collect();
    ctx.print(&columns::align(&rows))?;
    if args.dry_run {
        ctx.print(&moving::diff(session, &texts))?;
        if failed.is_empty() {
            return Ok(Exit::Fine);
        }
        return Err(refused(&args.to, &failed));
    }
    let gates = gates.into_iter().map(|gate| Gate { gate: gate.gate.to_owned(), result: gate.result }).collect();
    let taken = Source { channel: from.name.value.clone(), version: held.version, sha256: held.sha256 };
    let draft = Draft {
        from: Some(was),
        to: Some(new),
        source: Some(taken),
        gates,
        ..Draft::new(Kind::Promotion, records.by(), &to.name.value, moved)
    };
    let changed: Vec<Utf8PathBuf> = texts.keys().cloned().collect();
    let entries = records.commit(texts, vec![draft])?;
    for path in changed.iter().chain(&entries) {
        ctx.print(&format!("wrote `{path}`\n"))?;
    }
    Ok(Exit::Fine)
}

fn channels<'s>(session: &'s Session, from: &str, to: &str) -> Result<(&'s Channel, &'s Channel)> {
    let (source, target) = (place::channel(session, from)?, place::channel(session, to)?);
    if from == to {
        return Err(Failure::usage(format!("`{from}` cannot be promoted to itself")));
    }
    match &target.promote_from {
        Some(named) if named.value == from => Ok((source, target)),
        Some(named) => Err(Failure::usage(format!("`{to}` is not promoted from `{from}`"))
            .hint(format!("`collimate.yaml` says that it takes its releases from `{}`", named.value))),
        None => Err(Failure::usage(format!("`{to}` is not promoted from any channel"))
            .hint(format!("add `promote_from: {from}` to the channel in `collimate.yaml` if that is meant"))),
    }
}

/// Whether the target holds this very release, or what somebody made of it since.
fn is_there(source: &Manifest<'_>, current: &Manifest<'_>, version: Option<&str>) -> bool {
    let origin = current.release.promoted_from.as_ref().map(|origin| origin.sha256.value.as_str());
    origin == Some(source.release.identity().hex())
        && version.is_none_or(|version| version == current.release.version.value)
}

fn version(args: &Args, source: &Manifest<'_>, current: &Manifest<'_>) -> Result<String> {
    let (ours, theirs) = (&source.release.version.value, &current.release.version.value);
    let version = match &args.version {
        Some(version) if rollout::is_version(version) => version.clone(),
        Some(version) => return Err(Failure::usage(rollout::VersionError(version.clone()).to_string())),
        None => rollout::next_version(ours, &args.from, &args.to, theirs).map_err(|error| {
            Failure::usage("the release needs another name").because(error).hint("name it with `--as`")
        })?,
    };
    if version == *theirs {
        return Err(Failure::usage(format!("`{}` holds another release `{version}` now", args.to))
            .because("a version names one release for ever")
            .hint("name the new one with `--as VERSION`"));
    }
    Ok(version)
}

/// Components of the target that this promotion would lose. Known only where the ledger and the archive tell what the last one brought.
fn hotfixes(records: &Records, to: &Channel, source: &Manifest<'_>, current: &Manifest<'_>) -> Vec<String> {
    let origin = current.release.promoted_from.as_ref().map(|origin| origin.sha256.value.as_str());
    let brought = records.ledger.entries().iter().rev().find(|recorded| {
        recorded.entry.kind == Kind::Promotion
            && recorded.entry.channel == to.name.value
            && recorded.entry.source.as_ref().map(|source| source.sha256.as_str()) == origin
    });
    let base = brought
        .and_then(|recorded| recorded.entry.to.as_ref())
        .and_then(|held| archive::by_identity(&records.session, to, held).ok());
    base.map_or_else(Vec::new, |base| {
        rollout::hotfixes(&base.release.manifest(), &current.release.manifest(), &source.release.manifest())
    })
}

fn gates(
    ctx: &Ctx,
    records: &Records,
    (from, source): (&Channel, &Manifest<'_>),
    before: &checking::Checked,
    hotfixes: &[String],
    args: &Args,
) -> Result<Vec<Checked>> {
    let passed = |gate: &'static str| Checked { gate, result: "passed".to_owned(), failure: None };
    let failed = |gate: &'static str, why: String, hint: String| Checked {
        gate,
        result: "FAILED".to_owned(),
        failure: Some((why, hint)),
    };
    let holds = records.ledger.holds(&args.to);
    let hold = if holds.is_empty() {
        passed("hold")
    } else {
        let reasons: Vec<String> = holds.into_iter().map(hold::shown).collect();
        failed(
            "hold",
            format!("`{}` is held: {}", args.to, reasons.join("; ")),
            format!("collimate hold lift {}", args.to),
        )
    };
    let digests = if source.release.digests.value == DigestKind::Resolved {
        passed("resolved-digests")
    } else if args.allow_sample_digests {
        Checked { gate: "resolved-digests", result: "passed by: sample digests are allowed".to_owned(), failure: None }
    } else {
        let version = &source.release.version.value;
        failed(
            "resolved-digests",
            format!("the digests of `{version}` are stand-ins"),
            "write the digests of the registry into its manifest, or give `--allow-sample-digests`".to_owned(),
        )
    };
    let errors = errors_of(ctx, &records.session, from, before)?;
    let green = if errors == 0 {
        passed("source-green")
    } else {
        let (what, hint) = (plural(errors, "error"), format!("collimate check {}", args.from));
        failed("source-green", format!("`{}` is not green: {what}", args.from), hint)
    };
    let undecided: Vec<&str> = hotfixes
        .iter()
        .map(String::as_str)
        .filter(|name| !args.keep.iter().chain(&args.take).any(|decided| decided == name))
        .collect();
    let decided = || {
        let named =
            |verb: &str, names: &[String]| names.iter().map(|name| format!("{verb} {name}")).collect::<Vec<_>>();
        [named("kept", &args.keep), named("took", &args.take)].concat().join(", ")
    };
    let hotfix = if !undecided.is_empty() {
        let hint = "`--keep COMPONENT` or `--take COMPONENT` for each".to_owned();
        failed("hotfixes", format!("`{}` got components by itself: {}", args.to, undecided.join(", ")), hint)
    } else if hotfixes.is_empty() {
        passed("hotfixes")
    } else {
        Checked { gate: "hotfixes", result: format!("decided: {}", decided()), failure: None }
    };
    Ok(vec![green, digests, hotfix, hold])
}

/// The number of errors in the profiles of a channel; they are printed.
fn errors_of(ctx: &Ctx, session: &Session, channel: &Channel, before: &checking::Checked) -> Result<usize> {
    let is_own = |verdict: &&findings::ProfileVerdict| verdict.channel == channel.name.value;
    if before.verdicts.iter().filter(is_own).all(|verdict| verdict.verdict != Verdict::Failed) {
        return Ok(0);
    }
    let profiles =
        session.workspace.profiles.iter().filter(|profile| profile.channel.value == channel.name.value).collect();
    let checked = checking::check(ctx, session, &Charts::default(), &Scope { profiles, ..Scope::default() });
    let mut errors = checked.findings;
    errors.retain(|finding| finding.severity == Severity::Error);
    ctx.print(&findings::text(&errors, &checked.sources, TextOptions { colour: ctx.color() }))?;
    Ok(errors.len().max(1))
}

fn refused(to: &str, failed: &[&Checked]) -> Failure {
    let failure = Failure::new(Exit::Findings, format!("`{to}` may not take this release"));
    failed
        .iter()
        .filter_map(|gate| gate.failure.as_ref())
        .fold(failure, |failure, (why, hint)| failure.because(format!("{why} ({hint})")))
}

/// The manifests, the archive and the workspace file as they shall be, and the rings that move.
fn plan(
    session: &Session,
    channel: &Channel,
    (was, current): (&Held, &str),
    (new, text): (&Held, &str),
    texts: &mut BTreeMap<Utf8PathBuf, String>,
) -> Result<Vec<String>> {
    let kept = archive::keep(session, channel, (was, current), texts)?;
    archive::keep(session, channel, (new, text), texts)?;
    texts.insert(channel.release.value.clone(), text.to_owned());
    let Some(first) = channel.rings.first() else { return Ok(Vec::new()) };
    let first = &first.name.value;
    moving::set_ring(session, channel, first, None, texts)?;
    for ring in place::following(channel).iter().filter(|ring| *ring != first) {
        moving::set_ring(session, channel, ring, Some(&kept), texts)?;
    }
    Ok(vec![first.clone()])
}
