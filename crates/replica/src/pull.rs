//! One pull: ask, bring what changed, check, ask once more whether it is still one generation, publish.

use std::time::Duration;

use camino::Utf8Path;
use jiff::Timestamp;
use mirror::exports::Reference;
use source::system;

use crate::check::{self, Checked, Files, Signed};
use crate::disk;
use crate::downloads::Downloads;
use crate::error::{Error, Result, Suspicion, disk as failed};
use crate::fetch::{Fetch, Local};
use crate::folder::{Folder, Pruned, oddities};
use crate::generation::{Generation, Name};
use crate::parts::{Part, Parts};
use crate::record::Record;
use crate::source::Source;
use crate::stage::{Acceptance, Stage, admit, reuse};
use crate::transport::Transport;
use crate::trust::JwsKey;

pub use crate::fetch::Traffic;

/// How often a pull starts over because the mirror switched generations. A mirror exports every few minutes at most, and a round takes
/// seconds.
const MOST_SWITCHES: usize = 5;

/// How long a cache that is behind is given at first; each further wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// What to pull, and how.
pub struct PullRequest<'a> {
    pub folder: &'a Utf8Path,
    pub source: &'a Source,
    /// Authorities of the mirror's certificate as PEM, in place of the system's.
    pub ca: Option<&'a [u8]>,
    /// The key of the bundle's signature.
    pub key: Option<&'a JwsKey>,
    pub acceptance: Acceptance,
    /// Whether Excititor's exports belong to the copy.
    pub vex: bool,
    /// How many generations are kept, with the one that counts.
    pub keep: usize,
    /// For each step of a connection, and for each piece of an answer.
    pub timeout: Duration,
    /// For all that a mirror that is busy or broken is waited for.
    pub patience: Duration,
    /// How long another run is waited for.
    pub wait: Duration,
    /// This moment.
    pub now: Timestamp,
}

/// What a pull did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    pub name: Name,
    /// Whether `latest` names another generation than before.
    pub is_new: bool,
    pub created: Timestamp,
    pub advisories: u64,
    /// Exports of Excititor.
    pub exports: usize,
    pub files: usize,
    /// How many of the files did not have to be transferred.
    pub reused: usize,
    pub signed: Signed,
    pub traffic: Traffic,
    pub pruned: Pruned,
}

/// Brings a copy in step with its mirror. `say` gets a line about whatever takes longer or is odd.
///
/// # Errors
/// With nothing switched.
pub fn pull(request: &PullRequest<'_>, say: &mut dyn FnMut(&str)) -> Result<Pulled> {
    let folder = Folder::open_or_make(request.folder)?;
    let _lock = folder.lock("pull", request.now, request.wait, say)?;
    for oddity in oddities(&folder)? {
        say(&oddity);
    }
    let current = folder.current()?;
    let domain = &request.source.domain;
    if let Some(current) = &current {
        // What would be refused for its domain need not be transferred.
        admit(&folder, Some(current), domain, current.created()?, Timestamp::MAX, Acceptance::default())?;
    }
    let transport = Transport::new(request.source, request.ca, request.timeout)?;
    let downloads = Downloads::open(folder.downloads())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::outside("the runtime cannot be started").because(system::reason(&error)))?;
    let fetch = Fetch::new(transport, downloads, current.as_ref(), request.patience, request.now, say);
    let mut pull = Pull { request, folder: &folder, current: current.as_ref(), parts: Parts::of(domain), fetch };
    let (files, checked) = runtime.block_on(pull.settled())?;
    let fresh = files.values().filter(|local| local.is_fresh).count();
    let record = record(domain, checked.created, &pull.fetch.origin(), &files);
    let name = Name::of(checked.created, &record.files);
    let is_new = match reuse(&folder, &name)? {
        Some(switched) => {
            renew(&folder, &name, &record)?;
            switched
        }
        None => {
            publish(&folder, &files, &record, &name)?;
            true
        }
    };
    pull.fetch.clear()?;
    let pruned = folder.prune(request.keep)?;
    Ok(Pulled {
        name,
        is_new,
        created: checked.created,
        advisories: checked.advisories,
        exports: checked.exports,
        files: files.len(),
        reused: files.len() - fresh,
        signed: checked.signed,
        traffic: pull.fetch.traffic,
        pruned,
    })
}

struct Pull<'a> {
    request: &'a PullRequest<'a>,
    folder: &'a Folder,
    current: Option<&'a Generation>,
    parts: Parts,
    fetch: Fetch<'a>,
}

impl Pull<'_> {
    /// Files of one generation that fit together and may be taken.
    async fn settled(&mut self) -> Result<(Files, Checked)> {
        let (mut switches, mut waits, mut was_discarded) = (0, 0, false);
        loop {
            let mut seen = Files::new();
            let error = match self.round(&mut seen).await {
                Ok(checked) => {
                    // What is here already was one generation when it was taken.
                    let is_held = seen.values().all(|local| !local.is_fresh);
                    if is_held || self.is_current(&mut seen).await? {
                        self.keep_lists(&mut seen);
                        return Ok((seen, checked));
                    }
                    None
                }
                Err(error) if error.suspicion() == Suspicion::Nothing => return Err(error),
                Err(error) => self.is_current(&mut seen).await?.then_some(error),
            };
            match error {
                None => {
                    switches += 1;
                    self.fetch.say("the mirror switched generations meanwhile; starting over");
                    if switches == MOST_SWITCHES {
                        return Err(self.restless());
                    }
                }
                // The mirror did not switch: something was changed on the way, or by whoever continued a part. All of it comes once more.
                Some(error) if error.suspicion() == Suspicion::Transfer && !was_discarded => {
                    was_discarded = true;
                    self.fetch.say(&format!("{error}; transferring it once more"));
                    self.discard(&seen)?;
                }
                // A cache on the way keeps each file for its own time: for a while after a switch, some are of the generation before.
                Some(error) => {
                    if let Err(error) = self.fetch.wait(FIRST_WAIT.saturating_mul(1 << waits.min(4)), error).await {
                        // The next run must not find what was wrong for whatever reason, and be told that it is unchanged.
                        self.discard(&seen)?;
                        return Err(error);
                    }
                    waits += 1;
                }
            }
        }
    }

    fn restless(&self) -> Error {
        Error::outside(format!("`{}` switches generations faster than they can be copied", self.fetch.origin()))
            .because(format!("it did so in each of {MOST_SWITCHES} rounds"))
            .hint("what has arrived is kept: run it again")
    }

    /// Forgets what was transferred and could be what is wrong.
    fn discard(&self, seen: &Files) -> Result<()> {
        seen.iter().filter(|(_, local)| local.is_fresh).try_for_each(|(path, _)| self.fetch.discard(path))
    }

    /// Brings every file, and holds them against each other.
    async fn round(&mut self, seen: &mut Files) -> Result<Checked> {
        let domain = &self.request.source.domain;
        let index = self.need(&self.parts.index(), seen).await?;
        check::index(&index, domain)?;
        let manifest = self.need(&self.parts.manifest(), seen).await?;
        let manifest = check::manifest(&manifest, domain)?;
        // Before anything large is transferred.
        let (now, acceptance) = (self.request.now, self.request.acceptance);
        admit(self.folder, self.current, domain, manifest.created, now, acceptance).map_err(Error::or_switched)?;
        self.by_digest(&self.parts.bundle(), sha256(manifest.bundle.as_ref()), seen).await?;
        let signature = self.parts.signature();
        match self.fetch.get(&signature).await? {
            Some(local) => drop(seen.insert(signature.path, local)),
            None if self.request.key.is_some() => {
                return Err(Error::untrusted("the bundle is not signed")
                    .because(format!("`{}` has no `{}`", self.fetch.origin(), signature.address))
                    .hint("a bundle without a signature is only taken without `--key`")
                    .or_switched());
            }
            None => {}
        }
        if self.request.vex {
            self.vex(seen).await?;
        }
        check::check(&self.parts, seen, self.request.key, self.request.acceptance.unverified)
    }

    /// Excititor writes the moment of the question into its lists. If nothing else is new, there is no new generation.
    fn keep_lists(&mut self, files: &mut Files) {
        let lists = [self.parts.vex_domain(), self.parts.vex_index()];
        let is_list = |path: &String| lists.iter().any(|part| part.path == *path);
        if files.iter().any(|(path, local)| local.is_fresh && !is_list(path)) {
            return;
        }
        let held: Option<Vec<Local>> = lists
            .iter()
            .filter(|part| files.contains_key(&part.path))
            .map(|part| {
                let (held, now) = (self.fetch.held(part)?, files.get(&part.path)?);
                (check::meaning(&held) == check::meaning(now)).then_some(held)
            })
            .collect();
        for local in held.unwrap_or_default() {
            files.insert(local.record.path.clone(), local);
        }
    }

    async fn vex(&mut self, seen: &mut Files) -> Result<()> {
        let domain = &self.request.source.domain;
        let part = self.parts.vex_domain();
        match self.fetch.get(&part).await? {
            Some(local) => drop(seen.insert(part.path, local)),
            None => {
                return Err(Error::outside(format!("`{}` offers no VEX exports of `{domain}`", self.fetch.origin()))
                    .because(format!("`{}` is not there", part.address))
                    .hint("if it never does, copy the advisories alone with `--no-vex`")
                    .or_switched());
            }
        }
        let index = self.need(&self.parts.vex_index(), seen).await?;
        for export in check::vex_index(&index, domain)? {
            let part = self.parts.vex_export(&export.key);
            self.by_digest(&part, sha256(Some(&export.reference)), seen).await?;
            check::fits(seen, domain)?;
        }
        Ok(())
    }

    async fn need(&mut self, part: &Part, seen: &mut Files) -> Result<Local> {
        let local = self.fetch.need(part).await?;
        seen.insert(part.path.clone(), local.clone());
        Ok(local)
    }

    /// A file whose content is announced: nobody is asked if it is here.
    async fn by_digest(&mut self, part: &Part, sha256: Option<&str>, seen: &mut Files) -> Result<()> {
        match sha256.and_then(|sha256| self.fetch.with_digest(part, sha256)) {
            Some(local) => drop(seen.insert(part.path.clone(), local)),
            None => drop(self.need(part, seen).await?),
        }
        Ok(())
    }

    /// Whether what names the other files is still what it was when they were asked for. A list that says the same in other bytes takes the
    /// place of the one before, whose file it has overwritten.
    async fn is_current(&mut self, seen: &mut Files) -> Result<bool> {
        let lists = [self.parts.vex_domain(), self.parts.vex_index()];
        for part in [self.parts.manifest(), self.parts.index()].iter().chain(&lists) {
            let Some(before) = seen.get(&part.path) else { continue };
            let (sha256, meaning) =
                (before.record.sha256.clone(), lists.contains(part).then(|| check::meaning(before)).flatten());
            let Some(now) = self.fetch.get(part).await? else { return Ok(false) };
            if now.record.sha256 == sha256 {
                continue;
            }
            if meaning.is_none() || meaning != check::meaning(&now) {
                return Ok(false);
            }
            seen.insert(part.path.clone(), now);
        }
        Ok(true)
    }
}

fn sha256(reference: Option<&Reference>) -> Option<&str> {
    Some(reference?.digest.as_ref()?.hex())
}

fn record(domain: &str, created: Timestamp, origin: &str, files: &Files) -> Record {
    Record::new(domain, created, Some(origin), files.values().map(|local| local.record.clone()).collect())
}

fn publish(folder: &Folder, files: &Files, record: &Record, name: &Name) -> Result<()> {
    let stage = Stage::new(folder)?;
    for (path, local) in files {
        let target = stage.place(path)?;
        disk::link_or_copy(&local.file, &target).map_err(|error| failed("write", &target, &error))?;
    }
    stage.publish(record, name)
}

/// The content is the same, but the mirror calls it by other tags now: noted, or all of it would be transferred each time.
fn renew(folder: &Folder, name: &Name, record: &Record) -> Result<()> {
    let generation = folder.generation(Some(name))?;
    if generation.record == *record || generation.is_held() {
        return Ok(());
    }
    let path = generation.path.join(crate::record::RECORD);
    disk::replace(&path, record.to_json().as_bytes(), disk::FILE).map_err(|error| failed("write", &path, &error))
}
