use std::time::Duration;

use proptest::prelude::*;

use crate::config::settings::BudgetWindow;
use crate::config::values::{
    base_url, bytes, cents, duration, limit, no_proxy, proxy_url, public_url, rate, resets, resolver,
    show_duration,
};
use crate::config::{problem::did_you_mean, read};

use super::vendor;

#[test]
fn what_a_proxy_is_and_what_goes_past_it_is_checked() {
    for text in [
        "http://proxy.example:3128",
        "https://proxy.example",
        " HTTP://192.0.2.1:3128/ ",
    ] {
        assert!(proxy_url(text).is_ok(), "{text}");
    }
    for text in [
        "proxy.example:3128",
        "socks5://proxy.example:1080",
        "192.0.2.1:3128",
        "",
    ] {
        let said = proxy_url(text).unwrap_err();
        assert!(said.contains("http://proxy.example:3128"), "{text}: {said}");
    }
    for text in [
        "10.0.0.0/8",
        "2001:db8::/32",
        "192.0.2.1",
        "2001:db8::1",
        ".internal.example",
        "*.internal.example",
        "localhost",
        "b\u{fc}cher.example",
        "my_host",
        "*",
    ] {
        assert_eq!(no_proxy(text).as_deref(), Ok(text));
    }
    for text in [
        "10.0.0.0/99",
        "10.0.0.0/",
        "a..b",
        "",
        "http://internal.example",
        "2001:db8::/129",
        "a b",
    ] {
        assert!(no_proxy(text).is_err(), "{text}");
    }
}

#[test]
fn durations_are_read_and_written() {
    for (text, seconds) in [
        ("90s", 90),
        ("24h", 86_400),
        ("7d", 604_800),
        ("1h30m", 5_400),
        ("2w", 1_209_600),
        ("0", 0),
    ] {
        assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
    }
    for text in [
        "",
        "h",
        "5",
        "5x",
        "-1s",
        "1.5h",
        "1h 30m",
        "99999999999999999999s",
        "11000d",
        "s5",
    ] {
        assert!(duration(text).is_err(), "{text}");
    }
    assert_eq!(show_duration(Duration::from_millis(5_400_250)), "1h30m250ms");
}

#[test]
fn rates_and_limits_are_read() {
    assert_eq!(
        rate("1000/h").map(|rate| (rate.limit.get(), rate.per.as_secs(), rate.burst.get())),
        Ok((1000, 3600, 250))
    );
    assert!(
        ["0/s", "5", "/s", "5/", "-5/s", "5/y"]
            .into_iter()
            .all(|text| rate(text).is_err())
    );
    assert_eq!(limit("99.5/month"), Ok((9_950, BudgetWindow::Month)));
    assert_eq!(limit("500/total"), Ok((50_000, BudgetWindow::Total)));
    assert_eq!(cents("9.501"), None);
    assert_eq!(bytes("2MB"), Ok(2 << 20));
    assert!(bytes("99999999999GB").is_err());
}

#[test]
fn resets_name_day_time_and_zone() {
    let found = resets("day 15 06:30 UTC").unwrap();
    assert_eq!((found.day, found.time.hour(), found.time.minute()), (15, 6, 30));
    assert_eq!(resets("UTC").unwrap().day, 1);
    assert!(
        ["", "day UTC", "day 15", "UTC UTC", "25:00 UTC"]
            .into_iter()
            .all(|text| resets(text).is_err())
    );
}

#[test]
fn a_public_url_is_handed_out_as_it_is_written() {
    for (text, url) in [
        ("https://pivot.example.org", "https://pivot.example.org"),
        (
            " https://Pivot.Example.org:443/ti// ",
            "https://pivot.example.org/ti",
        ),
        ("http://192.0.2.1:80", "http://192.0.2.1"),
        ("https://192.0.2.1:8443/a-b/c.d", "https://192.0.2.1:8443/a-b/c.d"),
        ("https://[2001:DB8::1]:444", "https://[2001:db8::1]:444"),
    ] {
        assert_eq!(public_url(text).as_deref(), Ok(url), "{text}");
    }
    for text in [
        "https://127.1",
        "https://0x7f.1",
        "https://2130706433",
        "https://a.example/x/../y",
        "https://a.example/./y",
        "https://a.example/%00",
        "https://a.example/a b",
        "https://a.example//b",
        "https://-a.example",
        "https://a-.example",
        "https://a..example",
        "https://a.example:0",
    ] {
        assert!(public_url(text).is_err(), "{text}");
    }
}

#[test]
fn http_goes_to_this_machine_only() {
    for text in [
        "http://127.0.0.1:8081",
        "http://localhost/x/",
        "http://[::1]",
        "https://192.0.2.1",
    ] {
        assert!(base_url(text).is_ok(), "{text}");
    }
    for text in [
        "http://192.0.2.1",
        "http://localhost.example",
        "ftp://example.com",
        "example.com",
        "https://",
    ] {
        assert!(base_url(text).is_err(), "{text}");
    }
    assert_eq!(
        base_url("https://api.example/v1/").as_deref(),
        Ok("https://api.example/v1")
    );
}

#[test]
fn a_resolver_is_the_machine_s_or_an_address() {
    for (text, read) in [
        ("dns:system", "dns:system"),
        (" dns:system/ ", "dns:system"),
        ("dns://192.0.2.53", "dns://192.0.2.53:53"),
        ("dns://127.0.0.1:5353/", "dns://127.0.0.1:5353"),
        ("dns://[2001:db8::53]", "dns://[2001:db8::53]:53"),
        ("dns://[2001:db8::53]:54", "dns://[2001:db8::53]:54"),
        ("dns://2001:db8::53", "dns://[2001:db8::53]:53"),
    ] {
        assert_eq!(
            resolver(text).map(|it| it.to_string()).as_deref(),
            Ok(read),
            "{text}"
        );
    }
    for text in [
        "",
        "system",
        "dns:",
        "dns://",
        "dns://resolver.example",
        "dns://192.0.2.53:0",
        "dns://192.0.2.53:99999",
        "dns://user@192.0.2.53",
        "https://192.0.2.53",
        "dns://192.0.2.53/x",
    ] {
        let fault = resolver(text).unwrap_err();
        assert!(fault.starts_with("expected dns:system or"), "{text}: {fault}");
    }
    assert!(
        !resolver("dns://user:secret@192.0.2.53")
            .unwrap_err()
            .contains("secret")
    );
}

#[test]
fn only_near_names_are_suggested() {
    assert_eq!(
        did_you_mean("regstrar", ["registrar", "registrant"]),
        ", did you mean \"registrar\"?"
    );
    assert_eq!(
        did_you_mean("reigstrar", ["registrar"]),
        ", did you mean \"registrar\"?"
    );
    assert_eq!(did_you_mean("elephant", ["registrar", "role"]), "");
}

proptest! {
    #[test]
    fn no_text_panics_a_reader(text in ".{0,40}") {
        let _ = (duration(&text), rate(&text), limit(&text), resets(&text), bytes(&text), base_url(&text), cents(&text), resolver(&text));
    }

    #[test]
    fn no_file_panics_the_loader(text in "(\\[|\\]|\\{|\\}|=|\"|,|\n|\\[providers\\.domaintools\\]|rate|ttl|\\[\\[transform\\]\\]|name|é| |1){0,60}") {
        let _ = read("my.toml", &text, false, &[], &vendor::ALL);
    }

    #[test]
    fn durations_come_back_as_they_were_written(seconds in 0u64..300_000_000) {
        let time = Duration::from_secs(seconds);
        prop_assert_eq!(duration(&show_duration(time)), Ok(time));
    }
}
