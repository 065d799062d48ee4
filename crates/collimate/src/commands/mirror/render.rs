use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use findings::plural;
use mirror::{Folder, MARK, Standing};
use source::system;

use super::settings::Settings;
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::write::{self, NewFile};

/// The largest file that is compared with what would be written, which has a few kilobytes.
const MOST_BYTES: u64 = 1024 * 1024;

/// Write the gateway's configuration and the environment of Concelier and Excititor
///
/// All of it follows from `mirror.yaml`, which the workspace names under `mirror`. What is up to date is not touched; files that an
/// earlier run wrote and that nothing asks for any more are removed. A file that somebody else wrote is never replaced.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Another `mirror.yaml`; the folders in it are then relative to the current one
    #[arg(long, value_name = "FILE")]
    file: Option<Utf8PathBuf>,

    /// Write nothing and say what is not up to date
    ///
    /// Exits with 1 if something is not.
    #[arg(long)]
    check: bool,
}

/// A file that is not as it would be written.
struct Stale {
    /// From the root, as it is shown.
    path: Utf8PathBuf,
    /// What would be written; nothing if the file is left over.
    content: Option<String>,
    /// What is wrong with what is there.
    reason: String,
}

pub(crate) fn run(args: Args, ctx: &Ctx) -> Result<Exit> {
    let settings = match &args.file {
        Some(file) => Settings::of_file(file, ctx)?,
        None => Settings::of_workspace(ctx)?,
    };
    let root = settings.root.clone().unwrap_or_else(|| ctx.cwd().to_owned());
    let folders = mirror::rendered(&settings.mirror, settings.file.as_str());
    let mut stale = Vec::new();
    for folder in &folders {
        confined(&root, &folder.path)?;
        stale.extend(compare(&root, folder)?);
    }
    if args.check {
        let lines: String = stale.iter().map(|file| format!("{}: {}\n", file.path, file.reason)).collect();
        ctx.print(&lines)?;
        if stale.is_empty() {
            return Ok(Exit::Fine);
        }
        let is = if stale.len() == 1 { "is" } else { "are" };
        ctx.say(&format!("error: {} {is} not what follows from `{}`\n", plural(stale.len(), "file"), settings.file));
        ctx.say("hint: `collimate mirror render` writes them\n");
        return Ok(Exit::Findings);
    }
    write(&root, &folders, &stale)?;
    for file in &stale {
        let verb = if file.content.is_some() { "wrote" } else { "removed" };
        ctx.print(&format!("{verb} `{}`\n", file.path))?;
    }
    if stale.is_empty() {
        ctx.say(&format!(
            "nothing to do: {} are up to date\n",
            plural(folders.iter().map(|one| one.files.len()).sum(), "file")
        ));
    }
    Ok(Exit::Fine)
}

/// A folder that lies below the root, also when links are followed.
fn confined(root: &Utf8Path, folder: &Utf8Path) -> Result<()> {
    let root = root.canonicalize_utf8().map_err(|error| unreadable(root, &error))?;
    // What does not exist yet is made below what does.
    let there = root.join(folder).ancestors().find_map(|folder| folder.canonicalize_utf8().ok());
    if there.is_some_and(|there| there.starts_with(&root)) {
        return Ok(());
    }
    Err(Failure::input(format!("`{folder}` leads out of the workspace"))
        .hint("replace the link by a folder, or name another one in `mirror.yaml`"))
}

/// What in a folder is not as it would be written.
fn compare(root: &Utf8Path, folder: &Folder) -> Result<Vec<Stale>> {
    let mut stale = Vec::new();
    for file in &folder.files {
        let present = match present(root, &file.path)? {
            Some(text) if !text.starts_with(MARK) => {
                return Err(Failure::input(format!("`{}` was not written by `collimate mirror render`", file.path))
                    .because("its first line does not say so")
                    .hint("move it away, or name another folder in `mirror.yaml`; nothing was written"));
            }
            present => present,
        };
        let reason = match mirror::standing(&file.text, present.as_deref()) {
            Standing::Same => continue,
            Standing::Missing => "missing".to_owned(),
            Standing::Differs { line } => format!("differs from line {line} on"),
        };
        stale.push(Stale { path: file.path.clone(), content: Some(file.text.clone()), reason });
    }
    for path in left_over(root, folder)? {
        stale.push(Stale { path, content: None, reason: "left over from other settings".to_owned() });
    }
    Ok(stale)
}

/// The text of a file, if there is one.
fn present(root: &Utf8Path, path: &Utf8Path) -> Result<Option<String>> {
    let absolute = root.join(path);
    match absolute.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(path, &error)),
        Ok(metadata) if !metadata.is_file() => {
            return Err(Failure::input(format!("`{path}` is not a plain file"))
                .hint("remove it; a link could lead what is written here elsewhere"));
        }
        Ok(metadata) if metadata.len() > MOST_BYTES => {
            return Err(Failure::input(format!("`{path}` has more than {} KiB", MOST_BYTES / 1024))
                .hint("remove it; nothing that is written here comes near that"));
        }
        Ok(_) => {}
    }
    // What is no text is not ours either.
    fs::read(&absolute)
        .map(|bytes| Some(String::from_utf8_lossy(&bytes).into_owned()))
        .map_err(|error| unreadable(path, &error))
}

/// Files of our making that nothing asks for any more. What another run is about to rename into place is none of them.
fn left_over(root: &Utf8Path, folder: &Folder) -> Result<Vec<Utf8PathBuf>> {
    let entries = match root.join(&folder.path).read_dir_utf8() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(&folder.path, &error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(&folder.path, &error))?;
        let path = folder.path.join(entry.file_name());
        let is_plain = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_plain
            && !write::is_being_written(entry.file_name())
            && !folder.files.iter().any(|file| file.path == path)
            && present(root, &path)?.is_some_and(|text| text.starts_with(MARK))
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// All that is to be written first, then what is to go: a gateway that reads in between finds each file that it includes.
fn write(root: &Utf8Path, folders: &[Folder], stale: &[Stale]) -> Result<()> {
    for folder in folders {
        let path = root.join(&folder.path);
        fs::create_dir_all(&path).map_err(|error| {
            Failure::outside(format!("cannot create the folder `{}`", folder.path)).because(system::reason(&error))
        })?;
    }
    let new = stale.iter().filter_map(|file| {
        let content = file.content.clone()?.into_bytes();
        Some(NewFile { path: root.join(&file.path), content })
    });
    write::replace_all(&new.collect::<Vec<_>>())?;
    for file in stale.iter().filter(|file| file.content.is_none()) {
        match fs::remove_file(root.join(&file.path)) {
            // By another run at the same time.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            result => result.map_err(|error| {
                Failure::outside(format!("cannot remove `{}`", file.path)).because(system::reason(&error))
            })?,
        }
    }
    Ok(())
}

fn unreadable(path: &Utf8Path, error: &io::Error) -> Failure {
    Failure::input(format!("cannot read `{path}`")).because(system::reason(error))
}
