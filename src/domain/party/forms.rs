//! Knows how the names of organizations look: the legal forms of companies, and words for institutions.
//!
//! The lists were written for this project from public company law and registration data and are of November 2026.

/// Legal forms, without dots and spaces, that mean nothing else wherever they end a name.
const FORMS: &[&str] = &[
    "aktiebolag",
    "aktiengesellschaft",
    "aktieselskab",
    "anpartsselskab",
    "bhd",
    "bvba",
    "cjsc",
    "coltd",
    "corp",
    "corporation",
    "cvba",
    "doo",
    "dooel",
    "eingetragenerverein",
    "eireli",
    "eood",
    "eurl",
    "fzc",
    "fze",
    "fzco",
    "fzllc",
    "gbr",
    "gesellschaftmbh",
    "gesmbh",
    "ggmbh",
    "gmbh",
    "gmbhcokg",
    "gmbhcokgaa",
    "gmbhcoohg",
    "inc",
    "incorporated",
    "jsc",
    "kabushikikaisha",
    "kdd",
    "kft",
    "kgaa",
    "lda",
    "ldaunipessoal",
    "limited",
    "limitada",
    "limitedcompany",
    "limitedliabilitycompany",
    "llc",
    "llp",
    "lllp",
    "ltd",
    "ltda",
    "ltdco",
    "ltdme",
    "ltée",
    "ltdşti",
    "ltdsti",
    "mbh",
    "nyrt",
    "ohg",
    "ojsc",
    "ood",
    "osakeyhtiö",
    "oü",
    "oyj",
    "oyab",
    "pjsc",
    "plc",
    "pllc",
    "pte",
    "pteltd",
    "pty",
    "ptyltd",
    "pvtltd",
    "sabdecv",
    "sadecv",
    "saoc",
    "saog",
    "sapidecv",
    "sarl",
    "sàrl",
    "sasu",
    "scarl",
    "scpa",
    "scrl",
    "sderldecv",
    "sdrlcv",
    "sdnbhd",
    "sicav",
    "societàperazioni",
    "sociedadanonima",
    "sociedadanónima",
    "sociétéanonyme",
    "spolsro",
    "sprl",
    "spzoo",
    "spzook",
    "srl",
    "srls",
    "sro",
    "ssrl",
    "tbk",
    "uab",
    "ug",
    "ughaftungsbeschränkt",
    "unipessoallda",
    "wll",
    "zoo",
    "zrt",
    "şti",
    "aş",
    "ооо",
    "оао",
    "зао",
    "пао",
    "тов",
    "αε",
    "επε",
    "ικε",
    "баохк",
    "еоод",
    "ад",
    "оод",
    "еад",
];

/// Legal forms that are also names or words: they count in capitals, with dots or signs, or as they are always written.
const SHORT: &[&str] = &[
    "ab", "ad", "ae", "ag", "ao", "aps", "as", "asa", "bt", "bv", "cv", "dd", "ead", "eg", "ehf", "ev", "ek",
    "gk", "hf", "ik", "ipk", "is", "kg", "kk", "kgs", "ks", "lp", "me", "nv", "oe", "oy", "pp", "sa", "sas",
    "sau", "sca", "sci", "sc", "scs", "se", "sl", "slu", "slne", "snc", "spa", "sia", "vof", "vos", "yk",
    "zs",
];

/// Short forms as they are written with small letters.
const WRITTEN: &[&str] = &["Ab", "ApS", "Bt", "Bv", "Nv", "Oy", "SpA", "Sp.k", "ehf", "hf"];

/// Legal forms that stand in front of a name, in any case.
const LEADING: &[&str] = &[
    "fundacja",
    "fundación",
    "fundacion",
    "gmbh",
    "kabushiki",
    "oao",
    "ooo",
    "oü",
    "pao",
    "sarl",
    "stichting",
    "stiftung",
    "too",
    "tov",
    "uab",
    "zao",
    "ооо",
    "оао",
    "зао",
    "пао",
    "ао",
    "тоо",
    "тов",
    "чп",
    "фоп",
];

/// Legal forms that stand in front of a name, in capitals.
const LEADING_CAPITALS: &[&str] = &[
    "AB", "AO", "AS", "CV", "MB", "OY", "PT", "SA", "SAS", "SIA", "UAB", "VšĮ",
];

/// Forms and words of writing systems without spaces between words.
const WITHIN: &[&str] = &[
    "株式会社",
    "有限会社",
    "合同会社",
    "合資会社",
    "財団法人",
    "社団法人",
    "学校法人",
    "大学",
    "有限公司",
    "股份",
    "公司",
    "集团",
    "集團",
    "研究所",
    "주식회사",
    "(주)",
    "㈜",
    "유한회사",
    "대학교",
];

/// Words that only organizations carry.
const INSTITUTIONS: &[&str] = &[
    "academy",
    "communications",
    "computer",
    "computers",
    "computing",
    "consultants",
    "consulting",
    "datacenter",
    "electronics",
    "hosting",
    "industries",
    "insurance",
    "international",
    "internet",
    "investments",
    "logistics",
    "marketing",
    "media",
    "network",
    "networks",
    "partners",
    "productions",
    "publishing",
    "services",
    "software",
    "studios",
    "systems",
    "technology",
    "ventures",
    "verlag",
    "group",
    "groupe",
    "gruppe",
    "company",
    "entertainment",
    "agency",
    "akademie",
    "asociación",
    "asociacion",
    "associação",
    "association",
    "associates",
    "associazione",
    "authority",
    "college",
    "comité",
    "commission",
    "committee",
    "consortium",
    "cooperative",
    "council",
    "enterprises",
    "federation",
    "foundation",
    "fundação",
    "gesellschaft",
    "gobierno",
    "government",
    "holding",
    "holdings",
    "hospital",
    "hochschule",
    "institut",
    "institute",
    "institution",
    "instituto",
    "istituto",
    "laboratories",
    "ministry",
    "ministère",
    "ministerio",
    "ministerium",
    "municipality",
    "museum",
    "organisation",
    "organization",
    "parliament",
    "partnership",
    "solutions",
    "technologies",
    "telecom",
    "telecommunications",
    "telekom",
    "universidad",
    "universidade",
    "universitat",
    "universität",
    "universitet",
    "universiteit",
    "university",
    "università",
    "université",
    "verein",
    "vereniging",
];

/// Words that organizations carry, and that people can be called by as well.
const LIKELY: &[&str] = &[
    "bank",
    "capital",
    "center",
    "centre",
    "church",
    "clinic",
    "club",
    "data",
    "design",
    "digital",
    "energy",
    "engineering",
    "finance",
    "global",
    "health",
    "hotel",
    "hotels",
    "interactive",
    "labs",
    "library",
    "management",
    "office",
    "online",
    "press",
    "project",
    "research",
    "school",
    "security",
    "service",
    "shop",
    "society",
    "store",
    "studio",
    "supply",
    "tech",
    "trade",
    "trading",
    "travel",
    "trust",
    "union",
    "web",
    "wireless",
    "works",
];

/// Forms that count anywhere behind the first word: `Example GmbH & Co. Hosting`.
const ANYWHERE: &[&str] = &[
    "corp",
    "corporation",
    "doo",
    "gmbh",
    "inc",
    "incorporated",
    "limited",
    "llc",
    "llp",
    "ltd",
    "ltda",
    "plc",
    "sarl",
    "srl",
    "sro",
];

/// How many words of a name can make up its form.
const LONGEST: usize = 5;

/// Returns a word without the signs around it.
fn bare(word: &str) -> &str {
    word.trim_matches(|letter: char| "\"'“”„«»(),;".contains(letter))
}

/// Returns a word as forms are listed: in lower case, without dots and dashes.
fn normal(word: &str) -> String {
    bare(word)
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn words(text: &str) -> Vec<&str> {
    text.split([' ', ','])
        .map(bare)
        .filter(|word| !word.is_empty())
        .collect()
}

/// Tells whether a name carries the legal form of a company.
pub(super) fn is_company(text: &str) -> bool {
    if WITHIN.iter().any(|form| text.contains(form)) {
        return true;
    }
    let words = words(text);
    let [first, .., last] = words.as_slice() else {
        return false;
    };
    let normals: Vec<String> = words.iter().map(|word| normal(word)).collect();
    let ends = (1..=LONGEST.min(words.len() - 1)).any(|count| {
        let end: String = normals
            .iter()
            .skip(words.len() - count)
            .map(String::as_str)
            .collect();
        FORMS.contains(&end.as_str()) || count > 1 && SHORT.contains(&end.as_str()) && is_spelt(&words, count)
    });
    let short = |word: &str| SHORT.contains(&normal(word).as_str()) && is_written_as_form(word);
    let leads = LEADING.contains(&normal(first).as_str()) || LEADING_CAPITALS.contains(first);
    let within = normals
        .iter()
        .skip(1)
        .any(|word| ANYWHERE.contains(&word.as_str()));
    ends || short(last) || leads || within || ends_in_co(&words)
}

/// Tells whether words are a legal form, and nothing else.
pub(super) fn is_form(words: &[&str]) -> bool {
    let form: String = words.iter().map(|word| normal(word)).collect();
    FORMS.contains(&form.as_str()) || SHORT.contains(&form.as_str())
}

/// Tells whether the last words are the letters of a form one by one, as in "S. A.".
fn is_spelt(words: &[&str], count: usize) -> bool {
    words
        .iter()
        .skip(words.len().saturating_sub(count))
        .all(|word| word.chars().count() <= 2 && word.ends_with('.'))
}

fn is_written_as_form(word: &str) -> bool {
    let signed =
        word.contains(['.', '/']) && word.chars().filter(|letter| letter.is_alphabetic()).count() > 1;
    let capitals = word
        .chars()
        .all(|letter| letter.is_uppercase() || !letter.is_alphabetic());
    signed || capitals || WRITTEN.contains(&word)
}

/// Reads "Co." and "& Co", which is a surname without either sign.
fn ends_in_co(words: &[&str]) -> bool {
    let [.., before, last] = words else { return false };
    let normal = normal(last);
    let co = matches!(normal.as_str(), "co" | "cie" | "company");
    co && (last.ends_with('.')
        || matches!(*before, "&" | "and" | "et" | "und" | "y" | "e")
        || normal == "company")
}

/// Tells whether a name carries a word that only organizations carry.
pub(super) fn is_institution(text: &str) -> bool {
    words(text)
        .iter()
        .any(|word| INSTITUTIONS.contains(&normal(word).as_str()))
}

/// Tells whether a name is rather an organization's, where nothing else says so.
pub(super) fn is_likely_organization(text: &str) -> bool {
    let signs = text.contains(['&', '+', '/']) || text.chars().any(|letter| letter.is_ascii_digit());
    signs
        || words(text)
            .iter()
            .any(|word| LIKELY.contains(&normal(word).as_str()))
}
