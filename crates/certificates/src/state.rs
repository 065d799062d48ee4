//! What lies in a folder: authorities, certificates, and how far a rotation has come.
//!
//! All of it is derived from the certificates themselves. A file that says "phase 2" could be wrong; they cannot.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::access::Access;
use crate::algorithm::Algorithm;
use crate::authority::{Authority, Issued, Leaf};
use crate::certificate::Certificate;
use crate::component::Component;
use crate::error::{Error, ErrorKind};
use crate::folder::{CA_CERTIFICATE, CA_KEY, CERTIFICATE, Folder, KEY};
use crate::key::PrivateKey;
use crate::pem;
use crate::slot::{NewFile, Slot};

/// What lies in a folder.
pub(crate) struct State {
    pub(crate) authority: Option<Authority>,
    /// The coming authority, during a rotation.
    pub(crate) next: Option<Authority>,
    pub(crate) components: BTreeMap<Component, Present>,
}

/// What a component has. Files that are not there or cannot be read are `None`.
#[derive(Default)]
pub(crate) struct Present {
    /// Whether any of its files is there.
    pub(crate) exists: bool,
    pub(crate) certificate: Option<(Certificate, String)>,
    /// The key's text; `None` also where it does not belong to the certificate.
    pub(crate) key: Option<PrivateKey>,
    /// Whom it trusts.
    pub(crate) trusted: Vec<Vec<u8>>,
    pub(crate) access: Option<Access>,
}

/// How far a rotation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// No rotation is under way.
    Settled,
    /// A new authority is there, but not every component trusts it.
    TrustBegun,
    /// Every component trusts both; every certificate is from the old one.
    Trusted,
    /// Some certificates are from the new authority.
    LeafBegun,
    /// All are; both authorities are still trusted.
    Issued,
    /// The new authority has taken its place, but the old one may still be trusted somewhere.
    RetireBegun,
}

impl State {
    /// Reads a folder.
    pub(crate) fn read(folder: &Folder) -> Result<Self, Error> {
        let authority = read_authority(&folder.authority())?;
        let next = match authority {
            // A rotation that was broken off, and its old authority removed: there is nothing to rotate from.
            None => None,
            Some(_) => read_authority(&folder.next_authority())?,
        };
        let components = Component::ALL
            .into_iter()
            .map(|component| Ok((component, Present::read(&folder.component(component))?)))
            .collect::<Result<_, Error>>()?;
        Ok(Self { authority, next, components })
    }

    /// Components that have a certificate.
    pub(crate) fn present(&self) -> impl Iterator<Item = (Component, &Present)> {
        self.components.iter().filter(|(_, present)| present.exists).map(|(component, present)| (*component, present))
    }

    pub(crate) fn progress(&self) -> Progress {
        self.authority.as_ref().map_or(Progress::Settled, |old| self.progress_from(old))
    }

    /// How far it has come from this authority, which may be newer than the one that was read.
    pub(crate) fn progress_from(&self, old: &Authority) -> Progress {
        let Some(new) = &self.next else { return Progress::Settled };
        if old.certificate_der() == new.certificate_der() {
            return Progress::RetireBegun;
        }
        let all_trust_both = self.present().all(|(_, present)| present.trusts(old) && present.trusts(new));
        let from_new = self.present().filter(|(_, present)| present.is_from(new)).count();
        if from_new == 0 {
            if all_trust_both { Progress::Trusted } else { Progress::TrustBegun }
        } else if from_new < self.present().count() {
            Progress::LeafBegun
        } else {
            Progress::Issued
        }
    }
}

impl Present {
    fn read(slot: &Slot) -> Result<Self, Error> {
        Self::named(slot, CERTIFICATE, KEY)
    }

    /// The certificate and the key in files of these names.
    pub(crate) fn named(slot: &Slot, certificate: &str, key_name: &str) -> Result<Self, Error> {
        let text = slot.read(certificate)?;
        let key = slot.read(key_name)?.map(PrivateKey::new);
        let bundle = slot.read(CA_CERTIFICATE)?;
        let exists = text.is_some() || key.is_some() || bundle.is_some();
        let certificate = text.and_then(|text| {
            let certificate = Certificate::parse(&pem::first_certificate(&text)?).ok()?;
            Some((certificate, text))
        });
        let belongs = |key: &PrivateKey| {
            let public = rcgen::KeyPair::from_pem(key.reveal()).ok();
            let public = public.as_ref().map(rcgen::PublicKeyData::der_bytes);
            certificate.as_ref().is_some_and(|(certificate, _)| public == Some(certificate.public_key.as_slice()))
        };
        Ok(Self {
            exists,
            key: key.filter(belongs),
            trusted: bundle.map_or_else(Vec::new, |bundle| {
                let blocks = pem::blocks(&bundle).into_iter().filter(pem::Block::is_certificate);
                blocks.filter_map(|block| block.content.ok()).map(|content| content.to_vec()).collect()
            }),
            access: slot.metadata(key_name).as_ref().map(Access::of),
            certificate,
        })
    }

    /// The kind of its key.
    pub(crate) fn algorithm(&self) -> Option<Algorithm> {
        Algorithm::of(&rcgen::KeyPair::from_pem(self.key.as_ref()?.reveal()).ok()?)
    }

    pub(crate) fn trusts(&self, authority: &Authority) -> bool {
        self.trusted.iter().any(|trusted| **trusted == **authority.certificate_der())
    }

    /// Whether its certificate was signed by this authority.
    pub(crate) fn is_from(&self, authority: &Authority) -> bool {
        let issuer = Certificate::parse(authority.certificate_der());
        match (&self.certificate, issuer) {
            (Some((certificate, _)), Ok(issuer)) => {
                certificate.names_as_issuer(&issuer) && certificate.is_signed_by(&issuer) == Some(true)
            }
            _ => false,
        }
    }
}

/// Writes the files of a component, all at once.
pub(crate) fn publish(
    folder: &Folder,
    component: Component,
    issued: &Issued,
    trusted: &[&Authority],
    access: Access,
) -> Result<(), Error> {
    let bundle: String = trusted.iter().map(|authority| authority.certificate_pem()).collect();
    folder.component(component).publish(
        &[
            NewFile { name: CERTIFICATE, content: &issued.certificate_pem, secret: false },
            NewFile { name: KEY, content: issued.key.reveal(), secret: true },
            NewFile { name: CA_CERTIFICATE, content: &bundle, secret: false },
        ],
        access,
    )
}

/// Writes the files of an authority.
pub(crate) fn publish_authority(slot: &Slot, authority: &Authority) -> Result<(), Error> {
    slot.publish(
        &[
            NewFile { name: CA_CERTIFICATE, content: authority.certificate_pem(), secret: false },
            NewFile { name: CA_KEY, content: authority.key().reveal(), secret: true },
        ],
        // The authority's key is for nobody but who runs this, whomever components belong to.
        Access::default(),
    )
}

/// A new certificate for a component. It does not outlive its authority.
pub(crate) fn issue(authority: &Authority, leaf: &Leaf) -> Result<Issued, Error> {
    authority.issue(&Leaf { validity: leaf.validity.within(authority.validity()), ..leaf.clone() })
}

/// Whether an authority is over.
pub(crate) fn is_over(authority: &Authority, now: Timestamp) -> bool {
    authority.validity().is_over(now)
}

/// Refuses to work by a clock that is before the authority was made, as after a reset to 1970: every certificate would be replaced by
/// one that is over as soon as the clock is right.
pub(crate) fn refuse_early_clock(folder: &Folder, state: &State, now: Timestamp) -> Result<(), Error> {
    let from = state.authority.as_ref().map(|authority| authority.validity().not_before);
    match from.filter(|from| now < *from) {
        Some(from) => {
            let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
            Err(Error::new(ErrorKind::Clock { folder: folder.root().to_owned(), now, from }))
        }
        None => Ok(()),
    }
}

fn read_authority(slot: &Slot) -> Result<Option<Authority>, Error> {
    let unusable = |reason: String| Err(Error::new(ErrorKind::Authority { folder: slot.path().to_owned(), reason }));
    match (slot.read(CA_CERTIFICATE)?, slot.read(CA_KEY)?.map(PrivateKey::new)) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => match Authority::read(&certificate, key.reveal()) {
            Ok(authority) => Ok(Some(authority)),
            Err(error) => match error.kind() {
                ErrorKind::Crypto { reason, .. } => unusable(reason.clone()),
                _ => Err(error),
            },
        },
        (None, Some(_)) => unusable(format!("it has no `{CA_CERTIFICATE}`")),
        (Some(_), None) => unusable(format!("it has no `{CA_KEY}`")),
    }
}
