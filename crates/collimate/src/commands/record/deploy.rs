use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use rollout::{Deployed, Draft, Evidence, Gate, Hash, Kind, Moment, Running};

use crate::commands::mark_good;
use crate::context::Ctx;
use crate::deployment::Expectation;
use crate::exit::{Exit, Failure, Result};
use crate::identity::IdentityArgs;
use crate::records::{Purpose, Records};
use crate::{head, inputs, place};

/// Record which images run at a site, and hold them against the profile's release
///
/// The evidence is what an engine or a cluster says of itself; its hash and the digests go into the ledger, so that `history --at T --site S` can
/// answer what ran. What differs from the release is printed and recorded as well: the command ends with 1 then. Nothing is deployed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The profile that is deployed there
    profile: String,

    /// Where: a name that you choose, always the same for the same place
    #[arg(long, value_name = "NAME")]
    site: String,

    /// What runs there: JSON of `kubectl get pods -o json`, `docker image inspect`, `docker inspect`, `docker compose images --format json`,
    /// or `{"schema": 1, "seen": MOMENT, "images": [DIGEST…], "configuration": SHA256}`
    #[arg(long, value_name = "FILE")]
    evidence: Utf8PathBuf,

    /// When that was seen (UTC), where the file does not say it; by default now
    #[arg(long, value_name = "MOMENT")]
    seen: Option<Moment>,

    #[command(flatten)]
    identity: IdentityArgs,
}

pub(crate) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let by = args.identity.resolve(ctx)?;
    let records = Records::open(ctx, Purpose::Change, &format!("record deploy {}", args.profile), &by)?;
    let session = &records.session;
    let profile = session.profile(&args.profile)?;
    let (file, bytes) = (&args.evidence, mark_good::evidence_bytes(&args.evidence, ctx)?);
    let running = Running::read(&bytes).map_err(|error| {
        Failure::input(format!("`{file}` does not say what runs")).because(error).hint("nothing was recorded")
    })?;
    let seen = seen(args, &running, &records.now)?;
    let input = session.release_index(profile).and_then(|index| session.releases.get(index));
    let Some(path) = input.map(|input| &input.path) else {
        return Err(Failure::input(format!("the release of `{}` cannot be read", args.profile))
            .hint("`collimate check` shows why"));
    };
    let held = place::held(place::manifest(session, path)?.release);
    let comparison = Expectation::of(ctx, session, profile)?.compare(&running, session)?;

    let name = file.file_name().unwrap_or(file.as_str()).to_owned();
    let evidence = Evidence { name, sha256: Hash::of(&bytes), probe: None, verdict: None };
    let deployed = Deployed {
        site: args.site.clone(),
        profile: args.profile.clone(),
        seen: seen.clone(),
        images: running.digests(),
        configuration: running.configuration.clone(),
    };
    let mut gates = vec![Gate { gate: "as-released".to_owned(), result: comparison.result(), output: None }];
    if let Some(configuration) = &running.configuration {
        let ours = inputs::recorded(session, &BTreeSet::from([args.profile.clone()]));
        let is_ours = ours.iter().any(|inputs| inputs.sha256 == *configuration);
        let result = if is_ours { "passed" } else { "another than here" };
        gates.push(Gate { gate: "configuration".to_owned(), result: result.to_owned(), output: None });
    }
    let verdict = if comparison.is_as_released() { "what" } else { "NOT what" };
    ctx.print(&format!("`{}` at `{}`, seen {seen}: {verdict} `{}` lists\n", args.profile, args.site, held.version))?;
    ctx.print(&comparison.told())?;
    for gate in gates.iter().skip(1) {
        ctx.print(&format!("  {}  {}\n", gate.gate, gate.result))?;
    }
    let exit = if comparison.is_as_released() { Exit::Fine } else { Exit::Findings };
    let is_known = records.ledger.deployments().any(|(recorded, known)| {
        *known == deployed && recorded.entry.evidence.iter().any(|known| known.sha256 == evidence.sha256)
    });
    if is_known {
        ctx.print("recorded already\n")?;
        return Ok(exit);
    }
    let rings = profile.ring.iter().map(|ring| ring.value.clone()).collect();
    let draft = Draft {
        to: Some(held),
        gates,
        evidence: vec![evidence],
        commit: head::commit(session.files.root()),
        deployed: Some(deployed),
        ..Draft::new(Kind::Deployment, records.by(), &profile.channel.value, rings)
    };
    for path in records.commit(BTreeMap::new(), vec![draft])? {
        ctx.print(&format!("wrote `{path}`\n"))?;
    }
    Ok(exit)
}

/// When it was seen: an auditor asks for a moment, so it must be one, and not one that is still to come.
fn seen(args: &Args, running: &Running, now: &Moment) -> Result<Moment> {
    let seen = match (&running.seen, &args.seen) {
        (Some(seen), Some(named)) if seen != named => {
            return Err(Failure::usage(format!("`--seen {named}` is not what `{}` says: {seen}", args.evidence))
                .hint("leave `--seen` out; nothing was recorded"));
        }
        (Some(seen), _) | (None, Some(seen)) => seen,
        (None, None) => now,
    };
    if seen > now {
        return Err(Failure::input(format!("`{}` was seen at {seen}, which is to come", args.evidence))
            .because(format!("it is {now} here"))
            .hint("look at the clocks of both machines; nothing was recorded"));
    }
    Ok(seen.clone())
}
