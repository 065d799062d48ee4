//! What a gateway is for: the second read comes from its cache, an unchanged file is not transferred, a part is the right part.

use ::mirror::exports::limits::LARGEST_BUNDLE;
use http::StatusCode;

use super::checks::Checks;
use super::domain::{self, Walked};
use super::fault::Kind;
use super::reader::{Reader, cache_status, expect_ok, value};
use crate::report::{Finding, shown};
use crate::wire::Reply;

/// How long the part is, in bytes, that is asked for.
const PART: usize = 64;

/// Reads the bundle again, as somebody who has it, and a part of it.
pub(super) async fn look(reader: &mut Reader<'_>, domain: &str, walked: &Walked, checks: &mut Checks) {
    let at = domain::path(domain, "bundle.json");
    let unchanged = unchanged(reader, domain, &at, walked, checks).await;
    let part = part(reader, domain, &at, walked, checks).await;
    let about = format!("{domain}: cache");
    let replies: Vec<&Reply> = [Some(&walked.reply), unchanged.as_ref(), part.as_ref()].into_iter().flatten().collect();
    let words: Vec<Option<String>> = replies.iter().map(|reply| cache_status(reply)).collect();
    let (outcome, found) = judge(&about, &at, &words);
    checks.judged(about, outcome, found);
}

/// The cache's word on the first read and those after it.
fn judge(about: &str, at: &str, words: &[Option<String>]) -> (String, Vec<Finding>) {
    let Some(known) = words.iter().cloned().collect::<Option<Vec<String>>>() else {
        let message = format!("answers to `{at}` do not say where they come from (`X-Cache-Status`)");
        return ("no `X-Cache-Status`".to_owned(), vec![Kind::CacheStatusMissing.find(about, message)]);
    };
    let outcome = known.join(", then ");
    let stale = known.iter().find(|word| *word == "STALE");
    let found = match known.get(1..) {
        _ if stale.is_some() => {
            Some(Kind::ServedStale.find(about, format!("`{at}` is served from what the cache still has (STALE)")))
        }
        None | Some([]) => None,
        // What was over and was asked for again is as good as a hit; a reader at the same moment makes it so.
        Some(later) if later.iter().any(|word| matches!(word.as_str(), "HIT" | "REVALIDATED" | "UPDATING")) => None,
        Some(_) => Some(
            Kind::CacheMiss.find(about, format!("`{at}` was read {} times, and never from the cache", known.len())),
        ),
    };
    (outcome, found.into_iter().collect())
}

async fn unchanged(
    reader: &mut Reader<'_>,
    domain: &str,
    at: &str,
    walked: &Walked,
    checks: &mut Checks,
) -> Option<Reply> {
    let about = format!("{domain}: unchanged");
    let Some(etag) = value(&walked.reply, "etag") else {
        let message = format!("`{at}` has no `ETag`");
        checks.failed(&about, "no `ETag`", Kind::EtagMissing.find(&about, message));
        return None;
    };
    let reply = match reader.get(&about, at, &[("if-none-match", etag)], LARGEST_BUNDLE).await {
        Ok(reply) => reply,
        Err(finding) => {
            checks.failed(about, "not read", finding);
            return None;
        }
    };
    match reply.status {
        StatusCode::NOT_MODIFIED => checks.passed(about, "304 to `If-None-Match`"),
        StatusCode::OK if value(&reply, "etag") != Some(etag) => {
            checks.not_tried(about, "the mirror switched its generation");
        }
        StatusCode::OK => {
            let message =
                format!("`{at}` is transferred again to whoever has it: 200 to its own `ETag` in `If-None-Match`");
            checks.failed(&about, "200 to `If-None-Match`", Kind::NotModifiedIgnored.find(&about, message));
        }
        _ => {
            if let Err(finding) = expect_ok(&reply, &about, at) {
                checks.failed(about, "not read", finding);
            }
            return None;
        }
    }
    Some(reply)
}

async fn part(reader: &mut Reader<'_>, domain: &str, at: &str, walked: &Walked, checks: &mut Checks) -> Option<Reply> {
    let about = format!("{domain}: range");
    if !walked.is_sound {
        checks.not_tried(about, "the whole is not what it should be");
        return None;
    }
    let whole = &walked.bundle;
    // From the middle: the beginning is what a server that cannot count sends too.
    let first = whole.len().saturating_sub(PART) / 2;
    let last = (first + PART).min(whole.len()).checked_sub(1)?;
    let reply = match reader.get(&about, at, &[("range", &format!("bytes={first}-{last}"))], LARGEST_BUNDLE).await {
        Ok(reply) => reply,
        Err(finding) => {
            checks.failed(about, "not read", finding);
            return None;
        }
    };
    if value(&reply, "etag") != value(&walked.reply, "etag") && reply.status.is_success() {
        checks.not_tried(about, "the mirror switched its generation");
        return Some(reply);
    }
    match reply.status {
        StatusCode::PARTIAL_CONTENT => {
            let (outcome, found) = judge_part(&about, at, &reply, whole, first, last);
            checks.judged(about, outcome, found);
        }
        StatusCode::OK => {
            let message = format!("`{at}` is sent whole (200) where bytes {first} to {last} are asked for");
            checks.failed(&about, "200 to `Range`", Kind::RangeIgnored.find(&about, message));
        }
        StatusCode::RANGE_NOT_SATISFIABLE => {
            let message = format!("bytes {first} to {last} of `{at}` are refused (416), and it has {}", whole.len());
            checks.failed(&about, "416 to `Range`", Kind::RangeWrong.find(&about, message));
        }
        _ => {
            if let Err(finding) = expect_ok(&reply, &about, at) {
                checks.failed(about, "not read", finding);
            }
            return None;
        }
    }
    Some(reply)
}

fn judge_part(about: &str, at: &str, reply: &Reply, whole: &[u8], first: usize, last: usize) -> (String, Vec<Finding>) {
    let outcome = format!("206 with bytes {first} to {last}");
    let said = value(reply, "content-range").unwrap_or_default();
    let expected = format!("bytes {first}-{last}/{}", whole.len());
    let message = if said != expected {
        format!("a part of `{at}` says that it is `{}`, not `{expected}`", shown(said))
    } else if whole.get(first..=last) != Some(&reply.body[..]) {
        format!("bytes {first} to {last} of `{at}` are other bytes than in the whole")
    } else {
        return (outcome, Vec::new());
    };
    (outcome, vec![Kind::RangeWrong.find(about, message)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_read_comes_from_the_cache() {
        let verdict = |words: &[&str]| {
            let words: Vec<Option<String>> =
                words.iter().map(|word| (!word.is_empty()).then(|| (*word).to_owned())).collect();
            judge("row", "b", &words).1.first().map(|finding| finding.kind)
        };
        assert_eq!(verdict(&["MISS", "HIT", "HIT"]), None);
        assert_eq!(verdict(&["HIT", "HIT"]), None);
        assert_eq!(verdict(&["EXPIRED", "REVALIDATED"]), None);
        assert_eq!(verdict(&["MISS", "MISS", "HIT"]), None);
        assert_eq!(verdict(&["MISS", "MISS", "BYPASS"]), Some("cache-miss"));
        assert_eq!(verdict(&["HIT", "", "HIT"]), Some("cache-status-missing"));
        assert_eq!(verdict(&["STALE", "STALE", "STALE"]), Some("served-stale"));
        assert_eq!(verdict(&["HIT"]), None);
    }
}
