//! Where random values come from: the operating system, or a seed where two renders must agree.

use std::cell::RefCell;

use gotemplate::FunctionError;
use sha2::{Digest as _, Sha256};

/// What a seeded source starts from.
pub(crate) type Seed = [u8; 32];

/// SHA-256 of all parts; none runs into the next one.
pub(crate) fn hash(parts: &[&[u8]]) -> Seed {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// A source of random bytes.
#[derive(Debug, Default)]
pub(crate) enum Random {
    /// The operating system's.
    #[default]
    System,
    /// SHA-256 of the seed and a counter: the same bytes in every run.
    Seeded(RefCell<Stream>),
}

/// The state of a seeded source.
#[derive(Debug)]
pub(crate) struct Stream {
    seed: Seed,
    counter: u64,
    held: Vec<u8>,
}

impl Random {
    /// A source that gives the same bytes for the same seed.
    pub(crate) fn seeded(seed: Seed) -> Self {
        Self::Seeded(RefCell::new(Stream { seed, counter: 0, held: Vec::new() }))
    }

    /// The seed of another source, which this one's seed and the parts determine; `None` of the system's.
    pub(crate) fn apart(&self, parts: &[&[u8]]) -> Option<Seed> {
        match self {
            Self::System => None,
            Self::Seeded(stream) => Some(hash(&[&[stream.borrow().seed.as_slice()], parts].concat())),
        }
    }

    /// Fills `bytes`.
    pub(crate) fn fill(&self, bytes: &mut [u8]) -> Result<(), FunctionError> {
        match self {
            Self::System => {
                getrandom::fill(bytes).map_err(|error| FunctionError::new(format!("no random bytes: {error}")))
            }
            Self::Seeded(stream) => {
                let mut stream = stream.borrow_mut();
                for byte in bytes {
                    *byte = stream.next();
                }
                Ok(())
            }
        }
    }

    /// An array of random bytes.
    pub(crate) fn array<const N: usize>(&self) -> Result<[u8; N], FunctionError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// A number below `bound` (which is not zero), each with the same chance.
    pub(crate) fn below(&self, bound: u64) -> Result<u64, FunctionError> {
        let bound = bound.max(1);
        // Numbers of the last, incomplete round are thrown away.
        let fair = u64::MAX - u64::MAX % bound;
        loop {
            let number = u64::from_le_bytes(self.array()?);
            if number < fair {
                return Ok(number % bound);
            }
        }
    }
}

impl Stream {
    fn next(&mut self) -> u8 {
        if let Some(byte) = self.held.pop() {
            return byte;
        }
        let block = Sha256::new().chain_update(self.seed).chain_update(self.counter.to_le_bytes()).finalize();
        self.counter += 1;
        self.held = block.to_vec();
        self.held.pop().unwrap_or_default()
    }
}
