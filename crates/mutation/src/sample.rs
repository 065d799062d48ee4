//! Fewer mutants, evenly spread, and the same ones every time.

use std::collections::{BTreeMap, BTreeSet};

use crate::mutant::Mutant;
use crate::operator::Operator;
use crate::place::What;

/// At most `most` for each file, kind of place and operator.
pub fn at_most(most: usize, mutants: Vec<Mutant>) -> Vec<Mutant> {
    let mut groups: BTreeMap<(String, What, Operator), usize> = BTreeMap::new();
    let key = |mutant: &Mutant| (mutant.place.file.clone(), mutant.what(), mutant.operator);
    for mutant in &mutants {
        *groups.entry(key(mutant)).or_default() += 1;
    }
    let mut at: BTreeMap<(String, What, Operator), usize> = BTreeMap::new();
    mutants
        .into_iter()
        .filter(|mutant| {
            let key = key(mutant);
            let total = groups.get(&key).copied().unwrap_or_default();
            let index = at.entry(key).or_default();
            let kept = evenly(*index, total, most);
            *index += 1;
            kept
        })
        .collect()
}

/// Whether the item at `index` of `total` is one of `most` that are spread evenly.
fn evenly(index: usize, total: usize, most: usize) -> bool {
    total <= most || index * most / total != (index + 1) * most / total
}

/// About so many: one for each operator and kind of place, in turn from the files that have it: a look at everything in little time.
pub fn sample(count: usize, mutants: Vec<Mutant>) -> Vec<Mutant> {
    let mut groups: BTreeMap<(Operator, What), Vec<Mutant>> = BTreeMap::new();
    for mutant in mutants {
        groups.entry((mutant.operator, mutant.what())).or_default().push(mutant);
    }
    // A step that has no factor in common with most sizes leads through all files of a group.
    let turn = |(index, mut group): (usize, Vec<Mutant>)| group.swap_remove(index * STEP % group.len());
    let one_each: Vec<Mutant> = groups.into_values().enumerate().map(turn).collect();
    let total = one_each.len();
    // Some operators fit one kind of place only.
    let mut seen = BTreeSet::new();
    let kept = |(index, mutant): &(usize, Mutant)| seen.insert(mutant.operator) || evenly(*index, total, count);
    one_each.into_iter().enumerate().filter(kept).map(|(_, mutant)| mutant).collect()
}

const STEP: usize = 7;

#[cfg(test)]
mod tests {
    use super::evenly;

    #[test]
    fn what_is_kept_is_spread_evenly() {
        let kept = |total, most| (0..total).filter(|&index| evenly(index, total, most)).collect::<Vec<_>>();
        assert_eq!(kept(3, 5), [0, 1, 2]);
        assert_eq!(kept(10, 3), [3, 6, 9]);
        assert_eq!(kept(7, 7).len(), 7);
        assert_eq!(kept(1000, 13).len(), 13);
    }
}
