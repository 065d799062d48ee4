//! Where gates and trusted keys are taken from: the working tree, or a git revision that is better protected than it.
//!
//! Threat: whoever proposes a change can also propose to change the rules for it. With `--policy-from` nothing of the working tree decides which
//! gates hold and whose keys count; what the working tree would have made easier is named.

use std::collections::BTreeMap;

use camino::Utf8Path;
use release::{Channel, Gates, Workspace};
use rollout::Trust;
use source::{Files as _, SourceMap};

use crate::context::Ctx;
use crate::exit::{Failure, Result};
use crate::policy::revision::Revision;
use crate::session::{self, Session};

mod check;
mod keys;
mod moved;
mod revision;

pub(crate) use check::hold_against;

#[derive(Debug, Default, clap::Args)]
pub(crate) struct PolicyArgs {
    /// Take gates and trusted keys from this git revision (a branch, tag or commit), not from the working tree
    #[arg(long, value_name = "REF")]
    policy_from: Option<String>,
}

impl PolicyArgs {
    pub(crate) fn is_used(&self) -> bool {
        self.policy_from.is_some()
    }
}

/// The rules that count.
pub(crate) struct Policy {
    /// The workspace file of the revision; `None`: the working tree's.
    revision: Option<(String, Workspace)>,
    /// Channel → what the working tree says of its place that the revision does not, so that its gates would be those of something else.
    moved: BTreeMap<String, String>,
    trust: Option<Trust>,
}

impl Policy {
    pub(crate) fn read(ctx: &Ctx, session: &Session, args: &PolicyArgs) -> Result<Self> {
        let Some(name) = &args.policy_from else {
            let trust = match &session.workspace.trust {
                Some(path) => Some(trust_at(ctx, session, &path.value)?),
                None => None,
            };
            return Ok(Self { revision: None, moved: BTreeMap::new(), trust });
        };
        let revision = revision::open(session, name)?;
        let Protected { workspace, trust } = protected(ctx, session, name, &revision)?;
        let own = Self::glance(session);
        let mut weaker = alignment::weaker_gates(&workspace, &session.workspace);
        weaker.extend(keys::weaker_keys(trust.as_ref(), own.as_ref()));
        for line in weaker {
            ctx.say(&format!("note: the working tree asks for less than `{name}`, which counts: {}\n", line.what));
        }
        let moved = moved::moved(&workspace, &session.workspace);
        Ok(Self { revision: Some((name.clone(), workspace)), moved, trust })
    }

    /// The keys that the working tree trusts, for who only looks; `None` where they cannot be read.
    pub(crate) fn glance(session: &Session) -> Option<Trust> {
        let (file, text) = session.files.read_text(&session.workspace.trust.as_ref()?.value).ok()?;
        Trust::parse(&text, file).ok()
    }

    /// As [`Self::read`], with the keys of a file that the command line names.
    pub(crate) fn with_trust(ctx: &Ctx, session: &Session, args: &PolicyArgs, file: Option<&Utf8Path>) -> Result<Self> {
        match file {
            None => Self::read(ctx, session, args),
            Some(file) => {
                let path = session.named_path(ctx, file);
                let trust = trust_at(ctx, session, &path)?;
                let rest = match &args.policy_from {
                    Some(_) => Self::read(ctx, session, args)?,
                    None => Self { revision: None, moved: BTreeMap::new(), trust: None },
                };
                Ok(Self { trust: Some(trust), ..rest })
            }
        }
    }

    /// Whose keys count; `None` where the workspace names no `trust`.
    pub(crate) fn trust(&self) -> Option<&Trust> {
        self.trust.as_ref()
    }

    /// The gates of a channel.
    pub(crate) fn of_channel<'p>(&'p self, channel: &'p Channel) -> Result<&'p Gates> {
        Ok(&self.channel(channel)?.gates)
    }

    /// The gates of a ring alone.
    pub(crate) fn of_ring<'p>(&'p self, channel: &'p Channel, ring: &str) -> Result<&'p Gates> {
        let found = self.channel(channel)?.ring(ring);
        found.map(|ring| &ring.gates).ok_or_else(|| self.unknown(&format!("ring `{ring}` of `{}`", channel.name.value)))
    }

    /// The gates of what moves first in a channel: its own and those of its first ring.
    pub(crate) fn of_first<'p>(&'p self, channel: &'p Channel) -> Result<Vec<&'p Gates>> {
        let mut gates = vec![self.of_channel(channel)?];
        if let Some(ring) = channel.rings.first() {
            gates.push(self.of_ring(channel, &ring.name.value)?);
        }
        Ok(gates)
    }

    fn channel<'p>(&'p self, channel: &'p Channel) -> Result<&'p Channel> {
        let name = &channel.name.value;
        match &self.revision {
            None => Ok(channel),
            Some((revision, workspace)) => {
                let channel = workspace.channel(name).ok_or_else(|| self.unknown(&format!("channel `{name}`")))?;
                match self.moved.get(name) {
                    None => Ok(channel),
                    Some(why) => {
                        Err(Failure::untrusted(format!("`{name}` is not the channel that `{revision}` knows"))
                            .because(why)
                            .hint(format!("bring that to `{revision}` first; nothing was written")))
                    }
                }
            }
        }
    }

    fn unknown(&self, what: &str) -> Failure {
        let name = self.revision.as_ref().map_or("the working tree", |(name, _)| name.as_str());
        Failure::untrusted(format!("`{name}` knows no {what}, so that no gate of it is known"))
            .hint(format!("bring it to `{name}` first; nothing was written"))
    }
}

/// What the revision says.
struct Protected {
    workspace: Workspace,
    trust: Option<Trust>,
}

fn protected(ctx: &Ctx, session: &Session, name: &str, revision: &Revision) -> Result<Protected> {
    let path = session.workspace_path();
    let mut sources = SourceMap::default();
    let text = revision.text(&path)?;
    let file = sources.add(format!("{name}:{path}"), text.as_str());
    let workspace = Workspace::parse(&text, file)
        .map_err(|problems| session::malformed_file(ctx, &sources, "workspace", &format!("{name}:{path}"), problems))?;
    let trust = match &workspace.trust {
        Some(path) => {
            let path = &path.value;
            Some(parse(ctx, &format!("{name}:{path}"), &revision.text(path)?)?)
        }
        None => None,
    };
    Ok(Protected { workspace, trust })
}

fn trust_at(ctx: &Ctx, session: &Session, path: &Utf8Path) -> Result<Trust> {
    let (_, text) = session.files.read_text(path).map_err(|error| {
        Failure::input("cannot read whose keys are trusted")
            .because(error)
            .hint("`trust` in `collimate.yaml` names the file")
    })?;
    parse(ctx, path.as_str(), &text)
}

fn parse(ctx: &Ctx, name: &str, text: &str) -> Result<Trust> {
    let mut sources = SourceMap::default();
    let file = sources.add(name, text);
    Trust::parse(text, file).map_err(|problems| session::malformed_file(ctx, &sources, "trust", name, problems))
}
