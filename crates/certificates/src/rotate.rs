//! Changing the authority without an outage, in three phases.
//!
//! 1. *trust*: a new authority is made, and every component trusts both.
//! 2. *leaf*: every component gets a certificate from the new one. Whoever it talks to trusts both, so the order does not matter.
//! 3. *retire*: nobody trusts the old one any more, and its key is removed.
//!
//! Between the phases components are reloaded or restarted where they need it ([`Component::after`]). A phase that was killed is
//! finished by running it again; a phase out of order is refused.

use std::fmt;
use std::str::FromStr;

use camino::Utf8Path;
use jiff::Timestamp;

use crate::algorithm::Algorithm;
use crate::authority::{Authority, Issued, Leaf};
use crate::certificate::Certificate;
use crate::component::Component;
use crate::error::{Error, ErrorKind};
use crate::folder::Folder;
use crate::state::{self, Present, Progress, State};
use crate::validity::Validity;

/// A phase of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Trust,
    Leaf,
    Retire,
}

/// What is wanted of a rotation.
#[derive(Clone, Debug)]
pub struct Rotation {
    pub phase: Phase,
    /// `None`: that of the present authority and of each present certificate.
    pub algorithm: Option<Algorithm>,
    /// How long certificates of components live.
    pub days: u32,
    /// How long the new authority lives.
    pub ca_days: u32,
}

/// What was done.
#[derive(Clone, Debug)]
pub struct Rotated {
    pub phase: Phase,
    /// The name of the authority that goes; in the last phase it may be known no more.
    pub old: Option<String>,
    pub new: String,
    /// Components whose files were changed; none if the phase had been finished before.
    pub changed: Vec<Component>,
    /// Components that have a certificate.
    pub components: Vec<Component>,
    /// What comes after this phase.
    pub next: Option<Phase>,
}

/// Runs one phase.
///
/// # Errors
/// If another phase comes first, there is no authority, another run is at work, or files cannot be read or written.
pub fn rotate(rotation: &Rotation, root: &Utf8Path, now: Timestamp) -> Result<Rotated, Error> {
    if !root.is_dir() {
        return Err(Error::new(ErrorKind::NoAuthority { folder: root.to_owned() }));
    }
    let folder = Folder::open(root)?;
    let state = State::read(&folder)?;
    let Some(old) = &state.authority else {
        return Err(Error::new(ErrorKind::NoAuthority { folder: root.to_owned() }));
    };
    state::refuse_early_clock(&folder, &state, now)?;
    in_order(rotation.phase, state.progress())?;
    match rotation.phase {
        Phase::Trust => trust(rotation, &folder, &state, old, now),
        Phase::Leaf => leaf(rotation, &folder, &state, old, now),
        Phase::Retire => retire(&folder, &state, old),
    }
}

fn trust(
    rotation: &Rotation,
    folder: &Folder,
    state: &State,
    old: &Authority,
    now: Timestamp,
) -> Result<Rotated, Error> {
    let made;
    let new = match &state.next {
        Some(next) => next,
        None => {
            let algorithm = rotation.algorithm.or(old.algorithm()).unwrap_or_default();
            made = Authority::new(algorithm, Validity::days(now, rotation.ca_days))?;
            state::publish_authority(&folder.next_authority(), &made)?;
            &made
        }
    };
    let mut changed = Vec::new();
    for (component, present) in state.present() {
        if present.trusts(old) && present.trusts(new) {
            continue;
        }
        let issued = present.issued(component, folder)?;
        state::publish(folder, component, &issued, &[old, new], present.access.unwrap_or_default())?;
        changed.push(component);
    }
    Ok(rotated(Phase::Trust, Some(old), new, changed, state))
}

fn leaf(
    rotation: &Rotation,
    folder: &Folder,
    state: &State,
    old: &Authority,
    now: Timestamp,
) -> Result<Rotated, Error> {
    let new = state.next.as_ref().unwrap_or(old);
    let mut changed = Vec::new();
    for (component, present) in state.present() {
        if present.is_from(new) && present.key.is_some() {
            continue;
        }
        let issued = state::issue(new, &present.successor(component, rotation, now))?;
        state::publish(folder, component, &issued, &[new, old], present.access.unwrap_or_default())?;
        changed.push(component);
    }
    Ok(rotated(Phase::Leaf, Some(old), new, changed, state))
}

/// The order matters where this is killed: the new authority takes its place first, and the mark of a rotation goes last.
fn retire(folder: &Folder, state: &State, old: &Authority) -> Result<Rotated, Error> {
    let new = state.next.as_ref().unwrap_or(old);
    let is_resumed = state.progress() == Progress::RetireBegun;
    if !is_resumed {
        state::publish_authority(&folder.authority(), new)?;
    }
    let mut changed = Vec::new();
    for (component, present) in state.present() {
        if present.trusted.len() == 1 && present.trusts(new) {
            continue;
        }
        let issued = present.issued(component, folder)?;
        state::publish(folder, component, &issued, &[new], present.access.unwrap_or_default())?;
        changed.push(component);
    }
    folder.next_authority().remove()?;
    Ok(rotated(Phase::Retire, Some(old).filter(|_| !is_resumed), new, changed, state))
}

fn rotated(phase: Phase, old: Option<&Authority>, new: &Authority, changed: Vec<Component>, state: &State) -> Rotated {
    Rotated {
        phase,
        old: old.map(name_of),
        new: name_of(new),
        changed,
        components: state.present().map(|(component, _)| component).collect(),
        next: match phase {
            Phase::Trust => Some(Phase::Leaf),
            Phase::Leaf => Some(Phase::Retire),
            Phase::Retire => None,
        },
    }
}

impl Present {
    /// Its certificate and key as they are.
    fn issued(&self, component: Component, folder: &Folder) -> Result<Issued, Error> {
        match (&self.certificate, &self.key) {
            (Some((_, text)), Some(key)) => Ok(Issued { certificate_pem: text.clone(), key: key.clone() }),
            _ => Err(Error::new(ErrorKind::Damaged { folder: folder.component(component).path().to_owned() })),
        }
    }

    /// What takes the place of its certificate: the same names, a new end.
    fn successor(&self, component: Component, rotation: &Rotation, now: Timestamp) -> Leaf {
        let mut sans = component.names(&[]);
        let present = self.certificate.iter().flat_map(|(certificate, _)| &certificate.sans);
        let kept: Vec<_> = present.filter(|name| !sans.contains(name)).cloned().collect();
        sans.extend(kept);
        Leaf {
            common_name: component.common_name().to_owned(),
            sans,
            usages: component.usages().to_vec(),
            algorithm: rotation.algorithm.or(self.algorithm()).unwrap_or_default(),
            validity: Validity::days(now, rotation.days),
        }
    }
}

/// Refuses a phase that does not come now. One that is finished may be run again, and does nothing.
fn in_order(phase: Phase, progress: Progress) -> Result<(), Error> {
    let fits = match phase {
        Phase::Trust => matches!(progress, Progress::Settled | Progress::TrustBegun | Progress::Trusted),
        Phase::Leaf => matches!(progress, Progress::Trusted | Progress::LeafBegun | Progress::Issued),
        Phase::Retire => matches!(progress, Progress::Issued | Progress::RetireBegun),
    };
    if fits {
        return Ok(());
    }
    let state = match progress {
        Progress::Settled => "no rotation is under way",
        Progress::TrustBegun => "not every component trusts the new CA yet",
        Progress::Trusted => "every certificate is still from the old CA",
        Progress::LeafBegun => "not every certificate is from the new CA yet",
        Progress::Issued => "every certificate is from the new CA already",
        Progress::RetireBegun => "the old CA is being retired",
    };
    let comes = next_phase(progress).unwrap_or(Phase::Trust);
    let verb = match progress {
        Progress::Settled => "begins a rotation",
        Progress::TrustBegun | Progress::LeafBegun | Progress::RetireBegun => "finishes what was begun",
        Progress::Trusted | Progress::Issued => "comes now, once every component was reloaded or restarted as told",
    };
    Err(Error::new(ErrorKind::Order {
        phase: phase.as_str(),
        state: state.to_owned(),
        next: format!("`--phase {comes}` {verb}"),
    }))
}

/// The phase to run, where a rotation is under way.
pub(crate) fn next_phase(progress: Progress) -> Option<Phase> {
    match progress {
        Progress::Settled => None,
        Progress::TrustBegun => Some(Phase::Trust),
        Progress::Trusted | Progress::LeafBegun => Some(Phase::Leaf),
        Progress::Issued | Progress::RetireBegun => Some(Phase::Retire),
    }
}

/// The common name of an authority.
pub(crate) fn name_of(authority: &Authority) -> String {
    Certificate::parse(authority.certificate_der())
        .map_or_else(|reason| reason.to_owned(), |certificate| certificate.short_subject().to_owned())
}

impl Phase {
    /// All, in order.
    pub const ALL: [Self; 3] = [Self::Trust, Self::Leaf, Self::Retire];

    /// Its name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trust => "trust",
            Self::Leaf => "leaf",
            Self::Retire => "retire",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Phase {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|phase| phase.as_str() == text)
            .ok_or_else(|| "the phases are trust, leaf and retire, in this order".to_owned())
    }
}
