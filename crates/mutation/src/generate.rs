//! Every place × every operator.

use std::collections::{BTreeMap, BTreeSet};

use crate::mutant::Mutant;
use crate::operator::{Around, Operator};
use crate::place::{Place, What};
use crate::places;
use crate::subject::{Role, Subject};

/// All mutants of a subject, by file, place and operator. Two that come to the same bytes are one.
pub fn mutants(subject: &Subject) -> Vec<Mutant> {
    let places: BTreeMap<&str, (Role, Vec<Place>)> = subject
        .files
        .iter()
        .map(|(file, (role, text))| (file.as_str(), (*role, places::of(file, *role, text))))
        .collect();
    let platforms = platforms(subject, &places);
    let mut seen = BTreeSet::new();
    let mut mutants = Vec::new();
    for (file, (role, own)) in &places {
        let others: Vec<&Place> = places
            .iter()
            .filter(|(other, (kind, _))| *other != file && kind == role)
            .flat_map(|(_, (_, places))| places)
            .collect();
        let around = Around {
            subject,
            role: *role,
            text: subject.text(file),
            places: own,
            others: &others,
            platforms: &platforms,
        };
        for place in own {
            for operator in Operator::ALL {
                let Some(edits) = operator.edits(place, &around) else { continue };
                if seen.insert(edits.clone()) {
                    mutants.push(Mutant { subject: subject.name.clone(), place: place.clone(), operator, edits });
                }
            }
        }
    }
    mutants
}

/// Digests of indexes with that of their first platform.
fn platforms(subject: &Subject, places: &BTreeMap<&str, (Role, Vec<Place>)>) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (file, (_, places)) in places.iter().filter(|(_, (role, _))| *role == Role::Release) {
        let text = subject.text(file);
        for platform in places.iter().filter(|place| place.what == What::Platform) {
            let component = platform.path.split(".platforms").next().unwrap_or_default();
            let index = places.iter().find(|place| place.path == format!("{component}.digest"));
            pairs.extend(index.map(|index| (index.text(text).to_owned(), platform.text(text).to_owned())));
        }
    }
    pairs
}
