//! Questions to registries of a test.

use std::time::Duration;

use registry::{Client, Config, Fault, Limits, Resolved};
use release::ImageRef;
use testkit::registry::Registry;

/// Short pauses, and the patience that a loaded machine needs.
pub(crate) fn config() -> Config {
    let limits = Limits { pause: Duration::from_millis(5), request: Duration::from_secs(60), ..Limits::default() };
    Config { user_agent: "test".to_owned(), limits, ..Config::default() }
}

pub(crate) fn image(registry: &Registry, name: &str) -> ImageRef {
    format!("{}/{name}", registry.host()).parse().unwrap()
}

#[track_caller]
pub(crate) fn resolve(config: &Config, image: &ImageRef) -> Result<Resolved, Fault> {
    Client::new(config.clone())?.resolve(std::slice::from_ref(image)).remove(0)
}

#[track_caller]
pub(crate) fn resolved(config: &Config, image: &ImageRef) -> Resolved {
    resolve(config, image).unwrap_or_else(|fault| panic!("{}: {fault}", fault.name()))
}
