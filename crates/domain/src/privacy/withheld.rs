//! Knows how registries and registrars say, in many languages, that they withhold a value, and what stands in its place.
//!
//! All words are as [`words`](crate::words::words) gives them. The lists were written for this project from
//! public registration data and are of November 2026.

/// Words that deny what stands behind them.
const DENIALS: &[&str] = &[
    "bez", "ei", "ej", "ikke", "inte", "nao", "nem", "nicht", "nie", "niet", "no", "non", "not", "pas",
    "sans", "sem", "senza", "sin", "без", "не",
];

/// Words that may stand between.
const FILLERS: &[&str] = &[
    "be",
    "being",
    "currently",
    "e",
    "esta",
    "est",
    "for",
    "is",
    "longer",
    "offentlich",
    "publicly",
    "se",
    "sono",
    "wird",
    "yet",
];

/// Beginnings of words for what is told, in any form of the word.
const TOLD: &[&str] = &[
    "angegeben",
    "anzeig",
    "availab",
    "bekannt",
    "beschikbaar",
    "communiqu",
    "comunicad",
    "comunicat",
    "disclos",
    "displayed",
    "disponib",
    "disponivel",
    "divulg",
    "dostepn",
    "dostupn",
    "fornecid",
    "fornit",
    "gepubliceerd",
    "indique",
    "informad",
    "julkais",
    "mostrad",
    "nyilvanos",
    "oeffentlich",
    "offentlig",
    "offentlich",
    "openbaar",
    "oplyst",
    "oppgitt",
    "provided",
    "pubblic",
    "public",
    "publie",
    "publik",
    "publish",
    "renseign",
    "revelad",
    "revele",
    "shown",
    "sichtbar",
    "specified",
    "tilgaengelig",
    "tilgængelig",
    "tillganglig",
    "udostepn",
    "ujawn",
    "uppgiv",
    "verfuegbar",
    "verfugbar",
    "veroeffentlich",
    "veroffentlich",
    "visibile",
    "vrijgegeven",
    "weergegeven",
    "zichtbaar",
    "zverejn",
    "доступ",
    "опубликов",
    "предостав",
    "публик",
    "раскр",
    "указан",
];

/// Beginnings of words that say that a value is hidden.
const HIDDEN: &[&str] = &[
    "anonim",
    "anonym",
    "ausgeblendet",
    "conceal",
    "confidencial",
    "confidenti",
    "escondid",
    "gdpr",
    "geheim",
    "geschuetzt",
    "geschutzt",
    "geschwaerzt",
    "geschwarzt",
    "gizlen",
    "gizli",
    "hidden",
    "masked",
    "masque",
    "nascost",
    "obfuscat",
    "ocult",
    "oscurat",
    "protegid",
    "protege",
    "protett",
    "redact",
    "riservat",
    "skjult",
    "skryt",
    "ukryt",
    "unkenntlich",
    "verborgen",
    "versteckt",
    "vertraulich",
    "withheld",
    "защищен",
    "конфиденциал",
    "обезлич",
    "скрыт",
];

/// Words that stand beside those, and say of what and why.
const BESIDE: &[&str] = &[
    "a",
    "and",
    "aus",
    "bilgi",
    "bilgisi",
    "by",
    "contact",
    "da",
    "dados",
    "dane",
    "data",
    "dati",
    "daten",
    "datenschutz",
    "datenschutzgruenden",
    "datenschutzgrunden",
    "datos",
    "de",
    "des",
    "di",
    "die",
    "do",
    "domain",
    "donnees",
    "dsgvo",
    "du",
    "due",
    "durch",
    "e",
    "est",
    "et",
    "for",
    "gegevens",
    "grunden",
    "gruenden",
    "holder",
    "in",
    "info",
    "informacion",
    "informacoes",
    "information",
    "informationen",
    "informations",
    "informazioni",
    "is",
    "la",
    "law",
    "le",
    "les",
    "motivi",
    "name",
    "of",
    "owner",
    "par",
    "per",
    "person",
    "personal",
    "personali",
    "personales",
    "personenbezogene",
    "personnelles",
    "pessoais",
    "por",
    "privacidad",
    "privacidade",
    "privacy",
    "reasons",
    "registrant",
    "request",
    "rgpd",
    "sind",
    "sont",
    "sono",
    "son",
    "the",
    "to",
    "udaje",
    "upon",
    "wegen",
    "данные",
    "информация",
    "личные",
    "персональные",
    "org",
    "organisation",
    "organization",
];

/// Words that a withheld value is told by, where they are all of it.
const WHOLE: &[&str] = &[
    "informacion privada",
    "particulier",
    "personne privee",
    "persona privada",
    "privado",
    "privat",
    "privatperson",
    "privato",
    "prive",
    "tbd",
    "частное лицо",
    "个人",
    "个人隐私",
    "個人",
    "個人情報",
    "保密",
    "匿名",
    "秘密",
    "私人",
    "隐私",
    "隱私",
    "개인",
    "비밀",
];

/// What only withheld values hold, in writing systems without spaces between words.
const WITHIN: &[&str] = &[
    "不公开",
    "不公開",
    "個人情報保護",
    "未公开",
    "未公開",
    "非公开",
    "非公開",
    "隐私保护",
    "隐私服务",
    "隱私保護",
    "隱私服務",
    "비공개",
];

/// Names of fields, which some registrars write where a field has no value.
const FIELDS: &[&str] = &[
    "address",
    "city",
    "company name",
    "country",
    "country code",
    "domain name",
    "e mail",
    "email",
    "email address",
    "fax",
    "fax ext",
    "fax number",
    "first name",
    "full name",
    "last name",
    "mail",
    "mobile phone",
    "name",
    "organisation",
    "organization",
    "phone",
    "phone ext",
    "phone number",
    "postal code",
    "province",
    "state",
    "state province",
    "street",
    "street address",
    "telephone",
    "telephone number",
    "zip",
    "zip code",
];

/// Words that stand before them.
const OF_FIELDS: &[&str] = &[
    "admin",
    "administrative",
    "billing",
    "contact",
    "holder",
    "owner",
    "registrant",
    "tech",
    "technical",
];

/// How many words are looked at for the name of a field.
const MOST_OF_FIELD: usize = 4;

/// Tells whether words say that a value is withheld, or that there is none.
pub(super) fn is_withheld(words: &[String]) -> bool {
    let begins = |word: &str, list: &[&str]| list.iter().any(|start| word.starts_with(start));
    let denied = words.iter().enumerate().any(|(at, word)| {
        let mut behind = words
            .iter()
            .skip(at + 1)
            .skip_while(|word| FILLERS.contains(&word.as_str()) && !begins(word, TOLD));
        DENIALS.contains(&word.as_str()) && behind.next().is_some_and(|word| begins(word, TOLD))
    });
    let hidden = words.iter().any(|word| begins(word, HIDDEN))
        && words
            .iter()
            .all(|word| begins(word, HIDDEN) || BESIDE.contains(&word.as_str()));
    let within = words
        .iter()
        .any(|word| WITHIN.iter().any(|part| word.contains(part)));
    denied || hidden || within || WHOLE.contains(&words.join(" ").as_str()) || is_field(words)
}

/// Tells whether words are the name of a field: `Registrant Name`.
fn is_field(words: &[String]) -> bool {
    let name = words.iter().skip_while(|word| OF_FIELDS.contains(&word.as_str()));
    let name: Vec<&str> = name.take(MOST_OF_FIELD).map(String::as_str).collect();
    FIELDS.contains(&name.join(" ").as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::words;

    #[test]
    fn lists_can_match() {
        let lists = [
            DENIALS, FILLERS, TOLD, HIDDEN, BESIDE, WHOLE, FIELDS, OF_FIELDS, WITHIN,
        ];
        for text in lists.into_iter().flatten() {
            assert_eq!(words(text).join(" "), *text);
        }
    }
}
