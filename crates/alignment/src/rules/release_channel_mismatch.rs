//! A channel names the manifest of another channel's release.

use findings::{Finding, Severity};

use crate::inputs::Role;
use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct ReleaseChannelMismatch;

impl Rule for ReleaseChannelMismatch {
    fn id(&self) -> &'static str {
        "release-channel-mismatch"
    }

    fn summary(&self) -> &'static str {
        "a channel names a release that was made for another channel"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        let workspace = survey.inputs.workspace;
        for input in survey.inputs.releases {
            let Some(release) = input.release() else { continue };
            let found = &release.channel.value;
            let (channel, named) = match &input.role {
                Role::Current { channel } => {
                    let Some(declared) = workspace.channel(channel) else { continue };
                    (channel, declared.release.span)
                }
                Role::Ring { channel, ring } => {
                    let declared = workspace.channel(channel).and_then(|declared| declared.ring(ring));
                    let Some(named) = declared.and_then(|ring| ring.release.as_ref()) else { continue };
                    (channel, named.span)
                }
                Role::Archive | Role::Named => continue,
            };
            if found.is_empty() || found == channel {
                continue;
            }
            out.push(
                Finding::new(
                    self.id(),
                    Severity::Error,
                    Place::source(release.channel.span),
                    format!("channel `{channel}` names a release of channel `{found}`"),
                )
                .label(format!("release `{}` says this", release.version.value))
                .related(Place::source(named), format!("channel `{channel}` names it here"))
                .help(format!("name the manifest of `{channel}`, or promote the release with `collimate promote`")),
            );
        }
    }
}
