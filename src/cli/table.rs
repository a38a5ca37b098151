//! Lays out tables that fit the terminal: cells that are too long are cut, and say so.

use comfy_table::{ContentArrangement, Table, TableComponent, presets};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::terminal;

/// Columns are not cut below this.
const NARROWEST: usize = 8;
/// Blanks between columns.
const GAP: usize = 2;

/// Says whether a column may be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cut {
    First,
    Late,
    Never,
}

/// Holds a column: its head, whether it may be cut, and its cells.
pub(super) struct Column {
    head: &'static str,
    cut: Cut,
    cells: Vec<String>,
}

impl Column {
    /// Makes a column that is shown whole, such as a date.
    pub(super) fn fixed(head: &'static str, cells: impl IntoIterator<Item = String>) -> Self {
        Self {
            head,
            cut: Cut::Never,
            cells: cells.into_iter().map(|cell| terminal::line(&cell)).collect(),
        }
    }

    /// Makes a column that may be cut.
    pub(super) fn flexible(head: &'static str, cells: impl IntoIterator<Item = String>) -> Self {
        Self {
            cut: Cut::First,
            ..Self::fixed(head, cells)
        }
    }

    /// Makes a column that is cut only where cutting the others is not enough.
    pub(super) fn main(head: &'static str, cells: impl IntoIterator<Item = String>) -> Self {
        Self {
            cut: Cut::Late,
            ..Self::fixed(head, cells)
        }
    }

    fn is_empty(&self) -> bool {
        self.cells.iter().all(String::is_empty)
    }

    fn natural(&self) -> usize {
        self.cells
            .iter()
            .map(|cell| cell.width())
            .max()
            .unwrap_or(0)
            .max(self.head.width())
    }
}

/// Returns the width of a table whose cells are all whole.
#[must_use]
pub(super) fn natural(columns: &[Column]) -> usize {
    let shown = columns.iter().filter(|column| !column.is_empty());
    shown
        .map(|column| column.natural() + GAP)
        .sum::<usize>()
        .saturating_sub(GAP)
}

/// Lays out columns within `width`; columns without any text are left out, the widest flexible ones are cut first.
#[must_use]
pub(super) fn render(columns: Vec<Column>, width: usize) -> String {
    let columns: Vec<Column> = columns.into_iter().filter(|column| !column.is_empty()).collect();
    let mut widths: Vec<usize> = columns.iter().map(Column::natural).collect();
    let gaps = GAP * columns.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > width {
        let widest = widths
            .iter_mut()
            .zip(&columns)
            .filter(|(wide, column)| column.cut != Cut::Never && **wide > NARROWEST)
            .max_by_key(|(wide, column)| (std::cmp::Reverse(column.cut), **wide));
        let Some((widest, _)) = widest else { break };
        *widest -= 1;
    }
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table
        .remove_style(TableComponent::VerticalLines)
        .set_style(TableComponent::HeaderLines, '─');
    table.set_header(columns.iter().map(|column| column.head));
    let rows = columns.iter().map(|column| column.cells.len()).max().unwrap_or(0);
    for at in 0..rows {
        let cells = columns.iter().zip(&widths);
        table.add_row(
            cells.map(|(column, width)| cut(column.cells.get(at).map_or("", String::as_str), *width)),
        );
    }
    let last = columns.len().saturating_sub(1);
    for (at, column) in table.column_iter_mut().enumerate() {
        let right = if at == last {
            0
        } else {
            u16::try_from(GAP).unwrap_or(1)
        };
        column.set_padding((0, right));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// Cuts text to a width in columns; an ellipsis stands for what is missing.
#[must_use]
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        used += wide;
        kept.push(c);
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn long_cells_are_cut_by_columns_not_characters() {
        assert_eq!(cut("example.com", 11), "example.com");
        assert_eq!(cut("example.com", 8), "example…");
        // Each of these takes two columns.
        assert_eq!(cut("例例例例", 6), "例例…");
    }

    #[test]
    fn columns_without_text_vanish_and_fixed_ones_stay_whole() {
        let long = "x".repeat(200);
        let columns = vec![
            Column::flexible("Value", [long, "short".to_owned()]),
            Column::fixed("Seen", ["2013-05-20".to_owned(), String::new()]),
            Column::fixed("Nothing", [String::new(), String::new()]),
        ];
        let table = render(columns, 40);
        assert!(table.contains("2013-05-20"), "{table}");
        assert!(!table.contains("Nothing"), "{table}");
        assert!(table.contains('…'), "{table}");
    }

    #[test]
    fn what_matters_is_cut_last() {
        let columns = || {
            vec![
                Column::main("Value", ["tendrit-payload.example.com".to_owned()]),
                Column::flexible("Details", ["x".repeat(60)]),
            ]
        };
        assert!(render(columns(), 60).contains("tendrit-payload.example.com"));
        assert!(!render(columns(), 30).contains("tendrit-payload.example.com"));
        assert_eq!(natural(&columns()), 27 + GAP + 60);
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal(
            values in prop::collection::vec(any::<String>(), 1..6),
            width in 40usize..160,
        ) {
            let dates = values.iter().map(|_| "2013-05-20".to_owned());
            let columns = vec![
                Column::main("Value", values.clone()),
                Column::fixed("First seen", dates),
                Column::flexible("Details", values.clone()),
            ];
            for line in render(columns, width).lines() {
                prop_assert!(line.width() <= width, "{line:?} is wider than {width}");
            }
        }
    }
}
