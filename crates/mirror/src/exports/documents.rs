//! What each document must have, and what it may have.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::json::{self, Json};
use super::limits::{LARGEST_BUNDLE, LARGEST_INDEX, LARGEST_MANIFEST, LARGEST_VEX_LIST, MOST_DOMAINS, MOST_EXPORTS};
use super::place::Place;
use super::{Digest, Error, Problem, SCHEMA, is_domain_id, is_export_key};

/// `index.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Not documented.
    pub created: Option<Timestamp>,
    /// In its order; no id is there twice.
    pub domains: Vec<Listed>,
}

/// A domain in the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub id: String,
    pub display_name: Option<String>,
    /// Not documented, as is [`Self::bundle`].
    pub manifest: Option<Reference>,
    pub bundle: Option<Reference>,
}

/// What one file says of the bytes of another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// In bytes.
    pub size: Option<u64>,
    pub digest: Option<Digest>,
}

/// `manifest.json` of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    pub domain: String,
    pub created: Timestamp,
    /// How many; the file has a number or a list.
    pub advisories: u64,
    /// Not documented.
    pub bundle: Option<Reference>,
}

/// `bundle.json` of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    pub domain: String,
    pub created: Option<Timestamp>,
    /// How many.
    pub advisories: u64,
}

/// A domain of Excititor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VexDomain {
    pub id: String,
    pub display_name: Option<String>,
}

/// `…/domains/<id>/index` of Excititor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VexIndex {
    pub domain: String,
    pub created: Option<Timestamp>,
    /// In its order; no key is there twice.
    pub exports: Vec<VexExport>,
}

/// One export of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VexExport {
    pub key: String,
    pub reference: Reference,
}

impl Reference {
    /// Whether it says anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.size.is_none() && self.digest.is_none()
    }

    fn read(place: &Place<'_>) -> Result<Self, Error> {
        let size = place.optional(&["sizeBytes"])?.map(|size| size.number()).transpose()?;
        let digest = place.optional(&["digest"])?.map(|digest| digest.digest()).transpose()?;
        Ok(Self { size, digest })
    }

    fn of(place: &Place<'_>, name: &str) -> Result<Option<Self>, Error> {
        place.optional(&[name])?.map(|reference| Self::read(&reference)).transpose()
    }
}

/// The documented name first.
const CREATED: &[&str] = &["created", "generatedAt"];
const DOMAIN: &[&str] = &["domainId", "id"];
const ID: &[&str] = &["id", "domainId"];

/// Reads `index.json`.
pub fn index(bytes: &[u8]) -> Result<Index, Error> {
    let value = json::read(bytes, LARGEST_INDEX, &["schemaVersion", "created", "generatedAt", "domains"], &[])?;
    let whole = of_known_schema(&value)?;
    let mut domains = Vec::new();
    let mut known = BTreeSet::new();
    for entry in whole.member(&["domains"])?.list(MOST_DOMAINS)? {
        let id = domain_id(&entry, ID)?;
        if !known.insert(id.clone()) {
            return Err(entry.error(Problem::Twice(id)));
        }
        domains.push(Listed {
            id,
            display_name: display_name(&entry)?,
            manifest: Reference::of(&entry, "manifest")?,
            bundle: Reference::of(&entry, "bundle")?,
        });
    }
    Ok(Index { created: created(&whole)?, domains })
}

/// Reads `manifest.json`.
pub fn manifest(bytes: &[u8]) -> Result<Manifest, Error> {
    let kept = ["schemaVersion", "domainId", "id", "created", "generatedAt", "advisoryCount", "bundle"];
    let value = json::read(bytes, LARGEST_MANIFEST, &kept, &["advisories"])?;
    let whole = of_known_schema(&value)?;
    Ok(Manifest {
        domain: domain_id(&whole, DOMAIN)?,
        created: whole.member(CREATED)?.moment()?,
        advisories: whole.member(&["advisories", "advisoryCount"])?.count()?,
        bundle: Reference::of(&whole, "bundle")?,
    })
}

/// Reads `bundle.json`. Its advisories are counted, not kept.
pub fn bundle(bytes: &[u8]) -> Result<Bundle, Error> {
    let kept = ["schemaVersion", "domainId", "id", "created", "generatedAt"];
    let value = json::read(bytes, LARGEST_BUNDLE, &kept, &["advisories"])?;
    let whole = of_known_schema(&value)?;
    Ok(Bundle {
        domain: domain_id(&whole, DOMAIN)?,
        created: created(&whole)?,
        advisories: whole.member(&["advisories"])?.length()?,
    })
}

/// Reads Excititor's list of domains: an object with `domains`, or the list alone.
pub fn vex_domains(bytes: &[u8]) -> Result<Vec<VexDomain>, Error> {
    if bytes.len() > LARGEST_VEX_LIST {
        return Err(Error::new("", Problem::TooLarge { size: bytes.len(), most: LARGEST_VEX_LIST }));
    }
    let value = json::read_whole(bytes)?;
    let whole = Place::whole(&value);
    let list = if matches!(value, Json::List(_)) { whole } else { whole.member(&["domains"])? };
    let mut domains = Vec::new();
    let mut known = BTreeSet::new();
    for entry in list.list(MOST_DOMAINS)? {
        let domain = VexDomain { id: domain_id(&entry, ID)?, display_name: display_name(&entry)? };
        if !known.insert(domain.id.clone()) {
            return Err(entry.error(Problem::Twice(domain.id)));
        }
        domains.push(domain);
    }
    Ok(domains)
}

/// Reads Excititor's description of one domain.
pub fn vex_domain(bytes: &[u8]) -> Result<VexDomain, Error> {
    let value = json::read(bytes, LARGEST_VEX_LIST, &["id", "domainId", "displayName"], &[])?;
    let whole = Place::whole(&value);
    Ok(VexDomain { id: domain_id(&whole, ID)?, display_name: display_name(&whole)? })
}

/// Reads Excititor's list of a domain's exports.
pub fn vex_index(bytes: &[u8]) -> Result<VexIndex, Error> {
    let kept = ["id", "domainId", "created", "generatedAt", "exports"];
    let value = json::read(bytes, LARGEST_VEX_LIST, &kept, &[])?;
    let whole = Place::whole(&value);
    let mut exports = Vec::new();
    let mut known = BTreeSet::new();
    for entry in whole.member(&["exports"])?.list(MOST_EXPORTS)? {
        let key = entry
            .member(&["exportKey", "key"])?
            .name(is_export_key, "letters, digits and `-_.+:@`, with a letter or digit first and at most 200 bytes")?;
        if !known.insert(key.clone()) {
            return Err(entry.error(Problem::Twice(key)));
        }
        exports.push(VexExport { key, reference: Reference::read(&entry)? });
    }
    Ok(VexIndex { domain: domain_id(&whole, ID)?, created: created(&whole)?, exports })
}

/// The document, if it is of the version that is known.
fn of_known_schema(value: &Json) -> Result<Place<'_>, Error> {
    let whole = Place::whole(value);
    let schema = whole.member(&["schemaVersion"])?;
    match schema.number()? {
        SCHEMA => Ok(whole),
        found => Err(schema.error(Problem::OtherSchema { found, known: SCHEMA })),
    }
}

fn domain_id(place: &Place<'_>, names: &[&str]) -> Result<String, Error> {
    place.member(names)?.name(
        is_domain_id,
        "lower-case letters, digits, `-` and `_`, with a letter or digit first and at most 63 bytes",
    )
}

fn display_name(place: &Place<'_>) -> Result<Option<String>, Error> {
    place.optional(&["displayName"])?.map(|name| name.text().map(str::to_owned)).transpose()
}

fn created(place: &Place<'_>) -> Result<Option<Timestamp>, Error> {
    place.optional(CREATED)?.map(|created| created.moment()).transpose()
}
