//! Excititor's part: its domains, the index of a domain, and the exports that it names.

use ::mirror::exports::limits::{LARGEST_EXPORT, LARGEST_VEX_LIST};
use ::mirror::exports::{self, VexExport, VexIndex};

use super::checks::Checks;
use super::fault::Kind;
use super::judge::{self, Names};
use super::reader::Reader;
use crate::report::Finding;

const DOMAINS: &str = "/excititor/mirror/domains";

const NAMES: Names =
    Names { size: Kind::VexSizeDiffers, digest: Kind::VexDigestDiffers, absent: Some(Kind::VexDigestAbsent) };

/// Reads the list of domains; its ids.
pub(super) async fn domains(reader: &mut Reader<'_>, checks: &mut Checks) -> Option<Vec<String>> {
    let about = "VEX domains";
    match read(reader, about, DOMAINS, exports::vex_domains).await {
        Ok(domains) => {
            let ids: Vec<String> = domains.into_iter().map(|domain| domain.id).collect();
            checks.passed(about, if ids.is_empty() { "none".to_owned() } else { ids.join(", ") });
            Some(ids)
        }
        Err(finding) => {
            checks.failed(about, "not read", finding);
            None
        }
    }
}

/// Walks one domain, `most` of its exports included.
pub(super) async fn walk(reader: &mut Reader<'_>, listed: &[String], domain: &str, most: usize, checks: &mut Checks) {
    let about = format!("{domain}: VEX domain");
    if !listed.iter().any(|known| known == domain) {
        let message = format!("`{DOMAINS}` does not list `{domain}`");
        return checks.failed(&about, "not listed", Kind::VexNotListed.find(&about, message));
    }
    let at = format!("{DOMAINS}/{domain}");
    match read(reader, &about, &at, exports::vex_domain).await {
        Ok(found) if found.id == domain => checks.passed(about, found.display_name.unwrap_or(found.id)),
        Ok(found) => {
            let finding = of_another(&about, &at, &found.id);
            return checks.failed(about, format!("of `{}`", found.id), finding);
        }
        Err(finding) => return checks.failed(about, "not read", finding),
    }
    let about = format!("{domain}: VEX index");
    let at = format!("{DOMAINS}/{domain}/index");
    let index = match read(reader, &about, &at, exports::vex_index).await {
        Ok(index) if index.domain == domain => index,
        Ok(index) => {
            let finding = of_another(&about, &at, &index.domain);
            return checks.failed(about, format!("of `{}`", index.domain), finding);
        }
        Err(finding) => return checks.failed(about, "not read", finding),
    };
    checks.passed(about, format!("{} exports", index.exports.len()));
    exports_of(reader, domain, &index, most, checks).await;
}

async fn exports_of(reader: &mut Reader<'_>, domain: &str, index: &VexIndex, most: usize, checks: &mut Checks) {
    let about = format!("{domain}: VEX exports");
    if index.exports.is_empty() {
        return checks.not_tried(about, "the index names none");
    }
    let mut found = Vec::new();
    for export in index.exports.iter().take(most) {
        found.extend(judge_export(reader, domain, export, &about).await);
    }
    let read = index.exports.len().min(most);
    checks.judged(about, format!("{read} of {} read", index.exports.len()), found);
}

async fn judge_export(reader: &mut Reader<'_>, domain: &str, export: &VexExport, about: &str) -> Vec<Finding> {
    let at = format!("{DOMAINS}/{domain}/exports/{}", export.key);
    match reader.file(about, &at, LARGEST_EXPORT).await {
        Ok(reply) => judge::integrity(about, &at, &reply.body, &[("its index", Some(&export.reference))], NAMES).1,
        Err(finding) => vec![finding],
    }
}

async fn read<T>(
    reader: &mut Reader<'_>,
    about: &str,
    at: &str,
    parse: impl Fn(&[u8]) -> Result<T, exports::Error>,
) -> Result<T, Finding> {
    let reply = reader.file(about, at, LARGEST_VEX_LIST).await?;
    parse(&reply.body).map_err(|error| judge::unreadable(about, at, Kind::VexMalformed, &error))
}

fn of_another(about: &str, at: &str, id: &str) -> Finding {
    Kind::VexDomainDiffers.find(about, format!("`{at}` is of the domain `{id}`"))
}
