//! `semver` and `semverCompare`.

use gotemplate::Value;

use super::call::Call;
use super::go::Answer;
use super::objects::{VersionObject, compares};
use super::version::Version;

pub(crate) fn semver(call: &mut Call<'_, '_>) -> Answer {
    let text = call.text(0);
    let version = Version::parse(&text)?;
    Ok(Value::object(VersionObject { version, pointer: true, text }))
}

pub(crate) fn semver_compare(call: &mut Call<'_, '_>) -> Answer {
    Ok(compares(&call.text(0), &call.text(1))?.into())
}
