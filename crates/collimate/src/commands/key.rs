use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};

use camino::{Utf8Path, Utf8PathBuf};
use clap::Subcommand;
use signing::{PrivateKey, PublicKey};

use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::{given, write};

/// A key file has a few hundred bytes; what is larger is something else.
const MOST_BYTES: u64 = 64 * 1024;

/// What the public key's file is called: the private key's name and this.
const PUBLIC: &str = "pub";

/// Make signing keys
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an Ed25519 key pair
    ///
    /// The private key is written unencrypted, readable by you alone: keep it where only those who may sign can read it.
    New {
        /// Where the private key goes; the public one goes to FILE.pub. Existing files are never overwritten
        #[arg(value_name = "FILE")]
        file: Utf8PathBuf,
    },
    /// Print the public key in its three spellings
    Show {
        /// A private or a public key
        #[arg(value_name = "FILE")]
        file: Utf8PathBuf,
    },
}

pub(crate) fn run(args: Args, ctx: &Ctx) -> Result<Exit> {
    match args.command {
        Command::New { file } => new(&file, ctx),
        Command::Show { file } => show(&file, ctx),
    }
}

fn new(file: &Utf8Path, ctx: &Ctx) -> Result<Exit> {
    let public_file = Utf8PathBuf::from(format!("{file}.{PUBLIC}"));
    let (private_path, public_path) = (ctx.cwd().join(file), ctx.cwd().join(&public_file));
    // The private key is made last but one and needs no undoing then; a link that leads nowhere is in the way too.
    if public_path.symlink_metadata().is_ok() {
        return Err(exists(&public_file));
    }
    let key = PrivateKey::generate().map_err(|error| Failure::outside("cannot make a key").because(error))?;
    create(&private_path, 0o600, key.to_pem().as_bytes()).map_err(|error| failed(file, &error))?;
    create(&public_path, 0o644, key.public().to_pem().as_bytes()).map_err(|error| {
        // Half a pair would be in the way of the next try. It was made just now, by us: nothing is signed with it yet.
        let _ = fs::remove_file(&private_path);
        failed(&public_file, &error)
    })?;
    ctx.print(&format!(
        "wrote `{file}`: the private key, unencrypted; whoever can read this file can sign\n\
         wrote `{public_file}`: the public key\n\
         key id: {}\n\
         minisign: {}\n",
        key.public().id(),
        key.public().to_minisign(),
    ))?;
    Ok(Exit::Fine)
}

/// Writes a file that is not there yet, with its permissions from the first byte on, whatever the umask.
fn create(path: &Utf8Path, mode: u32, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let written = (|| {
        file.write_all(bytes)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.sync_all()
    })();
    written.inspect_err(|_| {
        let _ = fs::remove_file(path);
    })
}

fn failed(file: &Utf8Path, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::AlreadyExists => exists(file),
        _ => write::failed(file, error),
    }
}

fn exists(file: &Utf8Path) -> Failure {
    Failure::usage(format!("`{file}` exists already"))
        .hint("a key is never overwritten; move it away or name another file")
}

fn show(file: &Utf8Path, ctx: &Ctx) -> Result<Exit> {
    let bytes = given::read(file, MOST_BYTES, ctx)?;
    let text = text(file, &bytes)?;
    let public = match text.parse::<PublicKey>() {
        Ok(public) => public,
        Err(of_public) => match PrivateKey::from_pem(text) {
            Ok(private) => private.public(),
            // Of two reasons, the one for the half that the file says it holds.
            Err(of_private) if text.contains("PRIVATE KEY-----") => return Err(unusable(file, &of_private)),
            Err(_) => return Err(unusable(file, &of_public)),
        },
    };
    ctx.print(&format!("key id: {}\nminisign: {}\n{}", public.id(), public.to_minisign(), public.to_pem()))?;
    Ok(Exit::Fine)
}

/// The private key of a file, with a word on stderr if others can read it too.
pub(crate) fn read_private(file: &Utf8Path, ctx: &Ctx) -> Result<PrivateKey> {
    let bytes = given::read(file, MOST_BYTES, ctx)?;
    let key = PrivateKey::from_pem(text(file, &bytes)?).map_err(|error| {
        unusable(file, &error).hint("`collimate key new FILE` makes a key pair; signing takes the file without `.pub`")
    })?;
    let mode = ctx.cwd().join(file).metadata().map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o077 != 0 {
        ctx.say(&format!("warning: others can read the private key `{file}` (mode {:04o})\n", mode & 0o7777));
    }
    Ok(key)
}

/// The public key of a file.
pub(crate) fn read_public(file: &Utf8Path, ctx: &Ctx) -> Result<PublicKey> {
    text(file, &given::read(file, MOST_BYTES, ctx)?)?.parse().map_err(|error| {
        unusable(file, &error).hint("a trusted key is an Ed25519 public key, as PEM or as minisign writes it")
    })
}

fn unusable(file: &Utf8Path, cause: &dyn std::fmt::Display) -> Failure {
    Failure::input(format!("cannot use the key `{file}`")).because(cause)
}

fn text<'b>(file: &Utf8Path, bytes: &'b [u8]) -> Result<&'b str> {
    std::str::from_utf8(bytes).map_err(|_| unusable(file, &"it is no text"))
}
