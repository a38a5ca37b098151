use super::{accept, domain, value_of};
use crate::request::InputEntity;

fn entity(text: &str) -> InputEntity {
    accept(text).entities.remove(0)
}

#[test]
fn a_whole_request_is_read() {
    let request = accept(domain(
        "<AdditionalFields><Field Name=\"fqdn\" DisplayName=\"Domain Name\">example.org</Field>\
         <Field Name=\"whois\" DisplayName=\"W\">held by &quot;Ann&quot;</Field></AdditionalFields>\
         <Value>example.org</Value><Weight> 7 </Weight>",
    ));
    assert_eq!((request.soft_limit, request.hard_limit), (Some(24), Some(48)));
    assert_eq!(request.setting("vendor.key"), Some("s&3"));
    let entity = &request.entities[0];
    assert_eq!(
        (entity.type_id.as_str(), entity.declared_type.as_str()),
        ("maltego.Domain", "Domain")
    );
    assert_eq!((entity.value(), entity.weight), ("example.org", 7));
    assert_eq!(entity.field("fqdn"), Some("example.org"));
    // The old id stays, the current one is added.
    assert_eq!(entity.field("whois"), Some("held by \"Ann\""));
    assert_eq!(entity.field("whois-info"), Some("held by \"Ann\""));
    assert_eq!(entity.fields.len(), 3);
}

#[test]
fn values_come_as_text_cdata_mixture_and_reference() {
    for (raw, value) in [
        ("plain", "plain"),
        ("<![CDATA[a <b> & ]c]]>", "a <b> & ]c"),
        ("pre<![CDATA[ mid ]]>post", "pre mid post"),
        ("<!-- c -->after<!-- d -->wards", "afterwards"),
        ("<?pi x?>a", "a"),
        (
            "a &amp; b &lt;c&gt; &apos;q&apos; &quot;d&quot;",
            "a & b <c> 'q' \"d\"",
        ),
        (
            "m\u{fc}nchen 日本 🚀 \u{202e}RTL",
            "m\u{fc}nchen 日本 🚀 \u{202e}RTL",
        ),
        ("l1\r\nl2\rl3\tt", "l1\nl2\nl3\tt"),
        ("&#65;&#x1F680;&#13;&#10;", "A🚀\r\n"),
        (
            "a&#1;b&#0;c&#xD800;d&#x110000;e&#99999999999;f&#xFFFE;g",
            "abcdefg",
        ),
        ("a & b", "a & b"),
        ("a && b &", "a && b &"),
        ("?x=1&y=2;z", "?x=1&y=2;z"),
        ("&#zz; &#; &#x;", "&#zz; &#; &#x;"),
        ("a<b>skipped<Value>too</Value></b>c", "ac"),
        (" kept ", " kept "),
        ("", ""),
    ] {
        assert_eq!(value_of(raw), value, "{raw}");
    }
}

#[test]
fn missing_and_odd_parts_have_defaults() {
    for inside in [
        "",
        "<Value/>",
        "<Value></Value>",
        "<Weight/>",
        "<Weight>heavy</Weight>",
        "<Weight>-1</Weight>",
    ] {
        let entity = entity(&domain(inside));
        assert_eq!((entity.value(), entity.weight), ("", 0), "{inside}");
    }
    let bare = accept("<a><Entity/></a>");
    assert_eq!((bare.soft_limit, bare.hard_limit), (None, None));
    assert_eq!(bare.entities[0].type_id, "maltego.Unknown");
    let odd = accept("<a><Entity/><Limits SoftLimit='many' HardLimit=' 9 '/></a>");
    assert_eq!((odd.soft_limit, odd.hard_limit), (None, Some(9)));
}

#[test]
fn the_value_property_stands_in_for_a_blank_value() {
    let text =
        domain("<Value> </Value><AdditionalFields><Field Name='fqdn'>example.net</Field></AdditionalFields>");
    assert_eq!(entity(&text).value(), "example.net");
    assert_eq!(entity(&text).value, " ");
}

#[test]
fn fields_may_repeat_be_empty_or_lack_a_name() {
    let request = accept(domain(
        "<AdditionalFields><Field Name='fqdn'>one</Field><Field Name='x'/><Field DisplayName='d'>lost</Field>\
         <Field Name=''>lost</Field><Field Name='fqdn'>two</Field></AdditionalFields>",
    ));
    let expected = [
        ("fqdn".to_owned(), "two".to_owned()),
        ("x".to_owned(), String::new()),
    ];
    assert_eq!(request.entities[0].fields, expected);
    let settings = accept(
        "<r><TransformFields><Field Name='a'>1</Field><Field Name='b'> </Field><Field Name='a'>2</Field>\
         </TransformFields><Entity/><TransformFields/></r>",
    );
    assert_eq!(settings.settings.len(), 2);
    assert_eq!(
        (
            settings.setting("a"),
            settings.setting("b"),
            settings.setting("c")
        ),
        (Some("2"), None, None)
    );
}

#[test]
fn root_namespace_prefix_and_order_do_not_matter() {
    let odd = accept(
        "<Foo><Limits SoftLimit='3'/><Entity Type='x.y'><Weight>1</Weight><Value>v</Value></Entity></Foo>",
    );
    assert_eq!(
        (
            odd.entities[0].type_id.as_str(),
            odd.entities[0].value(),
            odd.soft_limit
        ),
        ("x.y", "v", Some(3))
    );
    let default =
        domain("<Value>v</Value>").replacen("<MaltegoMessage>", "<MaltegoMessage xmlns=\"urn:m\">", 1);
    assert_eq!(entity(&default).value(), "v");
    let prefixed = "<m:R xmlns:m='urn:m'><m:Entity m:Type='Phrase'><m:Value>v</m:Value></m:Entity></m:R>";
    assert_eq!(entity(prefixed).type_id, "maltego.Phrase");
    assert_eq!(
        entity("<Entity Type='Phrase'><Value>v</Value></Entity>").value(),
        "v"
    );
}

#[test]
fn every_entity_is_read_and_fields_do_not_leak() {
    let request = accept(
        "<r><Entities><Entity Type='Domain'><AdditionalFields><Field Name='a'>1</Field></AdditionalFields>\
         <Genealogy><Type Name='maltego.Domain'/></Genealogy><Value>example.com</Value><Weight>3</Weight></Entity>\
         <Entity Type='IPv4Address'><Value>192.0.2.4</Value></Entity></Entities></r>",
    );
    let seen: Vec<_> = request
        .entities
        .iter()
        .map(|e| (e.type_id.as_str(), e.value(), e.fields.len()))
        .collect();
    assert_eq!(
        seen,
        [
            ("maltego.Domain", "example.com", 1),
            ("maltego.IPv4Address", "192.0.2.4", 0)
        ]
    );
    assert_eq!(request.entities[1].weight, 0);
}

#[test]
fn types_come_from_the_genealogy_then_the_table() {
    let typed = |declared: &str, genealogy: &str| {
        entity(&format!(
            "<r><Entity Type='{declared}'><Genealogy>{genealogy}</Genealogy></Entity></r>"
        ))
        .ancestors
    };
    let site =
        "<Type Name='maltego.Website' OldName='Website'/><Type Name='maltego.DNSName' OldName='DNSName'/>";
    assert_eq!(typed("DNSName", site), ["maltego.Website", "maltego.DNSName"]);
    assert_eq!(typed("Website", ""), ["maltego.Website", "maltego.DNSName"]);
    assert_eq!(
        typed("maltego.Unknown", "<Type Name='maltego.Phrase'/>"),
        ["maltego.Phrase"]
    );
    assert_eq!(
        typed("Domain", "<Type Name='maltego.Unknown'/>"),
        ["maltego.Domain"]
    );
    assert_eq!(typed("", "<Type OldName='IPAddress'/>"), ["maltego.IPv4Address"]);
    assert_eq!(typed("acme.Host", ""), ["acme.Host"]);
    let custom = "<Type Name='acme.Host'/><Type Name='maltego.DNSName'/>";
    assert_eq!(typed("acme.Host", custom), ["acme.Host", "maltego.DNSName"]);
    assert_eq!(typed("", ""), ["maltego.Unknown"]);
    assert!(entity("<Entity Type='EmailAddress'/>").is_a("maltego.Identifier"));
}

#[test]
fn legacy_ids_are_copied_by_type_and_never_over_current_ones() {
    let person = entity(
        "<Entity Type='Person'><AdditionalFields><Field Name='firstname'>Jo</Field><Field Name='lastname'>Old</Field>\
         <Field Name='person.lastname'>New</Field></AdditionalFields></Entity>",
    );
    assert_eq!(
        (person.field("person.firstnames"), person.field("person.lastname")),
        (Some("Jo"), Some("New"))
    );
    let phrase = entity(
        "<Entity Type='Phrase'><AdditionalFields><Field Name='whois'>w</Field></AdditionalFields></Entity>",
    );
    assert_eq!(phrase.field("whois-info"), None);
}

#[test]
fn a_url_is_looked_up_by_its_url_and_not_by_its_title() {
    let url = entity(
        "<Entity Type='URL'><AdditionalFields><Field Name='theurl'>https://example.com/a</Field></AdditionalFields>\
         <Value>Welcome</Value></Entity>",
    );
    assert_eq!(
        (url.value(), url.indicator()),
        ("Welcome", "https://example.com/a")
    );
    assert_eq!(
        entity("<Entity Type='URL'><Value>https://example.com/</Value></Entity>").indicator(),
        "https://example.com/"
    );
    let fields =
        "<AdditionalFields><Field Name='fqdn'>b.example</Field></AdditionalFields><Value>a.example</Value>";
    assert_eq!(entity(&domain(fields)).indicator(), "a.example");
}

#[test]
fn an_echo_keeps_strict_properties_byte_for_byte() {
    let echoed = |text: &str| -> Vec<(String, String, bool)> {
        entity(text)
            .echo_fields()
            .into_iter()
            .map(|p| (p.name.into(), p.value.into(), p.strict))
            .collect()
    };
    let site = "<Entity Type='Website'><AdditionalFields><Field Name='fqdn'> WWW.Example.com </Field>\
                <Field Name='ports'>80</Field><Field Name='acme.seen'>x</Field>\
                <Field Name='acme.id' MatchingRule='strict'>7</Field></AdditionalFields></Entity>";
    let strict = |name: &str, value: &str| (name.to_owned(), value.to_owned(), true);
    assert_eq!(
        echoed(site),
        [strict("fqdn", " WWW.Example.com "), strict("acme.id", "7")]
    );
    let custom = "<Entity Type='acme.Host'><Genealogy><Type Name='acme.Host'/><Type Name='maltego.DNSName'/></Genealogy>\
                  <AdditionalFields><Field Name='fqdn'>h</Field><Field Name='acme.rack'>9</Field></AdditionalFields></Entity>";
    assert_eq!(
        echoed(custom),
        [
            strict("fqdn", "h"),
            ("acme.rack".to_owned(), "9".to_owned(), false)
        ]
    );
}
