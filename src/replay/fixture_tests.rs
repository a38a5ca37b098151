use include_dir::{Dir, DirEntry, File};
use proptest::prelude::*;

use super::tests::{domaintools, exchange, vendor};
use super::*;

#[test]
fn reads_every_part_of_a_fixture() {
    let text = "# why\r\n# more\r\nPOST /v1/{domain}/x%20y\r\nquery: limit=100&offset=*\r\nform: terms=a%7Cb\r\n\r\nHTTP/1.1 206 Partial Content\r\nX-One: 1\r\nX-One:  two: 2 \r\n\r\n{\r\n\n}\n";
    let parsed = Exchange::parse("acme/x.http", text).unwrap();
    assert_eq!(parsed.name(), "acme/x.http");
    assert_eq!(parsed.answer().status, 206);
    let headers =
        [("X-One", "1"), ("X-One", "two: 2")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(parsed.answer().headers, headers);
    assert_eq!(parsed.answer().body, "{\r\n\n}\n", "the body keeps every byte");
    assert_eq!(
        Exchange::parse("x", "GET /\n\nHTTP/1.1 204 No Content\n")
            .unwrap()
            .answer()
            .body,
        ""
    );
}

#[test]
fn names_file_and_line_of_a_fault() {
    let cases = [
        ("", 0, "no request line"),
        ("# only\n# comments\n", 2, "no request line"),
        ("GET\n", 1, "not a method and a path"),
        ("# c\nGET /a b\n", 2, "not a method and a path"),
        ("get /a\n", 1, "upper case"),
        ("GET a\n", 1, "begin with a slash"),
        ("GET /a?b=c\n", 1, "belong on a query: line"),
        ("GET /a\n", 1, "ends before the answer"),
        ("GET /a\nheader: x\n\n", 2, "neither a query: nor a form:"),
        ("GET /a\nquery: x\n\n", 2, "not name=value"),
        ("GET /a\nform: x=1&&y=2\n\n", 2, "not name=value"),
        ("GET /a\n\n", 2, "ends before the answer"),
        ("GET /a\n\nHTTP/1.1 99 Low\n", 3, "not a status line"),
        ("GET /a\n\nHTTP/2 200 OK\n", 3, "not a status line"),
        ("GET /a\n\nHTTP/1.1 200 OK\nno header\n", 4, "not a header"),
        ("GET /a\n\nHTTP/1.1 200 OK\nA: b\nC D: e\n", 5, "name of a header"),
        (
            "GET /a\n\nHTTP/1.1 200 OK\ncontent-length: 5\n\n",
            4,
            "written by the server",
        ),
        ("* *\nquery: a=b\n\n", 1, "takes no parameters"),
    ];
    for (text, line, reason) in cases {
        let error = Exchange::parse("acme/bad.http", text).unwrap_err();
        assert_eq!(
            (error.file.as_str(), error.line),
            ("acme/bad.http", line),
            "{text:?}: {error}"
        );
        assert!(error.reason.contains(reason), "{text:?}: {error}");
        let prefix = if line == 0 {
            "acme/bad.http: ".to_owned()
        } else {
            format!("acme/bad.http:{line}: ")
        };
        assert!(error.to_string().starts_with(&prefix), "{error}");
    }
}

proptest! {
    #[test]
    fn never_panics_on_any_text(text in "(GET|POST|#|query: |form: |HTTP/1.1 200 OK|/\\{a\\}|[a-z=&:*/% \r]|\n){0,40}") {
        let _parsed = Exchange::parse("any", &text);
    }
}

fn asked(method: &str, path: &str, query: &[(&str, &str)]) -> SeenRequest {
    SeenRequest {
        at: 1,
        method: method.to_owned(),
        path: path.to_owned(),
        query: query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        headers: Vec::new(),
        body: bytes::Bytes::new(),
        whole: true,
    }
}

fn chosen(vendor: &Vendor, path: &str, query: &[(&str, &str)]) -> String {
    let answer = vendor.answer(&asked("GET", path, query));
    String::from_utf8(answer.body.to_vec()).unwrap()
}

#[test]
fn the_most_specific_exchange_wins() {
    let vendor = vendor(&[
        ("any", "GET /v1/{domain}/whois"),
        ("any-paged", "GET /v1/{domain}/whois\nquery: limit=10&offset=*"),
        ("literal", "GET /v1/example.com/whois"),
        (
            "literal-first-page",
            "GET /v1/example.com/whois\nquery: limit=10&offset=0",
        ),
        (
            "literal-some-page",
            "GET /v1/example.com/whois\nquery: limit=10&offset=*",
        ),
    ]);
    let page = |offset| [("app_name", "pivotd"), ("limit", "10"), ("offset", offset)];
    assert_eq!(chosen(&vendor, "/v1/example.net/whois", &[]), "any");
    assert_eq!(chosen(&vendor, "/v1/example.net/whois", &page("0")), "any-paged");
    assert_eq!(
        chosen(&vendor, "/v1/example.com/whois", &[("limit", "10")]),
        "literal"
    );
    assert_eq!(
        chosen(&vendor, "/v1/example.com/whois", &page("0")),
        "literal-first-page"
    );
    assert_eq!(
        chosen(&vendor, "/v1/example.com/whois/", &page("10")),
        "literal-some-page"
    );
    assert_eq!(
        chosen(&vendor, "/v1/%65xample.com/whois", &[]),
        "literal",
        "segments are compared decoded"
    );
    for path in [
        "/v1/example.com",
        "/v1/example.com/whois/history",
        "/v1//whois",
        "/",
    ] {
        assert_eq!(vendor.answer(&asked("GET", path, &[])).status, 404, "{path}");
    }
    assert_eq!(
        vendor.answer(&asked("POST", "/v1/example.com/whois", &[])).status,
        404
    );
}

#[test]
fn a_form_is_matched_like_a_query() {
    let vendor = vendor(&[("form", "POST /v1/search\nform: domain=example.com&page=*")]);
    let mut request = asked("POST", "/v1/search", &[("domain", "example.com"), ("page", "1")]);
    assert_eq!(vendor.answer(&request).status, 404, "a query is no form");
    request.body = "page=2&domain=example%2Ecom".into();
    assert_eq!(
        vendor.answer(&request).status,
        404,
        "an unlabelled body is no form"
    );
    request.headers.push((
        "content-type".to_owned(),
        "application/x-www-form-urlencoded; charset=utf-8".to_owned(),
    ));
    assert_eq!(vendor.answer(&request).status, 200);
    request.body = "domain=example.com".into();
    assert_eq!(vendor.answer(&request).status, 404);
}

#[test]
fn ties_are_found_at_load_or_named_loudly() {
    let load = |requests: [&str; 2]| {
        let [one, other] = requests;
        Vendor::from_exchanges(
            "acme",
            vec![exchange("one", one, ""), exchange("other", other, "")],
        )
    };
    for tied in [
        ["GET /a/{b}", "GET /a/{c}"],
        ["GET /a/{b}", "GET /{a}/b"],
        ["GET /a\nquery: x=1", "GET /a\nquery: x=1"],
        ["GET /a\nquery: x=1&y=*", "GET /a\nquery: x=*&y=2"],
    ] {
        let error = load(tied).unwrap_err();
        assert_eq!((error.file.as_str(), error.line), ("other", 1), "{tied:?}");
        assert!(error.reason.contains("same requests as one"), "{error}");
    }
    for distinct in [
        ["GET /a/{b}", "POST /a/{b}"],
        ["GET /a/{b}", "GET /a/b"],
        ["GET /a\nquery: x=1", "GET /a\nquery: x=2"],
        ["GET /a\nquery: x=1", "GET /a\nquery: x=*"],
        ["GET /a\nquery: x=1", "GET /a\nform: x=1"],
    ] {
        assert!(load(distinct).is_ok(), "{distinct:?}");
    }
    let vendor = load(["GET /a\nquery: x=1", "GET /a\nquery: y=1"]).unwrap();
    assert_eq!(vendor.answer(&asked("GET", "/a", &[("y", "1")])).status, 200);
    let both = vendor.answer(&asked("GET", "/a", &[("x", "1"), ("y", "1")]));
    assert_eq!(both.status, 500);
    assert_eq!(both.body, r#"{"error":"one and other both match this request"}"#);
    assert!(
        load(["GET /a", "* *"])
            .unwrap_err()
            .reason
            .contains("_default.http")
    );
}

#[test]
fn a_compiled_in_folder_is_the_same_as_one_on_disk() {
    const FOUND: &[u8] = include_bytes!("../../fixtures/domaintools/hosting-history/found.http");
    const DEFAULT: &[u8] = include_bytes!("../../fixtures/domaintools/_default.http");
    let product = [DirEntry::File(File::new(
        "domaintools/hosting-history/found.http",
        FOUND,
    ))];
    let entries = [
        DirEntry::File(File::new("domaintools/_default.http", DEFAULT)),
        DirEntry::File(File::new("domaintools/README.md", b"not a fixture")),
        DirEntry::Dir(Dir::new("domaintools/hosting-history", &product)),
    ];
    let compiled = Vendor::from_dir(&Dir::new("domaintools", &entries)).unwrap();
    let on_disk = domaintools();
    assert_eq!(compiled.name(), on_disk.name());
    let found = |vendor: &Vendor| {
        let name = "domaintools/hosting-history/found.http";
        vendor
            .exchanges()
            .iter()
            .find(|exchange| exchange.name() == name)
            .cloned()
            .unwrap()
    };
    assert_eq!(found(&compiled), found(&on_disk));
    let unknown = asked("GET", "/v1/unknown.example/hosting-history", &[]);
    assert_eq!(compiled.answer(&unknown), on_disk.answer(&unknown));
    assert!(String::from_utf8_lossy(&on_disk.answer(&unknown).body).contains(r#""code": 404"#));

    let error = Vendor::from_dir(&Dir::new(
        "acme",
        &[DirEntry::File(File::new("acme/b.http", b"GET a"))],
    ))
    .unwrap_err();
    assert_eq!((error.file.as_str(), error.line), ("acme/b.http", 1));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acme");
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("b.http"), b"GET a").unwrap();
    let error = Vendor::from_path(&path).unwrap_err();
    assert_eq!((error.file.as_str(), error.line), ("acme/b.http", 1));
    assert_eq!(
        Vendor::from_path(folder.path().join("nothing")).unwrap_err().line,
        0
    );
}

#[test]
fn a_closure_is_an_authenticator() {
    let vendor = vendor(&[("ok", "GET /a")]).with_authenticator(|request: &SeenRequest| {
        match request.header("x-apikey") {
            Some("right") => AuthResult::Ok,
            Some(_) => AuthResult::Refused,
            None => AuthResult::Missing,
        }
    });
    for (key, status) in [(Some("right"), 200), (Some("wrong"), 401), (None, 401)] {
        let mut request = asked("GET", "/a", &[]);
        request
            .headers
            .extend(key.map(|key| ("x-apikey".to_owned(), key.to_owned())));
        assert_eq!(vendor.answer(&request).status, status, "{key:?}");
    }
}
