//! Digests, image references, releases, channels and workspaces: parsed once into strict types, and written again.
//!
//! This crate does no IO and knows no clock and no environment. Start with [`Release`] and [`Workspace`]; both keep the
//! place of every value. [`Manifest`] is a release as plain data, with its one canonical spelling and its identity.

mod date;
mod digest;
mod image_ref;
mod manifest;
mod nearest;
mod reader;
mod release;
mod schema;
mod spanned;
mod workspace;

pub use date::{Date, DateError};
pub use digest::{Digest, DigestError};
pub use image_ref::{ImageRef, ImageRefError, Ranges, is_tag};
pub use manifest::{Availability, DigestKind, Kind, Listed, Manifest, Origin, SupportLine, scalar};
pub use nearest::nearest;
pub use reader::Problem;
pub use release::{Component, Group, ListedDigest, PromotedFrom, Release, Support};
pub use schema::{release_schema, workspace_schema};
pub use spanned::Spanned;
pub use workspace::{
    Channel, ComposeSource, External, HelmSource, Ignore, ImagesAt, Level, Overlay, Profile, ProfileSource, Ring,
    RuleSetting, Unmanaged, WORKSPACE_FILE, Workspace,
};
