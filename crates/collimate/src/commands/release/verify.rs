use camino::Utf8PathBuf;

use super::named;
use crate::commands::key;
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::signature::{Refusal, Signatures};

/// Verify the signature of a release manifest
///
/// Looks at the bytes of the file and at `.sig` and `.minisig` beside it; all that is there must verify. Exit code 5: not trusted, because it is unsigned,
/// changed, signed with another key, or the signature is damaged; the message says which.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A channel, a ring, a version or a manifest file
    #[arg(value_name = "CHANNEL|FILE")]
    release: String,

    /// The public key that you trust, as PEM or as minisign writes it; have it from somewhere else than the manifest
    #[arg(long, value_name = "PUB")]
    key: Utf8PathBuf,
}

pub(super) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let key = key::read_public(&args.key, ctx)?;
    let session = named::session(ctx)?;
    let named = named::find(ctx, session.as_ref(), &args.release)?;
    let path = match &session {
        Some(session) => session.files.absolute(&named.path),
        None => named.path.clone(),
    };
    let untrusted = || Failure::untrusted(format!("`{}` is not trusted", named.path));
    Signatures::of_file(&path, ctx)?.verify(named.text.as_bytes(), &key).map_err(|refusal| {
        untrusted().because(&refusal).hint(match refusal {
            Refusal::Unsigned => "ask its maker for `.sig` and `.minisig`, which belong beside it",
            Refusal::Damaged { .. } => "copy the manifest and both of its signatures again",
            Refusal::OtherKey(_) => {
                "do not use it unless its maker tells you, by another way, that the key was changed"
            }
            Refusal::Changed => "do not use it; put back the file that was signed, or ask its maker",
            Refusal::ChangedOrOtherKey => "do not use it; `.minisig`, which is not there, would tell which",
        })
    })?;
    let (version, of) = (&named.release.version.value, &named.release.channel.value);
    if let Some(channel) = named.channel.as_ref().filter(|channel| *channel != of) {
        return Err(untrusted()
            .because(format!("it is signed for channel `{of}`, and `{channel}` holds it"))
            .hint("`collimate promote` takes a release from channel to channel; sign the result"));
    }
    ctx.print(&format!(
        "trusted: `{}`, release `{version}` of channel `{of}`, signed with key {}\nsha256: {}\n",
        named.path,
        key.id(),
        named.release.identity().hex()
    ))?;
    Ok(Exit::Fine)
}
