use std::fs;

use bundle::{About, Archive, Beside, BesideFile, Contents, ContentsError, File, Leak, Mode, ReleaseName, Screened};
use camino::{Utf8Path, Utf8PathBuf};
use findings::plural;
use release::Release;
use source::system;

use super::{assets, install, screen};
use crate::commands::key;
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::session::Session;
use crate::tracked::tracked_files;
use crate::write::{self, NewFile};

/// Name of the bundle; `.tar.gz` is added.
const NAME: &str = "telemetry-offline-bundle";

/// The channel whose release and profile the bundle carries.
const CHANNEL: &str = "airgap";

/// Pack the telemetry assets for an air-gapped site
///
/// Writes `telemetry-offline-bundle.tar.gz` and beside it `.sha256`, `.sig` (raw Ed25519, for OpenSSL), `.minisig` and
/// `.intoto.jsonl`. The same files and key give the same bytes everywhere; the time in the archive is SOURCE_DATE_EPOCH, or
/// the date of the release. Nothing is written if a private key, a password or a token is found in a file.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Sign with this private key (`collimate key new` makes one)
    #[arg(long, value_name = "KEY", conflicts_with = "unsigned")]
    sign: Option<Utf8PathBuf>,

    /// Go without a signature: nobody can tell where the bundle comes from
    #[arg(long)]
    unsigned: bool,

    /// Where the files go; made if it does not exist
    #[arg(long, value_name = "DIR", default_value = ".")]
    output: Utf8PathBuf,
}

pub(super) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let private = match &args.sign {
        Some(file) => Some(key::read_private(file, ctx)?),
        None if args.unsigned => None,
        None => {
            return Err(Failure::usage("a bundle is signed: `--sign KEY` is missing")
                .hint("`collimate key new KEY` makes a key; `--unsigned` goes without"));
        }
    };
    let session = Session::open(ctx)?;
    let (path, release) = release(&session)?;
    let about = About { release: name_of(release), source_date: source_date(ctx, release)? };
    let archive = packed(&session, path, release)?.pack(&about).map_err(|error| refused(&error))?;
    // Read back before anything is written: an archive that its own reader refuses is our bug.
    bundle::read(&archive.bytes)
        .map_err(|error| Failure::new(Exit::Bug, "the packed bundle cannot be read back").because(error))?;
    let beside = private.as_ref().map_or_else(|| archive.unsigned(), |key| archive.sign(key));
    write(args, ctx, &archive, &beside)?;
    remark_untracked(ctx, session.files.root(), &archive);
    ctx.print(&summary(args, &archive, private.map(|key| key.public().id().to_string())))?;
    Ok(Exit::Fine)
}

/// The release of the channel, and the path of its manifest.
fn release(session: &Session) -> Result<(&Utf8Path, &Release)> {
    let channel = session.workspace.channel(CHANNEL).ok_or_else(|| {
        Failure::input(format!("the workspace has no channel `{CHANNEL}`"))
            .hint("the bundle carries the release of this channel")
    })?;
    let path = channel.release.value.as_path();
    let cannot =
        |cause: &dyn std::fmt::Display| Failure::input(format!("cannot read the release `{path}`")).because(cause);
    let input = session.releases.iter().find(|input| input.path == path).ok_or_else(|| cannot(&"it is not there"))?;
    if let Some(error) = &input.unreadable {
        return Err(cannot(error));
    }
    match (input.release(), input.problems().first()) {
        (Some(release), None) => Ok((path, release)),
        (_, problem) => {
            let words = problem.map_or("it is damaged", |problem| problem.message.as_str());
            Err(cannot(&words).hint("`collimate check` shows all that is wrong with it"))
        }
    }
}

fn name_of(release: &Release) -> ReleaseName {
    ReleaseName {
        version: release.version.value.clone(),
        channel: release.channel.value.clone(),
        sha256: release.identity().hex().to_owned(),
    }
}

/// The time of every file: given, else that of the release. Never the clock.
fn source_date(ctx: &Ctx, release: &Release) -> Result<u64> {
    if let Some(seconds) = ctx.source_date()? {
        return Ok(seconds);
    }
    let moment = release.date.as_ref().and_then(|date| date.value.parse::<jiff::Timestamp>().ok());
    moment.and_then(|moment| u64::try_from(moment.as_second()).ok()).ok_or_else(|| {
        Failure::input(format!("release `{}` has no `date`, which the files of the bundle get", release.version.value))
            .hint("write one into its manifest, or set `SOURCE_DATE_EPOCH`")
    })
}

/// All files, with what is written for the bundle, and no secret among them.
fn packed(session: &Session, manifest: &Utf8Path, release: &Release) -> Result<Screened> {
    let assets = assets::collect(session.files.root(), manifest)?;
    let mut contents = Contents::new(NAME).map_err(|error| refused(&error))?;
    let page = install::page(release, manifest.as_str(), &format!("{NAME}.tar.gz"));
    let images = install::images(session, CHANNEL, release)?;
    let generated = [("INSTALL.md", page.into_bytes()), ("images.txt", images.into_bytes())];
    let assets = assets.into_iter().map(|asset| (asset.path, asset.bytes));
    for (path, bytes) in generated.map(|(path, bytes)| (Utf8PathBuf::from(path), bytes)).into_iter().chain(assets) {
        // By content: what a file system says of permissions depends on where and how it was checked out.
        let mode = if bytes.starts_with(b"#!") { Mode::Executable } else { Mode::Plain };
        contents.add(path.as_str(), File { bytes, mode }).map_err(|error| refused(&error))?;
    }
    contents.screened(screen::secret).map_err(|leaks| leaked(&leaks))
}

fn refused(error: &ContentsError) -> Failure {
    Failure::input("a file cannot be part of a bundle").because(error)
}

fn leaked(leaks: &[Leak]) -> Failure {
    let failure = Failure::new(
        Exit::Findings,
        format!("nothing was packed: {} must not leave the house", plural(leaks.len(), "file")),
    )
    .hint("remove the secret from the file; if it was ever published, replace it everywhere");
    leaks.iter().fold(failure, |failure, leak| failure.because(format!("`{}` holds {}", leak.path, leak.what)))
}

/// All files or none; signatures of an older bundle do not stay beside a new one.
fn write(args: &Args, ctx: &Ctx, archive: &Archive, beside: &Beside) -> Result<()> {
    let folder = ctx.cwd().join(&args.output);
    fs::create_dir_all(&folder).map_err(|error| {
        Failure::outside(format!("cannot make the folder `{}`", args.output)).because(system::reason(&error))
    })?;
    let name = archive.manifest.archive_name();
    let path = |file: BesideFile| folder.join(format!("{name}{}", file.suffix()));
    let mut files = vec![NewFile { path: folder.join(&name), content: archive.bytes.clone() }];
    let signed = BesideFile::ALL.into_iter().filter_map(|file| Some((file, beside.get(file)?)));
    files.extend(signed.map(|(file, bytes)| NewFile { path: path(file), content: bytes.to_vec() }));
    write::replace_all(&files)?;
    for file in BesideFile::ALL.into_iter().filter(|file| beside.get(*file).is_none()) {
        match fs::remove_file(path(file)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Failure::outside(format!("cannot remove `{}`", path(file))).because(system::reason(&error)));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A file that git does not know is in no clone: others would not get the same bundle.
fn remark_untracked(ctx: &Ctx, root: &Utf8Path, archive: &Archive) {
    let Some(tracked) = tracked_files(root) else { return };
    let tracked: std::collections::BTreeSet<Utf8PathBuf> = tracked.into_iter().collect();
    for file in &archive.manifest.files {
        let path = Utf8Path::new(&file.path);
        if root.join(path).is_file() && !tracked.contains(path) {
            ctx.say(&format!("warning: `{path}` is in the bundle, but git does not track it\n"));
        }
    }
}

fn summary(args: &Args, archive: &Archive, key: Option<String>) -> String {
    let manifest = &archive.manifest;
    let path = source::normalize(&args.output.join(manifest.archive_name()));
    let files = plural(manifest.files.len() + 2, "file");
    let signed = match key {
        Some(key) => format!("signed with key {key}: `.sig`, `.minisig`, `.intoto.jsonl` beside it\n"),
        None => "NOT SIGNED: nobody can tell where it comes from\n".to_owned(),
    };
    format!(
        "wrote `{path}`: {files} of release {}, {} bytes\nsha256: {}\n{signed}",
        manifest.release.version,
        archive.bytes.len(),
        archive.sha256,
    )
}
