//! Tables for people: columns as wide as their content. What is long stands under its row, so that a table
//! reads well in a terminal of 100 columns.

use super::print::plain;

/// Greatest width of a column: more is cut.
const CELL_CHARS_MAX: usize = 200;

/// What stands before a note.
const INDENT: &str = "    ";

/// A table under construction.
pub(super) struct Table {
    rows: Vec<Row>,
}

struct Row {
    cells: Vec<String>,
    note: String,
}

impl Table {
    pub(super) fn new(head: &[&str]) -> Self {
        let cells = head.iter().map(|cell| (*cell).to_owned()).collect();
        Self { rows: vec![Row { cells, note: String::new() }] }
    }

    /// Adds a row and the line under it, unless that is empty. Both may hold foreign text: it is made safe for a
    /// terminal here, whatever the column.
    pub(super) fn row(&mut self, cells: Vec<String>, note: &str) {
        let cells = cells.into_iter().map(|cell| plain(&cell, CELL_CHARS_MAX)).collect();
        self.rows.push(Row { cells, note: plain(note, CELL_CHARS_MAX) });
    }

    /// The lines, the last column unpadded.
    pub(super) fn lines(&self) -> Vec<String> {
        let columns = self.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.cells.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let padded = |(cell, width): (&String, &usize)| {
            format!("{cell}{}", " ".repeat(width.saturating_sub(cell.chars().count())))
        };
        let mut lines = Vec::new();
        for Row { cells, note } in &self.rows {
            let cells: Vec<String> = cells.iter().zip(&widths).map(padded).collect();
            lines.push(cells.join("  ").trim_end().to_owned());
            if !note.is_empty() {
                lines.push(format!("{INDENT}{note}"));
            }
        }
        lines
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
        table.row(vec!["малі".into(), "ok".into()], "");
        table.row(vec!["b".into(), "failing".into()], "the server answered 503");
        let lines = ["name  state", "малі  ok", "b     failing", "    the server answered 503"];
        assert_eq!(table.lines(), lines);
    }

    #[test]
    fn no_cell_drives_the_terminal() {
        let mut table = Table::new(&["lang"]);
        table.row(vec!["f\u{1b}[2Jr\n".into()], "");
        assert_eq!(table.lines(), ["lang", "f[2Jr"]);
    }
}
