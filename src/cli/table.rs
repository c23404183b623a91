//! Tables for people: columns as wide as their content.

use super::print::plain;

/// Greatest width of a column: more is cut.
const CELL_CHARS_MAX: usize = 200;

/// A table under construction.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|cell| (*cell).to_owned()).collect()] }
    }

    /// Adds a row. Cells may hold foreign text: it is made safe for a terminal here, whatever the column.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.iter().map(|cell| plain(cell, CELL_CHARS_MAX)).collect());
    }

    /// The lines, the last column unpadded.
    pub(super) fn lines(&self) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths);
            let padded: Vec<String> = cells
                .map(|(cell, width)| {
                    format!("{cell}{}", " ".repeat(width.saturating_sub(cell.chars().count())))
                })
                .collect();
            padded.join("  ").trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }

    pub(super) fn print(&self) -> anyhow::Result<()> {
        self.lines().into_iter().try_for_each(super::print::line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_in_any_script() {
        let mut table = Table::new(&["name", "state"]);
        table.row(vec!["малі".into(), "ok".into()]);
        table.row(vec!["b".into(), "failing".into()]);
        assert_eq!(table.lines(), ["name  state", "малі  ok", "b     failing"]);
    }

    #[test]
    fn no_cell_drives_the_terminal() {
        let mut table = Table::new(&["lang"]);
        table.row(vec!["f\u{1b}[2Jr\n".into()]);
        assert_eq!(table.lines(), ["lang", "f [2Jr"]);
    }
}
