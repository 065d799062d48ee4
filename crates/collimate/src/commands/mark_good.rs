use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use rollout::{Draft, Evidence, Hash, Kind, Report};
use signing::Zeroizing;

use crate::archive;
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::given;
use crate::identity::IdentityArgs;
use crate::place::{self, Place};
use crate::records::{Purpose, Records};

/// Evidence is read whole to be hashed; logs and reports are far smaller.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

const LONGEST_SHOWN: usize = 80;

/// Record that the release which a channel or ring holds is known good
///
/// `rollback` goes back to what is known good. In a channel with rings, CHANNEL alone means every ring that follows the channel's own
/// manifest. The release is archived, so that it can be gone back to.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The channel, or one ring of it
    #[arg(value_name = "CHANNEL[/RING]")]
    place: String,

    /// What proves it: a JSON report of `collimate smoke`, whose verdict must be green, or any other file. Its hash is recorded
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    evidence: Vec<Utf8PathBuf>,

    #[command(flatten)]
    identity: IdentityArgs,
}

pub(crate) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let by = args.identity.resolve(ctx)?;
    let records = Records::open(ctx, Purpose::Change, &format!("mark-good {}", args.place), &by)?;
    let place = Place::parse(&records.session, &args.place)?;
    let manifest = place.manifest(&records.session)?;
    let held = place::held(manifest.release);
    let evidence = read(&args.evidence, &held.version, ctx)?;
    let (channel, rings) = (&place.channel.name.value, place.rings()?);
    let label = place.label();
    let known = |ring: Option<&str>| {
        records.ledger.good(channel, ring, None).into_iter().any(|recorded| {
            recorded.entry.to.as_ref() == Some(&held)
                && evidence.iter().all(|new| recorded.entry.evidence.iter().any(|old| old.sha256 == new.sha256))
        })
    };
    let is_known = if rings.is_empty() { known(None) } else { rings.iter().all(|ring| known(Some(ring))) };
    if is_known {
        ctx.print(&format!("`{label}`: release `{}` is marked good already, with this evidence\n", held.version))?;
        return Ok(Exit::Fine);
    }
    let mut texts = BTreeMap::new();
    archive::keep(&records.session, place.channel, (&held, &manifest.text), &mut texts)?;
    let draft = Draft { to: Some(held.clone()), evidence, ..Draft::new(Kind::MarkGood, records.by(), channel, rings) };
    let archived: Vec<Utf8PathBuf> = texts.keys().cloned().collect();
    let entries = records.commit(texts, vec![draft])?;
    ctx.print(&format!("`{label}`: release `{}` is marked good\n", held.version))?;
    for path in archived.iter().chain(&entries) {
        ctx.print(&format!("wrote `{path}`\n"))?;
    }
    Ok(Exit::Fine)
}

/// Reads all evidence and refuses what speaks against the release.
fn read(files: &[Utf8PathBuf], version: &str, ctx: &Ctx) -> Result<Vec<Evidence>> {
    let mut evidence: Vec<Evidence> = Vec::new();
    for file in files {
        let bytes = evidence_bytes(file, ctx)?;
        let report = Report::read(&bytes).map_err(|error| {
            Failure::input(format!("cannot judge `{file}`"))
                .because(error)
                .hint("nothing was recorded; let the probe write its report anew")
        })?;
        if !report.is_green() {
            let verdict = report.verdict.unwrap_or_default();
            return Err(Failure::new(Exit::Findings, format!("`{file}` does not prove that anything is good"))
                .because(format!("its verdict is `{}`", shown(&verdict)))
                .hint("nothing was recorded; mend what the report found, or go back with `collimate rollback`"));
        }
        if let Some(other) = report.release.filter(|release| release != version) {
            return Err(Failure::new(Exit::Findings, format!("`{file}` is about another release"))
                .because(format!("it looked at `{}`; the manifest says `{version}`", shown(&other)))
                .hint("deploy the release of the manifest, then probe it again"));
        }
        let name = file.file_name().unwrap_or(file.as_str()).to_owned();
        let new = Evidence { name, sha256: Hash::of(&bytes), probe: report.probe, verdict: report.verdict };
        if !evidence.iter().any(|known| known.sha256 == new.sha256) {
            evidence.push(new);
        }
    }
    Ok(evidence)
}

/// What a report says of itself: no version and no verdict is longer, and none has several lines.
fn shown(text: &str) -> String {
    text.chars().take(LONGEST_SHOWN).map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

/// A file that is evidence, whole.
pub(crate) fn evidence_bytes(file: &Utf8Path, ctx: &Ctx) -> Result<Zeroizing<Vec<u8>>> {
    given::read(file, MOST_BYTES, ctx)
}
