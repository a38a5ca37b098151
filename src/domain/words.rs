//! Cuts texts into words, for all that compares them with lists of words.

/// Returns the words of a text in lower case: what stands between characters that are no letters and no digits.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}
