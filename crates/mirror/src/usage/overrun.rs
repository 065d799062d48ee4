//! Usage held against the budgets.

use std::collections::BTreeMap;

use super::{Key, Kind, Row, Usage};

/// Requests per hour that a tenant may make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budgets {
    /// Of lists, in every domain.
    pub index: Option<u64>,
    /// Of a domain's files, by domain.
    pub downloads: BTreeMap<String, u64>,
}

impl Budgets {
    /// The budget for a kind of request in a domain.
    #[must_use]
    pub fn of(&self, kind: Kind, domain: &str) -> Option<u64> {
        match kind {
            Kind::Index => self.index,
            Kind::Download => self.downloads.get(domain).copied(),
            Kind::Other => None,
        }
    }
}

/// A tenant that was over its budget in the busiest hour of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overrun<'a> {
    pub key: &'a Key,
    pub kind: Kind,
    pub hour: usize,
    pub requests: u64,
    pub budget: u64,
}

impl Usage {
    /// Every overrun, in the order of the rows. Requests that the gateway refused do not count: they used nothing of the budget.
    #[must_use]
    pub fn overruns<'a>(&'a self, budgets: &Budgets) -> Vec<Overrun<'a>> {
        let of_row = |key: &'a Key, row: &Row, kind| {
            let (hour, requests) = row.busiest(kind)?;
            let budget = budgets.of(kind, &key.domain)?;
            // Without a tenant nothing is served where tenants are asked for; elsewhere nobody shares a budget.
            (requests > budget && !key.tenant.is_empty()).then_some(Overrun { key, kind, hour, requests, budget })
        };
        let kinds = [Kind::Index, Kind::Download];
        self.rows().flat_map(|(key, row)| kinds.into_iter().filter_map(move |kind| of_row(key, row, kind))).collect()
    }
}
