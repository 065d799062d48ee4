use camino::Utf8PathBuf;
use release::DigestKind;

use super::named;
use crate::commands::key;
use crate::context::Ctx;
use crate::exit::{Exit, Result};
use crate::signature::{self, Signatures};
use crate::write::{self, NewFile};

/// Sign a release manifest
///
/// Signed are the bytes of the file as they are. Two signatures are written beside it: `.sig`, 64 raw bytes for `openssl pkeyutl -verify -rawin`, and
/// `.minisig` for `minisign -V`, which names the key too. Copies of the same bytes, such as the archived one, get them as well.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A channel, a ring, a version or a manifest file
    #[arg(value_name = "CHANNEL|FILE")]
    release: String,

    /// The private key, as `collimate key new` makes it
    #[arg(long, value_name = "FILE")]
    key: Utf8PathBuf,
}

pub(super) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let session = named::session(ctx)?;
    let named = named::find(ctx, session.as_ref(), &args.release)?;
    let key = key::read_private(&args.key, ctx)?;
    let (release, bytes) = (&named.release, named.text.as_bytes());
    let (version, channel, id) = (&release.version.value, &release.channel.value, key.public().id());
    let comment = signature::comment(version, channel, &rollout::Hash::from(&release.identity()));
    let signatures = Signatures::sign(bytes, &comment, &key);
    // What is the same release byte for byte carries the same signature, so that none is lost when one of them is replaced.
    let mut manifests = vec![named.path.clone()];
    if let Some(session) = &session {
        let copies = session.releases.iter().map(|input| &input.path).filter(|path| **path != named.path);
        manifests.extend(copies.filter(|path| signature::same_bytes(session, path, bytes)).cloned());
    }
    let absolute = |path: &Utf8PathBuf| match &session {
        Some(session) => session.files.absolute(path),
        None => path.clone(),
    };
    let (mut files, mut shown) = (Vec::new(), Vec::new());
    for manifest in &manifests {
        let there = Signatures::of_file(&absolute(manifest), ctx)?;
        if there == signatures {
            continue;
        }
        if there.verify(bytes, &key.public()).is_err() && !there.is_empty() {
            ctx.say(&format!("note: the signature of `{manifest}` that was there is replaced\n"));
        }
        for (path, content) in signature::paths(manifest).into_iter().zip(signatures.files()) {
            files.push(NewFile { path: absolute(&path), content: content.cloned().unwrap_or_default() });
            shown.push(path);
        }
    }
    if release.digests.value == DigestKind::Sample {
        ctx.say(&format!("note: the digests of `{version}` are stand-ins: nothing can be deployed from it\n"));
    }
    if files.is_empty() {
        ctx.print(&format!("`{}` is signed already with key {id}; nothing to do\n", named.path))?;
        return Ok(Exit::Fine);
    }
    write::replace_all(&files)?;
    ctx.print(&format!("signed release `{version}` of `{channel}` with key {id}\n"))?;
    for path in shown {
        ctx.print(&format!("wrote `{path}`\n"))?;
    }
    Ok(Exit::Fine)
}
