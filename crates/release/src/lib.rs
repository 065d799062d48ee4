//! Digests, image references, releases, channels and workspaces: parsed once into strict types, and written again.
//!
//! This crate does no IO and knows no clock and no environment. Start with [`Release`] and [`Workspace`]; both keep the
//! place of every value. [`Manifest`] is a release as plain data, with its one canonical spelling and its identity.

mod belongs;
mod date;
mod difference;
mod digest;
mod edit;
mod image_ref;
mod listed;
mod manifest;
mod migration;
mod release;
mod schema;
mod workspace;

pub use date::{Date, DateError};
pub use difference::{About, Change, Difference, Differing};
pub use digest::{Digest, DigestError};
pub use edit::{Assignment, EditError, assign};
pub use image_ref::{ImageRef, ImageRefError, Ranges, is_tag};
pub use manifest::{Availability, DigestKind, Kind, Listed, Manifest, Only, Origin, SupportLine, scalar};
pub use migration::{Migration, PlacedMigration};
pub use release::{Component, Group, ListedDigest, PromotedFrom, Release, Support, Tagged};
pub use schema::{release_schema, workspace_schema};
pub use workspace::{
    Approvals, Channel, CommandGate, ComposeSource, External, Freeze, Gates, HelmSource, Ignore, ImagesAt, Level,
    Overlay, Profile, ProfileSource, Ring, RuleSetting, Unmanaged, WORKSPACE_FILE, Workspace,
};
pub use yamlspan::strict::{Problem, Spanned, guessing, nearest};
