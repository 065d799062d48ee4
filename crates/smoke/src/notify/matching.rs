//! Which delivery belongs to which event, and what became of each event.

use std::collections::BTreeMap;

use super::delivery::{Delivery, Status};
use super::stream::Event;

/// A delivery may seem this much older than its event, in milliseconds: two machines wrote the two moments.
const TOLERANCE: i64 = 5_000;

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// After so many milliseconds, where both moments are known.
    Delivered(Option<i64>),
    Pending,
    /// With the reason, where Notify says one.
    Failed(Option<String>),
    /// Neither of the three that are documented.
    Unknown(String),
    /// There is no delivery.
    Lost,
}

/// The fates of all events, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Matched {
    pub(crate) fates: Vec<Fate>,
    /// How many events found their delivery by kind and time only.
    pub(crate) by_time: usize,
    /// Deliveries that say that they are another tenant's.
    pub(crate) foreign: usize,
}

/// Matches by event id, and where a delivery has none by kind and time.
///
/// By time, a delivery belongs to the oldest event of its kind that has none yet and is not newer than it; what is then left over
/// belongs to the newest event before it, because one event may have several deliveries. With several deliveries the worst one counts.
pub(crate) fn matched(events: &[Event], deliveries: &[Delivery], tenant: &str, kinds: &[String]) -> Matched {
    let is_ours = |delivery: &&Delivery| delivery.tenant.as_deref().is_none_or(|of| of == tenant);
    let ours: Vec<&Delivery> = deliveries.iter().filter(is_ours).collect();
    let mut found: Vec<Vec<&Delivery>> = vec![Vec::new(); events.len()];

    let mut by_id: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, event) in events.iter().enumerate() {
        if let Some(id) = &event.id {
            by_id.entry(id.to_ascii_lowercase()).or_default().push(place);
        }
    }
    for delivery in &ours {
        let places = delivery.event_id.as_ref().and_then(|id| by_id.get(&id.to_ascii_lowercase()));
        for place in places.into_iter().flatten() {
            found[*place].push(delivery);
        }
    }

    let mut by_time = 0;
    for (kind, name) in kinds.iter().enumerate() {
        let mut nameless: Vec<(i64, &Delivery)> = ours
            .iter()
            .filter(|delivery| {
                delivery.event_id.is_none() && delivery.kind.as_deref().is_some_and(|of| is_same_kind(of, name))
            })
            .filter_map(|delivery| Some((delivery.created?, *delivery)))
            .collect();
        nameless.sort_by_key(|(created, _)| *created);
        let mut waiting: Vec<usize> =
            (0..events.len()).filter(|place| events[*place].kind == kind && found[*place].is_empty()).collect();
        waiting.sort_by_key(|place| events[*place].at);
        let mut left = Vec::new();
        let mut next = nameless.into_iter().peekable();
        for place in &waiting {
            while let Some(delivery) = next.next_if(|(created, _)| created + TOLERANCE < events[*place].at.millis) {
                left.push(delivery);
            }
            if let Some((_, delivery)) = next.next() {
                found[*place].push(delivery);
                by_time += 1;
            }
        }
        for (created, delivery) in left.into_iter().chain(next) {
            let after = waiting.partition_point(|place| events[*place].at.millis <= created + TOLERANCE);
            if let Some(place) = after.checked_sub(1).and_then(|before| waiting.get(before)) {
                found[*place].push(delivery);
            }
        }
    }

    let fates = events.iter().zip(&found).map(|(event, found)| fate(event, found)).collect();
    Matched { fates, by_time, foreign: deliveries.len() - ours.len() }
}

/// `scanner.event.report.ready` is what newer versions call `scanner.report.ready`; in the stream it is an event of its own, but Notify
/// may go on calling its delivery by the other name.
fn is_same_kind(a: &str, b: &str) -> bool {
    let old = |kind: &str| kind.to_ascii_lowercase().replacen(".event.", ".", 1);
    old(a) == old(b)
}

/// The worst of an event's deliveries.
fn fate(event: &Event, deliveries: &[&Delivery]) -> Fate {
    let failed = deliveries.iter().find(|delivery| delivery.status == Status::Failed);
    let other = deliveries.iter().find_map(|delivery| match &delivery.status {
        Status::Other(word) => Some(word.clone()),
        Status::Pending | Status::Sent | Status::Failed => None,
    });
    if let Some(delivery) = failed {
        return Fate::Failed(delivery.error.clone());
    }
    if let Some(word) = other {
        return Fate::Unknown(word);
    }
    if deliveries.iter().any(|delivery| delivery.status == Status::Pending) {
        return Fate::Pending;
    }
    if deliveries.is_empty() {
        return Fate::Lost;
    }
    let created = deliveries.iter().filter_map(|delivery| delivery.created).min();
    Fate::Delivered(created.map(|created| created.saturating_sub(event.at.millis).max(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::clock::StreamId;

    fn event(kind: usize, millis: i64, id: &str) -> Event {
        Event { at: StreamId { millis, sequence: 0 }, id: (!id.is_empty()).then(|| id.to_owned()), kind }
    }

    fn delivery(kind: &str, created: i64, id: &str, status: Status) -> Delivery {
        Delivery {
            tenant: Some("t".to_owned()),
            status,
            kind: Some(kind.to_owned()),
            event_id: (!id.is_empty()).then(|| id.to_owned()),
            created: Some(created),
            error: None,
        }
    }

    fn fates(events: &[Event], deliveries: &[Delivery]) -> Vec<Fate> {
        matched(events, deliveries, "t", &["k".to_owned(), "scanner.report.ready".to_owned()]).fates
    }

    #[test]
    fn an_id_decides_and_a_kind_alone_does_not() {
        let events = [event(0, 1_000, "A"), event(0, 2_000, "b")];
        let deliveries =
            [delivery("k", 3_000, "a", Status::Sent), delivery("k", 3_000, "of another event", Status::Sent)];
        assert_eq!(fates(&events, &deliveries), [Fate::Delivered(Some(2_000)), Fate::Lost]);
        assert_eq!(fates(&events, &deliveries[1..]), [Fate::Lost, Fate::Lost]);
    }

    #[test]
    fn another_tenants_delivery_is_none() {
        let foreign = Delivery { tenant: Some("other".to_owned()), ..delivery("k", 3_000, "a", Status::Sent) };
        let matched = matched(&[event(0, 1_000, "a")], &[foreign], "t", &["k".to_owned()]);
        assert_eq!((matched.fates, matched.foreign), (vec![Fate::Lost], 1));
    }

    #[test]
    fn without_ids_each_delivery_serves_one_event() {
        let events = [event(0, 20_000, "b"), event(0, 10_000, "a")];
        let one = [delivery("k", 11_000, "", Status::Sent)];
        assert_eq!(fates(&events, &one), [Fate::Lost, Fate::Delivered(Some(1_000))]);
        let two = [delivery("k", 22_000, "", Status::Sent), one[0].clone()];
        assert_eq!(fates(&events, &two), [Fate::Delivered(Some(2_000)), Fate::Delivered(Some(1_000))]);
    }

    #[test]
    fn without_ids_a_delivery_of_before_or_of_another_kind_is_none() {
        let before = delivery("k", 1_000, "", Status::Sent);
        let other = delivery("x", 20_000, "", Status::Sent);
        assert_eq!(fates(&[event(0, 10_000, "a")], &[before, other]), [Fate::Lost]);
        let nearly = delivery("k", 9_000, "", Status::Sent);
        assert_eq!(fates(&[event(0, 10_000, "a")], &[nearly]), [Fate::Delivered(Some(0))]);
    }

    #[test]
    fn a_second_delivery_that_failed_is_not_overlooked() {
        let by_id = [delivery("k", 2_000, "a", Status::Sent), delivery("k", 2_000, "a", Status::Failed)];
        assert_eq!(fates(&[event(0, 1_000, "a")], &by_id), [Fate::Failed(None)]);
        let by_time = [delivery("k", 2_000, "", Status::Sent), delivery("k", 2_100, "", Status::Failed)];
        assert_eq!(fates(&[event(0, 1_000, "a")], &by_time), [Fate::Failed(None)]);
        let pending = [delivery("k", 2_000, "a", Status::Sent), delivery("k", 2_000, "a", Status::Pending)];
        assert_eq!(fates(&[event(0, 1_000, "a")], &pending), [Fate::Pending]);
        let held =
            [delivery("k", 2_000, "a", Status::Sent), delivery("k", 2_000, "a", Status::Other("Throttled".to_owned()))];
        assert_eq!(fates(&[event(0, 1_000, "a")], &held), [Fate::Unknown("Throttled".to_owned())]);
    }

    #[test]
    fn a_newer_name_of_the_kind_is_the_kind() {
        let newer = delivery("scanner.event.report.ready", 2_000, "", Status::Sent);
        assert_eq!(fates(&[event(1, 1_000, "a")], &[newer]), [Fate::Delivered(Some(1_000))]);
    }
}
