//! gzip as a bundle has it: one member, no name, no time.

use flate2::{Compress, Compression, Crc, Decompress, FlushCompress, FlushDecompress, Status};
use sha2::{Digest as _, Sha256};

use crate::error::ReadError;
use crate::limits::{FREE_OF_RATIO_BYTES, MOST_RATIO};
use crate::manifest::hex;

/// Deflate, no flags, no time, "compressed as well as possible", from an unknown system: nothing that a machine could fill in.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255];

/// crc32 and length.
const TRAILER: usize = 8;

/// Packs. One thread, one buffer, level 9: zlib-rs then gives the same bytes whatever the processor can do.
pub(crate) fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut packed = HEADER.to_vec();
    let mut deflate = Compress::new(Compression::best(), false);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let (read, written) = (deflate.total_in(), deflate.total_out());
        let rest = &bytes[usize::try_from(read).unwrap_or(bytes.len())..];
        let status = deflate.compress(rest, &mut buffer, FlushCompress::Finish);
        let fresh = usize::try_from(deflate.total_out() - written).unwrap_or(0);
        packed.extend_from_slice(&buffer[..fresh]);
        // Neither outcome leaves anything to do: an error cannot come from a stream that is only being written.
        if !matches!(status, Ok(Status::Ok | Status::BufError)) {
            break;
        }
    }
    let mut crc = Crc::new();
    crc.update(bytes);
    packed.extend(crc.sum().to_le_bytes());
    packed.extend(crc.amount().to_le_bytes());
    packed
}

/// Unpacks step by step, counting: nothing is held but what the caller asks for.
pub(crate) struct Unpacking<'a> {
    packed: &'a [u8],
    /// Of `packed`, without the header.
    read: usize,
    inflate: Decompress,
    crc: Crc,
    sha256: Sha256,
    total: u64,
    /// Of `total`.
    most: u64,
    ended: bool,
}

impl<'a> Unpacking<'a> {
    /// Unpacks no more than `most` bytes.
    pub(crate) fn of(archive: &'a [u8], most: u64) -> Result<Self, ReadError> {
        let (header, packed) = archive.split_at_checked(HEADER.len()).ok_or(ReadError::NotGzip)?;
        if header[..2] != HEADER[..2] {
            return Err(ReadError::NotGzip);
        }
        let fields = [(2..3, "method"), (3..4, "flags"), (4..8, "time"), (8..9, "level"), (9..10, "system")];
        if let Some((_, field)) = fields.into_iter().find(|(range, _)| header[range.clone()] != HEADER[range.clone()]) {
            return Err(ReadError::GzipHeader { field });
        }
        Ok(Self {
            packed,
            read: 0,
            inflate: Decompress::new(false),
            crc: Crc::new(),
            sha256: Sha256::new(),
            total: 0,
            most,
            ended: false,
        })
    }

    /// Fills `buffer`; less only where the data end.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let mut filled = 0;
        while filled < buffer.len() && !self.ended {
            let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
            let rest = self.packed.get(self.read..).unwrap_or_default();
            let status = self
                .inflate
                .decompress(rest, &mut buffer[filled..], FlushDecompress::None)
                .map_err(|_| ReadError::Deflate)?;
            let consumed = usize::try_from(self.inflate.total_in() - read).unwrap_or(rest.len());
            let fresh = usize::try_from(self.inflate.total_out() - written).unwrap_or(0);
            self.read += consumed;
            self.count(&buffer[filled..filled + fresh])?;
            filled += fresh;
            match status {
                Status::StreamEnd => self.ended = true,
                Status::Ok | Status::BufError if consumed == 0 && fresh == 0 => return Err(ReadError::Cut),
                Status::Ok | Status::BufError => {}
            }
        }
        Ok(filled)
    }

    fn count(&mut self, fresh: &[u8]) -> Result<(), ReadError> {
        self.crc.update(fresh);
        self.sha256.update(fresh);
        self.total += fresh.len() as u64;
        if self.total > self.most {
            return Err(ReadError::Unpacked { limit: self.most });
        }
        let packed = (self.packed.len() as u64).saturating_mul(MOST_RATIO);
        if self.total > packed.saturating_add(FREE_OF_RATIO_BYTES) {
            return Err(ReadError::Bomb { ratio: MOST_RATIO });
        }
        Ok(())
    }

    /// Checks that the archive ends here; gives the sha256 of what was unpacked, and how much that was.
    pub(crate) fn finish(mut self) -> Result<(String, u64), ReadError> {
        if !self.ended && self.fill(&mut [0])? > 0 {
            return Err(ReadError::AfterEnd);
        }
        let rest = self.packed.get(self.read..).unwrap_or_default();
        let (trailer, after) = rest.split_at_checked(TRAILER).ok_or(ReadError::Cut)?;
        if trailer[..4] != self.crc.sum().to_le_bytes() {
            return Err(ReadError::GzipTrailer { what: "checksum" });
        }
        if trailer[4..] != self.crc.amount().to_le_bytes() {
            return Err(ReadError::GzipTrailer { what: "length" });
        }
        if after.starts_with(&HEADER[..2]) {
            return Err(ReadError::Members);
        }
        if !after.is_empty() {
            return Err(ReadError::Trailing(after.len()));
        }
        Ok((hex(&self.sha256.finalize()), self.total))
    }
}
