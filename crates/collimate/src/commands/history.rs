mod ran;

use camino::Utf8PathBuf;
use findings::plural;
use release::Date;
use rollout::{Entry, FEWEST_DIGITS, Kind, Ledger, Moment, Recorded, Since};
use serde_json::{Value, json};

use crate::columns;
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::place::{self, Place};
use crate::policy::{Policy, PolicyArgs};
use crate::records::{Purpose, Records};
use crate::{gates, vouched};

/// Version of the JSON shape. Raised when a field is added or changes.
const JSON_SCHEMA: u32 = 1;

/// Show what happened to releases: promotions, rollbacks, holds, and what is known good
///
/// The ledger is the folder `history` beside the channels' manifests, one file per entry. Every entry holds the hash of the one before, so that
/// a changed, removed or reordered one is found. Also finishes a change that was interrupted.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only entries about this channel or ring
    #[arg(value_name = "CHANNEL[/RING]")]
    place: Option<String>,

    /// Say whether the ledger hangs together, and which head to note elsewhere
    #[arg(long, conflicts_with = "at")]
    verify: bool,

    /// A head that was noted elsewhere: the ledger must hold it, so that entries removed from its end show too
    #[arg(long, value_name = "HASH", requires = "verify")]
    head: Option<String>,

    /// Whose keys count when approvals and signed entries are judged; by default what `trust` in `collimate.yaml` names
    #[arg(long, value_name = "FILE")]
    trust: Option<Utf8PathBuf>,

    #[command(flatten)]
    policy: PolicyArgs,

    /// What every channel and ring held at the end of this day, or at this moment (UTC)
    #[arg(long, value_name = "DATE")]
    at: Option<String>,

    /// With `--at`: what ran at this site, as `record deploy` saw it
    #[arg(long, value_name = "NAME", requires = "at")]
    site: Option<String>,

    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs; has a schema number
    Json,
}

pub(crate) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let at = args.at.as_deref().map(moment).transpose()?;
    if let Some(head) = args.head.as_deref().filter(|head| !is_start_of_hash(head)) {
        // A variable that is not set must not look like entries that were removed.
        return Err(Failure::usage(format!("`--head {head}` is no hash"))
            .hint(format!("write its 64 lower-case hexadecimal digits, or at least the first {FEWEST_DIGITS}")));
    }
    let records = Records::open(ctx, Purpose::Read, "history", "somebody who looked")?;
    let place = args.place.as_deref().map(|name| Place::parse(&records.session, name)).transpose()?;
    match (&at, args.verify) {
        (Some(at), _) if args.site.is_some() => {
            let site = args.site.as_deref().unwrap_or_default();
            ran::ran_at(&records, place.as_ref(), (site, at), args.format, ctx)?;
        }
        (Some(at), _) => held_at(&records, place.as_ref(), at, args.format, ctx)?,
        (None, true) => return verify(&records, args, ctx),
        (None, false) => {
            list(&records, place.as_ref(), args.format, ctx)?;
            let trust = if args.trust.is_some() || args.policy.is_used() {
                Policy::with_trust(ctx, &records.session, &args.policy, args.trust.as_deref())?.trust().cloned()
            } else {
                Policy::glance(&records.session)
            };
            for channel in &records.session.workspace.channels {
                if let Some((told, way_out)) = gates::owed(&records.ledger, trust.as_ref(), &channel.name.value) {
                    ctx.say(&format!("warning: {told}\nhint: {way_out}\n"));
                }
            }
        }
    }
    if records.faults.is_empty() {
        return Ok(Exit::Fine);
    }
    ctx.say(&format!(
        "error: the ledger is not what was written: {}\nhint: `collimate history --verify` shows them\n",
        plural(records.faults.len(), "fault")
    ));
    Ok(Exit::Findings)
}

fn is_start_of_hash(text: &str) -> bool {
    (FEWEST_DIGITS..=64).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A moment, or the end of a day.
fn moment(text: &str) -> Result<Moment> {
    match (text.parse::<Moment>(), text.parse::<Date>()) {
        (Ok(moment), _) => Ok(moment),
        (_, Ok(day)) => Ok(Moment::end_of(day)),
        _ => Err(Failure::usage(format!("`--at {text}` is no day and no moment"))
            .hint("write `2026-03-03`, or `2026-03-03T10:00:00Z`")),
    }
}

fn list(records: &Records, place: Option<&Place<'_>>, format: Format, ctx: &Ctx) -> Result<()> {
    let is_asked =
        |recorded: &&Recorded| place.is_none_or(|place| recorded.entry.is_about(&place.channel.name.value, place.ring));
    let entries: Vec<&Recorded> = records.ledger.entries().iter().filter(is_asked).collect();
    if format == Format::Json {
        return ctx.print(&json_text(&json!({
            "schema": JSON_SCHEMA,
            "heads": heads(&records.ledger),
            "entries": entries.iter().map(|recorded| entry_json(recorded)).collect::<Vec<_>>(),
        })));
    }
    if entries.is_empty() {
        return ctx.print("nothing is recorded\n");
    }
    let rows: Vec<Vec<String>> = entries.iter().map(|recorded| row(recorded)).collect();
    ctx.print(&columns::align(&rows))?;
    match heads(&records.ledger).len() {
        0 | 1 => Ok(()),
        several => {
            ctx.print(&format!("{}: branches were merged; the next entry joins them\n", plural(several, "head")))
        }
    }
}

fn row(recorded: &Recorded) -> Vec<String> {
    let entry = &recorded.entry;
    vec![
        entry.at.to_string(),
        entry.kind.to_string(),
        labels(entry),
        source::redact(&what(entry)),
        format!("by {}", entry.by),
        recorded.hash.short().to_owned(),
    ]
}

fn labels(entry: &Entry) -> String {
    if entry.rings.is_empty() {
        return entry.channel.clone();
    }
    let labels: Vec<String> = entry.rings.iter().map(|ring| place::label(&entry.channel, Some(ring))).collect();
    labels.join(", ")
}

/// What an entry says, in one line.
fn what(entry: &Entry) -> String {
    let version =
        |held: &Option<rollout::Held>| held.as_ref().map_or("nothing", |held| held.version.as_str()).to_owned();
    let reason = entry.reason.clone().unwrap_or_default();
    match entry.kind {
        Kind::Promotion => {
            let source = entry.source.as_ref().map(|source| format!(" ({} {})", source.channel, source.version));
            format!("{} → {}{}", version(&entry.from), version(&entry.to), source.unwrap_or_default())
        }
        Kind::ReleaseNew if entry.evidence.is_empty() => {
            format!("{} → {}", version(&entry.from), version(&entry.to))
        }
        Kind::ReleaseNew => format!("{} → {} ({})", version(&entry.from), version(&entry.to), evidence(entry)),
        Kind::Advance => format!("{} → {}", version(&entry.from), version(&entry.to)),
        Kind::Deployment => ran::line(entry),
        Kind::Approval => {
            let approvals = entry.approvals.iter().map(|approval| format!("{} as {}", approval.by, approval.role));
            let of = entry.approves.as_ref().map_or("", |hash| hash.short());
            format!("of {of}: {}", approvals.collect::<Vec<_>>().join(", "))
        }
        Kind::Rollback => format!("{} → {}: {reason}", version(&entry.from), version(&entry.to)),
        Kind::Hold => reason,
        Kind::HoldLift if reason.is_empty() => plural(entry.lifts.len(), "hold"),
        Kind::HoldLift => format!("{}: {reason}", plural(entry.lifts.len(), "hold")),
        Kind::MarkGood => format!("{} ({})", version(&entry.to), evidence(entry)),
    }
}

/// The names of an entry's proofs, reports with their verdict.
pub(crate) fn evidence(entry: &Entry) -> String {
    let names: Vec<String> = entry
        .evidence
        .iter()
        .map(|evidence| match (&evidence.probe, &evidence.verdict) {
            (Some(probe), Some(verdict)) => format!("{}: {probe} {verdict}", evidence.name),
            _ => evidence.name.clone(),
        })
        .collect();
    names.join(", ")
}

fn verify(records: &Records, args: &Args, ctx: &Ctx) -> Result<Exit> {
    let (head, format, ledger) = (args.head.as_deref(), args.format, &records.ledger);
    let policy = Policy::with_trust(ctx, &records.session, &args.policy, args.trust.as_deref())?;
    let vouched = policy.trust().map(|trust| vouched::look(records, trust)).transpose()?;
    let mut faults: Vec<String> =
        records.faults.iter().map(|fault| format!("`{}`: {}", fault.name, fault.message)).collect();
    faults.extend(vouched.iter().flat_map(|vouched| vouched.faults.iter().cloned()));
    let found = head.map(|head| (head, ledger.find(head)));
    if let Some((head, None)) = found {
        faults
            .push(format!("no entry has the hash `{head}`: entries were removed, or it is the head of another ledger"));
    }
    let newer = found.and_then(|(_, recorded)| recorded).map(|recorded| ledger.after(&recorded.hash));
    if format == Format::Json {
        ctx.print(&json_text(&json!({
            "schema": JSON_SCHEMA,
            "consistent": faults.is_empty(),
            "complete": newer.map(|_| faults.is_empty()),
            "entries": ledger.entries().len(),
            "heads": heads(ledger),
            "faults": faults,
            "signatures": vouched.as_ref().map(|vouched| json!({
                "approvals": vouched.approvals,
                "entries": vouched.signed,
                "doubts": vouched.doubts,
            })),
        })))?;
        return Ok(if faults.is_empty() { Exit::Fine } else { Exit::Findings });
    }
    let entries = match ledger.entries().len() {
        1 => "1 entry".to_owned(),
        count => format!("{count} entries"),
    };
    for doubt in vouched.iter().flat_map(|vouched| &vouched.doubts) {
        ctx.print(&format!("{}\n", source::redact(doubt)))?;
    }
    for fault in &faults {
        ctx.print(&format!("{}\n", source::redact(fault)))?;
    }
    if !faults.is_empty() {
        ctx.print(&format!("NOT consistent: {entries}, {}\n", plural(faults.len(), "fault")))?;
        return Ok(Exit::Findings);
    }
    if let Some(vouched) = &vouched {
        let (approvals, doubts) = (plural(vouched.approvals, "approval"), plural(vouched.doubts.len(), "doubt"));
        ctx.print(&format!("{} of {entries} signed, {approvals}, {doubts}\n", vouched.signed))?;
    }
    for head in heads(ledger) {
        ctx.print(&format!("head {head}\n"))?;
    }
    match newer {
        Some(0) => ctx.print(&format!("complete: {entries}\n"))?,
        Some(newer) => {
            ctx.print(&format!("complete up to the head that you named: {entries}, {newer} of them newer\n"))?;
        }
        None => {
            ctx.print(&format!("consistent: {entries}\n"))?;
            ctx.say("note: whether the newest entries were removed shows only against a head noted elsewhere (`--head HASH`)\n");
        }
    }
    Ok(Exit::Fine)
}

fn held_at(records: &Records, asked: Option<&Place<'_>>, at: &Moment, format: Format, ctx: &Ctx) -> Result<()> {
    let ledger = &records.ledger;
    let mut places: Vec<(&str, Option<&str>)> = Vec::new();
    for channel in &records.session.workspace.channels {
        if channel.rings.is_empty() {
            places.push((&channel.name.value, None));
        }
        places.extend(channel.rings.iter().map(|ring| (channel.name.value.as_str(), Some(ring.name.value.as_str()))));
    }
    places.retain(|(channel, ring)| {
        asked.is_none_or(|asked| asked.channel.name.value == *channel && (asked.ring.is_none() || asked.ring == *ring))
    });
    let mut rows = Vec::new();
    let mut values = Vec::new();
    for (channel, ring) in places {
        let held = ledger.held_at(channel, ring, at);
        let good = held.as_ref().and_then(|held| {
            let is_it =
                |recorded: &&&Recorded| recorded.entry.to.as_ref().is_some_and(|good| good.sha256 == held.held.sha256);
            ledger.good(channel, ring, Some(at)).iter().find(is_it).copied()
        });
        values.push(json!({
            "channel": channel,
            "ring": ring,
            "release": held.as_ref().map(|held| &held.held),
            "brought_by": held.as_ref().and_then(|held| match held.since {
                Since::Entry(recorded) => Some(entry_json(recorded)),
                Since::Seen(_) | Since::Before(_) => None,
            }),
            "good_by": good.map(entry_json),
        }));
        let label = place::label(channel, ring);
        let Some(held) = held else {
            rows.push(vec![label, "not known: nothing is recorded about it".to_owned()]);
            continue;
        };
        let since = match held.since {
            Since::Entry(Recorded { entry, .. }) => format!("since {}: {} by {}", entry.at, entry.kind, entry.by),
            Since::Seen(Recorded { entry, .. }) => format!("there at {}; what brought it is not recorded", entry.at),
            Since::Before(_) => "from before the first entry".to_owned(),
        };
        let proof = match good {
            Some(Recorded { entry, .. }) => format!("good: {} by {}", evidence(entry), entry.by),
            None => "not marked good".to_owned(),
        };
        rows.push(vec![label, held.held.version.clone(), held.held.sha256.short().to_owned(), since, proof]);
    }
    match format {
        Format::Json => ctx.print(&json_text(&json!({"schema": JSON_SCHEMA, "at": at, "places": values}))),
        // What was held is known; whether it ran is another question, which only a look at the running system answers.
        Format::Text => ctx.print(&format!("held at {at}; not known to have run\n{}", columns::align(&rows))),
    }
}

fn heads(ledger: &Ledger) -> Vec<String> {
    ledger.heads().iter().map(|recorded| recorded.hash.to_string()).collect()
}

fn entry_json(recorded: &Recorded) -> Value {
    // Texts and lists of them: nothing that JSON cannot hold.
    let mut value = serde_json::to_value(&recorded.entry).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("hash".to_owned(), Value::from(recorded.hash.as_str()));
        fields.insert("file".to_owned(), Value::from(recorded.name.as_str()));
    }
    value
}

fn json_text(value: &Value) -> String {
    findings::disarmed_json(format!("{value:#}\n"))
}
