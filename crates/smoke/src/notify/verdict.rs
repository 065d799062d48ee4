//! From what was seen to rows and findings. Pure: it decides what is called broken, and is tested without a network.

use super::Request;
use super::clock::moment;
use super::fault::Kind;
use super::matching::{Fate, Matched};
use super::redis::Group;
use super::stream::{Event, OfKind, Place, Seen, Window, about};
use crate::report::{Cell, Class, Finding, Row, Table, Verdict, shown};

/// So many events are named in a message.
const MOST_NAMED: usize = 5;

const COLUMNS: &[&str] =
    &["kind", "events", "newest", "delivered", "failed", "pending", "median ms", "worst ms", "outcome"];

/// All that was seen.
#[derive(Clone, Debug)]
pub(crate) struct Survey {
    pub(crate) window: Window,
    /// `None` if the key could not be looked at.
    pub(crate) place: Option<Place>,
    pub(crate) seen: Seen,
    /// The window was read, up to the limits.
    pub(crate) was_read: bool,
    /// `None` if Notify could not be asked.
    pub(crate) matched: Option<Matched>,
    /// Notify has more deliveries than were read.
    pub(crate) deliveries_cut: bool,
    /// `None` if they could not be seen.
    pub(crate) groups: Option<Vec<Group>>,
    /// What Notify says of itself, if it was asked.
    pub(crate) health: Option<String>,
}

/// The fates of one kind's events.
#[derive(Debug, Default)]
pub(crate) struct Tally<'a> {
    pub(crate) delivered: u64,
    latencies: Vec<i64>,
    pub(crate) pending: Vec<&'a Event>,
    pub(crate) failed: Vec<(&'a Event, Option<&'a str>)>,
    pub(crate) unknown: Vec<(&'a Event, &'a str)>,
    pub(crate) lost: Vec<&'a Event>,
}

impl Survey {
    /// One kind's events by what became of them.
    pub(crate) fn tally(&self, kind: usize) -> Tally<'_> {
        let mut tally = Tally::default();
        let fates = self.matched.iter().flat_map(|matched| &matched.fates);
        for (event, fate) in self.seen.events.iter().zip(fates).filter(|(event, _)| event.kind == kind) {
            match fate {
                Fate::Delivered(latency) => {
                    tally.delivered += 1;
                    tally.latencies.extend(*latency);
                }
                Fate::Pending => tally.pending.push(event),
                Fate::Failed(error) => tally.failed.push((event, error.as_deref())),
                Fate::Unknown(word) => tally.unknown.push((event, word)),
                Fate::Lost => tally.lost.push(event),
            }
        }
        tally.latencies.sort_unstable();
        tally
    }

    /// Entries were taken away that may have stood in the part of the window that counts.
    fn is_trimmed(&self) -> bool {
        let Some(Place::Stream(facts)) = self.place else { return false };
        facts.removed.is_some_and(|removed| removed > 0)
            && facts.first.is_none_or(|first| first.millis > self.window.counts_from())
    }

    fn is_missing(&self) -> bool {
        self.place == Some(Place::Missing) && self.seen.entries == 0
    }

    fn is_empty(&self) -> bool {
        matches!(self.place, Some(Place::Stream(facts)) if facts.length == 0) && self.seen.entries == 0
    }
}

/// The table, and everything that is wrong.
pub(crate) fn judge(request: &Request, survey: &Survey) -> (Table, Vec<Finding>) {
    let mut findings = of_stream(request, survey);
    let mut rows = Vec::new();
    for (place, (name, of_kind)) in request.kinds.iter().zip(&survey.seen.kinds).enumerate() {
        let tally = survey.tally(place);
        let (outcome, verdict, found) = of_kind_verdict(request, survey, name, of_kind, &tally);
        findings.extend(found);
        rows.push(row(name, of_kind, &tally, survey, outcome, verdict));
    }
    if let Some(foreign) = survey.matched.as_ref().map(|matched| matched.foreign).filter(|foreign| *foreign > 0) {
        let message = format!("Notify lists {foreign} deliveries of other tenants to the tenant `{}`", request.tenant);
        findings.push(Kind::DeliveryWrongTenant.find(request.notify_shown(), message));
    }
    (Table { name: "kinds", columns: COLUMNS, rows }, findings)
}

fn of_stream(request: &Request, survey: &Survey) -> Vec<Finding> {
    let name = about(request);
    if survey.is_missing() {
        let message = format!("there is no {name} in database {} of {}", request.dsn.database, request.dsn.shown());
        return vec![Kind::StreamMissing.find(name, message)];
    }
    if survey.is_empty() && !survey.is_trimmed() {
        return vec![Kind::StreamEmpty.find(name.clone(), format!("the {name} is empty"))];
    }
    if survey.is_trimmed() && survey.was_read && survey.seen.is_complete() {
        let finding = Kind::WindowTrimmed.find(name, trimmed(survey));
        return vec![Finding { class: Class::Doubtful, ..finding }];
    }
    Vec::new()
}

fn trimmed(survey: &Survey) -> String {
    let Some(Place::Stream(facts)) = survey.place else { return String::new() };
    let removed = facts.removed.unwrap_or(0);
    match facts.first {
        Some(first) => format!(
            "the stream no longer reaches back to the window's start: {removed} entries were removed, its oldest is of {}",
            moment(first.millis)
        ),
        None => format!(
            "the stream is empty, and {removed} entries were removed from it: what was in the window is not known"
        ),
    }
}

/// What is said of one kind: a word for the table, the row's verdict, the findings.
fn of_kind_verdict(
    request: &Request,
    survey: &Survey,
    name: &str,
    of_kind: &OfKind,
    tally: &Tally<'_>,
) -> (&'static str, Verdict, Vec<Finding>) {
    let not_tried = |why: &str| ("not known", Verdict::NotTried(why.to_owned()));
    if !survey.was_read {
        let (word, verdict) = not_tried("the stream could not be read");
        return (word, verdict, Vec::new());
    }
    if of_kind.events == 0 {
        return without_event(request, survey, name, of_kind);
    }
    if survey.matched.is_none() {
        let (word, verdict) = not_tried("Notify could not be asked");
        return (word, verdict, Vec::new());
    }
    if survey.deliveries_cut && !tally.lost.is_empty() {
        let (word, verdict) = not_tried("Notify has more deliveries than are read");
        let message = format!(
            "{} have no delivery among those that were read, and Notify has more",
            counted(tally.lost.len(), "event")
        );
        return (word, verdict, vec![Kind::DeliveriesNotRead.find(name, message)]);
    }
    let mut findings = Vec::new();
    let mut outcome = "delivered";
    let of = of_kind.events;
    if !tally.pending.is_empty() {
        outcome = "pending";
        let message = format!(
            "{} of {of} are still pending: {}",
            tally.pending.len(),
            named(tally.pending.iter().map(|event| reference(event)))
        );
        findings.push(Kind::DeliveryPending.find(name, message));
    }
    if !tally.unknown.is_empty() {
        outcome = "held back";
        let events = tally.unknown.iter().map(|(event, word)| format!("{} (`{word}`)", reference(event)));
        let message =
            format!("{} of {of} are in a state that is not documented: {}", tally.unknown.len(), named(events));
        findings.push(Kind::DeliveryStatusUnknown.find(name, message));
    }
    if !tally.failed.is_empty() {
        outcome = "failed";
        let events = tally
            .failed
            .iter()
            .map(|(event, error)| format!("{} ({})", reference(event), error.unwrap_or("no reason given")));
        let message = format!("{} of {of} failed to be delivered: {}", tally.failed.len(), named(events));
        findings.push(Kind::DeliveryFailed.find(name, message));
    }
    if !tally.lost.is_empty() {
        outcome = "not delivered";
        let message = format!(
            "{} of {of} have no delivery: {}",
            tally.lost.len(),
            named(tally.lost.iter().map(|event| reference(event)))
        );
        findings.push(Kind::NoDelivery.find(name, message));
    }
    let verdict = if findings.is_empty() { Verdict::Passed } else { Verdict::Failed };
    (outcome, verdict, findings)
}

fn without_event(
    request: &Request,
    survey: &Survey,
    name: &str,
    of_kind: &OfKind,
) -> (&'static str, Verdict, Vec<Finding>) {
    let seen = &survey.seen;
    let not_known = |why: &str, finding: Finding| ("not known", Verdict::NotTried(why.to_owned()), vec![finding]);
    if survey.is_missing() || survey.is_empty() && !survey.is_trimmed() {
        return ("no event", Verdict::Failed, Vec::new());
    }
    if of_kind.older > 0 {
        let since = moment(survey.window.counts_from());
        let message = format!(
            "nothing since deployment: the {} of this kind in the window are older than {since}",
            of_kind.older
        );
        return ("nothing since deployment", Verdict::Failed, vec![Kind::NothingSinceDeployment.find(name, message)]);
    }
    if seen.cut {
        let message = format!("the window has more than {} entries and was not read to its start", seen.entries);
        return not_known("the window was not read to its start", Kind::WindowNotRead.find(name, message));
    }
    if survey.is_trimmed() {
        return not_known("entries of the window were removed", Kind::WindowTrimmed.find(name, trimmed(survey)));
    }
    if of_kind.other_tenants + of_kind.without_tenant > 0 {
        let message = match (of_kind.other_tenants, of_kind.without_tenant) {
            (0, none) => format!("{none} of this kind are in the window, but without a tenant"),
            (other, _) => format!(
                "{other} of this kind are in the window, but of other tenants ({}) than `{}`",
                named(seen.other_tenants.iter().map(|tenant| format!("`{}`", shown(tenant)))),
                request.tenant
            ),
        };
        return ("wrong tenant", Verdict::Failed, vec![Kind::WrongTenant.find(name, message)]);
    }
    let illegible = seen.unreadable + seen.too_long;
    if seen.entries > 0 && illegible == seen.entries {
        let message = format!(
            "none of the {illegible} entries in the window is an event: the field `{}` holds no JSON with a kind",
            shown(&request.field)
        );
        return not_known("no entry of the window is an event", Kind::EntriesUnreadable.find(name, message));
    }
    let mut message = format!("no event of this kind in the window, which has {} entries", seen.entries);
    if illegible > 0 {
        message.push_str(&format!(" ({illegible} of them are no events)"));
    }
    if !seen.other_kinds.is_empty() {
        let others = seen.other_kinds.iter().map(|(kind, count)| format!("`{}` ({count})", shown(kind)));
        message.push_str(&format!("; other kinds of the tenant: {}", named(others)));
    }
    let mut finding = Kind::NoEvent.find(name, message);
    if let Some(other) = renamed(name).filter(|other| seen.other_kinds.contains_key(other)) {
        finding.help =
            Some(format!("the system publishes it by its other name: expect `{other}` in `NOTIFY_SMOKE_EXPECT_KINDS`"));
    }
    ("no event", Verdict::Failed, vec![finding])
}

/// The name of the same event in the other generation of envelopes.
fn renamed(kind: &str) -> Option<String> {
    let rest = kind.strip_prefix("scanner.")?;
    Some(match rest.strip_prefix("event.") {
        Some(rest) => format!("scanner.{rest}"),
        None => format!("scanner.event.{rest}"),
    })
}

fn row(name: &str, of_kind: &OfKind, tally: &Tally<'_>, survey: &Survey, outcome: &str, verdict: Verdict) -> Row {
    let known = |count: usize| survey.matched.as_ref().map(|_| count as u64);
    let millis = |latency: Option<&i64>| latency.map(|latency| latency.unsigned_abs());
    let cells = vec![
        Cell::Text(name.to_owned()),
        Cell::from(survey.was_read.then_some(of_kind.events)),
        of_kind.newest.map_or(Cell::Nothing, |newest| Cell::Text(moment(newest.millis))),
        Cell::from(survey.matched.as_ref().map(|_| tally.delivered)),
        Cell::from(known(tally.failed.len())),
        Cell::from(known(tally.pending.len())),
        Cell::from(millis(tally.latencies.get(tally.latencies.len() / 2))),
        Cell::from(millis(tally.latencies.last())),
        Cell::Text(outcome.to_owned()),
    ];
    Row { name: name.to_owned(), cells, verdict }
}

/// By its own id, else by where it stands in the stream.
pub(crate) fn reference(event: &Event) -> String {
    event.id.as_ref().map_or_else(|| format!("entry {}", event.at), |id| shown(id))
}

/// The first few, and how many more there are.
pub(crate) fn named(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(MOST_NAMED);
    let mut list: Vec<String> = names.take(MOST_NAMED).collect();
    if more > 0 {
        list.push(format!("{more} more"));
    }
    list.join(", ")
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_and_not_endlessly() {
        let of = |count: usize| named((0..count).map(|number| format!("n{number}")));
        assert_eq!(of(5), "n0, n1, n2, n3, n4");
        assert_eq!(of(20), "n0, n1, n2, n3, n4, 15 more");
    }
}
