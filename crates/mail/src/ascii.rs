//! Tells texts of ASCII that read the same in the charset that they are said to have, known or not.

/// Signs with which a charset of seven bits shifts to other characters: the escapes of ISO 2022.
const SHIFTS: [u8; 3] = [0x0e, 0x0f, 0x1b];

/// Tells whether a text is ASCII, and its charset, by its name, reads it as that. Nearly all charsets do where nothing
/// shifts to other characters.
pub(super) fn reads_as_ascii(content: &[u8], charset: &str) -> bool {
    let name = folded(charset);
    let is_plain = |b: &u8| b.is_ascii() && *b != 0 && !SHIFTS.contains(b);
    if !content.iter().all(is_plain) {
        return false;
    }
    let holds = |sign: u8| content.contains(&sign);
    if name.contains("utf7") {
        return !holds(b'+') && !holds(b'&');
    }
    // Those of several octets a character.
    let is_wide = ["utf16", "utf32", "ucs2", "ucs4"]
        .iter()
        .any(|wide| name.contains(wide));
    // Brackets of a tilde hold Chinese.
    let is_bracketed = name.starts_with("hz") && content.windows(2).any(|pair| pair == b"~{");
    !is_wide && !is_bracketed
}

/// Tells charsets whose decoder gives nothing.
pub(super) fn is_replaced(charset: &str) -> bool {
    let name = folded(charset);
    name.starts_with("iso2022cn")
        || ["iso2022kr", "csiso2022kr", "hzgb2312", "replacement"].contains(&name.as_str())
}

/// Brings the name of a charset into one form.
fn folded(charset: &str) -> String {
    let letters = charset.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_lowercase()).collect()
}
