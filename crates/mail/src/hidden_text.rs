//! Tells what of a page is not shown, so that the text around it is one: hidden elements, tiny pictures, marks.

/// Elements that have no text and no end.
const VOID: [&str; 9] = [
    "area", "br", "hr", "img", "input", "link", "meta", "source", "wbr",
];
/// Elements that are not shown.
const HIDDEN: [&str; 4] = ["datalist", "dialog", "template", "title"];
/// Styles whose element is not shown. White space and case do not count.
const HIDING: [&str; 5] = [
    "display:none",
    "visibility:hidden",
    "visibility:collapse",
    "font-size:0",
    "opacity:0",
];
/// Styles whose element begins no line.
const INLINE: [&str; 2] = ["display:inline", "display:contents"];
/// Styles with which a picture is hardly seen.
const TINY: [&str; 6] = [
    "width:0",
    "width:1px",
    "max-width:0",
    "height:0",
    "height:1px",
    "max-height:0",
];
/// The longest condition of a comment, and more.
const MAX_CONDITION: usize = 200;

/// Tells styles that hide something.
pub(super) fn hides(styles: &str) -> bool {
    has_any(&folded(styles), &HIDING)
}

/// Steps over marks that hold no text, from behind their `<`: an empty comment, and the start and the end of what programs
/// of one vendor show.
pub(super) fn mark(text: &str) -> Option<&str> {
    const EMPTY: [&str; 4] = ["-->", "--->", "[endif]-->", "[endif]>"];
    let inner = text.strip_prefix('!')?;
    if let Some(behind) = EMPTY.iter().find_map(|empty| inner.strip_prefix(empty)) {
        return Some(behind);
    }
    let condition = inner
        .strip_prefix("--[if")
        .or_else(|| inner.strip_prefix("[if"))?;
    let mut signs = condition.char_indices().take(MAX_CONDITION);
    let (end, _) = signs.find(|(_, c)| *c == ']')?;
    condition.get(end..)?.strip_prefix("]>")
}

/// Is how an element of a page looks.
pub(super) struct ElementStyle<'n> {
    name: &'n str,
    hidden: bool,
    inline: bool,
    tiny: bool,
}

impl<'n> ElementStyle<'n> {
    /// Begins with the element's name in lower case.
    pub(super) fn of(name: &'n str) -> Self {
        Self {
            name,
            hidden: HIDDEN.contains(&name),
            inline: false,
            tiny: false,
        }
    }

    /// Takes what an attribute says of it.
    pub(super) fn attribute(&mut self, name: &str, value: &str) {
        if name.eq_ignore_ascii_case("style") {
            let styles = folded(value);
            self.hidden |= has_any(&styles, &HIDING);
            self.inline |= has_any(&styles, &INLINE);
            self.tiny |= has_any(&styles, &TINY);
        } else if name.eq_ignore_ascii_case("width") || name.eq_ignore_ascii_case("height") {
            self.tiny |= matches!(value.trim().trim_end_matches("px"), "0" | "1");
        } else if name.eq_ignore_ascii_case("type") {
            self.hidden |= self.name == "input" && value.trim().eq_ignore_ascii_case("hidden");
        } else if name.eq_ignore_ascii_case("hidden") {
            self.hidden = true;
        }
    }

    /// Takes what attributes without a value say of it, from the text of its tag.
    pub(super) fn tag(&mut self, tag: &str) {
        // Every other piece stands in quotes.
        let bare = tag.split(['"', '\'']).step_by(2);
        let mut words =
            bare.flat_map(|piece| piece.split(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>')));
        self.hidden |= words.any(|word| word.eq_ignore_ascii_case("hidden"));
    }

    /// Tells an element that does not end the text before it.
    pub(super) fn is_seamless(&self) -> bool {
        self.hidden || self.inline || self.tiny && self.name == "img"
    }

    /// Tells an element with text that begins no line although others of its name do.
    pub(super) fn is_inline(&self) -> bool {
        self.inline && !self.hidden && !self.is_void()
    }

    /// Tells an element with text that is not shown.
    pub(super) fn is_aside(&self) -> bool {
        self.hidden && !self.is_void()
    }

    fn is_void(&self) -> bool {
        VOID.contains(&self.name)
    }
}

/// Brings styles into one form.
fn folded(styles: &str) -> String {
    let seen = styles.chars().filter(|c| !c.is_whitespace());
    seen.map(|c| c.to_ascii_lowercase()).collect()
}

/// Tells whether one of these styles is there. A nought may go on with a fraction that is more than nothing.
fn has_any(styles: &str, wanted: &[&str]) -> bool {
    wanted.iter().any(|wanted| {
        styles.match_indices(wanted).any(|(at, found)| {
            let before = styles.get(..at).unwrap_or_default();
            if before.ends_with(|c: char| c.is_alphanumeric() || c == '-') {
                return false;
            }
            let behind = styles.get(at + found.len()..).unwrap_or_default();
            let fraction = behind.strip_prefix('.').filter(|_| found.ends_with('0'));
            fraction.is_none_or(|digits| digits.starts_with(['0', '1']))
        })
    })
}
