use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use findings::plural;
use release::{Difference, Gates};
use rollout::{Action, Approval, Draft, Hash, Held, KeyFault, Kind, Moment, Plan, Recorded, Statement, TrustedKey};
use signing::PrivateKey;

use super::key;
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::place::{self, Manifest, Place};
use crate::policy::{Policy, PolicyArgs};
use crate::records::{Purpose, Records};
use crate::session::Session;
use crate::write::{self, NewFile};
use crate::{consent, differing, gates};

/// Who consents for longer than this has forgotten to what.
const MOST_HOURS: u32 = 30 * 24;

/// Consent to a plan, with your signature
///
/// `promote`, `advance` and `release new` write a plan with `--dry-run --plan FILE`, and take approvals with `--approval FILE`. Signed are the hash of the
/// plan, the release that the target holds, your name and role, and when it ends: as soon as anything about the move is another, it counts no more.
/// With `--for ENTRY`, approves afterwards what was moved in an emergency.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The plan
    #[arg(required_unless_present = "entry", conflicts_with = "entry")]
    plan: Option<Utf8PathBuf>,

    /// An entry of the ledger whose approval is due, by the start of its hash: recorded there at once
    #[arg(long = "for", value_name = "ENTRY", conflicts_with_all = ["out", "expires"])]
    entry: Option<String>,

    /// Your private key
    #[arg(long, value_name = "FILE")]
    key: Utf8PathBuf,

    /// In what capacity, where your key has several roles that are asked for
    #[arg(long)]
    role: Option<String>,

    /// How long it counts: hours (`72h`) or days (`3d`), 30 days at most
    #[arg(long, value_name = "TIME", default_value = "72h", value_parser = hours)]
    expires: u32,

    /// Where the approval goes; by default beside the plan, under your name
    #[arg(long, value_name = "FILE")]
    out: Option<Utf8PathBuf>,

    /// Whose keys are trusted; by default what `trust` in `collimate.yaml` names
    #[arg(long, value_name = "FILE")]
    trust: Option<Utf8PathBuf>,

    /// Who you are; must be the name under which your key is trusted
    #[arg(long, value_name = "NAME")]
    by: Option<String>,

    #[command(flatten)]
    policy: PolicyArgs,
}

fn hours(text: &str) -> std::result::Result<u32, String> {
    let (number, unit) = if let Some(number) = text.strip_suffix('h') {
        (number, 1)
    } else if let Some(number) = text.strip_suffix('d') {
        (number, 24)
    } else {
        return Err("write hours or days: `72h`, `3d`".to_owned());
    };
    let hours = number.parse::<u32>().ok().and_then(|number| number.checked_mul(unit));
    hours.filter(|hours| (1..=MOST_HOURS).contains(hours)).ok_or_else(|| "from `1h` to `30d`".to_owned())
}

pub(crate) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let key = key::read_private(&args.key, ctx)?;
    match (&args.plan, &args.entry) {
        (Some(file), _) => plan(args, file, &key, ctx),
        (None, Some(entry)) => afterwards(args, entry, &key, ctx),
        (None, None) => Err(Failure::usage("name a plan, or an entry with `--for`")),
    }
}

/// The entry of the key, which counts today and belongs to whom the command line names.
fn known<'p>(args: &Args, policy: &'p Policy, key: &PrivateKey, now: &Moment) -> Result<&'p TrustedKey> {
    let refused = |why: String| Failure::untrusted("what this key signs would count for nobody").because(why);
    let Some(trust) = policy.trust() else {
        return Err(Failure::usage("nobody's key is trusted")
            .because("`collimate.yaml` names no `trust`")
            .hint("write the file that `collimate schema trust` describes, and name it there or with `--trust FILE`"));
    };
    let public = key.public();
    let Some(entry) = trust.entry(&public) else {
        return Err(refused(KeyFault::Unknown(public.id()).to_string()).hint(
            "let somebody add what `collimate key show FILE` prints to `trust.yaml`, and `--by` your name to it",
        ));
    };
    entry.counts_on(now.day()).map_err(|fault| {
        refused(fault.to_string()).hint("sign with a key that counts today, or let `trust.yaml` name a new one")
    })?;
    let name = &entry.name.value;
    match &args.by {
        Some(by) if by != name => Err(refused(format!("the key is of `{name}`, not of `{by}`"))
            .hint("sign with your own key; an approval names the holder of the key")),
        _ => Ok(entry),
    }
}

/// The role in which somebody signs: the one that is asked for and the key has.
fn role(args: &Args, entry: &TrustedKey, asked: &[&str]) -> Result<String> {
    if let Some(role) = &args.role {
        entry.may_be(role).map_err(|fault| Failure::untrusted("you may not sign in this role").because(fault))?;
        return Ok(role.clone());
    }
    let fits = |role: &&str| asked.is_empty() || asked.contains(role);
    let roles: Vec<&str> = entry.roles.iter().map(|role| role.value.as_str()).filter(fits).collect();
    match roles.as_slice() {
        [role] => Ok((*role).to_owned()),
        [] => {
            let has: Vec<&str> = entry.roles.iter().map(|role| role.value.as_str()).collect();
            Err(Failure::new(Exit::Findings, format!("nobody asks for the approval of `{}`", entry.name.value))
                .because(format!("asked for: {}; the key may be: {}", asked.join(", "), has.join(", ")))
                .hint("nothing was signed; `--role ROLE` signs all the same"))
        }
        several => Err(Failure::usage("the key has several roles that are asked for")
            .hint(format!("name one with `--role`: {}", several.join(", ")))),
    }
}

fn plan(args: &Args, file: &Utf8Path, key: &PrivateKey, ctx: &Ctx) -> Result<Exit> {
    let session = Session::open(ctx)?;
    let policy = Policy::with_trust(ctx, &session, &args.policy, args.trust.as_deref())?;
    let now = now(ctx, 0)?;
    let entry = known(args, &policy, key, &now)?;
    let plan = consent::plan(ctx, file)?;
    let current = is_current(&session, &plan)?;
    let gates = asked(&session, &policy, &plan)?;
    let wanted = gates::wanted(&gates);
    let role = role(args, entry, &wanted.keys().copied().collect::<Vec<_>>())?;
    let until = self::now(ctx, args.expires)?;
    ctx.print(&summary(&session, &plan, &current))?;
    let name = &entry.name.value;
    let statement = Statement::new(plan.hash(), plan.base.sha256.clone(), name, &role, until.clone());
    let approval = statement.sign(key);
    let id = key.public().id();
    let out = args.out.clone().unwrap_or_else(|| {
        let who = if rollout::is_version(name) { name.clone() } else { id.to_string() };
        Utf8PathBuf::from(format!("{file}.{who}.approval"))
    });
    write::replace_all(&[NewFile { path: ctx.cwd().join(&out), content: approval.to_json().into_bytes() }])?;
    ctx.print(&format!("approved as `{role}` by `{name}`, key {id}, until {until}\nwrote `{out}`\n"))?;
    Ok(Exit::Fine)
}

/// Now, or so many hours later.
fn now(ctx: &Ctx, hours: u32) -> Result<Moment> {
    let later = jiff::SignedDuration::from_hours(i64::from(hours));
    let then = ctx.now().checked_add(later).unwrap_or(jiff::Timestamp::MAX).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    then.parse().map_err(|_| Failure::outside(format!("the clock says `{then}`, which no approval can hold")))
}

/// What the target holds, if it is still what the plan starts from; and what it takes is still there.
fn is_current<'s>(session: &'s Session, plan: &Plan) -> Result<Manifest<'s>> {
    let stale = |what: &str, planned: &Held, now: &Held| {
        let show = |held: &Held| format!("`{}` ({})", held.version, held.sha256.short());
        Failure::new(Exit::Findings, "the plan is out of date")
            .because(format!("{what} holds {} now, not {}", show(now), show(planned)))
            .hint("write the plan anew; nothing was signed")
    };
    let channel = place::channel(session, &plan.channel)?;
    let is_channels = matches!(plan.action, Action::Promotion | Action::ReleaseNew);
    let ring = match plan.rings.as_slice() {
        [ring] if !is_channels => Some(ring.as_str()),
        _ => None,
    };
    let label = place::label(&plan.channel, ring);
    let current = Place::parse(session, &label)?.manifest(session)?;
    let held = place::held(current.release);
    if held.sha256 != plan.base.sha256 {
        return Err(stale(&format!("`{label}`"), &plan.base, &held));
    }
    if let Some(source) = plan.source.as_ref().filter(|source| source.channel != channel.name.value) {
        let from = place::channel(session, &source.channel)?;
        let held = place::held(place::manifest(session, &from.release.value)?.release);
        if held.sha256 != source.sha256 {
            let planned = Held { version: source.version.clone(), sha256: source.sha256.clone() };
            return Err(stale(&format!("`{}`", source.channel), &planned, &held));
        }
    }
    Ok(current)
}

/// The gates that ask for approvals of a plan.
fn asked<'p>(session: &'p Session, policy: &'p Policy, plan: &Plan) -> Result<Vec<&'p Gates>> {
    let channel = place::channel(session, &plan.channel)?;
    match (plan.action, plan.rings.as_slice()) {
        (Action::Promotion | Action::ReleaseNew, _) => policy.of_first(channel),
        (Action::Advance, rings) => rings.iter().map(|ring| policy.of_ring(channel, ring)).collect(),
        (Action::Rollback, _) => Ok(Vec::new()),
    }
}

/// What somebody consents to, for people.
fn summary(session: &Session, plan: &Plan, current: &Manifest<'_>) -> String {
    let label = place::label(&plan.channel, plan.rings.first().map(String::as_str));
    let from = plan
        .source
        .as_ref()
        .map_or_else(String::new, |source| format!(" (`{}` of `{}`)", source.version, source.channel));
    let mut out = format!("{} in `{label}`: `{}` → `{}`{from}\n", plan.action, plan.base.version, plan.version);
    // What is taken is here, unless it is made by the move itself: then it is what the source holds.
    let taken = |identity: &Hash| {
        let releases = session.releases.iter().filter_map(|input| input.release());
        releases.into_iter().find(|release| place::held(release).sha256 == *identity)
    };
    let new = plan.source.as_ref().and_then(|source| taken(&source.sha256)).or_else(|| {
        let releases = session.releases.iter().filter_map(|input| input.release());
        releases.into_iter().find(|release| {
            let manifest = release::Manifest { date: None, ..release.manifest() };
            Hash::from(&manifest.identity()) == plan.release
        })
    });
    match new {
        Some(new) => {
            out.push_str(&differing::lines(&Difference::between(&current.release.manifest(), &new.manifest())));
        }
        None => out.push_str("which images change, the dry run of the move shows\n"),
    }
    for (word, names) in [("keeps", &plan.keep), ("gives up", &plan.take)] {
        if !names.is_empty() {
            out.push_str(&format!("{word} of its own: {}\n", names.join(", ")));
        }
    }
    let files: Vec<&str> = plan.files.keys().map(|path| path.as_str()).collect();
    out.push_str(&format!("changes {}: {}\n", plural(files.len(), "file"), files.join(", ")));
    out.push_str(&format!("plan {}\nbase {}\n", plan.hash(), plan.base.sha256));
    source::redact(&out)
}

/// Approves what was moved in an emergency.
fn afterwards(args: &Args, hash: &str, key: &PrivateKey, ctx: &Ctx) -> Result<Exit> {
    let session = Session::open(ctx)?;
    let policy = Policy::with_trust(ctx, &session, &args.policy, args.trust.as_deref())?;
    let now = now(ctx, 0)?;
    let entry = known(args, &policy, key, &now)?;
    let name = &entry.name.value;
    let records = Records::open(ctx, Purpose::Change, &format!("approve --for {hash}"), name)?;
    let moved = owing(&records, hash)?;
    let channel = &moved.entry.channel;
    let debts = records.ledger.due(channel, |later, approval| gates::counts(policy.trust(), later, approval));
    let roles: BTreeSet<&str> =
        debts.iter().filter(|debt| debt.recorded.hash == moved.hash).map(|debt| debt.role).collect();
    if roles.is_empty() {
        ctx.print(&format!("nothing is due any more for `{}`; nothing to do\n", moved.hash.short()))?;
        return Ok(Exit::Fine);
    }
    let refused = |why: &str| {
        Failure::new(Exit::Findings, format!("`{name}` cannot approve `{}`", moved.hash.short()))
            .because(why)
            .hint("somebody else must; nothing was recorded")
    };
    if moved.entry.by == *name {
        return Err(refused("who moves a release does not approve it"));
    }
    let later = records.ledger.entries().iter().filter(|later| later.entry.approves.as_ref() == Some(&moved.hash));
    let mut given = later.chain([moved]).flat_map(|later| &later.entry.approvals);
    if given.any(|approval| approval.by == *name) {
        return Err(refused("it is approved by the same already, and nobody counts twice"));
    }
    let role = role(args, entry, &roles.into_iter().collect::<Vec<_>>())?;
    let (Some(plan), Some(base)) = (&moved.entry.plan, &moved.entry.from) else {
        return Err(refused("the entry names no plan"));
    };
    // It is used at once, as of the moment of its entry: an end later than that would say nothing.
    let newest = records.ledger.entries().iter().map(|recorded| &recorded.entry.at).max();
    let at = newest.unwrap_or(&records.now).max(&records.now).clone();
    let approval: Approval = Statement::new(plan.clone(), base.sha256.clone(), name, &role, at).sign(key);
    let draft = Draft {
        approvals: vec![approval],
        approves: Some(moved.hash.clone()),
        ..Draft::new(Kind::Approval, name, channel, moved.entry.rings.clone())
    };
    let written = records.commit(BTreeMap::new(), vec![draft])?;
    let version = moved.entry.to.as_ref().map_or("nothing", |held| held.version.as_str());
    ctx.print(&format!(
        "approved as `{role}` by `{name}`: {} of `{version}` by {} at {}\n",
        moved.entry.kind, moved.entry.by, moved.entry.at
    ))?;
    for path in written {
        ctx.print(&format!("wrote `{path}`\n"))?;
    }
    Ok(Exit::Fine)
}

/// The entry that somebody names, which owes an approval.
fn owing<'r>(records: &'r Records, hash: &str) -> Result<&'r Recorded> {
    let found = records.ledger.find(hash).filter(|recorded| !recorded.entry.due.is_empty());
    found.ok_or_else(|| {
        let known: Vec<&str> = records
            .ledger
            .entries()
            .iter()
            .filter(|recorded| !recorded.entry.due.is_empty())
            .map(|recorded| recorded.hash.short())
            .collect();
        let failure = Failure::usage(format!("no entry `{hash}` has an approval that is due"));
        if known.is_empty() {
            failure.hint("none is due")
        } else {
            failure.hint(format!("there are: {}", known.join(", ")))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approval_lasts_a_month_at_most() {
        assert_eq!(["1h", "720h", "30d"].map(hours), [Ok(1), Ok(720), Ok(720)]);
        for wrong in ["0h", "721h", "31d", "4294967295d", "-1h"] {
            assert_eq!(hours(wrong), Err("from `1h` to `30d`".to_owned()), "{wrong}");
        }
        assert_eq!(hours("3"), Err("write hours or days: `72h`, `3d`".to_owned()));
    }
}
