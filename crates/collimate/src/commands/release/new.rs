use std::collections::BTreeMap;

use alignment::Words;
use camino::{Utf8Path, Utf8PathBuf};
use release::{Channel, Difference, Gates, ImageRef, Listed, Manifest, Release};
use rollout::{Action, Draft, Evidence, Hash, Held, Intent, Kind, Plan};
use source::FileId;

use super::assemble::{self, Decisions};
use super::named::{self, Named};
use super::{built, settled};
use crate::consent::{Consent, ConsentArgs};
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::gates::{self, Asked, GateArgs};
use crate::identity::IdentityArgs;
use crate::records::{Purpose, Records};
use crate::session::Session;
use crate::signature::{self, Signatures};
use crate::write::{self, NewFile};
use crate::{archive, differing, head, inputs, message, moving, place, proving, steps};

/// Make a new release from an older one, or from what a build made
///
/// With `--channel` it becomes the channel's current release: the one before is archived, profiles are pinned, and the ledger records it, together or
/// not at all. Without, only a manifest is written beside the channels' own: for editing, resolving and signing before a channel takes it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What the new release is called
    version: String,

    /// The release to start from: a channel, a ring, a version or a file; by default the current one of `--channel`
    #[arg(long, value_name = "RELEASE", required_unless_present = "channel")]
    from: Option<String>,

    /// What was built, `-` for stdin: lines `image:tag@digest`, the metadata file of `docker buildx`, or a JSON list of `{image, tag, digest}`
    #[arg(long, value_name = "FILE")]
    from_file: Option<Utf8PathBuf>,

    /// The channel that takes the new release; not one that releases are promoted into
    #[arg(long)]
    channel: Option<String>,

    /// Where the manifest goes; by default `VERSION.yaml` beside the channels' manifests
    #[arg(long, value_name = "FILE", conflicts_with = "channel")]
    output: Option<Utf8PathBuf>,

    /// The tag of all services, whose digests then are not known; with `--from-file`, the tag that counts where an image has several
    #[arg(long)]
    tag: Option<String>,

    /// A component that was not built and stays as it is
    #[arg(long, value_name = "COMPONENT", requires = "from_file", value_delimiter = ',')]
    keep: Vec<String>,

    /// A component that the new release does not have
    #[arg(long, value_name = "COMPONENT", requires = "from_file", value_delimiter = ',')]
    drop: Vec<String>,

    /// A new component, and its image
    #[arg(long, value_name = "COMPONENT=IMAGE", requires = "from_file", value_parser = added)]
    add: Vec<(String, ImageRef)>,

    /// An image that was built and belongs to no component
    #[arg(long, value_name = "IMAGE", requires = "from_file", value_parser = image)]
    skip: Vec<ImageRef>,

    /// Print what would be written, as a unified diff, and write nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    gates: GateArgs,

    #[command(flatten)]
    consent: ConsentArgs,

    #[command(flatten)]
    identity: IdentityArgs,
}

/// An image without tag and digest.
fn image(text: &str) -> std::result::Result<ImageRef, String> {
    let image: ImageRef = text.parse().map_err(|error: release::ImageRefError| error.to_string())?;
    if image.tag().is_some() || image.digest().is_some() {
        return Err(format!("write `{}`, without tag and digest", image.name()));
    }
    Ok(image)
}

fn added(text: &str) -> std::result::Result<(String, ImageRef), String> {
    let (name, reference) = text.split_once('=').ok_or("write `COMPONENT=IMAGE`")?;
    if !rollout::is_version(name) {
        return Err("a component's name has letters, digits, `.`, `_` and `-`".to_owned());
    }
    Ok((name.to_owned(), image(reference)?))
}

pub(super) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    if !rollout::is_version(&args.version) {
        return Err(Failure::usage(rollout::VersionError(args.version.clone()).to_string()));
    }
    if let Some(tag) = args.tag.as_ref().filter(|tag| !release::is_tag(tag)) {
        return Err(Failure::usage(format!("`{tag}` is no tag")));
    }
    match &args.channel {
        Some(channel) => install(args, channel, ctx),
        None if args.consent.is_used() => {
            Err(Failure::usage("without `--channel` nothing moves that could be approved or signed for")
                .hint("`collimate release sign FILE` signs a manifest"))
        }
        None => beside(args, ctx),
    }
}

/// A new release that is made.
struct Made {
    manifest: Manifest,
    text: String,
    /// The file that tells what was built.
    evidence: Vec<Evidence>,
}

/// Puts the new manifest together.
fn make(args: &Args, ctx: &Ctx, base: &Named, channel: &str, date: &str) -> Result<Made> {
    let is_changed = args.from_file.is_some() || args.tag.is_some();
    let release = &base.release;
    if !is_changed && release.version.value == args.version && release.channel.value == channel {
        // Made before, byte for byte: what was signed and resolved there is taken as it is.
        return Ok(Made { manifest: release.manifest(), text: base.text.clone(), evidence: Vec::new() });
    }
    let mut manifest = release.manifest();
    let mut evidence = Vec::new();
    if let Some(file) = &args.from_file {
        let text = named::text(ctx, file)?;
        let built = built::read(&text).map_err(|error| {
            Failure::input(format!("`{file}` does not say what was built"))
                .because(error)
                .hint("write lines `image:tag@sha256:…`, or give the file of `docker buildx bake --metadata-file`")
        })?;
        let tag = args.tag.as_deref().unwrap_or(&args.version);
        let decisions = Decisions { keep: &args.keep, drop: &args.drop, add: &args.add, skip: &args.skip, tag };
        assemble::take(&mut manifest, &built, decisions).map_err(|open| {
            let failure =
                Failure::new(Exit::Findings, format!("`{file}` does not decide what is in `{}`", args.version));
            open.reasons.iter().fold(failure, Failure::because).hint("nothing was written")
        })?;
        let name = if file == "-" { "stdin" } else { file.file_name().unwrap_or(file.as_str()) };
        let sha256 = Hash::of(text.as_bytes());
        evidence.push(Evidence { name: name.to_owned(), sha256, probe: None, verdict: None });
    } else if let Some(tag) = &args.tag {
        assemble::retag(&mut manifest, tag);
    }
    assemble::head(&mut manifest, &args.version, channel, date);
    let text = manifest.to_yaml();
    Ok(Made { manifest, text, evidence })
}

/// Makes it the channel's current release.
fn install(args: &Args, name: &str, ctx: &Ctx) -> Result<Exit> {
    let by = args.identity.resolve(ctx)?;
    let purpose = if args.dry_run { Purpose::DryRun } else { Purpose::Change };
    let records = Records::open(ctx, purpose, &format!("release new {} --channel {name}", args.version), &by)?;
    let session = &records.session;
    let channel = place::channel(session, name)?;
    if let Some(from) = &channel.promote_from {
        return Err(Failure::usage(format!("`{name}` takes its releases from `{}`", from.value))
            .because("`promote` brings them, through the gates of the channel")
            .hint("leave `--channel` out to make a manifest beside the channels' own"));
    }
    let consent = Consent::read(ctx, &records, &args.consent)?;
    let current = place::manifest(session, &channel.release.value)?;
    let base = named::find(ctx, Some(session), args.from.as_deref().unwrap_or(name))?;
    let made = make(args, ctx, &base, name, records.now.as_str())?;
    let was_manifest = current.release.manifest();
    if same_but_date(&was_manifest, &made.manifest) {
        ctx.print(&format!("`{name}` has release `{}` already; nothing to do\n", args.version))?;
        return Ok(Exit::Fine);
    }
    is_free(&records, &made.manifest)?;
    has_digests(&was_manifest, &made.manifest)?;
    let (was, made) = (place::held(current.release), archived(session, channel, made)?);

    let own = consent.policy.of_first(channel)?;
    // What is taken byte for byte takes its signatures along.
    let signatures = if made.text == base.text {
        Signatures::of_file(&session.files.absolute(&base.path), ctx)?
    } else {
        Signatures::default()
    };
    let mut verdicts = gates(args, ctx, &records, &consent, (channel, &own), &made, &signatures)?;
    let mut texts = BTreeMap::new();
    let moved = moving::replace(session, channel, (&was, &current.text), &made.text, &mut texts)?;
    let profiles = moving::profiles(session, channel, &moved);
    moving::prove(ctx, session, None, &mut texts, &profiles)?;

    let intent = Intent {
        action: Action::ReleaseNew,
        channel: name.to_owned(),
        rings: moved.clone(),
        base: was.clone(),
        source: None,
        keep: Vec::new(),
        take: Vec::new(),
    };
    let planned = Plan::new(intent, &made.manifest, &texts);
    let is_emergency = args.gates.break_glass.is_some() && gates::is_frozen(ctx, &own);
    let asked = Asked { gates: &own, plan: &planned, by: records.by(), now: &records.now, is_emergency };
    let consented = gates::approvals(ctx, &consent, &asked)?;
    verdicts.extend(consented.verdicts);
    if !args.dry_run {
        met(name, &verdicts)?;
        verdicts.extend(gates::commands(ctx, session, &own, &args.gates)?);
        met(name, &verdicts)?;
    }

    let label = place::label(name, moved.first().map(String::as_str));
    ctx.print(&format!("`{label}`: `{}` → `{}`\n", was.version, args.version))?;
    steps::warn_ahead(ctx, &was_manifest, &made.manifest);
    ctx.print(&differing::lines(&Difference::between(&was_manifest, &made.manifest)))?;
    ctx.print(&gates::table(&verdicts))?;
    if args.dry_run {
        ctx.print(&moving::diff(session, &texts))?;
        consent.write_plan(ctx, &planned)?;
        return gates::refusal(&label, &verdicts).map_or(Ok(Exit::Fine), Err);
    }
    let gates = gates::recorded(verdicts, &records, &mut texts);
    let identity = Hash::from(&made.manifest.identity());
    let to = Held { version: made.manifest.version.clone(), sha256: identity.clone() };
    let draft = Draft {
        from: Some(was),
        to: Some(to),
        gates,
        plan: Some(planned.hash()),
        approvals: consented.approvals,
        due: consented.due,
        evidence: made.evidence,
        emergency: args.gates.break_glass.clone(),
        commit: head::commit(session.files.root()),
        inputs: inputs::recorded(session, &profiles),
        ..Draft::new(Kind::ReleaseNew, records.by(), name, moved)
    };
    let changed: Vec<Utf8PathBuf> = texts.keys().cloned().collect();
    let comment = signature::comment(&args.version, name, &identity);
    let seal = consent.seal(Some((&made.text, comment)));
    let entries = records.commit_sealed(texts, vec![draft], seal.as_ref())?;
    for path in changed.iter().chain(&entries) {
        ctx.print(&format!("wrote `{path}`\n"))?;
    }
    let told = format!("Takes the place of {}, which is archived.", was_manifest.version);
    ctx.print(&message::moved(&label, (&was_manifest, &made.manifest), &identity, &told))?;
    Ok(Exit::Fine)
}

/// How the channel's gates stand, but approvals and commands. Where something is to be written, all are met.
fn gates(
    args: &Args,
    ctx: &Ctx,
    records: &Records,
    consent: &Consent<'_>,
    (channel, own): (&Channel, &[&Gates]),
    made: &Made,
    signatures: &Signatures,
) -> Result<Vec<gates::Verdict>> {
    let name = &channel.name.value;
    let Some(release) = Release::parse(&made.text, FileId(0)).0 else {
        return Err(Failure::new(Exit::Bug, "the new manifest cannot be read again"));
    };
    let manifest = place::Manifest { path: &channel.release.value, release: &release, text: made.text.clone() };
    let mut verdicts = vec![gates::resolved_digests(&manifest, &args.gates), gates::hold(records, name)];
    verdicts.extend(gates::due(records, &consent.policy, name));
    verdicts.extend(gates::freeze(ctx, own, &args.gates));
    verdicts.extend(gates::signature(&consent.policy, own, (name, &manifest), signatures, &records.now));
    if !args.dry_run {
        met(name, &verdicts)?;
    }
    Ok(verdicts)
}

/// Refuses where a gate is not met.
fn met(label: &str, verdicts: &[gates::Verdict]) -> Result<()> {
    gates::refusal(label, verdicts).map_or(Ok(()), |refusal| Err(refusal.hint("nothing was written")))
}

/// The very release that the archive has under this version: made before, and gone back from.
fn archived(session: &Session, channel: &Channel, made: Made) -> Result<Made> {
    Ok(match archive::again(session, channel, &made.manifest)? {
        Some(archived) => Made { manifest: archived.release.manifest(), text: archived.text, ..made },
        None => made,
    })
}

fn same_but_date(a: &Manifest, b: &Manifest) -> bool {
    Manifest { date: b.date.clone(), ..a.clone() } == *b
}

/// A version names one release for ever, in whatever channel; and a tag one digest.
fn is_free(records: &Records, manifest: &Manifest) -> Result<()> {
    let version = &manifest.version;
    let taken = |what: String| {
        Failure::usage(format!("there is another release `{version}`: {what}"))
            .because("a version names one release for ever")
            .hint("give the new one a version of its own")
    };
    let words = Words::new([version.as_str()]);
    let named = records.session.mentioning(&words);
    for input in &named {
        let Some(release) = input.release().filter(|release| release.version.value == *version) else {
            continue;
        };
        if !same_but_date(&release.manifest(), manifest) {
            return Err(taken(format!("`{}`", input.path)));
        }
    }
    let entries = records.ledger.entries().iter();
    let mut known = entries.flat_map(|recorded| recorded.entry.from.iter().chain(&recorded.entry.to));
    let has_version = |release: &&Release| release.version.value == *version;
    let is_here = named.iter().filter_map(|input| input.release()).any(|release| has_version(&release));
    if !is_here && known.any(|held| held.version == *version) {
        return Err(taken("the ledger knows it".to_owned()));
    }
    settled::one_digest_per_tag(&records.session, manifest, None)
}

/// Profiles can only be pinned to what has a digest.
fn has_digests(was: &Manifest, new: &Manifest) -> Result<()> {
    let lost: Vec<&str> = all(new)
        .filter(|(name, listed)| {
            !listed.has_digest() && all(was).all(|(known, old)| known != *name || old.has_digest())
        })
        .map(|(name, _)| name.as_str())
        .collect();
    if lost.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Exit::Findings, format!("release `{}` has components without a digest", new.version))
        .because(lost.join(", "))
        .hint(
            "make it beside the channels' manifests first, without `--channel`; `collimate release resolve FILE` asks the \
             registry, and `--channel CHANNEL --from FILE` takes it then",
        ))
}

fn all(manifest: &Manifest) -> impl Iterator<Item = (&String, &Listed)> {
    manifest.components.iter().chain(&manifest.infrastructure)
}

/// Writes a manifest and nothing else.
fn beside(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let session = named::session(ctx)?;
    let Some(from) = &args.from else { return Err(Failure::usage("nothing is named to start from: `--from RELEASE`")) };
    let base = named::find(ctx, session.as_ref(), from)?;
    let channel = base.release.channel.value.clone();
    let date = ctx.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let made = make(args, ctx, &base, &channel, &date)?;
    let (shown, path) = match (&args.output, &session) {
        (Some(output), _) => (output.clone(), ctx.cwd().join(output)),
        (None, Some(session)) => {
            let folder = settled::folder(session, &channel);
            let file = folder.join(format!("{}.yaml", args.version));
            (file.clone(), session.files.absolute(&file))
        }
        (None, None) => {
            let file = Utf8PathBuf::from(format!("{}.yaml", args.version));
            (file.clone(), ctx.cwd().join(file))
        }
    };
    if let Some(session) = &session {
        settled::is_free_beside(session, &made.manifest)?;
        settled::one_digest_per_tag(session, &made.manifest, None)?;
    }
    if let Some(there) = there(ctx, &path, &shown)? {
        if same_but_date(&there, &made.manifest) {
            ctx.print(&format!("`{shown}` holds release `{}` already; nothing to do\n", args.version))?;
            return Ok(Exit::Fine);
        }
        return Err(Failure::usage(format!("`{shown}` exists already"))
            .because("it is another release")
            .hint("name another file with `--output`, or change it with `collimate release set --release FILE`"));
    }
    ctx.print(&differing::lines(&Difference::between(&base.release.manifest(), &made.manifest)))?;
    if args.dry_run {
        let texts = BTreeMap::from([(shown, made.text)]);
        ctx.print(&proving::diff(|_| String::new(), &texts))?;
        return Ok(Exit::Fine);
    }
    write::replace_all(&[NewFile { path, content: made.text.into_bytes() }])?;
    ctx.print(&format!("wrote `{shown}`\n"))?;
    let unknown = made.manifest.listed().filter(|listed| !listed.has_digest()).count();
    if unknown > 0 {
        let digests = findings::plural(unknown, "digest");
        ctx.print(&format!("next: `collimate release resolve {shown}`: {digests} not known yet\n"))?;
    }
    Ok(Exit::Fine)
}

/// The release in a file that is there already; `None` where there is no file.
fn there(ctx: &Ctx, path: &Utf8Path, shown: &Utf8Path) -> Result<Option<Manifest>> {
    if path.symlink_metadata().is_err() {
        return Ok(None);
    }
    let text = named::text(ctx, path)?;
    match Release::parse(&text, FileId(0)) {
        (Some(release), problems) if problems.is_empty() => Ok(Some(release.manifest())),
        _ => Err(Failure::usage(format!("`{shown}` exists already"))
            .because("it is no release manifest")
            .hint("name another file with `--output`")),
    }
}
