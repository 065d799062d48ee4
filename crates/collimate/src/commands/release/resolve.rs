mod access;
mod outcome;

use std::collections::{BTreeMap, BTreeSet};

use alignment::Words;
use camino::{Utf8Path, Utf8PathBuf};
use clap::ValueEnum;
use findings::plural;
use registry::{Class, Client, Fault};
use release::{Assignment, Component, Digest, ImageRef, Release};
use rollout::Ledger;

use self::access::AccessArgs;
use self::outcome::{Outcome, State};
use super::named::{self, Named};
use super::settled;
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::proving;
use crate::records::{Purpose, Records};
use crate::session::{self, Session};
use crate::signature::Signatures;
use crate::write::{self, NewFile};

/// Who is told to others that find the lock: nothing is recorded, since nothing moves.
const SOMEBODY: &str = "somebody who resolves digests";

/// The report names every component; a message does not have to.
const MOST_NAMES: usize = 5;

/// Image and tag → the digest that a release lists for it, and the release's file.
type Elsewhere = BTreeMap<(String, String), (Digest, Utf8PathBuf)>;

/// Write the digests that registries have for a release's tags into its manifest
///
/// Asks for the digest of the index behind each tag, and changes nothing but digests and `digests:`; comments stay. All or nothing: where one
/// component cannot be resolved, nothing is written. A tag that has another digest than the manifest lists was moved: that is an error
/// unless it is accepted. Exits with 1 if a tag is not there or was moved, 4 if a registry cannot be reached or fails, 5 if one cannot be
/// trusted or does not let us in.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A channel, or the file of a manifest
    release: String,

    /// Components to resolve; all by default
    #[arg(value_name = "COMPONENT")]
    components: Vec<String>,

    /// Print the change as a unified diff and write nothing
    #[arg(long)]
    dry_run: bool,

    /// List the digest that a tag has now, also where the manifest lists another one
    #[arg(long)]
    accept_moved: bool,

    /// Format of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    #[command(flatten)]
    access: AccessArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(super) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let (named, elsewhere) = target(args, ctx)?;
    let components = chosen(&named.release, &args.components)?;
    let config = args.access.config(ctx)?;
    mirrors_are_of_use(&named.release, &config)?;
    let private = |component: &Component| is_kept(component, args, &config);
    let (kept, asked): (Vec<&Component>, Vec<&Component>) =
        components.iter().copied().partition(|component| private(component));
    let references: Vec<ImageRef> = asked.iter().map(|component| question(component)).collect::<Result<_>>()?;
    let client = Client::new(config).map_err(|fault| unusable(&fault))?;
    let answers = client.resolve(&references);
    let mut outcomes: BTreeMap<&str, Outcome<'_>> =
        kept.into_iter().map(|component| (component.name.value.as_str(), Outcome::kept(component))).collect();
    for (component, answer) in asked.into_iter().zip(answers) {
        let key = (component.image.name(), component.tag.value.clone());
        let outcome = Outcome::judge(component, answer, elsewhere.get(&key), args.accept_moved);
        outcomes.insert(&component.name.value, outcome);
    }
    // As the manifest has them.
    let outcomes: Vec<Outcome<'_>> =
        components.iter().filter_map(|component| outcomes.remove(component.name.value.as_str())).collect();

    let refused = refusal(&named.path, &outcomes);
    let edited = match refused {
        Some(_) => named.text.clone(),
        None => edited(&named, &outcomes)?,
    };
    let is_new = edited != named.text;
    let written = is_new && !args.dry_run;
    let was_signed = written && write(&named, edited.clone(), ctx)?;
    match args.format {
        Format::Json => ctx.print(&outcome::json(&named, &edited, written, &outcomes))?,
        Format::Text => ctx.print(&outcome::text(&outcomes))?,
    }
    if let Some(failure) = refused {
        return Err(failure);
    }
    if args.format == Format::Text && args.dry_run && is_new {
        let texts = BTreeMap::from([(named.path.clone(), edited)]);
        ctx.print(&proving::diff(|_| named.text.clone(), &texts))?;
    } else if args.format == Format::Text {
        ctx.print(&conclusion(&named, written, &edited))?;
        if was_signed {
            ctx.print(
                "its signature was of the old text and is gone: sign the new one with `collimate release sign`\n",
            )?;
        }
    }
    Ok(Exit::Fine)
}

/// The manifest that a command line names, where it may still be changed, and what other releases list.
fn target(args: &Args, ctx: &Ctx) -> Result<(Named, Elsewhere)> {
    let purpose = if args.dry_run { Purpose::DryRun } else { Purpose::Read };
    // Closed again before a registry is asked: nobody must wait for a network to take the lock.
    let records = Records::open(ctx, purpose, "release resolve", SOMEBODY)?;
    let named = named::find(ctx, Some(&records.session), &args.release)?;
    changeable(&records.session, &records.ledger, &named)?;
    let elsewhere = elsewhere(&records.session, &named);
    Ok((named, elsewhere))
}

/// Refuses what is archived or was promoted: a version names one release for ever.
fn changeable(session: &Session, ledger: &Ledger, named: &Named) -> Result<()> {
    let version = &named.release.version.value;
    settled::reason(session, ledger, named).map_or(Ok(()), |reason| {
        Err(Failure::new(Exit::Findings, format!("release `{version}` never changes any more"))
            .because(reason)
            .hint(format!("make the next one: `collimate release new VERSION --from {version}`")))
    })
}

/// What other releases list for each image and tag: real digests, no stand-ins.
fn elsewhere(session: &Session, named: &Named) -> Elsewhere {
    let mut known = Elsewhere::new();
    let words = Words::new(named.release.components.iter().map(|component| component.tag.value.as_str()));
    for input in session.mentioning(&words).into_iter().filter(|input| input.path != named.path) {
        for component in input.release().iter().flat_map(|release| &release.components) {
            if let Some(digest) = component.digest.get().filter(|_| !component.is_sample()) {
                let key = (component.image.name(), component.tag.value.clone());
                known.entry(key).or_insert_with(|| (digest.clone(), input.path.clone()));
            }
        }
    }
    known
}

/// The components with these names, as the manifest has them; all if there are none.
fn chosen<'r>(release: &'r Release, names: &[String]) -> Result<Vec<&'r Component>> {
    let known = || release.components.iter().map(|component| component.name.value.as_str());
    if let Some(unknown) = names.iter().find(|name| release.component(name).is_none()) {
        return Err(session::unknown("component", unknown, known().collect()));
    }
    let is_chosen = |component: &&Component| names.is_empty() || names.contains(&component.name.value);
    Ok(release.components.iter().filter(is_chosen).collect())
}

/// A mirror of a registry that no component comes from is a slip, and its images would be asked for elsewhere than was meant.
fn mirrors_are_of_use(release: &Release, config: &registry::Config) -> Result<()> {
    let known: BTreeSet<&str> = release.components.iter().map(|component| component.image.registry()).collect();
    match config.mirrors.keys().find(|from| !known.contains(from.as_str())) {
        None => Ok(()),
        Some(from) => Err(Failure::usage(format!("no component comes from `{from}`, so its mirror is of no use"))
            .hint(format!("they come from: {}", known.into_iter().collect::<Vec<_>>().join(", ")))),
    }
}

/// An image that its registry serves no longer keeps its digest, unless somebody names a mirror or the component.
fn is_kept(component: &Component, args: &Args, config: &registry::Config) -> bool {
    let is_private = component
        .availability
        .as_ref()
        .is_some_and(|availability| availability.value == release::Availability::PrivateMirror);
    is_private
        && component.digest.get().is_some()
        && !component.is_sample()
        && !config.mirrors.contains_key(component.image.registry())
        && !args.components.contains(&component.name.value)
}

/// What the registry is asked: with the digest that the manifest lists, where that is one of a registry.
fn question(component: &Component) -> Result<ImageRef> {
    let believed = component.digest.get().filter(|_| !component.is_sample());
    let digest = believed.map(|digest| format!("@{digest}")).unwrap_or_default();
    format!("{}:{}{digest}", component.image.name(), component.tag.value).parse().map_err(|error| {
        Failure::new(Exit::Findings, format!("component `{}` cannot be asked for", component.name.value)).because(error)
    })
}

/// Why nothing may be written.
fn refusal(path: &Utf8Path, outcomes: &[Outcome<'_>]) -> Option<Failure> {
    let faults: Vec<(&str, &Fault)> = outcomes
        .iter()
        .filter_map(|outcome| match &outcome.state {
            State::Failed(fault) => Some((outcome.component.name.value.as_str(), fault)),
            _ => None,
        })
        .collect();
    let moved: Vec<&Outcome<'_>> = outcomes.iter().filter(|outcome| matches!(outcome.state, State::Moved)).collect();
    let count = faults.len() + moved.len();
    if count == 0 {
        return None;
    }
    let exit =
        faults.iter().map(|(_, fault)| exit(fault.class())).chain([Exit::Findings]).max_by_key(|exit| *exit as u8)?;
    let message = format!("`{path}` is left as it is: {} cannot be resolved", plural(count, "component"));
    let mut failure = Failure::new(exit, message);
    for (names, fault) in grouped(&faults) {
        failure = failure.because(format!("{names}: {} ({})", fault.message, fault.name()));
    }
    for outcome in &moved {
        failure = failure.because(format!("`{}`: {}", outcome.component.name.value, outcome.told()));
    }
    // The way out of the gravest one; the others come with the next run.
    let gravest = faults.iter().rev().map(|(_, fault)| fault).max_by_key(|fault| fault.class());
    Some(match gravest {
        Some(fault) => failure.hint(fault.hint()),
        None => failure.hint(
            "find out who moved the tag, and list the new image under a tag of its own; or take what it is now with `--accept-moved`",
        ),
    })
}

/// Faults with the components that met them: offline, all meet the same.
fn grouped<'f>(faults: &[(&str, &'f Fault)]) -> Vec<(String, &'f Fault)> {
    let mut groups: Vec<(Vec<&str>, &Fault)> = Vec::new();
    for (name, fault) in faults {
        match groups.iter_mut().find(|(_, known)| known == fault) {
            Some((names, _)) => names.push(name),
            None => groups.push((vec![name], fault)),
        }
    }
    let listed = |names: Vec<&str>| {
        let mut shown: Vec<String> = names.iter().take(MOST_NAMES).map(|name| format!("`{name}`")).collect();
        if names.len() > MOST_NAMES {
            shown.push(format!("{} more", names.len() - MOST_NAMES));
        }
        shown.join(", ")
    };
    groups.into_iter().map(|(names, fault)| (listed(names), fault)).collect()
}

fn exit(class: Class) -> Exit {
    match class {
        Class::Absent => Exit::Findings,
        Class::Input => Exit::Input,
        Class::Unreachable => Exit::Outside,
        Class::Untrusted => Exit::Untrusted,
    }
}

/// No question could be asked at all.
fn unusable(fault: &Fault) -> Failure {
    Failure::new(exit(fault.class()), "no registry can be asked")
        .because(format!("{} ({})", fault.message, fault.name()))
        .hint(fault.hint())
}

/// The manifest with the digests that were found.
fn edited(named: &Named, outcomes: &[Outcome<'_>]) -> Result<String> {
    let assignments: Vec<Assignment> = outcomes
        .iter()
        .filter_map(|outcome| {
            let digest = outcome.new_digest()?.clone();
            Some(Assignment { component: outcome.component.name.value.clone(), tag: None, digest })
        })
        .collect();
    release::assign(&named.text, &assignments).map_err(|error| {
        Failure::new(Exit::Findings, format!("`{}` cannot be edited", named.path))
            .because(error)
            .hint("write each digest as a plain value on a line of its own")
    })
}

/// Writes it if it still is what was read before the registries were asked. Gives whether a signature was beside it: that one is of the
/// old text, and goes.
fn write(named: &Named, edited: String, ctx: &Ctx) -> Result<bool> {
    let records = Records::open(ctx, Purpose::Change, "release resolve", SOMEBODY)?;
    let session = &records.session;
    let on_disk = session.files.absolute(&named.path);
    if std::fs::read(&on_disk).ok().as_deref() != Some(named.text.as_bytes()) {
        return Err(Failure::outside(format!("`{}` was changed while the registries were asked", named.path))
            .hint("nothing was written; run the command again"));
    }
    changeable(session, &records.ledger, named)?;
    if session.releases.iter().any(|input| input.path == named.path) {
        let was_signed = !Signatures::beside(session, &named.path)?.is_empty();
        records.commit(BTreeMap::from([(named.path.clone(), edited)]), Vec::new())?;
        return Ok(was_signed);
    }
    write::replace_all(&[NewFile { path: on_disk, content: edited.into_bytes() }])?;
    Ok(false)
}

/// What was done, and what comes next.
fn conclusion(named: &Named, written: bool, edited: &str) -> String {
    if !written {
        return format!("`{}` lists what the registries have; nothing to do\n", named.path);
    }
    let mut out = format!("wrote `{}`\n", named.path);
    let unresolved: BTreeSet<String> =
        Release::parse(edited, source::FileId(0)).0.map_or_else(BTreeSet::new, |release| {
            let open = release
                .components
                .into_iter()
                .filter(|component| component.digest.get().is_none() || component.is_sample());
            open.map(|component| component.name.value).collect()
        });
    if !unresolved.is_empty() {
        let names: Vec<String> = unresolved.into_iter().collect();
        out.push_str(&format!("not resolved yet: {}\n", names.join(", ")));
    }
    if let Some(channel) = &named.channel {
        out.push_str(&format!("next: `collimate pin {channel}` writes the digests into the profiles\n"));
    }
    out
}

/// The path of a file that the command line or the environment names.
fn absolute(ctx: &Ctx, path: &Utf8Path) -> Utf8PathBuf {
    ctx.cwd().join(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_with_one_fault_are_told_once_and_few_are_named() {
        let fault = |message: &str| Fault { kind: registry::Kind::TimedOut, message: message.to_owned() };
        let (one, other) = (fault("one"), fault("other"));
        let faults = ["a", "b", "c", "d", "e", "f", "g"].map(|name| (name, if name == "c" { &other } else { &one }));
        let told =
            |count: usize| -> Vec<String> { grouped(&faults[..count]).into_iter().map(|(names, _)| names).collect() };
        assert_eq!(told(6), ["`a`, `b`, `d`, `e`, `f`", "`c`"]);
        assert_eq!(told(7), ["`a`, `b`, `d`, `e`, `f`, 1 more", "`c`"]);
    }
}
