//! Reads contacts from the layouts of raw whois records.
#![expect(clippy::disallowed_methods, reason = "the tests read fixtures")]

mod headings;
mod old;
mod registries;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::Value;

use crate::testing;
use pivotd_domain::Record;
use pivotd_domain::party::{Label, Party};
use pivotd_domain::schemas::CONTACT;

fn read(record: &str) -> Vec<String> {
    super::contacts(record)
        .iter()
        .map(|contact| {
            let fields: Vec<String> = contact
                .iter()
                .map(|(name, value)| format!("{name}={}", value.text().unwrap()))
                .collect();
            fields.join(" | ")
        })
        .collect()
}

/// Lists the records that are kept for this, with what is read of each.
fn corpus() -> Vec<(PathBuf, String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/whois");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let expected = std::fs::read(path.with_extension("expect.json")).unwrap();
            (path, text, serde_json::from_slice(&expected).unwrap())
        })
        .collect()
}

#[test]
fn every_layout_of_the_corpus_is_read_exactly() {
    let corpus = corpus();
    assert!(corpus.len() >= 50, "{}", corpus.len());
    for (path, text, expected) in corpus {
        let read: Vec<Value> = super::contacts(&text).iter().map(testing::plain).collect();
        assert_eq!(Value::from(read), expected["contacts"], "{}", path.display());
        for about in ["source", "as_of"] {
            assert!(
                expected[about].as_str().is_some_and(|text| !text.is_empty()),
                "{}",
                path.display()
            );
        }
    }
}

/// Persons and organizations with their roles.
fn named(contacts: &[Record]) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for contact in contacts {
        for field in ["name", "organization"] {
            if let Some(name) = contact.text(field) {
                named.insert(format!("{field} {name}"));
            }
        }
    }
    named
}

/// Lines that name no one, whatever they stand between.
const JUNK: &[&str] = &[
    "Favourite-Colour: Jane Intruder",
    "x-unknown: Intruder Holdings GmbH",
    "Contractual Language: German",
    "Internal Reference: ZZ99-JUNK",
    "ZZ99-JUNK",
    "Not shown, please visit www.intruder.example for web-based whois.",
    "2026-11-01 10:00:00",
    "https://intruder.example/contact",
    "NOT DISCLOSED!",
    "% Jane Intruder",
];

#[test]
fn junk_between_the_lines_becomes_no_name() {
    for (path, text, _) in corpus() {
        let before = named(&super::contacts(&text));
        let lines: Vec<&str> = text.lines().collect();
        for at in 0..=lines.len() {
            let junk = JUNK[at % JUNK.len()];
            let near = lines.get(at).or(lines.last()).unwrap();
            let indent: String = near.chars().take_while(|letter| letter.is_whitespace()).collect();
            let mut changed = lines.clone();
            let line = format!("{indent}{junk}");
            changed.insert(at, &line);
            let contacts = super::contacts(&changed.join("\n"));
            for name in named(&contacts) {
                assert!(
                    !name.contains("Intruder") && !name.contains("JUNK"),
                    "{}: {name}",
                    path.display()
                );
                assert!(
                    before.contains(&name),
                    "{} line {at}: {name} of {before:?}",
                    path.display()
                );
            }
            for street in contacts.iter().filter_map(|contact| contact.text("street")) {
                assert!(
                    !street.contains("Intruder") && !street.contains("German"),
                    "{}: {street}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn unknown_keys_beside_known_ones_change_nothing() {
    let key = |line: &str| {
        let (key, value) = line.split_once(": ")?;
        let plain = key
            .trim()
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_ ".contains(&byte));
        (plain && !value.trim().is_empty()).then(|| line.len() - line.trim_start().len())
    };
    let mut tried = 0;
    for (path, text, expected) in corpus() {
        let lines: Vec<&str> = text.lines().collect();
        for at in 1..lines.len() {
            // Between two keys of one object.
            let (Some(above), Some(below)) = (key(lines[at - 1]), key(lines[at])) else {
                continue;
            };
            if above != below {
                continue;
            }
            tried += 1;
            let mut changed = lines.clone();
            let line = format!("{}zz-unknown{at}: Jane Intruder", " ".repeat(above));
            changed.insert(at, &line);
            let read: Vec<Value> = super::contacts(&changed.join("\n"))
                .iter()
                .map(testing::plain)
                .collect();
            assert_eq!(
                Value::from(read),
                expected["contacts"],
                "{} line {at}",
                path.display()
            );
        }
    }
    assert!(tried > 200, "{tried}");
}

#[test]
fn layouts() {
    for (record, contacts) in [
        (
            "Registrant Name: Anton Kranz\nRegistrant Phone: +1.5550100\nAdmin Contact Email: a@example.org\n",
            vec![
                "name=Anton Kranz | phone=+1.5550100 | role=registrant",
                "email=a@example.org | role=admin",
            ],
        ),
        (
            "Administrative Contact:\n   Voss, Petra  petra@example.org\n   Hafenweg 9\n   Bremen, 28217 de\n   \
             +49.4215550123  Fax: +49.4215550124\n\nDomain servers in listed order:\n   NS1.EXAMPLE.NET\n",
            vec![
                "email=petra@example.org | fax=+49.4215550124 | name=Petra Voss | phone=+49.4215550123 | \
                 role=admin | street=Hafenweg 9, Bremen, 28217 de",
            ],
        ),
        (
            "domain: example.com\nadmin-c: PV12-EXA\ntech-c: PV12-EXA\n\nperson: Petra Voss\ne-mail: \
             petra@example.org\nnic-hdl: PV12-EXA\n",
            vec![
                "email=petra@example.org | name=Petra Voss | role=admin",
                "email=petra@example.org | name=Petra Voss | role=tech",
            ],
        ),
        (
            "Registrant:\n    Name: Dana Whitlock\n    Organisation: Example Widgets Ltd\n    Email: dana@example.net\n",
            vec![
                "email=dana@example.net | name=Dana Whitlock | organization=Example Widgets Ltd | role=registrant",
            ],
        ),
        (
            "OrgAbuseName:   Abuse Desk\nOrgAbuseEmail:  abuse@example.net\nOrgTechEmail:  jan@example.net\n",
            vec![
                "email=abuse@example.net | role=abuse",
                "email=jan@example.net | role=tech",
            ],
        ),
        ("Jane Doe <jane@example.net>", vec!["email=jane@example.net"]),
        // Of a handle that nothing explains, nothing is told.
        (
            "domain: example.com\nadmin-c: PV12-EXA\nholder: sample0001-00001\n",
            vec![],
        ),
        // What a registrar's block says is the registrar's.
        (
            "Registrar:\n  Organization: Names Ltd\n  Email: office@names.example\n  Admin Email: boss@names.example\n\n\
             Registrant:\n  Organization: Example Ltd\n",
            vec!["organization=Example Ltd | role=registrant"],
        ),
        // Several contacts of one role.
        (
            "domain: example.com\ntech-c: A1-EXA\ntech-c: B2-EXA\n\nperson: Ada Eins\nnic-hdl: A1-EXA\n\nperson: Bo \
             Zwei\nnic-hdl: B2-EXA\n",
            vec!["name=Ada Eins | role=tech", "name=Bo Zwei | role=tech"],
        ),
        (
            "Administrative, Technical Contact:\n  Jane Doe\n  jane@example.com\n",
            vec![
                "email=jane@example.com | name=Jane Doe | role=admin",
                "email=jane@example.com | name=Jane Doe | role=tech",
            ],
        ),
        (
            "Registrant:\n Acme, Inc.\n Jane Doe\n 1 Main St\n",
            vec!["name=Jane Doe | organization=Acme, Inc. | role=registrant | street=1 Main St"],
        ),
        // A town above its postal code is no person.
        (
            "Registrant:\n Acme, Inc.\n Port Example\n NY 10001\n US\n",
            vec!["organization=Acme, Inc. | role=registrant | street=Port Example, NY 10001, US"],
        ),
    ] {
        assert_eq!(read(record), contacts, "{record}");
    }
}

#[test]
fn services_and_prose_are_nobody() {
    for record in [
        "",
        "Registrant Name: REDACTED FOR PRIVACY\nRegistrant Phone: +1.5550142\nRegistrant Country: US",
        "Registrant Email: Please query the RDDS service of the Registrar of Record identified in this output",
        "Registrant:\n  Whois Privacy\n  Whois Agent (x@whoisprivacy.example)\n  +1.5550142\n  PO Box 1",
        "Registrant Country: US\nRegistrant City: Reno",
        "Contact us at +1.5550199\n--\n",
        "Questions? Write to <help@example.net>, please.",
        "% Mail abuse issues should be addressed to mail-abuse@registry.example",
        "remarks: hostmaster@example.net\nchanged: hostmaster@example.net 20200101",
    ] {
        assert_eq!(read(record), Vec::<String>::new(), "{record}");
    }
}

#[test]
fn a_record_of_contacts_without_end_is_bounded() {
    let record: String = (0..5000)
        .map(|at| {
            let letter = |at: u8| char::from(b'a' + at % 26);
            let [low, high] = u16::try_from(at).unwrap().to_le_bytes();
            format!(
                "person: P{}{} Q{}\ne-mail: p{at}@example.org\n\n",
                letter(low),
                letter(low / 26),
                letter(high)
            )
        })
        .collect();
    assert!((50..=60).contains(&read(&record).len()));
    // A cut inside a character is no cut at all.
    assert!(read(&"ä".repeat(300_000)).is_empty());
}

#[test]
fn long_records_of_every_shape_are_survived() {
    for part in [
        "Registrant:\n",
        "a: b\n",
        "[x] y\n",
        "a....: b\n",
        " \t",
        "nic-hdl: A1-X\n",
        "admin-c: A1-X\n",
        "Registrant Name: Jane Doe\n",
        "Registrant ID: A\n",
        "% Registrant:\n",
        "a b\n",
        "..",
        ":",
        "((((",
        "Admin, Tech, Billing Contact:\n  Jane Doe\n\n",
        "\n",
        "@ ",
    ] {
        let _ = super::contacts(&part.repeat(400_000 / part.len()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_text_gives_contacts_that_fit(text in "(\\PC{0,24}[:\n\t ]){0,16}") {
        check(&super::contacts(&text))?;
    }

    #[test]
    fn any_lines_of_whois_text_give_names_that_are_names(
        lines in proptest::collection::vec(
            (prop_oneof![Just(""), Just("  "), Just("\t")], prop_oneof![
                Just("Registrant:"), Just("Registrant"), Just("person:"), Just("nic-hdl:"), Just("admin-c:"), Just("Name:"),
                Just("[Tech-C]"), Just("Organization:"), Just("Address:"), Just(""), Just("Technical Contact, Zone Contact:"),
                Just("owner:"), Just("Registrant Email:"), Just("name......:"), Just("contact:")], "\\PC{0,30}"),
            0..24,
        )
    ) {
        let text: Vec<String> = lines.iter().map(|(indent, key, value)| format!("{indent}{key} {value}")).collect();
        check(&super::contacts(&text.join("\n")))?;
    }
}

fn check(contacts: &[Record]) -> Result<(), TestCaseError> {
    for contact in contacts {
        prop_assert_eq!(contact.misfit(&CONTACT), None);
        for (field, label) in [("name", Label::Name), ("organization", Label::Organization)] {
            let Some(name) = contact.text(field) else { continue };
            prop_assert!(!name.contains([':', '@']) && !name.contains("//"), "{}", name);
            prop_assert!(Party::read(&name, label).is_some(), "{}", name);
        }
    }
    Ok(())
}
