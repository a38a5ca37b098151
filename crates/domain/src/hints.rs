//! Says which name was meant, where one is not known.

/// Says `did you mean "x"?` for the nearest of the names that could have been meant, or nothing.
#[must_use]
pub fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let given = given.to_ascii_lowercase();
    let near = known
        .into_iter()
        .map(|name| (distance(&given, &name.to_ascii_lowercase()), name))
        .min_by_key(|(distance, _)| *distance);
    match near {
        Some((distance, name)) if distance <= 1 + given.chars().count() / 4 => {
            format!(", did you mean \"{name}\"?")
        }
        _ => String::new(),
    }
}

/// Says which names there are, if they are few enough to read.
#[must_use]
pub fn expected_of<'a>(given: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let hint = did_you_mean(given, known.clone());
    if !hint.is_empty() {
        return hint;
    }
    let names: Vec<_> = known.into_iter().collect();
    if names.is_empty() || names.len() > 40 {
        return String::new();
    }
    format!(", expected one of {}", names.join(", "))
}

/// Counts the edits between two words, a swap of neighbours being one.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().take(64).collect(), to.chars().take(64).collect());
    let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX - 1);
    let mut older: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let change = at(&above, j) + usize::from(a != b);
            let mut best = change.min(at(&above, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && from.get(i - 1) == Some(b) && to.get(j - 1) == Some(a);
            if swapped {
                best = best.min(at(&older, j - 1) + 1);
            }
            row.push(best);
        }
        older = std::mem::replace(&mut above, row);
    }
    at(&above, to.len())
}
