//! Every bit of everything counts.

use bundle::{Beside, BesideFile, verify};

use crate::fixture::{key, signed};
use crate::forging::{gzipped, untarred};

/// Each single bit of `bytes` flipped in turn; gives those that `accepted` lets pass. On as many threads as there are.
fn missed(bytes: &[u8], accepted: impl Fn(Vec<u8>) -> bool + Sync) -> Vec<(usize, u8)> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = |first: usize| {
        let flip = |(at, bit): (usize, u8)| {
            let mut flipped = bytes.to_vec();
            flipped[at] ^= 1 << bit;
            accepted(flipped).then_some((at, bit))
        };
        let places = (first..bytes.len()).step_by(threads).flat_map(|at| (0..8).map(move |bit| (at, bit)));
        places.filter_map(flip).collect::<Vec<_>>()
    };
    std::thread::scope(|scope| {
        let share = &share;
        let running: Vec<_> = (0..threads).map(|first| scope.spawn(move || share(first))).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn every_bit_of_the_archive() {
    let (archive, beside) = signed();
    let key = key().public();
    assert!(verify(&archive.bytes, &beside, &key).is_ok());
    assert_eq!(missed(&archive.bytes, |bytes| verify(&bytes, &beside, &key).is_ok()), []);
}

#[test]
fn every_bit_of_every_file_beside_it() {
    let (archive, beside) = signed();
    let key = key().public();
    for file in BesideFile::ALL {
        let bytes = beside.get(file).unwrap();
        let accepted = |bytes: Vec<u8>| {
            let mut beside: Beside = beside.clone();
            beside.set(file, Some(bytes));
            verify(&archive.bytes, &beside, &key).is_ok()
        };
        assert_eq!(missed(bytes, accepted), [], "{}", file.suffix());
    }
}

/// Without any signature: what is not the one tar of its manifest is not read. Release and time stand in the manifest alone, but
/// SHA256SUMS holds the manifest's digest.
#[test]
fn every_byte_of_the_tar_within() {
    let tar = untarred();
    assert!(bundle::read(&gzipped(&tar)).is_ok());
    let mut missed = Vec::new();
    for at in 0..tar.len() {
        let mut flipped = tar.clone();
        flipped[at] ^= 1 << (at % 8);
        if bundle::read(&gzipped(&flipped)).is_ok() {
            missed.push(at);
        }
    }
    assert_eq!(missed, Vec::<usize>::new());
}

#[test]
fn every_cut() {
    let (archive, beside) = signed();
    let key = key().public();
    let shorter = (0..archive.bytes.len()).filter(|length| {
        let cut = &archive.bytes[..*length];
        bundle::read(cut).is_ok() || verify(cut, &beside, &key).is_ok()
    });
    assert_eq!(shorter.collect::<Vec<_>>(), Vec::<usize>::new());
}
