//! What Concelier and Excititor have to know of the domains, as env files.
//!
//! `NAME=value` without quotes: Compose, `docker --env-file` and the chart read that alike. [`Mirror`] holds nothing that needs quotes.

use std::fmt::Write as _;

use crate::config::Mirror;

/// The env files, by name.
pub(crate) fn files(mirror: &Mirror) -> Vec<(String, String)> {
    vec![("concelier.env".to_owned(), concelier(mirror)), ("excititor.env".to_owned(), excititor(mirror))]
}

/// The variables of Concelier that follow from the settings, with the setting that each repeats.
#[must_use]
pub fn concelier(mirror: &Mirror) -> String {
    let mut out = String::from(
        "# What Concelier exports for the mirror, and the budgets that it counts per hour. The gateway has the same ones per minute.\n",
    );
    let all = mirror.domains.iter().all(|domain| domain.require_authentication.value);
    variable(&mut out, "CONCELIER__MIRROR__ENABLED", &true);
    variable(&mut out, "CONCELIER__MIRROR__REQUIREAUTHENTICATION", &all);
    variable(&mut out, "CONCELIER__MIRROR__MAXINDEXREQUESTSPERHOUR", &mirror.index_requests_per_hour.value);
    for (index, domain) in mirror.domains.iter().enumerate() {
        let name = format!("CONCELIER__MIRROR__DOMAINS__{index}__");
        variable(&mut out, &format!("{name}ID"), &domain.id.value);
        variable(&mut out, &format!("{name}DISPLAYNAME"), &domain.display_name.value);
        variable(&mut out, &format!("{name}REQUIREAUTHENTICATION"), &domain.require_authentication.value);
        variable(&mut out, &format!("{name}MAXDOWNLOADREQUESTSPERHOUR"), &domain.downloads_per_hour.value);
    }
    out
}

/// The variables of Excititor. Its settings have the names of Concelier's; its index has a budget for each domain.
#[must_use]
pub fn excititor(mirror: &Mirror) -> String {
    let mut out = String::from("# What Excititor exports for the mirror.\n");
    variable(&mut out, "EXCITITOR__MIRROR__ENABLED", &true);
    for (index, domain) in mirror.domains.iter().enumerate() {
        let name = format!("EXCITITOR__MIRROR__DOMAINS__{index}__");
        variable(&mut out, &format!("{name}ID"), &domain.id.value);
        variable(&mut out, &format!("{name}DISPLAYNAME"), &domain.display_name.value);
        variable(&mut out, &format!("{name}REQUIREAUTHENTICATION"), &domain.require_authentication.value);
        variable(&mut out, &format!("{name}MAXINDEXREQUESTSPERHOUR"), &mirror.index_requests_per_hour.value);
        variable(&mut out, &format!("{name}MAXDOWNLOADREQUESTSPERHOUR"), &domain.downloads_per_hour.value);
    }
    out
}

fn variable(out: &mut String, name: &str, value: &dyn std::fmt::Display) {
    // Writing to a string does not fail.
    let _ = writeln!(out, "{name}={value}");
}
