use std::collections::BTreeMap;

use clap::Subcommand;
use rollout::{Draft, Kind, Recorded};

use crate::columns;
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::identity::IdentityArgs;
use crate::place;
use crate::records::{Purpose, Records};

/// Stop promotions into a channel, and let them go on
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Stop promotions into a channel
    Set {
        channel: String,
        /// Why; shown to whoever tries to promote
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        identity: IdentityArgs,
    },
    /// End all holds of a channel
    Lift {
        channel: String,
        /// Why it may go on
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        identity: IdentityArgs,
    },
    /// Show the holds that stand
    List {
        /// Only of this channel
        channel: Option<String>,
    },
}

pub(crate) fn run(args: Args, ctx: &Ctx) -> Result<Exit> {
    match args.command {
        Command::Set { channel, reason, identity } => set(&channel, reason, &identity, ctx),
        Command::Lift { channel, reason, identity } => lift(&channel, reason, &identity, ctx),
        Command::List { channel } => list(channel.as_deref(), ctx),
    }
}

fn set(channel: &str, reason: String, identity: &IdentityArgs, ctx: &Ctx) -> Result<Exit> {
    let by = identity.resolve(ctx)?;
    let records = Records::open(ctx, Purpose::Change, &format!("hold set {channel}"), &by)?;
    place::channel(&records.session, channel)?;
    let is_same = |hold: &&Recorded| hold.entry.reason.as_ref() == Some(&reason);
    if let Some(hold) = records.ledger.holds(channel).into_iter().find(is_same) {
        ctx.print(&format!(
            "`{channel}` is held already for this reason, by {} since {}\n",
            hold.entry.by, hold.entry.at
        ))?;
        return Ok(Exit::Fine);
    }
    let draft = Draft { reason: Some(reason), ..Draft::new(Kind::Hold, records.by(), channel, Vec::new()) };
    let entries = records.commit(BTreeMap::new(), vec![draft])?;
    ctx.print(&format!("`{channel}` is held: nothing is promoted into it until `collimate hold lift {channel}`\n"))?;
    written(&entries, ctx)
}

fn lift(channel: &str, reason: Option<String>, identity: &IdentityArgs, ctx: &Ctx) -> Result<Exit> {
    let by = identity.resolve(ctx)?;
    let records = Records::open(ctx, Purpose::Change, &format!("hold lift {channel}"), &by)?;
    place::channel(&records.session, channel)?;
    let holds = records.ledger.holds(channel);
    if holds.is_empty() {
        ctx.print(&format!("`{channel}` is not held; nothing to do\n"))?;
        return Ok(Exit::Fine);
    }
    let lifts = holds.iter().map(|hold| hold.hash.clone()).collect();
    let draft = Draft { reason, lifts, ..Draft::new(Kind::HoldLift, records.by(), channel, Vec::new()) };
    let entries = records.commit(BTreeMap::new(), vec![draft])?;
    for hold in holds {
        ctx.print(&format!("lifted from `{channel}`: {}\n", shown(hold)))?;
    }
    written(&entries, ctx)
}

fn list(channel: Option<&str>, ctx: &Ctx) -> Result<Exit> {
    let records = Records::open(ctx, Purpose::Read, "hold list", "somebody who looked")?;
    if let Some(channel) = channel {
        place::channel(&records.session, channel)?;
    }
    if !records.faults.is_empty() {
        return Err(Failure::untrusted("the ledger is not what was written; a hold may be missing from it")
            .hint("`collimate history --verify` shows what is wrong"));
    }
    let channels = records.session.workspace.channels.iter().map(|known| known.name.value.as_str());
    let rows: Vec<Vec<String>> = channels
        .filter(|known| channel.is_none_or(|channel| channel == *known))
        .flat_map(|known| records.ledger.holds(known))
        .map(|hold| vec![hold.entry.channel.clone(), shown(hold)])
        .collect();
    ctx.print(&if rows.is_empty() { "nothing is held\n".to_owned() } else { columns::align(&rows) })?;
    Ok(Exit::Fine)
}

/// `reason (by alice since 2026-03-03T10:00:00Z)`.
pub(crate) fn shown(hold: &Recorded) -> String {
    let reason = hold.entry.reason.as_deref().unwrap_or("no reason given");
    let reason = source::redact(reason);
    findings::disarmed(&format!("{reason} (by {} since {})", hold.entry.by, hold.entry.at))
}

fn written(entries: &[camino::Utf8PathBuf], ctx: &Ctx) -> Result<Exit> {
    for path in entries {
        ctx.print(&format!("wrote `{path}`\n"))?;
    }
    Ok(Exit::Fine)
}
