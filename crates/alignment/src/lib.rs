//! Rules over rendered profiles and releases: values in, findings with symbolic places out.
//!
//! Start with [`Inputs`]: the program collects workspace, releases, rendered profiles and [`Facts`]. [`Survey`] finds every
//! image of every profile and holds it against its release; [`check`] runs the [`RULES`] over that. Places are symbolic
//! ([`Place`]); [`reported`] turns them into source spans once a profile was rendered again with its trace; then
//! [`accept`] applies what the workspace says about findings. [`pins()`] gives the source bytes of every pinned image, for
//! `pin` and for [`check_pins`].
//!
//! This crate does no IO and knows no clock and no environment.

mod accept;
mod collector;
mod compose;
pub mod documents;
mod drawn;
mod fields;
mod hosts;
mod image;
mod inputs;
mod kinds;
mod kubernetes;
mod labels;
mod lasting;
mod made_from;
mod mirror;
mod misread;
mod mounts;
mod names;
mod operators;
mod pins;
mod place;
mod pods;
mod policy;
mod quantity;
mod references;
mod resolve;
mod rules;
mod schedule;
mod secrets;
mod survey;
mod timezone;
mod touched;
mod undeclared;

pub use accept::{Acceptance, Reported, accept, hides_others, unknown_rules};
pub use compose::{built_way_out, is_built};
pub use image::{Image, ImageRole};
pub use inputs::{
    ComposeRendering, Facts, Failure, Inputs, KubeDocument, KubernetesRendering, LintMessage, PrivateKey, Profile,
    ReleaseInput, Rendering, Role, Variant, release_index,
};
pub use labels::{LabelMeaning, ReleaseLabel, release_labels};
pub use lasting::is_lasting;
pub use made_from::made_from;
pub use mounts::mounted_paths;
pub use pins::{Pin, pins};
pub use place::{At, Object, Path, Place, Rendered, Step};
pub use policy::{Moved, Weakening, weakened, weaker_gates};
pub use resolve::{Resolved, reported, resolve, scalar_of};
pub use rules::{RULES, Rule, check, check_pins, rule};
pub use secrets::{is_secret_value, may_have_private_key, password_in_url, private_key};
pub use survey::{HeldTo, ProfileSurvey, Standing, Survey, Used, images};
pub use touched::Words;
pub use undeclared::{GENERATED, Undeclared, undeclared};
