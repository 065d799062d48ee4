//! What must hold for any bytes at each of our doors: one property a file, each taking bytes and panicking where it does not hold.
//!
//! The fuzz targets in `fuzz/` feed them with what a fuzzer comes up with; this crate's test with the inputs that once broke
//! something, on the stable compiler, in every run. Dev only. Start from [`ALL`].
//!
//! An input of several files is one with a NUL between them. Limits are lower than the program's, so that a fuzzer
//! passes them often.

mod archive;
mod chart;
mod compose;
mod dotenv;
mod image_ref;
mod interpolation;
mod printed;
mod release;
mod splice;
mod template;
mod workspace;
mod yaml;

/// A property: its name, which is that of its fuzz target and of its folder of regressions, and what checks it.
pub type Property = (&'static str, fn(&[u8]));

/// All properties.
pub const ALL: &[Property] = &[
    ("archive", archive::check),
    ("chart", chart::check),
    ("compose", compose::check),
    ("dotenv", dotenv::check),
    ("image_ref", image_ref::check),
    ("interpolation", interpolation::check),
    ("printed", printed::check),
    ("release", release::check),
    ("splice", splice::check),
    ("template", template::check),
    ("workspace", workspace::check),
    ("yaml", yaml::check),
];

/// Checks the property of this name.
///
/// # Panics
/// Where it does not hold, and where there is none of this name.
pub fn check(name: &str, bytes: &[u8]) {
    let property = ALL.iter().find(|(known, _)| *known == name);
    let (_, check) = property.unwrap_or_else(|| panic!("there is no property `{name}`"));
    check(bytes);
}

/// The text up to the first NUL, and what follows it.
fn split(text: &str) -> (&str, &str) {
    text.split_once('\0').unwrap_or((text, ""))
}

/// The input as text; what is not UTF-8 is replaced, as the fuzzer had better not spend its time there.
fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
