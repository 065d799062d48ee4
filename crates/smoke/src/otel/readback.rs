//! Looking for the run where it should have ended up.

use std::convert::Infallible;

use tokio::time::{Instant, sleep};

use super::account::Sent;
use super::backends::{Found, Tail, loki, prometheus};
use super::counters::PAUSE;
use super::{FileTarget, Request, Signal};
use crate::report::{Cell, Row, Table, Verdict};
use crate::wire::{Dialer, Fault, Kind, Url};

/// A tenant that has nothing to do with us.
const STRANGER: &str = "collimate-smoke-stranger";

/// A place where the run can be read back.
pub(crate) struct Place {
    kind: PlaceKind,
    last: Result<Found, Fault>,
}

enum PlaceKind {
    File(Box<Tail>),
    Loki(Url),
    Prometheus(Url),
}

/// All places of a request.
pub(crate) struct ReadBack<'a> {
    tenant: &'a str,
    run: String,
    places: Vec<Place>,
}

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) table: Table,
    pub(crate) faults: Vec<(String, Fault)>,
    /// By signal and transport: the least that a place has.
    pub(crate) least: Found,
}

impl<'a> ReadBack<'a> {
    /// Before anything is sent.
    pub(crate) fn new(request: &'a Request, run: String) -> Result<Self, Fault> {
        let url = |text: &String| {
            Url::parse(text)
                .map_err(|why| Fault::new(Kind::ReadBackFailed, format!("the backend's URL is no use: {why}")))
        };
        let mut kinds = Vec::new();
        for file in &request.files {
            kinds.push(PlaceKind::File(Box::new(Tail::new(file.clone(), run.clone())?)));
        }
        if let Some(text) = &request.loki {
            kinds.push(PlaceKind::Loki(url(text)?));
        }
        if let Some(text) = &request.prometheus {
            kinds.push(PlaceKind::Prometheus(url(text)?));
        }
        let places = kinds.into_iter().map(|kind| Place { kind, last: Ok(Found::new()) }).collect();
        Ok(Self { tenant: &request.tenant, run, places })
    }

    /// Keeps up with files while a load is sent: a file that is rotated twice between two looks would be missed.
    pub(crate) async fn follow(&mut self) -> Infallible {
        loop {
            for place in &mut self.places {
                if let PlaceKind::File(tail) = &mut place.kind {
                    // What cannot be read now will be said at the end.
                    let _ = tail.read();
                }
            }
            sleep(PAUSE).await;
        }
    }

    /// Looks until everything is there or the time is over.
    pub(crate) async fn look(mut self, dialer: &Dialer, sent: &[Sent], deadline: Instant) -> Outcome {
        loop {
            for place in &mut self.places {
                place.last = match &mut place.kind {
                    PlaceKind::File(tail) => tail.read(),
                    PlaceKind::Loki(url) => loki(dialer, url, self.tenant, &self.run).await,
                    PlaceKind::Prometheus(url) => prometheus(dialer, url, &self.run).await,
                };
            }
            if self.places.iter().all(|place| place.is_settled(sent)) || Instant::now() >= deadline {
                break;
            }
            sleep(PAUSE).await;
        }
        self.outcome(dialer, sent).await
    }

    async fn outcome(self, dialer: &Dialer, sent: &[Sent]) -> Outcome {
        let mut outcome = Outcome {
            table: Table {
                name: "backends",
                columns: &["signal", "transport", "where", "expected", "found"],
                rows: Vec::new(),
            },
            faults: Vec::new(),
            least: Found::new(),
        };
        for place in &self.places {
            for one in sent.iter().filter(|one| place.holds(one.signal)) {
                let (row, fault) = place.row(one);
                if let Ok(found) = &place.last {
                    let here = found.get(&(one.signal, one.transport)).copied().unwrap_or(0);
                    let least = outcome.least.entry((one.signal, one.transport)).or_insert(here);
                    *least = here.min(*least);
                }
                outcome.faults.extend(fault.map(|fault| (row.name.clone(), fault)));
                outcome.table.rows.push(row);
            }
            if let PlaceKind::Loki(url) = &place.kind {
                let (row, fault) = self.other_tenant(dialer, url, place.last.is_ok()).await;
                outcome.faults.extend(fault.map(|fault| (row.name.clone(), fault)));
                outcome.table.rows.push(row);
            }
        }
        outcome
    }

    /// What one tenant sent, another must not see.
    async fn other_tenant(&self, dialer: &Dialer, url: &Url, reached: bool) -> (Row, Option<Fault>) {
        let row = |found: Cell, verdict| Row {
            name: "logs in Loki for another tenant".to_owned(),
            cells: vec![
                Cell::Text("logs".to_owned()),
                Cell::Nothing,
                Cell::Text("Loki, another tenant".to_owned()),
                Cell::Number(0),
                found,
            ],
            verdict,
        };
        if !reached {
            return (row(Cell::Nothing, Verdict::NotTried("Loki gave no answer".to_owned())), None);
        }
        match loki(dialer, url, STRANGER, &self.run).await {
            Ok(found) => {
                let count: u64 = found.values().sum();
                let leak = (count > 0).then(|| {
                    let message = format!("Loki shows {count} of our log records to the tenant `{STRANGER}` too");
                    Fault::new(Kind::TenantLeak, message)
                });
                (row(Cell::Number(count), if leak.is_some() { Verdict::Failed } else { Verdict::Passed }), leak)
            }
            Err(fault) => (row(Cell::Nothing, Verdict::Failed), Some(fault)),
        }
    }
}

impl Place {
    /// What people call it.
    fn name(&self) -> String {
        match &self.kind {
            PlaceKind::File(tail) => format!("`{}`", tail.target.path),
            PlaceKind::Loki(_) => "Loki".to_owned(),
            PlaceKind::Prometheus(_) => "Prometheus".to_owned(),
        }
    }

    fn holds(&self, signal: Signal) -> bool {
        match &self.kind {
            PlaceKind::File(tail) => {
                let FileTarget { signal: named, path: _ } = &tail.target;
                named.is_none_or(|named| named == signal)
            }
            PlaceKind::Loki(_) => signal == Signal::Logs,
            PlaceKind::Prometheus(_) => signal == Signal::Metrics,
        }
    }

    fn is_settled(&self, sent: &[Sent]) -> bool {
        let Ok(found) = &self.last else { return false };
        sent.iter()
            .filter(|one| self.holds(one.signal))
            .all(|one| found.get(&(one.signal, one.transport)).copied().unwrap_or(0) >= one.acknowledged)
    }

    fn row(&self, sent: &Sent) -> (Row, Option<Fault>) {
        let place = self.name();
        let items = format!("{}s", sent.signal.item());
        let (cell, fault) = match &self.last {
            Err(fault) => (Cell::Nothing, Some(fault.clone())),
            Ok(found) => {
                let found = found.get(&(sent.signal, sent.transport)).copied().unwrap_or(0);
                let range = sent.acknowledged..=sent.acknowledged + sent.unknown;
                let fault = if range.contains(&found) {
                    None
                } else if found == 0 {
                    Some(Fault::new(
                        Kind::ReadBackMissing,
                        format!("{place} has none of {} {items}", sent.acknowledged),
                    ))
                } else {
                    let message = format!("{place} has {found} {items}; {} were sent", sent.acknowledged);
                    Some(Fault::new(Kind::ReadBackDiffers, message))
                };
                (Cell::Number(found), fault)
            }
        };
        let row = Row {
            name: format!("{} in {place}", sent.name()),
            cells: vec![
                Cell::Text(sent.signal.as_str().to_owned()),
                Cell::Text(sent.transport.as_str().to_owned()),
                Cell::Text(place),
                Cell::Number(sent.acknowledged),
                cell,
            ],
            verdict: if fault.is_some() { Verdict::Failed } else { Verdict::Passed },
        };
        (row, fault)
    }
}
