//! Cuts texts into words, for all that compares them with lists of words.

/// Returns the words of a text as lists have them, in lower case and without accents: what stands between characters
/// that are no letters and no digits.
pub(crate) fn words(text: &str) -> Vec<String> {
    plain(&text.to_lowercase())
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Takes the accents off the Latin letters of a text in lower case: `responsável técnico` becomes `responsavel tecnico`.
/// Letters of other scripts stay as they are.
pub fn plain(text: &str) -> String {
    text.chars()
        .filter(|letter| !matches!(letter, '\u{300}'..='\u{36f}'))
        .map(base)
        .collect()
}

/// Returns the letter below the accents of a small Latin letter.
fn base(letter: char) -> char {
    match letter {
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ǎ' => 'a',
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => 'c',
        'ď' | 'đ' => 'd',
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => 'e',
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => 'g',
        'ĥ' | 'ħ' => 'h',
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => 'i',
        'ĵ' => 'j',
        'ķ' => 'k',
        'ĺ' | 'ļ' | 'ľ' | 'ł' => 'l',
        'ñ' | 'ń' | 'ņ' | 'ň' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => 'o',
        'ŕ' | 'ř' => 'r',
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => 's',
        'ţ' | 'ť' | 'ț' => 't',
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => 'u',
        'ŵ' => 'w',
        'ý' | 'ÿ' | 'ŷ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        'ё' => 'е',
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_are_taken_off_latin_letters_alone() {
        for (text, expected) in [
            ("responsável técnico", "responsavel tecnico"),
            ("contacto te\u{301}cnico", "contacto tecnico"),
            ("türkçe ğışİ".to_lowercase().as_str(), "turkce gisi"),
            ("příklad łódź", "priklad lodz"),
            ("登録者名 владелец", "登録者名 владелец"),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    #[test]
    fn words_have_one_form_however_they_are_written() {
        for (text, expected) in [
            ("Nicht VERÖFFENTLICHT", "nicht veroffentlicht"),
            ("vero\u{308}ffentlicht", "veroffentlicht"),
            ("Não  divulgado.", "nao divulgado"),
            ("GİZLİ 1-2", "gizli 1 2"),
            ("Ещё", "еще"),
            ("非公開", "非公開"),
        ] {
            assert_eq!(words(text).join(" "), expected, "{text}");
        }
    }
}
