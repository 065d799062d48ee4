//! The probe from beginning to end.

use std::time::Duration;

use jiff::Timestamp;
use source::system;
use tokio::time::{Instant, sleep};

use super::Request;
use super::clock::{moment, span};
use super::conclusion::{conclusion, state};
use super::deliveries::Notify;
use super::emit;
use super::fault::{Kind, Side, connection};
use super::matching::{Fate, Matched, matched};
use super::redis::Redis;
use super::stream::{self, Place, Seen, Window};
use super::verdict::{Survey, judge, named};
use crate::report::{Class, Finding, Report, Row, Table, Verdict};
use crate::wire::{Fault, Kind as Wire};

/// Two clocks may differ by so much, in milliseconds: what machines without NTP drift in weeks.
const TOLERATED_SKEW: i64 = 30_000;

/// Between two looks; grows, because what was not there at once may take long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Between two tries to log in to a Redis that is still loading.
const LOADING_PAUSE: Duration = Duration::from_millis(500);

/// Runs the probe. What went wrong is in the report; the report is all there is.
#[must_use]
pub fn run(request: &Request) -> Report {
    let mut report = empty(request.subject());
    match runtime() {
        Ok(runtime) => runtime.block_on(probe(request, &mut report)),
        Err(finding) => report.find(finding),
    }
    request.sieve.report(&mut report);
    report
}

/// Redis's clock as RFC 3339, for `since` of a later run.
///
/// # Errors
/// With a report of what went wrong.
pub fn clock(request: &Request) -> Result<String, Box<Report>> {
    let asked = async {
        let mut redis = Redis::open(request).await?;
        redis.clock().await
    };
    match runtime().and_then(|runtime| runtime.block_on(asked)) {
        Ok(now) => Ok(moment(now)),
        Err(finding) => {
            let mut report = empty(request.dsn.shown());
            report.find(finding);
            report.conclusion = report.findings.first().map(|finding| format!("not known: {}", finding.message));
            request.sieve.report(&mut report);
            Err(Box::new(report))
        }
    }
}

/// The report of a check that is switched off: nothing was tried, so nothing passed.
#[must_use]
pub fn switched_off(variable: &str) -> Report {
    let mut report = empty("switched off".to_owned());
    let verdict = Verdict::NotTried(format!("`{variable}` switches it off"));
    let row = Row { name: "notify".to_owned(), cells: vec![crate::report::Cell::Text("notify".to_owned())], verdict };
    report.tables.push(Table { name: "kinds", columns: &["kind"], rows: vec![row] });
    report
}

fn empty(subject: String) -> Report {
    Report { probe: "notify", subject, facts: Vec::new(), tables: Vec::new(), findings: Vec::new(), conclusion: None }
}

fn runtime() -> Result<tokio::runtime::Runtime, Finding> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        let fault =
            Fault::new(Wire::HostUnreachable, format!("this machine gives no event loop: {}", system::reason(&error)));
        connection(fault, Side::Redis, "this machine")
    })
}

/// What the Redis side has come to.
struct Stream {
    redis: Option<Redis>,
    /// Redis's clock minus ours, in milliseconds.
    offset: i64,
    window: Window,
    place: Option<Place>,
    seen: Seen,
    was_read: bool,
}

async fn probe(request: &Request, report: &mut Report) {
    let start = Instant::now();
    if let Some(until) = request.token_expiry() {
        report.facts.push(("token valid until", moment(until.as_millisecond())));
    }
    let mut stream = Stream::unseen(request);
    if let Err(finding) = stream.look(request, report, start + request.options.wait).await {
        let is_usage = finding.class == Class::Input;
        report.find(finding);
        if is_usage {
            // The rest would be an answer to another question.
            report.conclusion = report.findings.last().map(|finding| format!("not known: {}", finding.message));
            return;
        }
    }
    // From here on there is time for what is late.
    let deadline = Instant::now() + request.options.wait;
    let mut survey = Survey {
        window: stream.window,
        place: stream.place,
        seen: Seen::new(request.kinds.len()),
        was_read: false,
        matched: None,
        deliveries_cut: false,
        groups: None,
        health: None,
    };
    let mut notify = Notify::new(request);
    match &mut notify {
        Ok(notify) => match wait(request, &mut stream, notify, deadline, report).await {
            Ok((matched, cut)) => {
                survey.matched = Some(matched);
                survey.deliveries_cut = cut;
            }
            Err(finding) => report.find(finding),
        },
        Err(finding) => report.find(finding.clone()),
    }
    survey.was_read = stream.was_read;
    survey.seen = std::mem::replace(&mut stream.seen, Seen::new(0));
    facts(&survey, report);
    let is_blind = report.findings.iter().any(|finding| finding.class > Class::Wrong);
    let is_broken = judge(request, &survey).1.iter().any(|finding| finding.class == Class::Wrong);
    if is_broken && !is_blind {
        explain(request, &mut survey, &mut stream, &mut notify, report).await;
    }
    finish(request, &survey, report);
}

/// Asks both sides for what tells where the chain is broken. That they do not say it is no finding of its own.
async fn explain(
    request: &Request,
    survey: &mut Survey,
    stream: &mut Stream,
    notify: &mut Result<Notify<'_>, Finding>,
    report: &mut Report,
) {
    if let Some(redis) = &mut stream.redis
        && matches!(survey.place, Some(Place::Stream(_)))
    {
        survey.groups = stream::groups(redis, request).await.ok().flatten();
    }
    if let Some(groups) = survey.groups.as_ref().filter(|groups| !groups.is_empty()) {
        report.facts.push(("consumer groups", named(groups.iter().map(state))));
    }
    if let Ok(notify) = notify {
        survey.health = Some(notify.health().await);
    }
}

fn finish(request: &Request, survey: &Survey, report: &mut Report) {
    let (table, found) = judge(request, survey);
    for finding in found {
        report.find(finding);
    }
    let verdicts: Vec<Verdict> = table.rows.iter().map(|row| row.verdict.clone()).collect();
    report.tables.push(table);
    report.conclusion = conclusion(request, survey, &verdicts, &report.findings);
}

impl Stream {
    fn unseen(request: &Request) -> Self {
        Self {
            redis: None,
            offset: 0,
            window: Window::new(0, Duration::ZERO, None),
            place: None,
            seen: Seen::new(request.kinds.len()),
            was_read: false,
        }
    }

    /// Everything up to the end of the first reading.
    async fn look(&mut self, request: &Request, report: &mut Report, deadline: Instant) -> Result<(), Finding> {
        let redis = self.redis.insert(open(request, deadline).await?);
        let before = Timestamp::now().as_millisecond();
        let now = redis.clock().await?;
        // Half of the way there and back is the best guess of when Redis looked at its clock.
        let ours = before + (Timestamp::now().as_millisecond() - before) / 2;
        self.offset = now - ours;
        let since = request.options.since.map(Timestamp::as_millisecond);
        self.window = Window::new(now, request.lookback, since);
        if let Some(since) = since {
            let wait = i64::try_from(request.options.wait.as_millis()).unwrap_or(i64::MAX);
            if since > now.saturating_add(wait) {
                let ahead = span(since - now);
                let message = format!("`--since` lies {ahead} ahead of Redis's clock, which says {}", moment(now));
                return Err(Kind::SinceAhead.find("--since", message));
            }
            report.facts.push(("since", moment(since)));
        }
        report.facts.push(("window", format!("{} to {} by Redis's clock", moment(self.window.start), moment(now))));
        if let Some(finding) = skew("this machine", "this machine's clock", -self.offset) {
            report.find(finding);
        }
        role(redis, request, report).await?;
        if request.options.emit {
            emit::emit(redis, request, now).await?;
            report.facts.push(("emitted", format!("{} synthetic events", request.kinds.len())));
        }
        self.place = Some(stream::place(redis, request).await?);
        stream::read(redis, request, self.window, &mut self.seen).await?;
        self.was_read = true;
        Ok(())
    }
}

/// Opens a connection. A Redis that is still loading after a restart is waited for.
async fn open(request: &Request, deadline: Instant) -> Result<Redis, Finding> {
    loop {
        match Redis::open(request).await {
            Err(finding) if finding.kind == Kind::RedisBusy.entry().0 && Instant::now() + LOADING_PAUSE < deadline => {
                sleep(LOADING_PAUSE).await;
            }
            result => return result,
        }
    }
}

/// A replica is as good as its link to the primary. A user who may not ask is none the wiser.
async fn role(redis: &mut Redis, request: &Request, report: &mut Report) -> Result<(), Finding> {
    let Ok(reply) = redis.asked(&[b"ROLE"]).await? else { return Ok(()) };
    let word = |place: usize| {
        let text = reply.list().get(place).and_then(|part| part.text()).unwrap_or_default();
        String::from_utf8_lossy(text).into_owned()
    };
    if word(0) != "slave" {
        return Ok(());
    }
    report.facts.push(("redis", "a replica".to_owned()));
    let link = word(3);
    if link != "connected" {
        let message = format!(
            "this replica has no link to its primary (`{}`): what it shows is old",
            crate::report::shown(&link)
        );
        report.find(Kind::ReplicaStale.find(request.dsn.shown(), message));
    }
    Ok(())
}

/// Asks Notify until every event has its delivery and every kind its event, or time is up.
async fn wait(
    request: &Request,
    stream: &mut Stream,
    notify: &mut Notify<'_>,
    deadline: Instant,
    report: &mut Report,
) -> Result<(Matched, bool), Finding> {
    let mut pause = FIRST_PAUSE;
    let mut is_first = true;
    loop {
        let listing = notify.list(stream.window.counts_from(), deadline).await?;
        let matched = matched(&stream.seen.events, &listing.deliveries, &request.tenant, &request.kinds);
        if std::mem::take(&mut is_first) && stream.was_read {
            let redis_now = Timestamp::now().as_millisecond() + stream.offset;
            let ahead = listing.clock.map(|clock| clock - redis_now);
            if let Some(finding) = ahead.and_then(|ahead| skew(&request.notify_shown(), "Notify's clock", ahead)) {
                report.find(finding);
            }
        }
        let is_open = |fate: &Fate| matches!(fate, Fate::Lost | Fate::Pending);
        let is_settled = stream.seen.is_complete() && !matched.fates.iter().any(is_open);
        if is_settled || !stream.was_read || Instant::now() >= deadline {
            return Ok((matched, listing.cut));
        }
        sleep(pause.min(deadline - Instant::now())).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        // Those that are known are waited for; newer ones of the same kind would make the waiting endless.
        if !stream.seen.is_complete()
            && let Some(redis) = &mut stream.redis
            && let Err(finding) = stream::read_on(redis, request, stream.window, &mut stream.seen).await
        {
            report.find(finding);
            stream.was_read = false;
        }
    }
}

/// `ahead` in milliseconds, against Redis's clock.
fn skew(about: &str, whose: &str, ahead: i64) -> Option<Finding> {
    if ahead.abs() <= TOLERATED_SKEW {
        return None;
    }
    let direction = if ahead > 0 { "ahead of" } else { "behind" };
    Some(Kind::ClockSkew.find(about, format!("{whose} is {} {direction} Redis's", span(ahead.abs()))))
}

/// What is worth knowing beside the table.
fn facts(survey: &Survey, report: &mut Report) {
    if !survey.was_read {
        return;
    }
    let seen = &survey.seen;
    let mut read = format!("{} in the window", seen.entries);
    if seen.unreadable > 0 {
        read.push_str(&format!(", {} no events", seen.unreadable));
    }
    if seen.too_long > 0 {
        read.push_str(&format!(", {} too long to be read", seen.too_long));
    }
    report.facts.push(("entries", read));
    if let Some(by_time) = survey.matched.as_ref().map(|matched| matched.by_time).filter(|count| *count > 0) {
        report.facts.push(("matched by kind and time only", format!("{by_time} events")));
    }
}
