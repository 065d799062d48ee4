//! What the settings say: budgets, domains and tenants.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use mirror::htpasswd::{File, MOST_FILE_BYTES};
use mirror::usage::{Budgets, Usage};

use super::super::settings::Settings;
use crate::context::Ctx;
use crate::exit::Result;
use crate::given;

#[derive(Default)]
pub(super) struct Known {
    pub(super) budgets: Budgets,
    /// Where the domains stand; absent where nothing is known of them.
    file: Option<String>,
    /// Domains with their tenants, where those can be read.
    domains: BTreeMap<String, Option<Tenants>>,
}

struct Tenants {
    file: String,
    names: BTreeSet<String>,
}

impl Known {
    /// From the named `mirror.yaml`, else from the workspace's; nothing where there is no workspace, or it has no mirror.
    pub(super) fn load(file: Option<&Utf8Path>, ctx: &Ctx) -> Result<Self> {
        let settings = match file {
            Some(file) => Settings::of_file(file, ctx)?,
            None => match Settings::of_workspace(ctx) {
                Ok(settings) => settings,
                Err(failure) if failure.is_missing_workspace() => return Ok(Self::default()),
                Err(failure) => return Err(failure),
            },
        };
        let mirror = &settings.mirror;
        let downloads = mirror
            .domains
            .iter()
            .map(|domain| (domain.id.value.clone(), u64::from(domain.downloads_per_hour.value.get())));
        let budgets = Budgets {
            index: Some(u64::from(mirror.index_requests_per_hour.value.get())),
            downloads: downloads.collect(),
        };
        let domains = mirror.domains.iter().map(|domain| {
            let tenants = settings.htpasswd(domain, ctx).and_then(|(path, shown)| {
                // The file may be on another machine; then nothing is said of tenants.
                let file = File::parse(&given::read(&path, MOST_FILE_BYTES, ctx).ok()?);
                let names = file.entries().iter().map(|entry| entry.name().to_owned()).collect();
                Some(Tenants { file: shown.to_string(), names })
            });
            (domain.id.value.clone(), tenants)
        });
        Ok(Self { budgets, domains: domains.collect(), file: Some(settings.file.to_string()) })
    }

    /// Neither a workspace nor a file says what it is.
    pub(super) fn has_no_budget(&self) -> bool {
        self.file.is_none()
    }

    /// Domains and tenants of the log that the settings do not have, in words.
    pub(super) fn unknown(&self, usage: &Usage) -> Vec<String> {
        let Some(file) = &self.file else { return Vec::new() };
        let mut said = BTreeSet::new();
        for (key, _) in usage.rows().filter(|(key, _)| !key.domain.is_empty()) {
            let domain = source::redact(&key.domain.replace('\n', " "));
            match self.domains.get(&key.domain) {
                None => drop(said.insert(format!("domain `{domain}` is not in `{file}`"))),
                Some(Some(tenants)) if !key.tenant.is_empty() && !tenants.names.contains(&key.tenant) => {
                    let tenant = source::redact(&key.tenant.replace('\n', " "));
                    said.insert(format!("tenant `{tenant}` of domain `{domain}` is not in `{}`", tenants.file));
                }
                Some(_) => {}
            }
        }
        said.into_iter().collect()
    }
}
