mod watch;

use std::mem::ManuallyDrop;

use alignment::Role;
use camino::{Utf8Path, Utf8PathBuf};
use findings::plural;

use crate::baseline::{self, Baseline};
use crate::checking::{self, Scope};
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::policy::{self, Policy};
use crate::records::Records;
use crate::report::{Format, Report};
use crate::session::Session;
use crate::{gates, peers, targets};

/// The rules, with a failing and a repaired example each: what `--explain` prints.
const RULES_PAGE: &str = include_str!("../../../../docs/rules.md");

/// Render every profile and prove that it uses exactly the images of its release
///
/// Needs neither Docker nor Helm nor network, and reads no variable of the environment. Exits with 1 if there is an error.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Channels or profiles to report on; all by default
    #[arg(value_name = "CHANNEL|PROFILE")]
    names: Vec<String>,

    /// Output format
    #[arg(long, default_value = "text")]
    pub(crate) format: Format,

    /// Fail on warnings too
    #[arg(long, value_name = "LEVEL")]
    deny: Option<Deny>,

    /// Show notes too
    #[arg(long)]
    notes: bool,

    /// Check one Compose profile with this env file in place of its example (repeatable: a later one wins)
    #[arg(long, value_name = "FILE")]
    env_file: Vec<Utf8PathBuf>,

    /// Also run the real `docker compose config`, `helm lint` and `helm template`, and compare
    ///
    /// `auto` skips a tool that is not installed, `require` fails without it (exit code 4).
    #[arg(long, value_name = "WHEN", num_args = 0..=1, default_missing_value = "auto", require_equals = true)]
    peers: Option<Peers>,

    /// Hold files against this manifest in place of their channel's
    #[arg(long, value_name = "MANIFEST", requires = "target", conflicts_with = "names")]
    release: Option<Utf8PathBuf>,

    /// A Compose or values file to hold against `--release` (repeatable)
    ///
    /// Profiles of the workspace that use the file are rendered and checked; a file that no profile uses is searched for images.
    #[arg(long, value_name = "FILE", requires = "release")]
    target: Vec<Utf8PathBuf>,

    /// An image that no release owns, by its last path element or its whole repository (repeatable, with `--release`)
    #[arg(long, value_name = "NAME", requires = "release")]
    unmanaged: Vec<String>,

    /// Fail only on findings that this file does not list
    #[arg(long, value_name = "FILE", conflicts_with = "release")]
    baseline: Option<Utf8PathBuf>,

    /// Write what is found today into this file, for `--baseline`; with `--baseline`, only what it lists and is found still
    #[arg(long, value_name = "FILE", conflicts_with_all = ["names", "release", "env_file", "peers"])]
    write_baseline: Option<Utf8PathBuf>,

    /// Make everything that the workspace file, trusted keys and baseline ask less of than in this git revision an error
    ///
    /// A branch, tag or commit that is protected better than the working tree. Read without running git.
    #[arg(long, value_name = "REF", conflicts_with_all = ["release", "write_baseline"])]
    policy_from: Option<String>,

    /// Check again whenever a file changes; ends on SIGINT or SIGTERM
    #[arg(long, conflicts_with_all = ["peers", "release", "write_baseline", "policy_from"])]
    pub(crate) watch: bool,

    /// Print what a rule means, with examples
    #[arg(long, value_name = "RULE", exclusive = true)]
    explain: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Deny {
    Warnings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Peers {
    Auto,
    Require,
}

pub(crate) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    if let Some(rule) = &args.explain {
        return explain(rule, ctx);
    }
    if let Some(release) = &args.release {
        let (checked, remarks) = targets::check(ctx, release, &args.target, &args.unmanaged)?;
        return report(args, &checked, &remarks).print(ctx);
    }
    if args.watch {
        return watch::run(args, ctx);
    }
    // The process ends with it: years of releases are not taken apart before.
    let session = ManuallyDrop::new(Session::open(ctx)?);
    let (checked, remarks) = looked_at(args, ctx, &session)?;
    if args.write_baseline.is_some() && args.baseline.is_none() {
        // All that there is to say stands in the file.
        return Ok(Exit::Fine);
    }
    report(args, &checked, &remarks).print(ctx)
}

/// The check of an opened workspace.
fn looked_at(args: &Args, ctx: &Ctx, session: &Session) -> Result<(checking::Checked, Vec<String>)> {
    // Archived manifests are held against each other.
    let has_archive = session.releases.iter().any(|release| release.role == Role::Archive);
    if let Some(problem) = session.workspace.nothing_to_check().filter(|_| !has_archive) {
        return Err(session.refused(ctx, problem));
    }
    let profiles = session.select(&args.names)?;
    let is_idle = |name: &&String| {
        !profiles.iter().any(|profile| [&profile.name, &profile.channel].iter().any(|own| own.value == **name))
    };
    if let Some(name) = args.names.iter().find(is_idle) {
        return Err(Failure::usage(format!("no profile follows channel `{name}`, so that nothing would be checked"))
            .hint("name another channel, or check without a name: all manifests are looked at then"));
    }
    let env_files: Vec<Utf8PathBuf> =
        args.env_file.iter().map(|path| env_file(session, ctx, &profiles, path)).collect::<Result<_>>()?;
    let env_files = Some(env_files.as_slice()).filter(|paths| !paths.is_empty());
    let baseline = args.baseline.as_deref().map(|file| Baseline::read(ctx, session, file)).transpose()?;
    let is_last = !args.watch;
    let scope =
        Scope { profiles: profiles.clone(), env_files, baseline: baseline.as_ref(), is_last, ..Scope::default() };
    // Asked before the check, so that a missing tool is said at once.
    let peers = args.peers.map(|when| peers::Peers::find(ctx, &profiles, when == Peers::Require)).transpose()?;
    let mut checked = checking::check(ctx, session, &scope);
    let mut remarks = owed(session, &profiles);
    if let Some(file) = &args.write_baseline {
        let listed = if baseline.is_some() { &checked.known } else { &checked.findings };
        baseline::write(ctx, session, file, listed, &checked.sources)?;
    }
    if let Some(baseline) = &baseline {
        remarks.extend(baseline.remarks(&checked, args.write_baseline.is_some()));
    }
    if let Some(revision) = &args.policy_from {
        remarks.extend(policy::hold_against(ctx, session, revision, baseline.as_ref(), &mut checked)?);
    }
    if let Some(peers) = peers {
        remarks.extend(peers.compare(ctx, session, &scope, &mut checked)?);
    }
    Ok((checked, remarks))
}

/// Approvals that are due in the channels that are looked at.
fn owed(session: &Session, profiles: &[&release::Profile]) -> Vec<String> {
    let Some(ledger) = Records::glance(session) else { return Vec::new() };
    let trust = Policy::glance(session);
    let is_asked =
        |channel: &&release::Channel| profiles.iter().any(|profile| profile.channel.value == channel.name.value);
    let channels = session.workspace.channels.iter().filter(is_asked);
    channels
        .filter_map(|channel| gates::owed(&ledger, trust.as_ref(), &channel.name.value))
        .map(|(told, way_out)| format!("{told} (`{way_out}`)"))
        .collect()
}

fn report<'a>(args: &Args, checked: &'a checking::Checked, remarks: &'a [String]) -> Report<'a> {
    let deny_warnings = args.deny == Some(Deny::Warnings);
    Report { checked, remarks, format: args.format, deny_warnings, notes: args.notes }
}

/// The operator's env file as a path of the workspace. It must be readable, and there must be one profile to read it for.
fn env_file(session: &Session, ctx: &Ctx, profiles: &[&release::Profile], path: &Utf8Path) -> Result<Utf8PathBuf> {
    match profiles {
        [profile] if profile.kind() == release::Kind::Compose => {}
        [profile] => {
            let name = &profile.name.value;
            return Err(Failure::usage(format!("`--env-file` is for Compose profiles; `{name}` is none")));
        }
        _ => {
            let count = plural(profiles.len(), "profile");
            return Err(Failure::usage(format!("`--env-file` checks one profile, and {count} are selected"))
                .hint("name the profile: `collimate check compose/prod --env-file prod.env`"));
        }
    }
    let named = session.named_path(ctx, path);
    source::Files::read_text(&session.files, &named)
        .map_err(|error| Failure::input(format!("cannot read `{path}`")).because(error))?;
    Ok(named)
}

fn explain(rule: &str, ctx: &Ctx) -> Result<Exit> {
    let heading = format!("## `{rule}`\n");
    let known = || RULES_PAGE.lines().filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`'));
    let Some(start) = RULES_PAGE.find(&heading) else {
        let failure = Failure::usage(format!("there is no rule `{rule}`"));
        return Err(match release::nearest(rule, known()) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint(format!("there are: {}", known().collect::<Vec<_>>().join(", "))),
        });
    };
    let section = &RULES_PAGE[start..];
    let end = section[heading.len()..].find("\n## ").map_or(section.len(), |end| heading.len() + end + 1);
    ctx.print(&section[..end])?;
    Ok(Exit::Fine)
}
