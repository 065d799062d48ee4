use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use release::{Channel, Origin};
use rollout::{Action, Draft, Hash, Held, Intent, Kind, Plan, Source};

use super::release::named::{self, Named};
use crate::consent::{self, Consent, ConsentArgs};
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::gates::{Asked, Decisions, GateArgs};
use crate::identity::IdentityArgs;
use crate::place::{self, Manifest};
use crate::records::{Purpose, Records};
use crate::session::Session;
use crate::signature::Signatures;
use crate::{archive, gates, head, inputs, message, moving, signature, steps};

/// Take the release of one channel into the next, or a hotfix into its channel
///
/// Tags and digests travel unchanged: what was tested is what is promoted. A hotfix is a manifest of its own, as `release new VERSION --from
/// CHANNEL` makes one; it is taken byte for byte. The first ring of the channel moves; its other rings keep the
/// release that they have. Manifest, archive, profiles and ledger change together or not at all.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The channel whose release is taken, and the one that takes it; with `--release`, only the latter
    #[arg(value_name = "CHANNEL", num_args = 1..=2, required = true)]
    channels: Vec<String>,

    /// A hotfix for the channel: its manifest
    #[arg(long, value_name = "FILE", conflicts_with_all = ["version", "keep"])]
    release: Option<String>,

    /// What the release is called there; by default its version without `-FROM`, in the spelling of the channel's versions
    #[arg(long = "as", value_name = "VERSION")]
    version: Option<String>,

    /// Print gates and change, as a unified diff, and write nothing
    #[arg(long)]
    dry_run: bool,

    /// A component that the target got by itself since its last promotion: take the source's all the same
    #[arg(long, value_name = "COMPONENT")]
    take: Vec<String>,

    /// A component that the target got by itself since its last promotion: keep it
    #[arg(long, value_name = "COMPONENT")]
    keep: Vec<String>,

    #[command(flatten)]
    gates: GateArgs,

    #[command(flatten)]
    consent: ConsentArgs,

    #[command(flatten)]
    identity: IdentityArgs,
}

pub(crate) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let by = args.identity.resolve(ctx)?;
    let purpose = if args.dry_run { Purpose::DryRun } else { Purpose::Change };
    let records = Records::open(ctx, purpose, &format!("promote {}", args.channels.join(" ")), &by)?;
    let session = &records.session;
    let (from, to) = channels(session, args)?;
    let consent = Consent::read(ctx, &records, &args.consent)?;
    let own = consent.policy.of_first(to)?;
    let hotfix = args.release.as_deref().map(|name| hotfix(ctx, session, to, name)).transpose()?;
    let source = match (&hotfix, from) {
        (Some(hotfix), _) => Manifest { path: &hotfix.path, release: &hotfix.release, text: hotfix.text.clone() },
        (None, Some(from)) => place::manifest(session, &from.release.value)?,
        (None, None) => return Err(Failure::usage("two channels are needed, or one and `--release FILE`")),
    };
    let current = place::manifest(session, &to.release.value)?;
    let target = &to.name.value;
    let origin = from.map_or_else(|| source.path.to_string(), |from| from.name.value.clone());
    if is_there(&source, &current, args) {
        ctx.print(&format!(
            "`{target}` has release `{}` of `{origin}` already, as `{}`; nothing to do\n",
            source.release.version.value, current.release.version.value
        ))?;
        return Ok(Exit::Fine);
    }
    let version = version(args, from, to, &source, &current)?;
    let before = moving::look(ctx, session);
    let decisions = Decisions::of(&records, to, &source, &current, &args.keep, &args.take);
    if let Some(name) = decisions.needless() {
        let others = if decisions.own().is_empty() {
            "there is none".to_owned()
        } else {
            format!("there are: {}", decisions.own().join(", "))
        };
        return Err(Failure::usage(format!("`{name}` is no component that `{target}` got by itself")).hint(others));
    }
    let mut verdicts = from
        .map(|from| gates::green(ctx, session, from, &before.checked))
        .transpose()?
        .map_or_else(Vec::new, |green| vec![green]);
    verdicts.extend([
        gates::resolved_digests(&source, &args.gates),
        gates::hotfixes(target, &decisions),
        gates::hold(&records, target),
    ]);
    verdicts.extend(gates::due(&records, &consent.policy, target));
    verdicts.extend(gates::freeze(ctx, &own, &args.gates));
    let signatures = Signatures::of_file(&session.files.absolute(source.path), ctx)?;
    let held_by = &from.unwrap_or(to).name.value;
    verdicts.extend(gates::signature(&consent.policy, &own, (held_by, &source), &signatures, &records.now));
    if let (false, Some(refusal)) = (args.dry_run, gates::refusal(target, &verdicts)) {
        return Err(refusal.hint("nothing was written"));
    }

    let (held, was) = (place::held(source.release), place::held(current.release));
    let mut manifest = source.release.manifest();
    let (new, text) = if hotfix.is_some() {
        (held.clone(), source.text.clone())
    } else {
        rollout::keep(&mut manifest, &current.release.manifest(), &args.keep);
        manifest.version.clone_from(&version);
        manifest.channel.clone_from(&to.name.value);
        manifest.date = Some(records.now.to_string());
        manifest.promoted_from = Some(Origin { version: held.version.clone(), sha256: held.sha256.to_string() });
        match archive::again(session, to, &manifest)? {
            // Taken before and gone back from: a version names one release for ever, its date included.
            Some(archived) => (place::held(archived.release), archived.text),
            None => {
                let new = Held { version: version.clone(), sha256: Hash::from(&manifest.identity()) };
                (new, manifest.to_yaml())
            }
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
    moving::prove(ctx, session, Some(before), &mut texts, &profiles)?;

    let taken = Source { channel: held_by.clone(), version: held.version.clone(), sha256: held.sha256.clone() };
    let intent = Intent {
        action: Action::Promotion,
        channel: to.name.value.clone(),
        rings: moved.clone(),
        base: was.clone(),
        source: Some(taken.clone()),
        keep: args.keep.clone(),
        take: args.take.clone(),
    };
    let planned = Plan::new(intent, &manifest, &texts);
    let is_emergency = args.gates.break_glass.is_some() && gates::is_frozen(ctx, &own);
    let asked = Asked { gates: &own, plan: &planned, by: records.by(), now: &records.now, is_emergency };
    let consented = gates::approvals(ctx, &consent, &asked)?;
    verdicts.extend(consented.verdicts);
    if !args.dry_run {
        if let Some(refusal) = gates::refusal(target, &verdicts) {
            return Err(refusal.hint("nothing was written"));
        }
        verdicts.extend(gates::commands(ctx, session, &own, &args.gates)?);
        if let Some(refusal) = gates::refusal(target, &verdicts) {
            return Err(refusal.hint("nothing was written"));
        }
    }

    let label = place::label(&to.name.value, moved.first().map(String::as_str));
    steps::warn_ahead(ctx, &current.release.manifest(), &manifest);
    ctx.print(&format!("`{label}`: `{}` → `{version}` (`{}` of `{origin}`)\n", was.version, held.version))?;
    ctx.print(&gates::table(&verdicts))?;
    if args.dry_run {
        ctx.print(&moving::diff(session, &texts))?;
        consent.write_plan(ctx, &planned)?;
        return gates::refusal(target, &verdicts).map_or(Ok(Exit::Fine), Err);
    }
    let gates = gates::recorded(verdicts, &records, &mut texts);
    let told = format!("Takes {} of {origin} in place of {}.", held.version, was.version);
    let changes = (&current.release.manifest(), &manifest);
    let commit_message = message::moved(&label, changes, &new.sha256, &told);
    let new_hash = new.sha256.clone();
    // A manifest that is taken byte for byte takes its signatures along.
    let signatures_travel = hotfix.is_some() && !signatures.is_empty();
    let draft = Draft {
        from: Some(was),
        to: Some(new),
        source: Some(taken),
        gates,
        plan: Some(planned.hash()),
        approvals: consented.approvals,
        due: consented.due,
        emergency: args.gates.break_glass.clone(),
        commit: head::commit(session.files.root()),
        inputs: inputs::recorded(session, &profiles),
        ..Draft::new(Kind::Promotion, records.by(), &to.name.value, moved)
    };
    let changed: Vec<Utf8PathBuf> = texts.keys().cloned().collect();
    let comment = signature::comment(&version, &to.name.value, &new_hash);
    let seal = consent.seal(Some((&text, comment)));
    let entries = records.commit_sealed(texts, vec![draft], seal.as_ref())?;
    for path in changed.iter().chain(&entries) {
        ctx.print(&format!("wrote `{path}`\n"))?;
    }
    ctx.print(&commit_message)?;
    consent::remind(ctx, session, &to.name.value, seal.is_some() || signatures_travel);
    Ok(Exit::Fine)
}

/// The channel that is taken from, unless a manifest is, and the one that takes.
fn channels<'s>(session: &'s Session, args: &Args) -> Result<(Option<&'s Channel>, &'s Channel)> {
    let (from, to) = match (args.channels.as_slice(), &args.release) {
        ([to], Some(_)) => return Ok((None, place::channel(session, to)?)),
        ([from, to], None) => (from, to),
        (_, Some(_)) => return Err(Failure::usage("beside `--release` only the channel is named that takes it")),
        _ => {
            return Err(Failure::usage(
                "two channels are needed: the one whose release is taken, and the one that takes it",
            )
            .hint("a hotfix is named with `--release FILE`"));
        }
    };
    let (source, target) = (place::channel(session, from)?, place::channel(session, to)?);
    if from == to {
        return Err(Failure::usage(format!("`{from}` cannot be promoted to itself")));
    }
    match &target.promote_from {
        Some(named) if named.value == *from => Ok((Some(source), target)),
        Some(named) => Err(Failure::usage(format!("`{to}` is not promoted from `{from}`"))
            .hint(format!("`collimate.yaml` says that it takes its releases from `{}`", named.value))),
        None => Err(Failure::usage(format!("`{to}` is not promoted from any channel"))
            .hint(format!("add `promote_from: {from}` to the channel in `collimate.yaml` if that is meant"))),
    }
}

/// The manifest of a hotfix, which was made for this channel.
fn hotfix(ctx: &Ctx, session: &Session, to: &Channel, name: &str) -> Result<Named> {
    let named = named::find(ctx, Some(session), name)?;
    let (made_for, target) = (&named.release.channel.value, &to.name.value);
    if made_for != target {
        return Err(Failure::usage(format!("`{name}` is a release of `{made_for}`, not of `{target}`"))
            .hint(format!("`collimate release new VERSION --from {target}` makes one of `{target}`")));
    }
    Ok(named)
}

/// Whether the target holds this very release, or what somebody made of it since.
fn is_there(source: &Manifest<'_>, current: &Manifest<'_>, args: &Args) -> bool {
    let identity = source.release.identity();
    if args.release.is_some() {
        return identity == current.release.identity();
    }
    let origin = current.release.promoted_from.as_ref().map(|origin| origin.sha256.value.as_str());
    origin == Some(identity.hex())
        && args.version.as_ref().is_none_or(|version| *version == current.release.version.value)
}

fn version(
    args: &Args,
    from: Option<&Channel>,
    to: &Channel,
    source: &Manifest<'_>,
    current: &Manifest<'_>,
) -> Result<String> {
    let (ours, theirs) = (&source.release.version.value, &current.release.version.value);
    let version = match &args.version {
        Some(version) if rollout::is_version(version) => version.clone(),
        Some(version) => return Err(Failure::usage(rollout::VersionError(version.clone()).to_string())),
        None => match from {
            None => ours.clone(),
            Some(from) => rollout::next_version(ours, &from.name.value, &to.name.value, theirs).map_err(|error| {
                Failure::usage("the release needs another name").because(error).hint("name it with `--as`")
            })?,
        },
    };
    if version == *theirs {
        return Err(Failure::usage(format!("`{}` holds another release `{version}` now", to.name.value))
            .because("a version names one release for ever")
            .hint(if from.is_some() {
                "name the new one with `--as VERSION`"
            } else {
                "give the hotfix a version of its own"
            }));
    }
    Ok(version)
}

/// The manifests, the archive and the workspace file as they shall be, and the rings that move.
fn plan(
    session: &Session,
    channel: &Channel,
    (was, current): (&Held, &str),
    (new, text): (&Held, &str),
    texts: &mut BTreeMap<Utf8PathBuf, String>,
) -> Result<Vec<String>> {
    let moved = moving::replace(session, channel, (was, current), text, texts)?;
    archive::keep(session, channel, (new, text), texts)?;
    Ok(moved)
}
