//! What a disk may hold after its power failed: all that was synced, and of the rest any part, in any order.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::stage::mixed;

/// What a disk writes whole; more may be torn.
const BLOCK: usize = 512;

/// The file to which the store appends.
const LOG: &str = "db";

/// Copies a store that is at rest, as what the disk has for certain.
pub(crate) fn keep(store: &Path, image: &Path) {
    let whole = image.with_extension("a");
    drop(fs::remove_dir_all(&whole));
    fs::write(image, "a").unwrap();
    for name in names(store) {
        let target = whole.join(&name);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(store.join(&name), target).unwrap();
    }
}

/// Puts into `store` what a power failure may leave of it: of every block of the log that differs from `image`, which was
/// copied after the last sync, the old or the new one, by `seed`. The other files are written whole and then renamed: each
/// new one is there or not.
pub(crate) fn cut(store: &Path, image: &Path, seed: u64) {
    let image = image.with_extension(fs::read_to_string(image).unwrap());
    let mut names: BTreeSet<PathBuf> = names(store);
    names.extend(self::names(&image));
    for (place, name) in (0_u64..).zip(names) {
        let read = |folder: &Path| fs::read(folder.join(&name)).ok();
        let (new, old) = (read(store), read(&image));
        let is_log = name.as_os_str() == LOG;
        let left = match (old, new) {
            (Some(old), Some(new)) if is_log => Some(torn(&old, &new, seed)),
            (old, new) if mixed(seed, place).is_multiple_of(2) => new.or(old),
            (old, _) => old,
        };
        match left {
            Some(bytes) => fs::write(store.join(&name), bytes).unwrap(),
            None => fs::remove_file(store.join(&name)).unwrap(),
        }
    }
}

/// Old and new blocks, and one of the new ones torn in two.
fn torn(old: &[u8], new: &[u8], seed: u64) -> Vec<u8> {
    let length = if mixed(seed, 0).is_multiple_of(2) { new.len() } else { old.len().min(new.len()) };
    let mut left = new[..length].to_vec();
    for (number, block) in (1_u64..).zip(left.chunks_mut(BLOCK)) {
        let start = (usize::try_from(number).unwrap() - 1) * BLOCK;
        // Behind its end a file has zeros.
        let before: Vec<u8> =
            (start..start + block.len()).map(|at| old.get(at).copied().unwrap_or(0)).collect();
        match mixed(seed, number) % 5 {
            0 | 1 => block.copy_from_slice(&before),
            2 => {
                let torn = block.len() / 3;
                block[torn..].copy_from_slice(&before[torn..]);
            }
            _ => {}
        }
    }
    left
}

/// The files below a folder.
fn names(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        for entry in fs::read_dir(folder.join(&below)).unwrap() {
            let entry = entry.unwrap();
            let name = below.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                open.push(name);
            } else if entry.file_type().unwrap().is_file() {
                found.insert(name);
            }
        }
    }
    found
}
