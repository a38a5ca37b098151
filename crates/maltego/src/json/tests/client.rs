//! What clients can do, by their headers.

use crate::json::client::{Capability, Client, ClientHeaders, capabilities, negotiated};

const ALL: [Capability; 7] = [
    Capability::InputConstraints,
    Capability::CompositeEntities,
    Capability::PromptBase,
    Capability::ChoiceControlType,
    Capability::MultiChoiceControls,
    Capability::FlattenedCompositeEntities,
    Capability::InputConstraintsUnknownSafe,
];

fn can(headers: ClientHeaders<'_>) -> Vec<Capability> {
    let client = Client::of(&headers);
    ALL.into_iter().filter(|one| client.can(*one)).collect()
}

fn desktop(version: &str) -> String {
    format!("Maltego Desktop/{version} (Graph Desktop Organization Plan; Mac OS X; 15.0.1; 6668347)")
}

#[test]
fn a_client_that_says_nothing_can_do_everything() {
    assert_eq!(can(ClientHeaders::default()), ALL);
    let curl = ClientHeaders {
        user_agent: Some("curl/8.0"),
        ..ClientHeaders::default()
    };
    assert_eq!(can(curl), ALL);
    assert_eq!(capabilities().count(), ALL.len());
}

#[test]
fn a_list_counts_alone_even_where_it_is_empty() {
    for (list, expected) in [
        ("", &[][..]),
        (" promptbase ,unknown", &[Capability::PromptBase]),
        ("interactive", &[Capability::MultiChoiceControls]),
    ] {
        let agent = desktop("5.0.0");
        let headers = ClientHeaders {
            capabilities: Some(list),
            user_agent: Some(&agent),
            ..ClientHeaders::default()
        };
        assert_eq!(can(headers), expected, "{list}");
    }
}

#[test]
fn a_desktop_client_is_known_by_its_version() {
    for (version, expected) in [
        ("4.5.0", &[][..]),
        ("4.6.0", &[Capability::PromptBase]),
        ("4.6.1", &[Capability::PromptBase, Capability::ChoiceControlType]),
        (
            "4.10.0-rc.1+b",
            &[
                Capability::InputConstraints,
                Capability::PromptBase,
                Capability::ChoiceControlType,
                Capability::MultiChoiceControls,
            ],
        ),
    ] {
        let agent = desktop(version);
        let by_agent = ClientHeaders {
            user_agent: Some(&agent),
            ..ClientHeaders::default()
        };
        assert_eq!(can(by_agent), expected, "{version}");
        let by_name = ClientHeaders {
            identifier: Some("Maltego Desktop"),
            version: Some(version),
            ..ClientHeaders::default()
        };
        assert_eq!(can(by_name), expected, "{version}");
    }
}

#[test]
fn a_browser_client_can_do_what_it_lists_and_no_more() {
    let browser = ClientHeaders {
        identifier: Some("Maltego Graph Browser"),
        version: Some("9.9.9"),
        ..ClientHeaders::default()
    };
    assert_eq!(can(browser), []);
    let listed = ClientHeaders {
        capabilities: Some("promptBase,compositeEntities"),
        protocol: Some("3.1"),
        ..browser
    };
    assert_eq!(can(listed), [Capability::PromptBase], "composites came with 3.2");
}

#[test]
fn words_that_are_no_version_are_no_desktop_client() {
    for agent in [
        "Maltego Desktop/4.6 (a)",
        "Maltego Desktop/4.06.0 (a)",
        "Maltego Desktop/4.6.0",
        "Maltego Desktop/4.6.0.1 (a)",
        "Mozilla/5.0 (Maltego Desktop/4.6.0 (a))",
    ] {
        let headers = ClientHeaders {
            user_agent: Some(agent),
            ..ClientHeaders::default()
        };
        assert!(!Client::of(&headers).knows_inputs(), "{agent}");
        assert_eq!(can(headers), ALL, "{agent}");
    }
    let agent = desktop("4.6.0");
    let headers = ClientHeaders {
        user_agent: Some(&agent),
        ..ClientHeaders::default()
    };
    assert!(Client::of(&headers).knows_inputs());
}

#[test]
fn an_unknown_protocol_is_answered_in_the_newest() {
    assert_eq!(negotiated(Some("3.1")), "3.1");
    assert_eq!(negotiated(Some("banana")), "3.3");
    assert_eq!(negotiated(None), "3.3");
}
