//! Links in wrappers: opened, or told as sealed, never taken for links to the gateway.

use super::*;

const TARGET: &str = "https://career.example/a";
const CODED: &str = "https%3A%2F%2Fcareer.example%2Fa%3Fq%3D1";

#[test]
fn wrappers_are_opened() {
    let base64 = "aHR0cHM6Ly9jYXJlZXIuZXhhbXBsZS9h";
    for link in [
        format!("https://nam02.safelinks.protection.outlook.com/?url={CODED}&data=05"),
        format!("https://nam02.safelinks.protection.outlook.com/ap/w-59584e83/?url={CODED}&data=05"),
        format!("https://usg01.safelinks.protection.office365.us/?url={CODED}"),
        format!("https://chn01.safelinks.protection.partner.outlook.cn/?url={CODED}"),
        format!(
            "https://statics.teams.cdn.office.net/evergreen-assets/safelinks/1/atp-safelinks.html?url={CODED}&locale=en"
        ),
        format!("https://secure-web.cisco.com/1aB-c_d/{CODED}"),
        format!("https://eu-central-1.protection.sophos.com/?d=career.example&u={base64}&i=x&t=y&h=z"),
        format!("https://clicktime.symantec.com/3KG6rdmTz1v?u={CODED}"),
        format!("https://clicktime.symantec.com/15sif?h=x=&u={TARGET}"),
        format!("https://clicktime.symantec.com/a/1/sig=?d=token&u={CODED}"),
        format!("https://url.avanan.click/v2/___{TARGET}___.YXAzOnM6YTpn"),
        "https://url.avanan.click/v2/r01/___https:/career.example/a___.YXAzOnM6YTpn".to_owned(),
        format!("https://protect.checkpoint.com/v2/r02/___{TARGET}?x=1___.YzJl"),
        "https://protect.checkpoint.com/v2/r01/___https%3A//career.example/a___.YzJl".to_owned(),
        format!("https://protect2.fireeye.com/v1/url?k=1&q=1&e=2&u={CODED}"),
        format!("https://protect2.fireeye.com/url?k=1&u={TARGET}"),
        format!("https://ddec1-0-en-ctp.trendmicro.com/wis/clicktime/v1/query?url={CODED}&umid=1"),
        format!("https://urlsand.esvalabs.com/?u={CODED}&e=1"),
        format!("https://linkprotect.cudasvc.com/url?a={CODED}&c=E"),
        format!("https://www.google.com/url?sa=t&q={CODED}"),
        format!("https://slack-redir.net/link?url={CODED}"),
        format!("https://l.facebook.com/l.php?u={CODED}"),
        format!("https://www.linkedin.com/redir/redirect?url={CODED}"),
        format!("https://www.bing.com/ck/a?p=1&u=a1{base64}&ntb=1"),
        "https://urldefense.com/v3/__https:/career.example/a__;!!abc!def$".to_owned(),
        // Defanged without and within.
        "hxxps://nam02[.]safelinks[.]protection[.]outlook[.]com/?url=hxxps%3A%2F%2Fcareer[.]example%2Fa"
            .to_owned(),
        "https://nam02.safelinks.protection.outlook.com/?url=hxxps%3A%2F%2Fcareer%5B.%5Dexample%2Fa"
            .to_owned(),
        "https://nam02.safelinks.protection.outlook.com/?url=//career.example/a".to_owned(),
        format!("https://nam02.safelinks.protection.outlook.com./?url={CODED}"),
        "https://secure-web.cisco.com/1aB-c_d/hxxps%3A%2F%2Fcareer%5B.%5Dexample%2Fa".to_owned(),
        "https://urldefense.com/v3/__hxxps://career.example/a__;!!abc!def$".to_owned(),
        "hxxps://urldefense[.]com/v3/__hxxps://career[.]example/a__;!!abc!def$".to_owned(),
        "https://urldefense.com/v3/__hxxps[:]//career[.]example/a__;!!abc!def$".to_owned(),
        "https://url.avanan.click/v2/___hxxps://career.example/a___.YXAzOnM6YTpn".to_owned(),
    ] {
        let read = read_text(&format!("see <{link}> now"));
        assert_eq!(of(&read, "url"), [TARGET], "{link}: {:?}", read.sealed);
        assert!(read.sealed.is_empty() && read.unreadable.is_empty(), "{link}");
    }
}

#[test]
fn a_wrapped_site_needs_no_scheme() {
    let read = read_text("https://nam02.safelinks.protection.outlook.com/?url=www.career.example/a");
    assert_eq!(of(&read, "url"), ["http://www.career.example/a"]);
    assert!(read.sealed.is_empty());
}

#[test]
fn what_a_sealed_wrapper_names_is_asked_about() {
    for (link, hosts) in [
        (
            "https://l.us-1.a.mimecastprotect.com/l?domain=career.example&t=AQIC1",
            vec!["career.example"],
        ),
        ("https://protect-us.mimecast.com/redirect/eNqX", vec![]),
        (
            "https://protect-us.mimecast.com/s/abc?domain=career%5B.%5Dexample",
            vec!["career.example"],
        ),
    ] {
        let read = read_text(link);
        assert_eq!((of(&read, "url"), read.sealed.len()), (hosts, 1), "{link}");
    }
}

#[test]
fn the_runs_of_proofpoint_count_octets() {
    use base64::Engine as _;
    let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    for (coded, replaced, path) in [
        ("mart**Anez/a*b*c", "\u{ed}?+", "mart%C3%ADnez/a"),
        ("**B/x", "\u{20ac}", "%E2%82%AC/x"),
        ("**C*/x", "\u{1f600}+", "%F0%9F%98%80+/x"),
        ("*a**A*", "$\u{e9}!", "$a%C3%A9!"),
    ] {
        let link = format!(
            "https://urldefense.com/v3/__https://career.example/{coded}__;{}!!D9!V$",
            encode(replaced)
        );
        let read = read_text(&link);
        assert_eq!(
            of(&read, "url"),
            [format!("https://career.example/{path}")],
            "{link}"
        );
    }
}

#[test]
fn what_only_the_vendor_can_open_is_sealed() {
    for link in [
        "https://protect-eu.mimecast.com/s/abcDEF",
        "https://url.us.m.mimecastprotect.com/s/abcDEF",
        "https://www.mailcontrol.com/sr/VfMHRVT2LfHGX2PQ==",
        "https://url.emailprotection.link/?bABC~",
        "https://shared.outlook.inky.com/link?t=h.abc",
        "https://secure-web.cisco.com/1aB-c_d/token",
        "https://eu-central-1.protection.sophos.com/?i=x&t=y",
        "https://clicktime.symantec.com/15sif?h=x",
        "https://protect.checkpoint.com/v2/r05/___myyux://hfwjjw.jcfruqj/f___.YzJl",
        "https://nam02.safelinks.protection.outlook.com/?data=05",
        "https://nam02.safelinks.protection.outlook.com/?url=no%20url",
        "https://urldefense.com/v3/__https://career.example/*__;!!abc!def$",
        "https://urldefense.com/v3/broken",
    ] {
        let read = read_text(&format!("see {link} now"));
        assert!(of(&read, "url").is_empty(), "{link}: {read:?}");
        let sealed: Vec<_> = read
            .sealed
            .iter()
            .map(|one| (one.role, one.value.as_str()))
            .collect();
        assert_eq!(sealed.len(), 1, "{link}");
        assert!(
            sealed[0].0 == "url" && sealed[0].1.starts_with("https://"),
            "{sealed:?}"
        );
    }
}

#[test]
fn only_the_vendors_own_hosts_are_wrappers() {
    for host in [
        "safelinks.protection.outlook.com.evil.example",
        "xsafelinks.protection.outlook.com",
        "secure-web.cisco.com.evil.example",
        "evil-urldefense.com",
        "clicktime.symantec.com.evil.example",
        "xurl.avanan.click",
        "protect2.fireeye.com.evil.example",
        "google.evil.example",
        "evilmimecast.com",
    ] {
        let link = format!("https://{host}/s/x?url={CODED}&u={CODED}&q={CODED}");
        let read = read_text(&link);
        assert_eq!(of(&read, "url"), [format!("https://{host}/s/x")], "{link}");
        assert!(read.sealed.is_empty());
    }
    // What leads to no server is neither.
    let read = read_text("https://nam02.safelinks.protection.outlook.com/?url=mailto%3Aa%40x.example");
    assert!(of(&read, "url").is_empty() && read.sealed.is_empty());
}
