//! Knows countries by the codes of ISO 3166-1, by their English short names, and by their calling codes (ITU-T E.164).
//!
//! Written for the project, of November 2026. A country or territory without a calling code of its own has none here.

/// Holds one country: code, calling code, name, and other names that registries write.
#[derive(Debug, PartialEq, Eq)]
pub struct Country {
    /// Two letters, upper case (ISO 3166-1 alpha-2).
    pub code: &'static str,
    /// Calling code without `+`; empty where there is none of its own.
    pub calling: &'static str,
    /// English short name as people write it.
    pub name: &'static str,
    others: &'static [&'static str],
}

impl Country {
    /// Finds a country by its code or by one of its names, in any case of letters.
    #[must_use]
    pub fn find(text: &str) -> Option<&'static Self> {
        let text = text.trim();
        let is = |name: &str| name.eq_ignore_ascii_case(text);
        if text.len() == 2 {
            return COUNTRIES
                .iter()
                .find(|country| is(country.code) || country.others.iter().any(|name| is(name)));
        }
        COUNTRIES
            .iter()
            .find(|country| is(country.name) || country.others.iter().any(|name| is(name)))
    }
}

const fn country(code: &'static str, calling: &'static str, name: &'static str) -> Country {
    named(code, calling, name, &[])
}

const fn named(
    code: &'static str,
    calling: &'static str,
    name: &'static str,
    others: &'static [&'static str],
) -> Country {
    Country {
        code,
        calling,
        name,
        others,
    }
}

#[rustfmt::skip]
static COUNTRIES: &[Country] = &[
    country("AD", "376", "Andorra"),
    named("AE", "971", "United Arab Emirates", &["UAE"]),
    country("AF", "93", "Afghanistan"),
    country("AG", "1", "Antigua and Barbuda"),
    country("AI", "1", "Anguilla"),
    country("AL", "355", "Albania"),
    country("AM", "374", "Armenia"),
    country("AO", "244", "Angola"),
    country("AQ", "", "Antarctica"),
    country("AR", "54", "Argentina"),
    country("AS", "1", "American Samoa"),
    country("AT", "43", "Austria"),
    country("AU", "61", "Australia"),
    country("AW", "297", "Aruba"),
    named("AX", "358", "Åland Islands", &["Aland Islands"]),
    country("AZ", "994", "Azerbaijan"),
    named("BA", "387", "Bosnia and Herzegovina", &["Bosnia"]),
    country("BB", "1", "Barbados"),
    country("BD", "880", "Bangladesh"),
    country("BE", "32", "Belgium"),
    country("BF", "226", "Burkina Faso"),
    country("BG", "359", "Bulgaria"),
    country("BH", "973", "Bahrain"),
    country("BI", "257", "Burundi"),
    country("BJ", "229", "Benin"),
    named("BL", "590", "Saint Barthélemy", &["Saint Barthelemy"]),
    country("BM", "1", "Bermuda"),
    named("BN", "673", "Brunei", &["Brunei Darussalam"]),
    named("BO", "591", "Bolivia", &["Bolivia, Plurinational State of", "Bolivia (Plurinational State of)"]),
    country("BQ", "599", "Bonaire, Sint Eustatius and Saba"),
    country("BR", "55", "Brazil"),
    named("BS", "1", "Bahamas", &["The Bahamas"]),
    country("BT", "975", "Bhutan"),
    country("BV", "", "Bouvet Island"),
    country("BW", "267", "Botswana"),
    country("BY", "375", "Belarus"),
    country("BZ", "501", "Belize"),
    country("CA", "1", "Canada"),
    named("CC", "61", "Cocos (Keeling) Islands", &["Cocos Islands"]),
    named("CD", "243", "DR Congo", &["Congo, Democratic Republic of the", "Congo, The Democratic Republic of the", "Democratic Republic of the Congo"]),
    country("CF", "236", "Central African Republic"),
    named("CG", "242", "Congo", &["Republic of the Congo"]),
    country("CH", "41", "Switzerland"),
    named("CI", "225", "Côte d'Ivoire", &["Cote d'Ivoire", "Ivory Coast"]),
    country("CK", "682", "Cook Islands"),
    country("CL", "56", "Chile"),
    country("CM", "237", "Cameroon"),
    named("CN", "86", "China", &["People's Republic of China", "P.R. China", "PRC"]),
    country("CO", "57", "Colombia"),
    country("CR", "506", "Costa Rica"),
    country("CU", "53", "Cuba"),
    named("CV", "238", "Cabo Verde", &["Cape Verde"]),
    named("CW", "599", "Curaçao", &["Curacao"]),
    country("CX", "61", "Christmas Island"),
    country("CY", "357", "Cyprus"),
    named("CZ", "420", "Czechia", &["Czech Republic"]),
    named("DE", "49", "Germany", &["Federal Republic of Germany"]),
    country("DJ", "253", "Djibouti"),
    country("DK", "45", "Denmark"),
    country("DM", "1", "Dominica"),
    country("DO", "1", "Dominican Republic"),
    country("DZ", "213", "Algeria"),
    country("EC", "593", "Ecuador"),
    country("EE", "372", "Estonia"),
    country("EG", "20", "Egypt"),
    country("EH", "212", "Western Sahara"),
    country("ER", "291", "Eritrea"),
    country("ES", "34", "Spain"),
    country("ET", "251", "Ethiopia"),
    country("FI", "358", "Finland"),
    country("FJ", "679", "Fiji"),
    named("FK", "500", "Falkland Islands", &["Falkland Islands (Malvinas)"]),
    named("FM", "691", "Micronesia", &["Micronesia, Federated States of", "Micronesia (Federated States of)"]),
    country("FO", "298", "Faroe Islands"),
    country("FR", "33", "France"),
    country("GA", "241", "Gabon"),
    named("GB", "44", "United Kingdom", &["UK", "Great Britain", "United Kingdom of Great Britain and Northern Ireland", "England"]),
    country("GD", "1", "Grenada"),
    country("GE", "995", "Georgia"),
    country("GF", "594", "French Guiana"),
    country("GG", "44", "Guernsey"),
    country("GH", "233", "Ghana"),
    country("GI", "350", "Gibraltar"),
    country("GL", "299", "Greenland"),
    named("GM", "220", "Gambia", &["The Gambia"]),
    country("GN", "224", "Guinea"),
    country("GP", "590", "Guadeloupe"),
    country("GQ", "240", "Equatorial Guinea"),
    country("GR", "30", "Greece"),
    country("GS", "500", "South Georgia and the South Sandwich Islands"),
    country("GT", "502", "Guatemala"),
    country("GU", "1", "Guam"),
    country("GW", "245", "Guinea-Bissau"),
    country("GY", "592", "Guyana"),
    named("HK", "852", "Hong Kong", &["Hong Kong SAR", "Hong Kong SAR China"]),
    country("HM", "", "Heard Island and McDonald Islands"),
    country("HN", "504", "Honduras"),
    country("HR", "385", "Croatia"),
    country("HT", "509", "Haiti"),
    country("HU", "36", "Hungary"),
    country("ID", "62", "Indonesia"),
    named("IE", "353", "Ireland", &["Republic of Ireland"]),
    country("IL", "972", "Israel"),
    country("IM", "44", "Isle of Man"),
    country("IN", "91", "India"),
    country("IO", "246", "British Indian Ocean Territory"),
    country("IQ", "964", "Iraq"),
    named("IR", "98", "Iran", &["Iran, Islamic Republic of", "Iran (Islamic Republic of)", "Islamic Republic of Iran"]),
    country("IS", "354", "Iceland"),
    country("IT", "39", "Italy"),
    country("JE", "44", "Jersey"),
    country("JM", "1", "Jamaica"),
    country("JO", "962", "Jordan"),
    country("JP", "81", "Japan"),
    country("KE", "254", "Kenya"),
    country("KG", "996", "Kyrgyzstan"),
    country("KH", "855", "Cambodia"),
    country("KI", "686", "Kiribati"),
    country("KM", "269", "Comoros"),
    country("KN", "1", "Saint Kitts and Nevis"),
    named("KP", "850", "North Korea", &["Korea, Democratic People's Republic of", "Korea (Democratic People's Republic of)"]),
    named("KR", "82", "South Korea", &["Korea, Republic of", "Republic of Korea", "Korea (Republic of)"]),
    country("KW", "965", "Kuwait"),
    country("KY", "1", "Cayman Islands"),
    country("KZ", "7", "Kazakhstan"),
    named("LA", "856", "Laos", &["Lao People's Democratic Republic"]),
    country("LB", "961", "Lebanon"),
    country("LC", "1", "Saint Lucia"),
    country("LI", "423", "Liechtenstein"),
    country("LK", "94", "Sri Lanka"),
    country("LR", "231", "Liberia"),
    country("LS", "266", "Lesotho"),
    country("LT", "370", "Lithuania"),
    country("LU", "352", "Luxembourg"),
    country("LV", "371", "Latvia"),
    country("LY", "218", "Libya"),
    country("MA", "212", "Morocco"),
    country("MC", "377", "Monaco"),
    named("MD", "373", "Moldova", &["Moldova, Republic of", "Republic of Moldova"]),
    country("ME", "382", "Montenegro"),
    named("MF", "590", "Saint Martin", &["Saint Martin (French part)"]),
    country("MG", "261", "Madagascar"),
    country("MH", "692", "Marshall Islands"),
    named("MK", "389", "North Macedonia", &["Macedonia", "Macedonia, the former Yugoslav Republic of"]),
    country("ML", "223", "Mali"),
    named("MM", "95", "Myanmar", &["Burma"]),
    country("MN", "976", "Mongolia"),
    named("MO", "853", "Macao", &["Macau"]),
    country("MP", "1", "Northern Mariana Islands"),
    country("MQ", "596", "Martinique"),
    country("MR", "222", "Mauritania"),
    country("MS", "1", "Montserrat"),
    country("MT", "356", "Malta"),
    country("MU", "230", "Mauritius"),
    country("MV", "960", "Maldives"),
    country("MW", "265", "Malawi"),
    country("MX", "52", "Mexico"),
    country("MY", "60", "Malaysia"),
    country("MZ", "258", "Mozambique"),
    country("NA", "264", "Namibia"),
    country("NC", "687", "New Caledonia"),
    country("NE", "227", "Niger"),
    country("NF", "672", "Norfolk Island"),
    country("NG", "234", "Nigeria"),
    country("NI", "505", "Nicaragua"),
    named("NL", "31", "Netherlands", &["The Netherlands", "Netherlands (Kingdom of the)", "Netherlands, Kingdom of the", "Kingdom of the Netherlands", "Holland"]),
    country("NO", "47", "Norway"),
    country("NP", "977", "Nepal"),
    country("NR", "674", "Nauru"),
    country("NU", "683", "Niue"),
    country("NZ", "64", "New Zealand"),
    country("OM", "968", "Oman"),
    country("PA", "507", "Panama"),
    country("PE", "51", "Peru"),
    country("PF", "689", "French Polynesia"),
    country("PG", "675", "Papua New Guinea"),
    country("PH", "63", "Philippines"),
    country("PK", "92", "Pakistan"),
    country("PL", "48", "Poland"),
    country("PM", "508", "Saint Pierre and Miquelon"),
    country("PN", "64", "Pitcairn"),
    country("PR", "1", "Puerto Rico"),
    named("PS", "970", "Palestine", &["Palestine, State of", "Palestinian Territory"]),
    country("PT", "351", "Portugal"),
    country("PW", "680", "Palau"),
    country("PY", "595", "Paraguay"),
    country("QA", "974", "Qatar"),
    named("RE", "262", "Réunion", &["Reunion"]),
    country("RO", "40", "Romania"),
    country("RS", "381", "Serbia"),
    named("RU", "7", "Russia", &["Russian Federation"]),
    country("RW", "250", "Rwanda"),
    country("SA", "966", "Saudi Arabia"),
    country("SB", "677", "Solomon Islands"),
    country("SC", "248", "Seychelles"),
    country("SD", "249", "Sudan"),
    country("SE", "46", "Sweden"),
    country("SG", "65", "Singapore"),
    named("SH", "290", "Saint Helena", &["Saint Helena, Ascension and Tristan da Cunha"]),
    country("SI", "386", "Slovenia"),
    country("SJ", "47", "Svalbard and Jan Mayen"),
    named("SK", "421", "Slovakia", &["Slovak Republic"]),
    country("SL", "232", "Sierra Leone"),
    country("SM", "378", "San Marino"),
    country("SN", "221", "Senegal"),
    country("SO", "252", "Somalia"),
    country("SR", "597", "Suriname"),
    country("SS", "211", "South Sudan"),
    named("ST", "239", "São Tomé and Príncipe", &["Sao Tome and Principe"]),
    country("SV", "503", "El Salvador"),
    named("SX", "1", "Sint Maarten", &["Sint Maarten (Dutch part)"]),
    named("SY", "963", "Syria", &["Syrian Arab Republic"]),
    named("SZ", "268", "Eswatini", &["Swaziland"]),
    country("TC", "1", "Turks and Caicos Islands"),
    country("TD", "235", "Chad"),
    country("TF", "", "French Southern Territories"),
    country("TG", "228", "Togo"),
    country("TH", "66", "Thailand"),
    country("TJ", "992", "Tajikistan"),
    country("TK", "690", "Tokelau"),
    named("TL", "670", "Timor-Leste", &["East Timor"]),
    country("TM", "993", "Turkmenistan"),
    country("TN", "216", "Tunisia"),
    country("TO", "676", "Tonga"),
    named("TR", "90", "Türkiye", &["Turkey", "Turkiye"]),
    country("TT", "1", "Trinidad and Tobago"),
    country("TV", "688", "Tuvalu"),
    named("TW", "886", "Taiwan", &["Taiwan, Province of China", "Taiwan, R.O.C."]),
    named("TZ", "255", "Tanzania", &["Tanzania, United Republic of", "United Republic of Tanzania"]),
    country("UA", "380", "Ukraine"),
    country("UG", "256", "Uganda"),
    country("UM", "", "United States Minor Outlying Islands"),
    named("US", "1", "United States", &["United States of America", "USA", "U.S.A.", "U.S.", "United States of America (the)"]),
    country("UY", "598", "Uruguay"),
    country("UZ", "998", "Uzbekistan"),
    named("VA", "39", "Holy See", &["Vatican City", "Holy See (Vatican City State)"]),
    country("VC", "1", "Saint Vincent and the Grenadines"),
    named("VE", "58", "Venezuela", &["Venezuela, Bolivarian Republic of", "Venezuela (Bolivarian Republic of)"]),
    named("VG", "1", "British Virgin Islands", &["Virgin Islands, British", "Virgin Islands (British)"]),
    named("VI", "1", "U.S. Virgin Islands", &["Virgin Islands, U.S.", "Virgin Islands (U.S.)"]),
    named("VN", "84", "Vietnam", &["Viet Nam"]),
    country("VU", "678", "Vanuatu"),
    country("WF", "681", "Wallis and Futuna"),
    country("WS", "685", "Samoa"),
    country("YE", "967", "Yemen"),
    country("YT", "262", "Mayotte"),
    country("ZA", "27", "South Africa"),
    country("ZM", "260", "Zambia"),
    country("ZW", "263", "Zimbabwe"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_country_is_found_by_code_and_by_name() {
        for text in ["NL", "nl", "Netherlands", "The Netherlands", " NETHERLANDS "] {
            assert_eq!(Country::find(text).map(|found| found.code), Some("NL"), "{text}");
        }
        assert_eq!(Country::find("UK").map(|found| found.code), Some("GB"));
        assert_eq!(
            Country::find("Russian Federation").map(|found| found.code),
            Some("RU")
        );
        for text in ["", "XX", "Atlantis", "N"] {
            assert_eq!(Country::find(text), None, "{text}");
        }
    }

    #[test]
    fn no_code_and_no_name_means_two_countries() {
        let mut seen = BTreeSet::new();
        for country in COUNTRIES {
            assert!(country.code.len() == 2 && country.code.bytes().all(|byte| byte.is_ascii_uppercase()));
            assert!(country.calling.len() <= 3 && country.calling.bytes().all(|byte| byte.is_ascii_digit()));
            let names = [country.code, country.name];
            for name in names.iter().chain(country.others) {
                assert!(seen.insert(name.to_lowercase()), "{name} stands twice");
            }
        }
        // ISO 3166-1 has 249 entries.
        assert_eq!(COUNTRIES.len(), 249);
    }
}
