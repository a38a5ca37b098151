//! Reads what a Maltego client gives a local transform behind the value: the entity's properties as one argument,
//! `fqdn=example.com#whois-info=`.

use std::collections::BTreeMap;

/// Reads the properties; `None` where the text is none of such.
///
/// The client escapes `\`, `#` and `=` with a backslash. Others do not, so that a part without `=` goes on with the
/// value before it, and further `=` belong to the value. Empty values are left out.
pub(super) fn properties(text: &str) -> Option<BTreeMap<String, String>> {
    let found = pairs(text)?;
    let known = found.iter().all(|(name, _)| is_name(name));
    known.then(|| with_values(found))
}

/// Reads the properties that a client gives a local transform, where a text can be nothing else: what has no name that could be
/// a property's is left out, and costs no other.
pub(super) fn readable(text: &str) -> BTreeMap<String, String> {
    // What stands before the first `=` belongs to no property.
    let found = pairs(text).or_else(|| pairs(text.split_once('#')?.1));
    with_values(
        found
            .unwrap_or_default()
            .into_iter()
            .filter(|(name, _)| !name.trim().is_empty()),
    )
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(char::is_whitespace) && !name.contains("://")
}

/// Leaves out those without a value.
fn with_values(found: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let found = found.into_iter();
    found.filter(|(_, value)| !value.trim().is_empty()).collect()
}

/// Takes a text apart; `None` where it begins with no pair.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let mut pairs: Vec<(String, Option<String>)> = vec![(String::new(), None)];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let escaped = c == '\\';
        let c = if escaped { chars.next().unwrap_or(c) } else { c };
        let (name, value) = pairs.last_mut()?;
        match (c, value) {
            ('#', _) if !escaped => pairs.push((String::new(), None)),
            ('=', value @ None) if !escaped => *value = Some(String::new()),
            (c, Some(value)) => value.push(c),
            (c, None) => name.push(c),
        }
    }
    let mut found: Vec<(String, String)> = Vec::new();
    for (name, value) in pairs {
        match (value, found.last_mut()) {
            (Some(value), _) => found.push((name, value)),
            (None, Some((_, before))) => {
                before.push('#');
                before.push_str(&name);
            }
            (None, None) => return None,
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<Vec<(String, String)>> {
        properties(text).map(|found| found.into_iter().collect())
    }

    fn pairs(given: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Some(given.iter().map(own).collect())
    }

    #[test]
    fn properties_are_read_as_clients_write_them() {
        assert_eq!(
            read("fqdn=www.example.org#whois-info="),
            pairs(&[("fqdn", "www.example.org")])
        );
        assert_eq!(
            read(r"a=1\=2\#3\\#b=x=y#z"),
            pairs(&[("a", r"1=2#3\"), ("b", "x=y#z")])
        );
        assert_eq!(
            read("url=http://example.org/?a=b"),
            pairs(&[("url", "http://example.org/?a=b")])
        );
        let lossy = |text: &str| readable(text).into_iter().collect::<Vec<_>>();
        for (text, expected) in [
            (
                "fqdn=example.com#Some Field=x",
                &[("Some Field", "x"), ("fqdn", "example.com")][..],
            ),
            ("noeq#fqdn=example.com", &[("fqdn", "example.com")]),
            (
                "http://x=y#fqdn=example.com",
                &[("fqdn", "example.com"), ("http://x", "y")],
            ),
            ("=x#fqdn=example.com", &[("fqdn", "example.com")]),
            ("#", &[]),
            ("=x", &[]),
            ("", &[]),
        ] {
            assert_eq!(Some(lossy(text)), pairs(expected), "{text}");
        }
        for none in [
            "",
            "www.example.org",
            "http://example.org/?a=b",
            "two words=x",
            "=x",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn what_a_client_escapes_comes_back(
            given in prop::collection::btree_map("[a-z.-]{1,9}", "[^ \t\n\r][ -~]{0,9}x", 1..5),
        ) {
            let escaped = |text: &str| text.replace('\\', "\\\\").replace('#', "\\#").replace('=', "\\=");
            let parts: Vec<String> = given
                .iter()
                .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
                .collect();
            prop_assert_eq!(properties(&parts.join("#")), Some(given));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = properties(&text);
            let _ = readable(&text);
        }
    }
}
