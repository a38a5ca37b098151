//! Recorded requests of other people's clients and tests, byte for byte, against the demo.
//!
//! Tests of recorded requests are ignored unless they are asked for, and read the folder that `PIVOTD_WIRE` names;
//! requests in the same shapes, written for this project, run always beside the reader.

use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Answer, Builder, TestApp};

const TRANSFORM: &str = "/run/domaintools.ip-history";

/// What the design demands of a recorded request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Demand {
    /// Entities.
    Found,
    /// A message that begins with the value: it is no domain.
    BadValue,
    /// An exception that names the fault; nothing was looked up.
    Exception,
    /// Only this status.
    Status(u16),
}

fn demand(name: &str) -> Demand {
    match name.split('-').next().unwrap_or_default() {
        "05" => Demand::Status(404),
        "04" | "06" | "44" => Demand::Status(200),
        "43" => Demand::Status(405),
        "07" | "08" | "09" | "39" | "40" => Demand::Exception,
        // Values that are no domain (emoji, ampersands, line breaks), and types that are none of the inputs.
        "20" | "21" | "22" | "23" | "24" | "25" | "26" | "27" | "28" | "29" | "30" | "41" | "45" | "48"
        | "49" => Demand::BadValue,
        _ => Demand::Found,
    }
}

/// Sends raw bytes and reads one answer.
async fn exchange(app: &TestApp, request: &[u8]) -> Answer {
    let address = app.base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.split("\r\n").next()?.parse().ok());
    // An answer to HEAD tells the length of what it leaves out.
    let mut body = vec![
        0;
        if request.starts_with(b"HEAD") {
            0
        } else {
            length.unwrap_or(0)
        }
    ];
    stream.read_exact(&mut body).await.unwrap();
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    Answer {
        status,
        headers: reqwest::header::HeaderMap::new(),
        body: String::from_utf8(body).unwrap(),
    }
}

/// Points a recorded request at a transform of the demo; a name that is meant to be unknown stays.
fn rewrite(request: &[u8], keep: bool) -> Vec<u8> {
    let end = request
        .windows(2)
        .position(|pair| pair == b"\r\n")
        .unwrap_or(request.len());
    let line = String::from_utf8_lossy(&request[..end]).into_owned();
    let mut parts = line.split(' ');
    let (method, path) = (parts.next().unwrap_or("POST"), parts.next().unwrap_or("/"));
    let path = match path {
        "/" => "/".to_owned(),
        path if keep => path.to_owned(),
        path if path.ends_with('/') => format!("{TRANSFORM}/"),
        path if path.chars().any(char::is_uppercase) => TRANSFORM.replace("domaintools", "DomainTools"),
        _ => TRANSFORM.to_owned(),
    };
    let mut bytes = format!("{method} {path} HTTP/1.1").into_bytes();
    bytes.extend_from_slice(&request[end..]);
    bytes
}

fn recordings(folder: &str) -> Vec<(String, Vec<u8>)> {
    let wire = std::env::var_os("PIVOTD_WIRE")
        .unwrap_or_else(|| panic!("PIVOTD_WIRE names no folder of recordings"));
    let mut all: Vec<_> = std::fs::read_dir(Path::new(&wire).join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "req"))
        .map(|path| {
            (
                path.file_stem().unwrap().to_string_lossy().into_owned(),
                std::fs::read(&path).unwrap(),
            )
        })
        .collect();
    all.sort();
    assert!(!all.is_empty());
    all
}

fn check(name: &str, demand: Demand, answer: &Answer) {
    assert!((200..500).contains(&answer.status), "{name}: {}", answer.status);
    let status = if let Demand::Status(status) = demand {
        status
    } else {
        200
    };
    assert_eq!(answer.status, status, "{name}: {}", answer.body);
    let partial = answer.said("PartialError");
    match demand {
        Demand::Found => assert!(!answer.entities().is_empty(), "{name}: {}", answer.body),
        Demand::BadValue => {
            assert!(
                partial.contains("this is not") || partial.contains("cannot be asked"),
                "{name}: {}",
                answer.body
            );
        }
        Demand::Exception => {
            assert!(
                answer.said("Exception").contains("nothing was looked up"),
                "{name}: {}",
                answer.body
            );
        }
        Demand::Status(_) => {}
    }
}

#[tokio::test]
#[ignore = "needs recordings"]
async fn recorded_requests_get_the_answer_that_is_demanded() {
    let app = Builder::new().demo().start().await;
    for (name, request) in recordings("trx") {
        let demand = demand(&name);
        let answer = exchange(&app, &rewrite(&request, demand == Demand::Status(404))).await;
        check(&name, demand, &answer);
    }
}

#[tokio::test]
#[ignore = "needs recordings"]
async fn recorded_requests_of_a_third_client_are_answered() {
    let app = Builder::new().demo().start().await;
    for (name, request) in recordings("canari") {
        let answer = exchange(&app, &rewrite(&request, false)).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
        assert!(
            answer.body.starts_with("<MaltegoMessage>"),
            "{name}: {}",
            answer.body
        );
    }
}

#[tokio::test]
async fn a_request_in_any_encoding_and_content_type_is_read() {
    let app = Builder::new().demo().start().await;
    let xml = crate::support::Entity::domain("example.com").request();
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(xml.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let latin1 = format!("<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>{xml}").into_bytes();
    // What takes more bytes in UTF-8 than it was sent in is no larger request.
    let accented = xml.replace("</Value>", "</Value><Note>caf\u{e9}\u{e9}\u{e9}</Note>");
    let accented = format!("<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>{accented}")
        .chars()
        .map(|letter| u8::try_from(u32::from(letter)).unwrap())
        .collect();
    for body in [xml.clone().into_bytes(), utf16, latin1, accented] {
        for content_type in [
            "text/xml",
            "application/x-www-form-urlencoded",
            "application/json",
            "",
        ] {
            let url = format!("{}{TRANSFORM}", app.base);
            let request = app
                .http
                .post(url)
                .header("content-type", content_type)
                .body(body.clone());
            let answer = Answer::of(request.send().await.unwrap()).await;
            assert!(!answer.entities().is_empty(), "{content_type}: {}", answer.body);
        }
    }
}
