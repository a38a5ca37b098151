//! Display information: small HTML documents in the client's detail view.

use smol_str::SmolStr;

pub(super) const TABLE_START: &str = "<table>";
pub(super) const ROW_START: &str = "<tr><td><b>";
pub(super) const ROW_MIDDLE: &str = "</b></td><td>";
pub(super) const ROW_END: &str = "</td></tr>";
pub(super) const TABLE_END: &str = "</table>";

/// Holds one section of an entity's detail view.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DisplayInformation {
    /// The heading.
    pub name: SmolStr,
    /// The HTML below it. Code that fills it directly has escaped what came from outside.
    pub html: String,
}

impl DisplayInformation {
    /// Makes a table of two columns. Both cells of each row are escaped, so provider text cannot bring markup;
    /// line ends become line breaks. Rows with an empty second cell are left out.
    #[must_use]
    pub fn table<K, V>(title: impl Into<SmolStr>, rows: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: AsRef<str>,
        V: AsRef<str>,
    {
        let mut html = String::with_capacity(256);
        html.push_str(TABLE_START);
        for (key, value) in rows {
            if value.as_ref().trim().is_empty() {
                continue;
            }
            html.push_str(ROW_START);
            push_html(&mut html, key.as_ref());
            html.push_str(ROW_MIDDLE);
            push_html(&mut html, value.as_ref());
            html.push_str(ROW_END);
        }
        html.push_str(TABLE_END);
        Self {
            name: title.into(),
            html,
        }
    }
}

/// Writes a text as HTML.
pub(super) fn push_html(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push_str("<br>"),
            '\r' => {}
            _ => out.push(c),
        }
    }
}
