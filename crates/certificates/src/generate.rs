//! Making and renewing certificates.

use camino::Utf8Path;
use jiff::Timestamp;

use crate::access::{Access, Owner};
use crate::algorithm::Algorithm;
use crate::authority::{Authority, Issued, Leaf};
use crate::component::Component;
use crate::error::Error;
use crate::folder::Folder;
use crate::rotate::{self, Phase};
use crate::san::San;
use crate::state::{self, Present, Progress, State};
use crate::validity::Validity;

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Request {
    /// More names for the servers. Names that a certificate has already are kept.
    pub sans: Vec<San>,
    /// `None`: that of the present certificate, else the default.
    pub algorithm: Option<Algorithm>,
    /// How long certificates of components live.
    pub days: u32,
    /// How long a new authority lives.
    pub ca_days: u32,
    /// Renews every certificate, whatever is left of it.
    pub renew: bool,
    /// Renews what ends within so many days; `None`: a third of `days`.
    pub renew_before: Option<u32>,
    /// Whom the files of components are given to; `None`: whom they belong to already.
    pub owner: Option<Owner>,
    /// Whether the group may read keys. What it may already stays.
    pub group_readable: bool,
}

/// Days that a component's certificate lives, as those of public authorities do: long enough to forget it, short enough to notice that
/// renewing works.
pub const DAYS: u32 = 90;
/// Days that an authority lives. It is trusted in few places, and `rotate` changes it without an outage.
pub const CA_DAYS: u32 = 365;

impl Default for Request {
    fn default() -> Self {
        Self {
            sans: Vec::new(),
            algorithm: None,
            days: DAYS,
            ca_days: CA_DAYS,
            renew: false,
            renew_before: None,
            owner: None,
            group_readable: false,
        }
    }
}

impl Request {
    /// Days before its end from which on a certificate is renewed.
    ///
    /// A third of the lifetime, which is what renewing tools commonly use: of 90 days 30, enough for a run that fails to be noticed and
    /// mended.
    #[must_use]
    pub fn renew_before(&self) -> u32 {
        self.renew_before.unwrap_or(self.days / 3)
    }
}

/// What was done.
#[derive(Clone, Debug)]
pub struct Report {
    pub authority: AuthorityReport,
    /// In the order of [`Component::ALL`].
    pub components: Vec<ComponentReport>,
    /// The phase of a rotation that comes next, where one is under way.
    pub rotation: Option<Phase>,
}

/// What was done about the authority.
#[derive(Clone, Debug)]
pub struct AuthorityReport {
    pub name: String,
    pub validity: Validity,
    pub done: Done,
    /// Whether it ends so soon that certificates are cut short.
    pub ends_soon: bool,
}

/// What was done about a component.
#[derive(Clone, Debug)]
pub struct ComponentReport {
    pub component: Component,
    pub names: Vec<San>,
    pub validity: Validity,
    pub done: Done,
}

/// What was done, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// Nothing.
    Kept,
    /// There was none.
    Made,
    /// It is new, for this reason.
    Renewed(String),
    /// The certificate stayed; something else about its files was changed.
    Mended(String),
}

impl Report {
    /// Whether anything was written.
    #[must_use]
    pub fn changed(&self) -> bool {
        let components = self.components.iter().map(|report| &report.done);
        components.chain([&self.authority.done]).any(|done| *done != Done::Kept)
    }
}

/// Fills a folder with an authority and a certificate for every component, and renews what has to be renewed.
///
/// Never overwrites what is good; where nothing has to be done, nothing is written.
///
/// # Errors
/// If another run is at work, files cannot be read, written or given away, the authority is damaged, or the clock is before it was made.
pub fn generate(request: &Request, root: &Utf8Path, now: Timestamp) -> Result<Report, Error> {
    let folder = Folder::open(root)?;
    let mut state = State::read(&folder)?;
    state::refuse_early_clock(&folder, &state, now)?;
    let (authority, done) = authority(request, &folder, &mut state, now)?;
    let signers = Signers::of(&state, &authority, now);
    let components = Component::ALL
        .into_iter()
        .map(|component| one_component(request, &folder, &signers, component, &state.components[&component], now))
        .collect::<Result<_, _>>()?;
    // Read again: what was made may have brought the rotation further.
    let rotation = if state.next.is_some() { rotate::next_phase(State::read(&folder)?.progress()) } else { None };
    Ok(Report {
        authority: AuthorityReport {
            name: rotate::name_of(&authority),
            validity: authority.validity(),
            done,
            ends_soon: authority.validity().ends_within(now, request.renew_before()),
        },
        components,
        rotation,
    })
}

/// The authority that is there, or a new one.
pub(crate) fn authority(
    request: &Request,
    folder: &Folder,
    state: &mut State,
    now: Timestamp,
) -> Result<(Authority, Done), Error> {
    let is_good = |authority: &Authority| !state::is_over(authority, now);
    let present = state.authority.take();
    let algorithm = request.algorithm.or_else(|| present.as_ref().and_then(Authority::algorithm)).unwrap_or_default();
    let done = match present {
        // One that has expired during a rotation stays until it is retired; its successor signs.
        Some(authority) if is_good(&authority) || state.next.as_ref().is_some_and(is_good) => {
            return Ok((authority, Done::Kept));
        }
        // Nobody accepts anything of it any more: there is no outage left that a rotation would avoid.
        Some(_) => Done::Renewed("it had expired".to_owned()),
        None => Done::Made,
    };
    if state.next.take().is_some() {
        folder.next_authority().remove()?;
    }
    let authority = Authority::new(algorithm, Validity::days(now, request.ca_days))?;
    state::publish_authority(&folder.authority(), &authority)?;
    Ok((authority, done))
}

/// Who signs, and who is trusted.
pub(crate) struct Signers<'s> {
    pub(crate) signer: &'s Authority,
    /// The other authority of a rotation that is under way.
    other: Option<&'s Authority>,
    /// Whether the old authority is being dropped: it may be trusted still, and need not be.
    retiring: bool,
}

impl<'s> Signers<'s> {
    pub(crate) fn of(state: &'s State, authority: &'s Authority, now: Timestamp) -> Self {
        let progress = state.progress_from(authority);
        match &state.next {
            Some(next)
                if matches!(progress, Progress::LeafBegun | Progress::Issued) || state::is_over(authority, now) =>
            {
                Self { signer: next, other: Some(authority), retiring: false }
            }
            next => {
                let retiring = progress == Progress::RetireBegun;
                Self { signer: authority, other: next.as_ref().filter(|_| !retiring), retiring }
            }
        }
    }

    fn trusted(&self) -> Vec<&'s Authority> {
        std::iter::once(self.signer).chain(self.other).collect()
    }
}

fn one_component(
    request: &Request,
    folder: &Folder,
    signers: &Signers<'_>,
    component: Component,
    present: &Present,
    now: Timestamp,
) -> Result<ComponentReport, Error> {
    let mut names = component.names(&request.sans);
    if let Some((certificate, _)) = &present.certificate {
        let kept = certificate.sans.iter().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>();
        names.extend(kept);
    }
    let access = Access::asked_or(request.owner, request.group_readable, present.access);
    let wanted = Leaf {
        common_name: component.common_name().to_owned(),
        sans: names,
        usages: component.usages().to_vec(),
        algorithm: request.algorithm.or_else(|| present.algorithm()).unwrap_or_default(),
        validity: Validity::days(now, request.days).within(signers.signer.validity()),
    };
    let (done, issued, validity) =
        match (reason_to_renew(request, signers, &wanted, present, now), &present.certificate, &present.key) {
            (None, Some((certificate, text)), Some(key)) => {
                let reason = reason_to_mend(folder, signers, component, present, access);
                let issued = Issued { certificate_pem: text.clone(), key: key.clone() };
                (reason.map_or(Done::Kept, Done::Mended), issued, certificate.validity)
            }
            (reason, _, _) => {
                let done = match reason {
                    Some(reason) if present.exists => Done::Renewed(reason),
                    _ => Done::Made,
                };
                (done, state::issue(signers.signer, &wanted)?, wanted.validity)
            }
        };
    if done != Done::Kept {
        state::publish(folder, component, &issued, &signers.trusted(), access)?;
    }
    Ok(ComponentReport { component, names: wanted.sans, validity, done })
}

/// Why a component needs a new certificate, if it does.
pub(crate) fn reason_to_renew(
    request: &Request,
    signers: &Signers<'_>,
    wanted: &Leaf,
    present: &Present,
    now: Timestamp,
) -> Option<String> {
    let Some((certificate, _)) = &present.certificate else { return Some("it could not be read".to_owned()) };
    if present.key.is_none() {
        return Some("its key does not belong to it".to_owned());
    }
    let is_from_known = signers.trusted().iter().any(|authority| present.is_from(authority));
    let missing: Vec<String> =
        wanted.sans.iter().filter(|name| !certificate.sans.contains(name)).map(|name| format!("`{name}`")).collect();
    let validity = certificate.validity;
    if request.renew {
        Some("you asked for it".to_owned())
    } else if !is_from_known {
        Some("it is from another CA".to_owned())
    } else if validity.is_over(now) {
        Some("it had expired".to_owned())
    } else if validity.is_ahead(now) {
        Some("it is not valid yet".to_owned())
    } else if !missing.is_empty() {
        Some(format!("it lacks {}", missing.join(", ")))
    } else if !wanted.usages.iter().all(|usage| certificate.usages.contains(usage)) {
        Some("it may not be used for what it has to do".to_owned())
    } else if present.algorithm() != Some(wanted.algorithm) {
        Some(format!("its key is not {}", wanted.algorithm))
    // One that ends with its authority cannot get more days from it.
    } else if validity.ends_within(now, request.renew_before()) && wanted.validity.not_after > validity.not_after {
        Some(match validity.days_left(now) {
            0 => "less than a day was left".to_owned(),
            1 => "1 day was left".to_owned(),
            days => format!("{days} days were left"),
        })
    } else {
        None
    }
}

/// Why the files of a component have to be written again around the same certificate, if they have to.
fn reason_to_mend(
    folder: &Folder,
    signers: &Signers<'_>,
    component: Component,
    present: &Present,
    access: Access,
) -> Option<String> {
    let trusts_all = signers.trusted().iter().all(|authority| present.trusts(authority));
    // During a rotation it is `rotate` that says who trusts whom.
    let in_rotation = signers.other.is_some() || signers.retiring;
    let trusts_too_many = !in_rotation && present.trusted.len() > signers.trusted().len();
    let key = folder.component(component).metadata(crate::folder::KEY)?;
    if trusts_too_many || !(trusts_all || signers.other.is_some()) {
        Some("whom it trusts was put right".to_owned())
    } else if !access.is_of(&key) {
        Some("who may read its key was put right".to_owned())
    } else {
        None
    }
}
