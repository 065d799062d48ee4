//! Primes for new keys. All cores look for them: the largest keys that templates may ask for would take one core a second.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::thread;

use crypto_bigint::{BoxedUint, NonZero};
use crypto_primes::hazmat::SmallFactorsSieve;
use crypto_primes::{Flavor, is_prime};
use gotemplate::FunctionError;
use num_bigint::BigUint;

use super::random::Random;

/// More cores than this hardly help, and other renders want some.
const MOST_THREADS: usize = 8;

/// A prime for an RSA key with this public exponent: of `bytes` bytes, with the two highest bits set so that the product of two has all of its own.
pub(crate) fn of_rsa(random: &Random, bytes: usize, exponent: u64) -> Result<BoxedUint, FunctionError> {
    let divisor = NonZero::new(BoxedUint::from(exponent)).into_option().ok_or("the exponent is zero")?;
    // There is a private exponent only if the prime less one has no divisor in common with the public one, which is a prime.
    of_size(random, bytes, 0b1100_0000, |prime| prime.rem_vartime(&divisor) != BoxedUint::one())
}

/// The primes of a DSA key, q of 256 and p of 2048 bits: q divides p less one.
pub(crate) fn of_dsa(random: &Random) -> Result<(BigUint, BigUint), FunctionError> {
    const BITS: u32 = 2_048;
    let q = BigUint::from_bytes_be(&of_size(random, 32, 0b1000_0000, |_| true)?.to_be_bytes());
    let step = &q * 2_u32;
    let serves = |candidate: &BigUint| {
        let is_divided = |divisor: u32| candidate % divisor == BigUint::ZERO;
        !(3..4_000).any(is_divided)
            && BoxedUint::from_be_slice(&candidate.to_bytes_be(), BITS).is_ok_and(|p| is_prime(Flavor::Any, &p))
    };
    loop {
        let start = BigUint::from_bytes_be(&odd(random, 256, 0b1000_0000)?);
        let start = &start - &start % &step + 1_u32;
        let candidates = std::iter::successors(Some(start), |last| Some(last + &step));
        let of_length = |candidate: &BigUint| candidate.bits() == u64::from(BITS);
        if let Some(p) = first(candidates.take_while(of_length), serves) {
            return Ok((q, p));
        }
    }
}

/// A prime of `bytes` bytes whose highest byte has the bits of `high`.
fn of_size(
    random: &Random,
    bytes: usize,
    high: u8,
    serves: impl Fn(&BoxedUint) -> bool + Sync,
) -> Result<BoxedUint, FunctionError> {
    let bits = u32::try_from(bytes * 8).ok().and_then(NonZeroU32::new).ok_or("a prime has bits")?;
    loop {
        let failed = |error: &dyn std::fmt::Display| FunctionError::new(format!("cannot look for primes: {error}"));
        let start = BoxedUint::from_be_slice(&odd(random, bytes, high)?, bits.get()).map_err(|error| failed(&error))?;
        let candidates = SmallFactorsSieve::new(start, bits, false).map_err(|error| failed(&error))?;
        // There is none if the start lies just below the end of the numbers of this size.
        if let Some(prime) = first(candidates, |prime| serves(prime) && is_prime(Flavor::Any, prime)) {
            return Ok(prime);
        }
    }
}

/// The digits of an odd number with these bits in its highest byte.
fn odd(random: &Random, bytes: usize, high: u8) -> Result<Vec<u8>, FunctionError> {
    let mut digits = vec![0; bytes];
    random.fill(&mut digits)?;
    if let [first, .., last] = digits.as_mut_slice() {
        *first |= high;
        *last |= 1;
    }
    Ok(digits)
}

/// What `items.find(passes)` gives, however many cores look at once.
fn first<T: Send>(items: impl Iterator<Item = T> + Send, passes: impl Fn(&T) -> bool + Sync) -> Option<T> {
    let items = Mutex::new(items.enumerate());
    let found: Mutex<Option<(usize, T)>> = Mutex::new(None);
    let look = || {
        loop {
            // Items go out in their order: all that come before a found one are already with somebody, who looks them through.
            if found.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
                return;
            }
            let Some((index, item)) = items.lock().unwrap_or_else(PoisonError::into_inner).next() else { return };
            if passes(&item) {
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                if found.as_ref().is_none_or(|(earlier, _)| index < *earlier) {
                    *found = Some((index, item));
                }
                return;
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_THREADS));
    thread::scope(|scope| {
        for _ in 1..threads {
            // Where no more threads may be started, fewer look.
            if thread::Builder::new().spawn_scoped(scope, look).is_err() {
                break;
            }
        }
        look();
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner).map(|(_, item)| item)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_cores_find_what_one_would() {
        for end in [0, 1, 2, 50, 1_000] {
            for every in [1, 7, 60] {
                // The earlier ones take longer, so that later ones are found before them.
                let passes = |item: &u64| {
                    thread::sleep(std::time::Duration::from_micros(200 * (7 - item % 7)));
                    item % every == every - 1
                };
                assert_eq!(first(0..end, passes), (0..end).find(|item| item % every == every - 1), "{end} {every}");
            }
        }
    }

    #[test]
    fn primes_are_of_their_size_and_the_same_for_a_seed() {
        let rsa = |seed| of_rsa(&Random::seeded([seed; 32]), 64, 65_537).unwrap();
        for seed in 0..8 {
            let prime = rsa(seed);
            assert!(is_prime(Flavor::Any, &prime));
            assert!(prime.to_be_bytes()[0] >= 0b1100_0000, "{prime:?}");
            assert_eq!(prime, rsa(seed));
            assert_ne!(prime, rsa(seed + 1));
        }
    }

    #[test]
    fn no_exponent_divides_a_prime_less_one() {
        for seed in 0..20 {
            let prime = of_rsa(&Random::seeded([seed; 32]), 32, 3).unwrap();
            let three = NonZero::new(BoxedUint::from(3_u64)).unwrap();
            assert_eq!(prime.rem_vartime(&three), BoxedUint::from(2_u64));
        }
    }
}
