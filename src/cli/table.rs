//! Lays out tables that fit the terminal. What is said about a value is cut where it is too long, with an ellipsis, and
//! left out where that is not enough, which a line below the table says. The value itself is never cut, nor is what has
//! to be read whole, such as marks and reasons: it goes on in the next line.

use comfy_table::{ContentArrangement, Table, TableComponent, presets};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::terminal;

/// Columns are not cut below this.
const NARROWEST: usize = 8;
/// Values have this room, where dates and their dots do.
const NARROW: usize = 16;
const DATE: usize = 12;
/// Blanks between columns.
const GAP: usize = 2;

/// A value goes on in the next line before other columns are left out, as long as it has so much room.
const COMFORTABLE: usize = 28;

/// Tells how columns that were left out can be seen where a command has `--wide`.
pub(super) const WIDE: &str = "--wide shows all";
/// Tells the same where it has not.
pub(super) const WIDER: &str = "a wider terminal shows all";

/// Stands for nothing in a table.
pub(super) const NOTHING: &str = "-";

/// Says what becomes of a column that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Overflow {
    /// Cells are cut, and the column is left out where that is not enough.
    Cut,
    /// Cells go on in the next line.
    Wrap,
    /// Cells go on in the next line, between words.
    Words,
    /// It stays as wide as it is.
    Whole,
}

/// Holds a column: its head, what becomes of it where it does not fit, and its cells.
pub(super) struct Column {
    head: &'static str,
    fit: Overflow,
    cells: Vec<String>,
}

impl Column {
    /// Makes a column that is shown whole, such as a date.
    pub(super) fn fixed(head: &'static str, cells: impl IntoIterator<Item = String>) -> Self {
        Self {
            head,
            fit: Overflow::Whole,
            cells: cells.into_iter().map(|cell| terminal::line(&cell)).collect(),
        }
    }

    /// Makes a column that may be cut, or left out.
    pub(super) fn flexible(head: &'static str, cells: impl IntoIterator<Item = String>) -> Self {
        Self {
            fit: Overflow::Cut,
            ..Self::fixed(head, cells)
        }
    }

    /// Makes a column of values: they are never cut, but go on in the next line.
    pub(super) fn main(head: &'static str, cells: impl IntoIterator<Item = String>) -> Self {
        Self {
            fit: Overflow::Wrap,
            ..Self::fixed(head, cells)
        }
    }

    /// Makes a column of words that have to be read whole, such as marks: they go on in the next line.
    pub(super) fn words(head: &'static str, cells: impl IntoIterator<Item = String>) -> Self {
        Self {
            fit: Overflow::Words,
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

    /// Returns the width at which no word of a column is broken, within reason.
    fn longest_word(&self) -> usize {
        let words = self.cells.iter().flat_map(|cell| cell.split(' '));
        let longest = words.map(UnicodeWidthStr::width).max().unwrap_or(0);
        longest.max(self.head.width()).min(COMFORTABLE)
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

/// Lays out columns within `width`. Columns without any text are left out. Where the others do not fit, the widest that
/// may be cut is cut first; then values and words go on in the next line, and then columns that may be cut are left out,
/// the last one first. A line below names them, and says with `more` how they can be seen.
#[must_use]
pub(super) fn render(columns: Vec<Column>, width: usize, more: &str) -> String {
    let mut columns: Vec<Column> = columns.into_iter().filter(|column| !column.is_empty()).collect();
    let is_too_wide =
        |widths: &[usize]| widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1) > width;
    let mut left_out = Vec::new();
    let mut widths = loop {
        // What is left has the room of what was left out.
        let mut widths: Vec<usize> = columns.iter().map(Column::natural).collect();
        narrow(&columns, &mut widths, Overflow::Cut, |_| NARROWEST, is_too_wide);
        narrow(
            &columns,
            &mut widths,
            Overflow::Wrap,
            |_| COMFORTABLE,
            is_too_wide,
        );
        narrow(
            &columns,
            &mut widths,
            Overflow::Words,
            Column::longest_word,
            is_too_wide,
        );
        let last = columns.iter().rposition(|column| column.fit == Overflow::Cut);
        match last.filter(|_| is_too_wide(&widths)) {
            Some(last) => left_out.push(columns.remove(last).head),
            None => break widths,
        }
    };
    for (fit, least) in [
        (Overflow::Wrap, NARROW),
        (Overflow::Words, DATE),
        (Overflow::Wrap, NARROWEST),
        (Overflow::Words, NARROWEST),
    ] {
        narrow(&columns, &mut widths, fit, |_| least, is_too_wide);
    }
    give_back(&columns, &mut widths, is_too_wide);
    let mut text = lay_out(&columns, &widths);
    left_out.reverse();
    let cut = columns.iter().zip(&widths);
    let cut = cut.filter(|(column, width)| column.fit == Overflow::Cut && column.natural() > **width);
    let cut: Vec<&str> = cut.map(|(column, _)| column.head).collect();
    let said = match (left_out.join(", "), cut.join(", ")) {
        (none, cells) if none.is_empty() && cells.is_empty() => return text,
        (none, cells) if none.is_empty() => format!("cut for lack of room: {cells} ({more})"),
        (heads, none) if none.is_empty() => format!("not shown for lack of room: {heads} ({more})"),
        (heads, cells) => format!("not shown for lack of room: {heads}; cut: {cells} ({more})"),
    };
    text.push('\n');
    text.push_str(&terminal::wrap(&said, width));
    text
}

/// Makes the lines of a table whose columns have these widths.
fn lay_out(columns: &[Column], widths: &[usize]) -> String {
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
        let cells = columns.iter().zip(widths);
        table.add_row(cells.map(|(column, width)| {
            let text = column.cells.get(at).map_or("", String::as_str);
            fitted(text, column.fit, *width)
        }));
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

/// Fits a cell into a width.
fn fitted(text: &str, fit: Overflow, width: usize) -> String {
    match fit {
        Overflow::Wrap => wrapped(text, width),
        Overflow::Words if text.width() <= width => text.to_owned(),
        Overflow::Words => {
            // Each reason with its points begins a line.
            let parts = text.replace("; +", ";\n+").replace("; -", ";\n-");
            let text = terminal::wrap(&parts, width);
            let lines: Vec<String> = text.lines().map(|line| wrapped(line, width)).collect();
            lines.join("\n")
        }
        Overflow::Cut | Overflow::Whole => cut(text, width),
    }
}

/// Gives the room that words leave at the ends of their lines to columns that are cut.
fn give_back(columns: &[Column], widths: &mut [usize], is_too_wide: impl Fn(&[usize]) -> bool) {
    for (column, width) in columns.iter().zip(widths.iter_mut()) {
        if column.fit == Overflow::Words && column.natural() > *width {
            let cells = column.cells.iter().map(|cell| fitted(cell, column.fit, *width));
            let widest = cells.map(|cell| cell.lines().map(UnicodeWidthStr::width).max().unwrap_or(0));
            *width = widest.max().unwrap_or(0).max(column.head.width());
        }
    }
    for (at, column) in columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.fit == Overflow::Cut)
    {
        while let Some(width) = widths.get_mut(at)
            && *width < column.natural()
        {
            *width += 1;
            if is_too_wide(widths) {
                if let Some(width) = widths.get_mut(at) {
                    *width -= 1;
                }
                break;
            }
        }
    }
}

/// Makes the widest columns of a kind narrower, down to a least width, as long as the table is too wide.
fn narrow(
    columns: &[Column],
    widths: &mut [usize],
    fit: Overflow,
    least: impl Fn(&Column) -> usize,
    is_too_wide: impl Fn(&[usize]) -> bool,
) {
    while is_too_wide(widths) {
        let widest = widths
            .iter_mut()
            .zip(columns)
            .filter(|(wide, column)| column.fit == fit && **wide > least(column))
            .max_by_key(|(wide, _)| **wide);
        let Some((widest, _)) = widest else { break };
        *widest -= 1;
    }
}

/// Breaks text into lines of a width in columns. A line ends after a blank or a sign that parts names and URLs, if there
/// is one in its second half.
#[must_use]
fn wrapped(text: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    let (mut line, mut used) = (String::new(), 0);
    // The bytes and columns of the line up to the last place where it may end.
    let mut end = None;
    let mut before = None;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        while used + wide > width && !line.is_empty() {
            let (bytes, columns) = end
                .take()
                .filter(|(_, columns)| columns * 2 >= width)
                .unwrap_or((line.len(), used));
            let rest = line.split_off(bytes);
            lines.push(std::mem::replace(&mut line, rest));
            used -= columns;
        }
        line.push(c);
        used += wide;
        // A date stays whole.
        let is_of_number = c == '-' && before.is_some_and(|before: char| before.is_ascii_digit());
        if matches!(c, ' ' | '/' | '.' | '-' | '@' | '?' | '&' | '=' | ':' | ',' | '_') && !is_of_number {
            end = Some((line.len(), used));
        }
        before = Some(c);
    }
    lines.push(line);
    lines.join("\n")
}

/// Writes columns as CSV, whole. The dash that stands for nothing in a table for people is left out.
///
/// # Errors
/// Never, as far as is known: it is written into memory.
pub(super) fn csv(columns: &[Column]) -> anyhow::Result<String> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    writer.write_record(columns.iter().map(|column| column.head))?;
    let rows = columns.iter().map(|column| column.cells.len()).max().unwrap_or(0);
    for at in 0..rows {
        writer.write_record(
            columns
                .iter()
                .map(|column| column.cells.get(at).map_or("", String::as_str))
                .map(|cell| formula_safe(if cell == NOTHING { "" } else { cell })),
        )?;
    }
    let text = String::from_utf8(writer.into_inner()?)?;
    Ok(text.trim_end().to_owned())
}

/// Keeps a spreadsheet from taking what others named for a formula.
#[must_use]
pub(super) fn formula_safe(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
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
        let table = render(columns, 40, WIDE);
        assert!(table.contains("2013-05-20"), "{table}");
        assert!(!table.contains("Nothing"), "{table}");
        assert!(table.contains('…'), "{table}");
    }

    #[test]
    fn values_are_never_cut() {
        let value = "http://office-sync.example/in/report.php?id=7";
        let columns = || {
            vec![
                Column::fixed("Type", ["URL".to_owned()]),
                Column::main("Value", [value.to_owned()]),
                Column::fixed("First seen", ["2013-05-20".to_owned()]),
                Column::flexible("Details", ["x".repeat(60)]),
                Column::flexible("Source", ["threatgrid samples".to_owned()]),
            ]
        };
        assert_eq!(natural(&columns()), 4 + 45 + 10 + 60 + 18 + 4 * GAP);
        let wide = render(columns(), 140, WIDE);
        assert!(wide.lines().any(|line| line.contains(value)), "{wide}");
        let narrow = render(columns(), 80, WIDE);
        assert!(
            narrow.contains("http://office-sync.example/in/report.php?") && narrow.contains("id=7"),
            "{narrow}"
        );
        assert!(narrow.contains("2013-05-20"), "{narrow}");
        let narrowest = render(columns(), 40, WIDE);
        let (table, below) = narrowest.split_once("\nnot shown").unwrap();
        assert!(
            !table.contains("Source"),
            "the value keeps its room:\n{narrowest}"
        );
        assert!(
            below.contains("Source") && below.contains("--wide"),
            "{narrowest}"
        );
        assert!(!wide.contains("not shown"), "{wide}");
    }

    #[test]
    fn words_that_have_to_be_read_are_neither_cut_nor_left_out() {
        let columns = || {
            vec![
                Column::main("Value", ["a-long-name.of-a-long-domain.example".to_owned()]),
                Column::words("Marks", ["dynamic-dns, sinkhole".to_owned()]),
                Column::flexible("Link", ["holds the address".to_owned()]),
                Column::flexible("Details", ["x".repeat(60)]),
            ]
        };
        for width in [40, 60, 80, 140] {
            let table = render(columns(), width, WIDE);
            assert!(
                table.contains("dynamic-dns") && table.contains("sinkhole"),
                "{width}:\n{table}"
            );
        }
        let reasons = vec![Column::words(
            "Reasons",
            ["one is a sinkhole; another is none".to_owned()],
        )];
        assert_eq!(
            render(reasons, 20, WIDE).lines().skip(2).collect::<Vec<_>>(),
            ["one is a sinkhole;", "another is none"]
        );
        let table = render(columns(), 56, WIDE);
        assert!(
            table.contains("holds") && table.contains("not shown for lack of room: Details"),
            "{table}"
        );
    }

    #[test]
    fn lines_end_where_names_have_their_parts() {
        assert_eq!(wrapped("example.com", 11), "example.com");
        assert_eq!(wrapped("mail.parkside.example", 16), "mail.parkside.\nexample");
        assert_eq!(wrapped("0123456789abcdef", 8), "01234567\n89abcdef");
        assert_eq!(wrapped("例例例", 4), "例例\n例");
    }

    #[test]
    fn tables_for_programs_are_whole_and_no_formulas() {
        let columns = [
            Column::main("Value", ["a,\"b\"".to_owned(), "=1+1".to_owned()]),
            Column::flexible("Details", ["x".repeat(200), String::new()]),
        ];
        let text = csv(&columns).unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(&rows[0][0], "a,\"b\"");
        assert_eq!(rows[0][1].len(), 200);
        assert_eq!(&rows[1][0], "'=1+1");
    }

    proptest! {
        #[test]
        fn wrapping_loses_nothing(text in "[a-z./ 例-]{0,60}", width in 2usize..30) {
            let lines = wrapped(&text, width);
            prop_assert_eq!(lines.replace('\n', ""), text);
            for line in lines.lines() {
                prop_assert!(line.width() <= width);
            }
        }

        #[test]
        fn no_line_is_wider_than_the_terminal(
            values in prop::collection::vec(any::<String>(), 1..6),
            width in 40usize..160,
        ) {
            let dates = values.iter().map(|_| "2013-05-20".to_owned());
            let columns = vec![
                Column::main("Value", values.clone()),
                Column::fixed("First seen", dates),
                Column::words("Marks", values.clone()),
                Column::flexible("Details", values.clone()),
            ];
            for line in render(columns, width, WIDE).lines() {
                prop_assert!(line.width() <= width, "{line:?} is wider than {width}");
            }
        }
    }
}
