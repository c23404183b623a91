//! A backup: all rows of a store in one file, in an order and a form that depend on nothing else.
//!
//! ```text
//! harmattan backup 1                      the form of the file
//! {"format":2,"taken":"…","version":"…"}  the format of the rows, when and by which version
//! length of key, length of value, key, value      a row; lengths are four bytes each, high byte first
//! …
//! 0, number of rows, SHA-256              a key of no length ends it; eight bytes; the sum covers all before it
//! ```
//!
//! A file that was cut short or changed anywhere is refused as a whole: a store that lacks rows unnoticed would be worse
//! than none.

use std::io::{self, Read, Write};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The first line; another number means another form of the file.
const MAGIC: &[u8] = b"harmattan backup 1\n";

/// Longest second line.
const HEAD_BYTES_MAX: usize = 4096;

/// Longest key and longest value: rows of the store are far below both.
const PIECE_BYTES_MAX: u32 = 1024 * 1024;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The format of its rows: that of the store.
    pub format: u32,
    /// When it was taken.
    pub taken: Timestamp,
    /// The version of Harmattan that took it.
    pub version: String,
}

/// A whole backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// What it says of itself.
    pub head: Head,
    /// Its rows.
    pub rows: u64,
    /// Its length.
    pub bytes: u64,
}

/// Why a file cannot be restored.
#[derive(Debug, thiserror::Error)]
pub(super) enum Flaw {
    /// It is something else.
    #[error("it is no backup of this program, or of a much newer version")]
    Foreign,
    /// It ends too early.
    #[error("it is cut short")]
    Short,
    /// Its bytes are not those that were written.
    #[error("it was changed since it was written: {0}")]
    Changed(&'static str),
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
}

/// Writes a backup, row by row.
pub(super) struct Sheet<'a> {
    out: &'a mut dyn Write,
    sum: Sha256,
    backup: Backup,
}

impl<'a> Sheet<'a> {
    /// Begins one.
    pub(super) fn begin(out: &'a mut dyn Write, head: Head) -> io::Result<Self> {
        let line = serde_json::to_vec(&head)?;
        let mut sheet = Self { out, sum: Sha256::new(), backup: Backup { head, rows: 0, bytes: 0 } };
        [MAGIC, line.as_slice(), b"\n"].into_iter().try_for_each(|bytes| sheet.write(bytes))?;
        Ok(sheet)
    }

    /// Adds a row.
    pub(super) fn row(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        let length = |piece: &[u8]| {
            let length = u32::try_from(piece.len()).ok().filter(|length| *length <= PIECE_BYTES_MAX);
            length.map(u32::to_be_bytes).ok_or_else(|| io::Error::from(io::ErrorKind::FileTooLarge))
        };
        let (of_key, of_value) = (length(key)?, length(value)?);
        [&of_key, &of_value, key, value].into_iter().try_for_each(|bytes| self.write(bytes))?;
        self.backup.rows += 1;
        Ok(())
    }

    /// Ends it.
    pub(super) fn end(mut self) -> io::Result<Backup> {
        self.write(&0_u32.to_be_bytes())?;
        self.write(&self.backup.rows.to_be_bytes())?;
        let sum = self.sum.clone().finalize();
        self.write(&sum)?;
        self.out.flush()?;
        Ok(self.backup)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum.update(bytes);
        self.backup.bytes += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

/// A backup that is being read.
struct Tape<'a> {
    file: &'a mut dyn Read,
    sum: Sha256,
    bytes: u64,
}

impl Tape<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<(), Flaw> {
        self.file.read_exact(into).map_err(|error| {
            if error.kind() == io::ErrorKind::UnexpectedEof { Flaw::Short } else { Flaw::Unreadable(error) }
        })?;
        self.sum.update(&*into);
        self.bytes += into.len() as u64;
        Ok(())
    }

    fn length(&mut self) -> Result<u32, Flaw> {
        let mut length = [0; 4];
        self.read(&mut length)?;
        let length = u32::from_be_bytes(length);
        if length > PIECE_BYTES_MAX { Err(Flaw::Changed("a row is too long")) } else { Ok(length) }
    }

    fn piece(&mut self, length: u32) -> Result<Vec<u8>, Flaw> {
        let mut piece = vec![0; usize::try_from(length).unwrap_or_default()];
        self.read(&mut piece)?;
        Ok(piece)
    }

    fn head(&mut self) -> Result<Head, Flaw> {
        let mut magic = vec![0; MAGIC.len()];
        self.read(&mut magic)?;
        if magic != MAGIC {
            return Err(Flaw::Foreign);
        }
        let (mut line, mut byte) = (Vec::new(), [0]);
        while line.len() < HEAD_BYTES_MAX {
            self.read(&mut byte)?;
            if byte == *b"\n" {
                break;
            }
            line.extend(byte);
        }
        serde_json::from_slice(&line).map_err(|_| Flaw::Changed("its second line is unreadable"))
    }

    /// The end, behind its zero.
    fn end(&mut self, rows: u64) -> Result<(), Flaw> {
        let mut count = [0; 8];
        self.read(&mut count)?;
        if u64::from_be_bytes(count) != rows {
            return Err(Flaw::Changed("its number of rows differs"));
        }
        let expected = self.sum.clone().finalize();
        let mut sum = [0; 32];
        self.read(&mut sum)?;
        if sum != expected.as_slice() {
            return Err(Flaw::Changed("its checksum differs"));
        }
        if self.file.read(&mut [0])? > 0 {
            return Err(Flaw::Changed("something follows its end"));
        }
        Ok(())
    }
}

/// Reads a backup to its end and shows its rows; `head` may refuse it by what it says of itself. Only the end tells
/// whether all of it was as written.
pub(super) fn read<E: From<Flaw>>(
    file: &mut dyn Read,
    head: impl FnOnce(&Head) -> Result<(), E>,
    mut row: impl FnMut(Vec<u8>, Vec<u8>) -> Result<(), E>,
) -> Result<Backup, E> {
    let mut tape = Tape { file, sum: Sha256::new(), bytes: 0 };
    let said = tape.head()?;
    head(&said)?;
    let mut rows = 0;
    loop {
        let of_key = tape.length()?;
        if of_key == 0 {
            tape.end(rows)?;
            return Ok(Backup { head: said, rows, bytes: tape.bytes });
        }
        let of_value = tape.length()?;
        let (key, value) = (tape.piece(of_key)?, tape.piece(of_value)?);
        row(key, value)?;
        rows += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Rows = Vec<(Vec<u8>, Vec<u8>)>;

    fn written(rows: &Rows) -> Vec<u8> {
        let mut bytes = Vec::new();
        let head = Head { format: 2, taken: Timestamp::UNIX_EPOCH, version: "0.1.0".into() };
        let mut sheet = Sheet::begin(&mut bytes, head).unwrap();
        for (key, value) in rows {
            sheet.row(key, value).unwrap();
        }
        let backup = sheet.end().unwrap();
        assert_eq!((backup.rows, backup.bytes), (rows.len() as u64, bytes.len() as u64));
        bytes
    }

    fn read_back(mut bytes: &[u8]) -> Result<Rows, Flaw> {
        let mut rows = Rows::new();
        read::<Flaw>(
            &mut bytes,
            |_| Ok(()),
            |key, value| {
                rows.push((key, value));
                Ok(())
            },
        )?;
        Ok(rows)
    }

    fn rows() -> impl Strategy<Value = Rows> {
        let piece = |from| prop::collection::vec(any::<u8>(), from..40_usize);
        prop::collection::vec((piece(1), piece(0)), 0..12)
    }

    proptest! {
        #[test]
        fn rows_come_back_as_they_were(rows in rows()) {
            prop_assert_eq!(read_back(&written(&rows)).unwrap(), rows);
        }

        #[test]
        fn no_file_that_was_changed_or_cut_is_taken(
            rows in rows(), at: prop::sample::Index, bit in 0..8_u8, more: bool,
        ) {
            let whole = written(&rows);
            let at = at.index(whole.len());
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            prop_assert!(read_back(&flipped).is_err());
            prop_assert!(read_back(&whole[..at]).is_err());
            let mut longer = whole;
            longer.push(u8::from(more));
            prop_assert!(read_back(&longer).is_err());
        }
    }
}
