//! Bringing one file here: only if it changed, only what is missing of it, again where it makes sense.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::Response;
use reqwest::header::{self, HeaderName};
use tokio::time::timeout;

use crate::downloads::{Downloads, Partial, State};
use crate::error::{Error, Result, disk as failed, printable};
use crate::fault::{self, Again, Fault};
use crate::generation::Generation;
use crate::limits::MOST_VALIDATOR_BYTES;
use crate::parts::Part;
use crate::record::{FileRecord, Validators};
use crate::retry::Patience;
use crate::transport::{Transport, Wanted};

/// A body that comes slower than this on the whole is taken for stalled: a byte now and then would hold a run for ever.
const LEAST_BYTES_PER_SECOND: u64 = 1024;

/// What a run asked for and what came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    pub requests: u64,
    /// Of bodies.
    pub bytes: u64,
}

/// A file that is here.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    pub(crate) file: Utf8PathBuf,
    pub(crate) record: FileRecord,
    /// It is not from the generation that is held.
    pub(crate) is_fresh: bool,
}

/// Files of one mirror.
pub(crate) struct Fetch<'a> {
    transport: Transport<'a>,
    downloads: Downloads,
    held: Option<&'a Generation>,
    /// Files of the held generation that were measured: whether they are intact.
    measured: BTreeMap<String, bool>,
    patience: Patience,
    pub(crate) traffic: Traffic,
    now: Timestamp,
    start: Instant,
    say: &'a mut dyn FnMut(&str),
}

impl<'a> Fetch<'a> {
    pub(crate) fn new(
        transport: Transport<'a>,
        downloads: Downloads,
        held: Option<&'a Generation>,
        patience: Duration,
        now: Timestamp,
        say: &'a mut dyn FnMut(&str),
    ) -> Self {
        Self {
            transport,
            downloads,
            held,
            measured: BTreeMap::new(),
            patience: Patience::new(patience),
            traffic: Traffic::default(),
            now,
            start: Instant::now(),
            say,
        }
    }

    /// The mirror's name, in records and messages.
    pub(crate) fn origin(&self) -> String {
        self.transport.name().to_owned()
    }

    pub(crate) fn say(&mut self, text: &str) {
        (self.say)(text);
    }

    /// A file as the mirror has it now, or `None` where it has none.
    pub(crate) async fn get(&mut self, part: &Part) -> Result<Option<Local>> {
        loop {
            let before = self.traffic.bytes;
            let fault = match self.attempt(part).await {
                Ok(local) => {
                    self.patience.progress();
                    return Ok(local);
                }
                Err(fault) => fault,
            };
            if self.traffic.bytes > before {
                self.patience.progress();
            }
            let asked = match fault.again {
                Again::Never => return Err(fault.error),
                Again::IfKnown if self.traffic.requests == 0 => return Err(fault.error),
                Again::IfKnown => Duration::ZERO,
                Again::After(asked) => asked.unwrap_or_default(),
            };
            self.wait(asked, fault.error).await?;
        }
    }

    /// Waits at least so long before something is asked for again; the error, if there is not that much patience.
    pub(crate) async fn wait(&mut self, least: Duration, error: Error) -> Result<()> {
        let Some(wait) = self.patience.next(least) else { return Err(error) };
        self.say(&format!("{error}; asking again in {} s", wait.as_secs_f64()));
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// The same of a file that must be there.
    pub(crate) async fn need(&mut self, part: &Part) -> Result<Local> {
        let mirror = self.origin();
        self.get(part).await?.ok_or_else(|| {
            Error::outside(format!("`{mirror}` has no `{}`", part.address))
                .because("it answered with status 404")
                .hint("check `--domain`, and that the mirror has exported it")
                .or_switched()
        })
    }

    /// A file of that content, if it is here already: then nobody needs to be asked.
    pub(crate) fn with_digest(&mut self, part: &Part, sha256: &str) -> Option<Local> {
        if let Some((file, record)) = self.downloads.whole(&part.path, self.transport.name())
            && record.sha256 == sha256
        {
            return Some(Local { file, record, is_fresh: true });
        }
        self.held(part).filter(|local| local.record.sha256 == sha256)
    }

    /// Forgets a file that turned out to be wrong.
    pub(crate) fn discard(&self, path: &str) -> Result<()> {
        self.downloads.discard(path)
    }

    /// Forgets all that was fetched: it is in a generation now.
    pub(crate) fn clear(&self) -> Result<()> {
        self.downloads.clear()
    }

    /// The newest version that is here, whole.
    fn known(&mut self, part: &Part) -> Option<Local> {
        match self.downloads.whole(&part.path, self.transport.name()) {
            Some((file, record)) => Some(Local { file, record, is_fresh: true }),
            None => self.held(part),
        }
    }

    /// The file of the generation that is held, if it is intact.
    pub(crate) fn held(&mut self, part: &Part) -> Option<Local> {
        let generation = self.held?;
        let record = generation.record.file(&part.path)?;
        let is_intact = *self.measured.entry(part.path.clone()).or_insert_with(|| generation.is_intact(record));
        if !is_intact {
            return None;
        }
        let mut record = record.clone();
        if generation.record.origin.as_deref() != Some(self.transport.name()) {
            // Tags of another mirror say nothing about this one's versions.
            record.validators = Validators::default();
        }
        Some(Local { file: generation.file(&part.path).ok()?, record, is_fresh: false })
    }

    async fn attempt(&mut self, part: &Part) -> std::result::Result<Option<Local>, Fault> {
        let partial = self.partial(part).map_err(Fault::never)?;
        let known = self.known(part);
        let wanted = match (&partial, &known) {
            (Some((partial, etag)), _) => Wanted::Rest { from: partial.size, etag },
            (None, Some(known)) => Wanted::Unless(&known.record.validators),
            (None, None) => Wanted::Whole,
        };
        let response = self.transport.ask(&part.address, wanted).await?;
        self.traffic.requests += 1;
        let status = response.status().as_u16();
        match (status, partial, known) {
            (200, _, _) => {
                let (file, state) = self.begin(part, &response)?;
                self.receive(part, response, file, state, 0).await.map(Some)
            }
            (206, Some((partial, _)), _) => {
                if !continues(&response, &partial) {
                    self.downloads.discard(&part.path).map_err(Fault::never)?;
                    return Err(Fault::later(self.odd(part, "it sent another part of the file than was asked for")));
                }
                let file = self.downloads.resume(&part.path).map_err(Fault::never)?;
                self.receive(part, response, file, partial.state, partial.size).await.map(Some)
            }
            (304, None, Some(known)) => Ok(Some(known)),
            (404 | 410, _, _) => Ok(None),
            (416, Some(_), _) => {
                self.downloads.discard(&part.path).map_err(Fault::never)?;
                Err(Fault::later(self.odd(part, "it has less of the file than has arrived here")))
            }
            _ => Err(self.refused(part, &response)),
        }
    }

    /// What has arrived of a file and can be gone on with, and the tag that it must still have. What is whole already becomes so.
    fn partial(&mut self, part: &Part) -> Result<Option<(Partial, String)>> {
        let Some(partial) = self.downloads.partial(&part.path, self.transport.name()) else { return Ok(None) };
        if partial.state.length == Some(partial.size) {
            self.downloads.finish(partial.state)?;
            return Ok(None);
        }
        let etag = partial.state.validators.strong().map(str::to_owned);
        Ok(etag.filter(|_| partial.size > 0).map(|etag| (partial, etag)))
    }

    fn begin(&self, part: &Part, response: &Response) -> std::result::Result<(File, State), Fault> {
        let encoding = text(response, &header::CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| encoding != "identity") {
            return Err(Fault::never(self.odd(part, "it is compressed on the way, which was not asked for")));
        }
        let length = response.content_length();
        if let Some(length) = length
            && length > part.most
        {
            return Err(Fault::never(self.too_large(part, &length.to_string())));
        }
        self.downloads.begin(&part.path, self.transport.name(), validators(response), length).map_err(Fault::never)
    }

    /// Writes a body to its file, of which `size` bytes are there.
    async fn receive(
        &mut self,
        part: &Part,
        mut response: Response,
        mut file: File,
        state: State,
        mut size: u64,
    ) -> std::result::Result<Local, Fault> {
        let (start, before) = (Instant::now(), size);
        let limit = self.transport.timeout();
        loop {
            let chunk = match timeout(limit, response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => break,
                Ok(Err(error)) => return Err(fault::of(&error, self.transport.name())),
                Err(_) => return Err(fault::stalled(self.transport.name(), limit)),
            };
            size += chunk.len() as u64;
            if size > part.most {
                self.downloads.discard(&part.path).map_err(Fault::never)?;
                return Err(Fault::never(self.too_large(part, &format!("more than {}", part.most))));
            }
            self.traffic.bytes += chunk.len() as u64;
            file.write_all(&chunk)
                .map_err(|error| Fault::never(failed("write", &self.downloads.shown(&part.path), &error)))?;
            let taken = start.elapsed().saturating_sub(limit).as_secs();
            if (size - before) / LEAST_BYTES_PER_SECOND < taken {
                let error = Error::outside(format!("`{}` did not answer to the end", self.transport.name()))
                    .because(format!("`{}` comes slower than {LEAST_BYTES_PER_SECOND} bytes a second", part.address))
                    .hint("what has arrived is kept: run it again when the mirror is less busy");
                return Err(Fault::later(error));
            }
        }
        if let Some(length) = state.length
            && size != length
        {
            self.downloads.discard(&part.path).map_err(Fault::never)?;
            return Err(Fault::later(self.odd(part, "its length is not the one that was announced")));
        }
        let (file, record) = self.downloads.finish(state).map_err(Fault::never)?;
        Ok(Local { file, record, is_fresh: true })
    }

    fn odd(&self, part: &Part, why: &str) -> Error {
        Error::outside(format!("`{}` does not serve `{}` as HTTP says", self.transport.name(), part.address))
            .because(why)
            .hint("a proxy on the way may change answers; `collimate smoke mirror` looks closer")
    }

    fn too_large(&self, part: &Part, size: &str) -> Error {
        Error::outside(format!("`{}` of `{}` is too large", part.address, self.transport.name()))
            .because(format!("it has {size} bytes; at most {} are taken", part.most))
            .hint("no export is that large; look what the mirror serves there")
    }

    /// Why a status that brings no file came.
    fn refused(&self, part: &Part, response: &Response) -> Fault {
        let (mirror, address) = (self.transport.name(), &part.address);
        let status = response.status().as_u16();
        let because = format!("it answered with status {status}");
        match status {
            401 => Fault::never(
                Error::untrusted(format!("`{mirror}` refuses user or password for `{address}`"))
                    .because(because)
                    .hint("check `--user` and the password, and that the tenant was not removed"),
            ),
            403 => Fault::never(
                Error::untrusted(format!("`{mirror}` denies `{address}` to this user"))
                    .because(because)
                    .hint("check `--domain`; each domain has tenants of its own"),
            ),
            300..=399 => Fault::never(
                Error::outside(format!("`{mirror}` sends elsewhere for `{address}`")).because(because).hint(
                    "a redirect is not followed, since the password would go along; name the right mirror with `--url`",
                ),
            ),
            408 | 425 | 429 | 500 | 502..=504 => {
                let asked = self.retry_after(response);
                let error = Error::outside(format!("`{mirror}` cannot serve `{address}` now")).because(because);
                let error = match asked {
                    Some(wait) => error.because(format!("it asks to come back in {} s", wait.as_secs())),
                    None => error,
                };
                let error = error.hint(if status == 429 {
                    "the budget of this tenant or address is used up: pull less often, or wait longer with `--patience`"
                } else {
                    "run it again later, or wait longer with `--patience`"
                });
                Fault { error, again: Again::After(asked) }
            }
            _ => Fault::never(
                Error::outside(format!("`{mirror}` does not serve `{address}`"))
                    .because(because)
                    .hint("`collimate smoke mirror` looks closer"),
            ),
        }
    }

    /// `Retry-After`: seconds, or a date.
    fn retry_after(&self, response: &Response) -> Option<Duration> {
        let text = text(response, &header::RETRY_AFTER)?;
        if let Ok(seconds) = text.parse::<u32>() {
            return Some(Duration::from_secs(seconds.into()));
        }
        let date = DateTimeParser::new().parse_timestamp(text).ok()?;
        let now = self.now.as_second().saturating_add(i64::try_from(self.start.elapsed().as_secs()).ok()?);
        Some(Duration::from_secs(u64::try_from(date.as_second() - now).unwrap_or(0)))
    }
}

/// Whether an answer is the rest of a file, from where it ended here.
fn continues(response: &Response, partial: &Partial) -> bool {
    let range = text(response, &header::CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes "));
    let Some((first, last, total)) = range.and_then(|range| {
        let (part, total) = range.split_once('/')?;
        let (first, last) = part.split_once('-')?;
        Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?, total.parse::<u64>().ok()?))
    }) else {
        return false;
    };
    first == partial.size
        && last.checked_add(1) == Some(total)
        && partial.state.length.is_none_or(|length| length == total)
}

/// What names the version that an answer has; names are short.
fn validators(response: &Response) -> Validators {
    let short = |name| text(response, name).filter(|value| value.len() <= MOST_VALIDATOR_BYTES).map(str::to_owned);
    Validators { etag: short(&header::ETAG), last_modified: short(&header::LAST_MODIFIED) }
}

fn text<'a>(response: &'a Response, name: &HeaderName) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// What a domain's list names, in a message.
pub(crate) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const MOST: usize = 8;
    let names: Vec<&str> = names.take(MOST + 1).collect();
    let mut shown: Vec<String> = names.iter().take(MOST).map(|name| format!("`{}`", printable(name))).collect();
    if names.len() > MOST {
        shown.push("others".to_owned());
    }
    if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_of_a_version_is_not_kept() {
        let of = |length: usize| {
            let value = "t".repeat(length);
            let answer = http::Response::builder().header(header::ETAG, &value).header(header::LAST_MODIFIED, &value);
            (validators(&answer.body("").unwrap().into()), value)
        };
        let (kept, value) = of(200);
        assert_eq!(kept, Validators { etag: Some(value.clone()), last_modified: Some(value) });
        assert_eq!(of(201).0, Validators::default());
    }

    #[test]
    fn names_are_listed_and_not_endlessly() {
        let of = |count: usize| {
            let names: Vec<String> = (0..count).map(|number| format!("d{number}")).collect();
            listed(names.iter().map(String::as_str))
        };
        assert_eq!(of(0), "none");
        assert!(of(8).starts_with("`d0`, `d1`, ") && of(8).ends_with(", `d6`, `d7`"));
        assert_eq!(of(20), format!("{}, others", of(8)));
    }
}
