//! Where the places of a file are: one module for each way in which files are read.

pub(crate) mod compose;
mod env;
mod image;
mod kubernetes;
mod manifest;
mod template;
mod values;
mod workspace;
mod yaml;

use crate::place::Place;
use crate::subject::Role;

/// All places of a file, in order.
pub(crate) fn of(file: &str, role: Role, text: &str) -> Vec<Place> {
    let mut places = match role {
        Role::Workspace => workspace::places(file, text),
        Role::Release => manifest::places(file, text),
        Role::Compose => compose::places(file, text),
        Role::Env => env::places(file, text),
        Role::Values => values::places(file, text),
        Role::Template => template::places(file, text),
        Role::Manifests => kubernetes::places(file, text),
    };
    places.sort_by_key(|place| (place.span.start, place.span.end, place.what));
    places
}
