//! Text that was encoded twice: UTF-8 that somebody read as a single-byte charset and wrote as UTF-8 again, so that
//! `é` came out as `Ã©`.
//!
//! Undone piece by piece, a piece being neighbours outside ASCII: such a piece is UTF-8 once its characters are
//! bytes again, and what a language writes is practically never. One lucky piece (`Ã»` at the end of a Portuguese
//! quotation) must not count, so most pieces of the document have to agree.

use std::sync::OnceLock;

use encoding_rs::{Encoding, WINDOWS_1251, WINDOWS_1252};

/// Pieces after which a text in which hardly any could be undone is taken for healthy.
const PIECES_ENOUGH: usize = 48;

/// Of so many pieces one may be beyond repair: cut by an ellipsis, or from another hand.
const SPOILT_ONE_IN: usize = 4;

static TABLES: OnceLock<[Table; 2]> = OnceLock::new();

/// A text made right.
#[derive(Debug)]
pub(super) struct Mended {
    pub(super) text: String,
    /// Pieces that were encoded twice.
    pub(super) pieces: usize,
    /// The name of the charset that it was read as in between.
    pub(super) through: &'static str,
}

/// Undoes a second encoding; `None` when there was none.
pub(super) fn mend(text: &str) -> Option<Mended> {
    if text.is_ascii() {
        return None;
    }
    let tables = TABLES.get_or_init(|| [Table::of(WINDOWS_1252), Table::of(WINDOWS_1251)]);
    tables.iter().find(|table| table.explains(text)).map(|table| table.undo(text))
}

/// The upper half of a single-byte charset, as characters. What windows-1252 leaves open are the controls of
/// Latin-1, so that it stands for both.
struct Table {
    encoding: &'static Encoding,
    characters: Vec<char>,
}

impl Table {
    fn of(encoding: &'static Encoding) -> Self {
        let bytes: Vec<u8> = (0x80..=0xFF).collect();
        let (characters, _) = encoding.decode_without_bom_handling(&bytes);
        Self { encoding, characters: characters.chars().collect() }
    }

    /// The byte that was read as this character.
    fn byte(&self, c: char) -> Option<u8> {
        let place = self.characters.iter().position(|&known| known == c);
        // A control that stood for an open place was passed on as it was.
        let byte =
            place.map_or_else(|| u32::from(c), |place| 0x80 + u32::try_from(place).unwrap_or(u32::MAX));
        u8::try_from(byte).ok().filter(|byte| *byte >= 0x80)
    }

    /// What a piece was at first.
    fn original(&self, piece: &str) -> Option<String> {
        let mut characters = piece.chars();
        // The first character alone tells for nearly every healthy piece.
        let first = self.byte(characters.next()?).filter(|byte| matches!(byte, 0xC2..=0xF4))?;
        let mut bytes = Vec::with_capacity(piece.len());
        bytes.push(first);
        for c in characters {
            bytes.push(self.byte(c)?);
        }
        String::from_utf8(bytes).ok().filter(|text| text.chars().all(plausible))
    }

    /// Whether so much of a text can be undone that it is no chance.
    fn explains(&self, text: &str) -> bool {
        let (mut undone, mut spoilt) = (0_usize, 0_usize);
        for piece in pieces(text) {
            if self.original(piece).is_some() {
                undone += 1;
            } else {
                spoilt += 1;
            }
            if undone + spoilt == PIECES_ENOUGH && undone < spoilt {
                return false;
            }
        }
        undone > 0 && undone >= spoilt * SPOILT_ONE_IN
    }

    fn undo(&self, text: &str) -> Mended {
        let mut mended = String::with_capacity(text.len());
        let mut pieces = 0;
        let mut rest = text;
        while let Some(start) = rest.find(|c: char| !c.is_ascii()) {
            let (before, from) = rest.split_at(start);
            let (piece, after) = from.split_at(from.find(|c: char| c.is_ascii()).unwrap_or(from.len()));
            mended.push_str(before);
            match self.original(piece) {
                Some(original) => {
                    pieces += 1;
                    mended.push_str(&original);
                }
                None => mended.push_str(piece),
            }
            rest = after;
        }
        mended.push_str(rest);
        Mended { text: mended, pieces, through: self.encoding.name() }
    }
}

/// The runs of characters outside ASCII.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_ascii()).filter(|piece| !piece.is_empty())
}

/// Letters of phonetics and marks that combine come out of chance; whole languages do not.
fn plausible(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{180}'..='\u{24f}' | '\u{250}'..='\u{36f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a text that is read as `encoding` and written again.
    fn spoil(text: &str, encoding: &'static Encoding) -> String {
        encoding.decode_without_bom_handling(text.as_bytes()).0.into_owned()
    }

    #[test]
    fn text_encoded_twice_comes_out_right() {
        for text in [
            "Opération à Ménaka",
            "é",
            "L’armée « progresse » – Gao…",
            "ЧВК «Вагнер» в Мали: Россия и Бамако",
            "Яндекс.Новости: Москва",
            "هجوم في مالي",
            "日本のニュース",
        ] {
            for encoding in [WINDOWS_1252, WINDOWS_1251] {
                let mended = mend(&spoil(text, encoding)).unwrap();
                assert_eq!((mended.text.as_str(), mended.through), (text, encoding.name()));
            }
        }
    }

    #[test]
    fn one_piece_beyond_repair_does_not_spare_the_rest() {
        let mended = mend("Ã©tÃ©, cÃ´tÃ© dâ€™ici, Ã©tÃ© Ã…").unwrap();
        assert_eq!(mended.text.matches("été").count(), 2, "{}", mended.text);
    }

    #[test]
    fn healthy_text_stays_as_it_is() {
        for text in [
            "Opération à Ménaka",
            "« É » et « À » : ÇÃ, CAFÉ», NÃO»",
            "MANHÃ» e não só, à tarde também; coração, são",
            "ЧВК «Вагнер» в Мали",
            "Россия и «Газпром»",
            "هجوم في مالي",
            "Ísland Ðað",
            "日本",
            "plain",
            "",
        ] {
            assert!(mend(text).is_none(), "{text}: {:?}", mend(text));
        }
    }
}
