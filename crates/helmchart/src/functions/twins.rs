//! How functions are called where two runs are made at once: see [`gotemplate::Twins`].

use std::sync::LazyLock;

use gotemplate::{FunctionId, Twins, Untouched};

use super::table::FUNCTIONS;

/// Functions that hand on what they do not look at.
const ONCE: &[(&str, Untouched)] = &[
    ("append", Untouched::At(1)),
    ("dict", Untouched::Values),
    ("first", Untouched::None),
    ("get", Untouched::None),
    ("hasKey", Untouched::None),
    ("include", Untouched::At(1)),
    ("initial", Untouched::None),
    ("keys", Untouched::None),
    ("last", Untouched::None),
    ("list", Untouched::All),
    ("mustAppend", Untouched::At(1)),
    ("mustFirst", Untouched::None),
    ("mustInitial", Untouched::None),
    ("mustLast", Untouched::None),
    ("mustPrepend", Untouched::At(1)),
    ("mustPush", Untouched::At(1)),
    ("mustRest", Untouched::None),
    ("omit", Untouched::None),
    ("pick", Untouched::None),
    ("prepend", Untouched::At(1)),
    ("push", Untouched::At(1)),
    ("rest", Untouched::None),
    ("set", Untouched::At(2)),
    ("tpl", Untouched::At(1)),
    ("tuple", Untouched::All),
];

/// Functions that change a map.
const CHANGING: &[&str] = &["merge", "mergeOverwrite", "mustMerge", "mustMergeOverwrite", "unset"];

/// Functions that draw from chance or take long.
pub(super) const CHANCE_OR_SLOW: &[&str] = &[
    "bcrypt",
    "buildCustomCert",
    "derivePassword",
    "encryptAES",
    "genCA",
    "genCAWithKey",
    "genPrivateKey",
    "genSelfSignedCert",
    "genSelfSignedCertWithKey",
    "genSignedCert",
    "genSignedCertWithKey",
    "htpasswd",
    "randAlpha",
    "randAlphaNum",
    "randAscii",
    "randBytes",
    "randInt",
    "randNumeric",
    "shuffle",
    "uuidv4",
];

pub(super) fn of(id: FunctionId) -> Twins {
    static TWINS: LazyLock<Vec<Twins>> = LazyLock::new(|| FUNCTIONS.iter().map(|entry| named(entry.name)).collect());
    usize::try_from(id.0).ok().and_then(|index| TWINS.get(index)).copied().unwrap_or(Twins::Never)
}

fn named(name: &str) -> Twins {
    match ONCE.binary_search_by_key(&name, |(once, _)| once) {
        Ok(index) => ONCE.get(index).map_or(Twins::Never, |(_, untouched)| Twins::Once(*untouched)),
        Err(_) if CHANGING.contains(&name) || CHANCE_OR_SLOW.contains(&name) => Twins::Never,
        Err(_) => Twins::Each,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_names_are_functions_and_sorted() {
        let names = || ONCE.iter().map(|(name, _)| *name);
        for name in names().chain(CHANGING.iter().chain(CHANCE_OR_SLOW).copied()) {
            assert!(super::super::table::position(name).is_some(), "{name}");
        }
        assert!(names().is_sorted());
        assert_eq!(named("unset"), Twins::Never);
        assert_eq!(named("upper"), Twins::Each);
    }
}
