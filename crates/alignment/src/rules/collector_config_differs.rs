//! The collectors of a profile and of its twin are configured differently.

use findings::{Finding, Severity};

use crate::collector::{Collector, Entry, Node, Plain, Spot, Value};
use crate::place::Place;
use crate::rules::Rule;
use crate::survey::{ProfileSurvey, Survey};

pub(super) struct CollectorConfigDiffers;

/// Differences of one pair that are reported one by one. Who has more copied the wrong file, and a list helps nobody.
const MOST_SHOWN: usize = 10;

/// One value that is not the same on both sides.
struct Difference<'c> {
    /// From the root: `exporters.prometheus.endpoint`.
    at: String,
    left: Side<'c>,
    right: Side<'c>,
}

/// What one side has.
enum Side<'c> {
    Has(Spot),
    /// Nothing; this is the nearest place around it, if there is one.
    Lacks(Option<&'c Spot>),
}

impl Rule for CollectorConfigDiffers {
    fn id(&self) -> &'static str {
        "collector-config-differs"
    }

    fn summary(&self) -> &'static str {
        "a profile and its twin configure the collector differently"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        let all: Vec<(&ProfileSurvey<'_>, &[Collector])> = survey.collectors().collect();
        for (profile, collectors) in &all {
            let Some(twin_name) = &profile.profile.declared.twin else { continue };
            let Some((twin, others)) = all.iter().find(|(other, _)| other.name() == twin_name.value) else { continue };
            // Where both name each other, the pair is compared once.
            let back = twin.profile.declared.twin.as_ref();
            if back.is_some_and(|back| back.value == profile.name()) && twin.name() < profile.name() {
                continue;
            }
            for (mine, other) in pairs(last_variant(collectors), last_variant(others)) {
                let (Some(left), Some(right)) = (&mine.config, &other.config) else { continue };
                let mut found = Vec::new();
                compare(left, right, "", None, &mut found);
                self.report((profile, mine), (twin, other), &found, out);
            }
        }
    }
}

/// The collectors of the profile with most overlays that has any.
fn last_variant(collectors: &[Collector]) -> Vec<&Collector> {
    let last = collectors.iter().map(|collector| collector.variant).max();
    collectors.iter().filter(|collector| Some(collector.variant) == last).collect()
}

/// Which collector of one profile is which of the other: the only ones, else by name. Whether a profile has one at all is what
/// `profiles-differ` looks at.
fn pairs<'c>(mine: Vec<&'c Collector>, others: Vec<&'c Collector>) -> Vec<(&'c Collector, &'c Collector)> {
    if let ([mine], [other]) = (mine.as_slice(), others.as_slice()) {
        return vec![(mine, other)];
    }
    // A chart puts the release's name in front: `shop-otel-collector`.
    let same = |a: &str, b: &str| a == b || a.ends_with(&format!("-{b}")) || b.ends_with(&format!("-{a}"));
    let by_name = mine.into_iter().filter_map(|mine| {
        let mut named = others.iter().filter(|other| {
            mine.names.iter().any(|name| other.names.iter().any(|other| same(name, other)))
        });
        Some((mine, *named.next()?))
    });
    by_name.collect()
}

fn compare<'c>(left: &'c Node, right: &'c Node, at: &str, around: Option<(&'c Entry, &'c Entry)>, out: &mut Vec<Difference<'c>>) {
    match (&left.value, &right.value) {
        (Value::Map(a), Value::Map(b)) => {
            let keys: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let at = if at.is_empty() { key.to_string() } else { format!("{at}.{key}") };
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => compare(&a.node, &b.node, &at, Some((a, b)), out),
                    (Some(a), None) => {
                        let lacks = Side::Lacks(around.map(|(_, right)| &right.key));
                        out.push(Difference { at, left: Side::Has(a.shown()), right: lacks });
                    }
                    (None, Some(b)) => {
                        let lacks = Side::Lacks(around.map(|(left, _)| &left.key));
                        out.push(Difference { at, left: lacks, right: Side::Has(b.shown()) });
                    }
                    (None, None) => {}
                }
            }
        }
        // Items of one list are compared one by one where they are blocks of their own; a list of names is one value.
        (Value::List(a), Value::List(b)) if a.len() == b.len() && a.iter().chain(b).all(is_block) => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                compare(a, b, &format!("{at}[{index}]"), around, out);
            }
        }
        _ if same(left, right) => {}
        _ => {
            let shown = |node: &'c Node, entry: Option<&'c Entry>| match (&node.value, entry) {
                (_, Some(entry)) => entry.shown(),
                (_, None) => node.spot.clone(),
            };
            out.push(Difference {
                at: at.to_owned(),
                left: Side::Has(shown(left, around.map(|(left, _)| left))),
                right: Side::Has(shown(right, around.map(|(_, right)| right))),
            });
        }
    }
}

fn is_block(node: &Node) -> bool {
    !matches!(node.value, Value::Scalar { .. })
}

/// Whether two values mean the same to a collector. `null` and `{}` both mean: with all defaults.
fn same(left: &Node, right: &Node) -> bool {
    match (&left.value, &right.value) {
        (Value::Scalar { plain: Plain::Null, .. }, Value::Map(map))
        | (Value::Map(map), Value::Scalar { plain: Plain::Null, .. }) => map.is_empty(),
        (Value::Scalar { text: a, plain: Plain::Text }, Value::Scalar { text: b, plain: Plain::Text }) => a == b,
        // `0x10` and `16`, `1e+06` and `1000000`: whoever wrote it, it is one number.
        (Value::Scalar { plain: a, .. }, Value::Scalar { plain: b, .. }) => a == b,
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(&a.node, &b.node)))
        }
        _ => false,
    }
}

type Of<'s, 'a> = (&'s ProfileSurvey<'a>, &'s Collector);

impl CollectorConfigDiffers {
    fn report(&self, left: Of<'_, '_>, right: Of<'_, '_>, found: &[Difference<'_>], out: &mut Vec<Finding<Place>>) {
        let between = format!("{} of profile `{}`, {} of its twin `{}`", left.1.title, left.0.name(), right.1.title, right.0.name());
        for difference in found.iter().take(MOST_SHOWN) {
            let (has, (owner, spot), other, lacks) = match (&difference.left, &difference.right) {
                (Side::Has(spot), other) => (left, (left, spot), right, other),
                (Side::Lacks(_), Side::Has(spot)) => (right, (right, spot), left, &difference.left),
                (Side::Lacks(_), Side::Lacks(_)) => continue,
            };
            let at = &difference.at;
            let finding = Finding::new(
                self.id(),
                Severity::Error,
                owner.1.place(owner.0, spot),
                format!("profile `{}` and its twin `{}` configure `{at}` of the collector differently", left.0.name(), right.0.name()),
            );
            out.push(match lacks {
                Side::Has(spot) => finding
                    .label(format!("profile `{}` has this", has.0.name()))
                    .related(other.1.place(other.0, spot), format!("profile `{}` has this", other.0.name()))
                    .help("write the same in both; what must differ belongs in a variable of one name, `${env:NAME:-default}`"),
                Side::Lacks(around) => finding
                    .label(format!("only profile `{}` has this", has.0.name()))
                    .related(
                        around.map_or_else(|| other.1.container(other.0), |around| other.1.place(other.0, around)),
                        format!("profile `{}` does not have it here", other.0.name()),
                    )
                    .help(format!("add `{at}` to profile `{}`, or remove it here", other.0.name())),
            });
        }
        let more = found.len().saturating_sub(MOST_SHOWN);
        if more > 0 {
            out.push(
                Finding::new(
                    self.id(),
                    Severity::Error,
                    left.1.container(left.0),
                    format!("the configurations differ at {more} more places: {between}"),
                )
                .related(right.1.container(right.0), "the other collector")
                .help("start from one of the two files and copy it"),
            );
        }
    }
}
