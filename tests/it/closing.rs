//! What keeps an alert open, and which settings close it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pivotd::replay::{Fault, Matcher};
use pivotd::reputation::Kind;
use serde_json::{Value, json};

use crate::support::{Builder, TestApp};

const ALERT: &str = "/v1/alerts/score";

async fn score(app: &TestApp, body: &Value) -> Value {
    let answer = app.post_json(ALERT, body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

#[tokio::test]
async fn each_matter_that_is_open_is_settled_by_its_own_setting_and_named_as_a_cause() {
    let app = TestApp::start().await;
    for (url, kind, setting) in [
        ("http://a.example:99999/", "unreadable", "on_unreadable"),
        ("https://urldefense.com/v3/broken", "sealed", "on_sealed"),
    ] {
        let ask = async |setting: &str, meaning: &str| {
            let mut body = json!({"domain": "example.com", "url": url});
            body[setting] = json!(meaning);
            score(&app, &body).await
        };
        let kept = ask(setting, "keep").await;
        assert_eq!(kept["decision"], "undetermined", "{kept}");
        let cause = &kept["causes"][0];
        assert_eq!(
            (&cause["kind"], &cause["value"], &cause["retry"]),
            (&json!(kind), &json!(url), &json!(false)),
            "{kept}"
        );
        for meaning in ["below", "exceeds"] {
            let settled = ask(setting, meaning).await;
            assert_eq!(settled["decision"], meaning, "{settled}");
            assert_eq!(settled["decided_by"], setting, "{settled}");
        }
        // The setting of another matter does not close it.
        for other in ["on_unreadable", "on_sealed", "on_unknown", "on_undetermined"] {
            if other != setting {
                let open = ask(other, "below").await;
                assert_eq!(open["decision"], "undetermined", "{other}: {open}");
            }
        }
    }
}

#[tokio::test]
async fn a_source_that_is_required_of_a_kind_is_missed_whatever_it_could_add() {
    let app = Builder::new()
        .with(["threatgrid"])
        .settings(|settings| {
            settings.providers.get_mut("threatgrid").unwrap().attempts = 1;
            let of_domains = settings.reputation.required.entry(Kind::Domain).or_default();
            of_domains.insert("threatgrid".to_owned());
        })
        .start()
        .await;
    app.others["threatgrid"].inject(Matcher::any(), Fault::too_many_requests(Some("3600")), None);
    let domain = score(&app, &json!({"domain": "example.com"})).await;
    assert_eq!(domain["decision"], "undetermined", "{domain}");
    assert_eq!(domain["causes"][0]["source"], "threatgrid", "{domain}");
    assert!(domain["retry_after_s"].as_u64() > Some(0), "{domain}");
    // Of other kinds it is not.
    let url = json!({"url": "https://example.com/a", "providers": ["domaintools", "threatgrid"]});
    let url = score(&app, &url).await;
    assert_eq!(
        (&url["decision"], &url["causes"]),
        (&json!("unknown"), &json!([])),
        "{url}"
    );
}

#[tokio::test]
async fn a_popular_host_vouches_for_no_page_that_strangers_put_there() {
    let app = TestApp::start().await;
    let decision = async |body: Value| score(&app, &body).await["decision"].clone();
    assert_eq!(
        decision(json!({"url": "https://www.paypal.com/signin"})).await,
        "below"
    );
    for page in [
        "https://github.com/stranger/kit",
        "https://docs.google.com/forms/d/x",
        "https://www.facebook.com/account-review-554",
        "https://click.email.microsoft.com/?qs=q",
        "https://login.microsoftonline.com/common/oauth2/authorize?redirect_uri=https%3A%2F%2Fpayroll-desk.example%2Fcb",
    ] {
        let found = decision(json!({"url": page})).await;
        // Without a source of URLs, a name that no source is asked about is unsupported.
        assert!(found == "unknown" || found == "unsupported", "{page}: {found}");
    }
    // The mailboxes of the host's own name are its operator's.
    assert_eq!(decision(json!({"email": "noreply@github.com"})).await, "below");
}

#[tokio::test]
async fn many_links_of_a_popular_sender_to_itself_are_no_excess() {
    let app = TestApp::start().await;
    let message = |sender: &str| {
        let links: String = (0..30)
            .map(|at| format!("https://www.linkedin.com/comm/jobs/view/{at}\r\n"))
            .collect();
        json!({"message": format!("From: Desk <desk@{sender}>\r\nContent-Type: text/plain\r\n\r\n{links}")})
    };
    let own = score(&app, &message("linkedin.com")).await;
    assert_eq!(
        (&own["decision"], &own["excess"]),
        (&json!("below"), &json!([])),
        "{own}"
    );
    let other = score(&app, &message("example.org")).await;
    assert_eq!(other["decision"], "undetermined", "{other}");
}

#[tokio::test]
async fn a_message_that_an_employee_forwards_in_the_text_is_not_closed_by_its_popular_links() {
    let app = TestApp::start().await;
    let head =
        "From: Boss <boss@unheard-desk.example>\r\nSent: Monday\r\nTo: Staff\r\nSubject: bank account\r\n";
    let message = |head: &str| json!({"message": format!("From: Desk <desk@example.org>\r\nContent-Type: text/plain\r\n\r\n{head}\r\nhttps://www.linkedin.com/\r\n")});
    assert_eq!(score(&app, &message("")).await["decision"], "below");
    let forwarded = score(&app, &message(head)).await;
    assert_eq!(forwarded["decision"], "unknown", "{forwarded}");
    assert_eq!(forwarded["message"]["pictures"], json!([]), "{forwarded}");
}

#[tokio::test]
async fn the_return_path_and_the_last_hop_close_no_alert() {
    let app = TestApp::start().await;
    // The sender's own page, and a return path that names another's.
    let message = |url: &str| {
        format!(
            "Return-Path: <bounce@example.com>\r\nFrom: Desk <desk@example.org>\r\nContent-Type: text/plain\r\n\r\n{url}\r\n"
        )
    };
    let own = score(&app, &json!({"message": message("https://example.org/a")})).await;
    let other = score(&app, &json!({"message": message("https://example.com/a")})).await;
    assert_eq!(own["decision"], "below", "{own}");
    assert_eq!(other["decision"], "unknown", "{other}");
    assert_eq!(other["unknown"], json!(["https://example.com/a"]), "{other}");
}

#[tokio::test]
async fn a_message_of_eight_mebibytes_is_read() {
    let app = TestApp::start().await;
    let head = "From: Desk <desk@example.org>\r\nContent-Type: text/plain\r\n\r\nhttp://career-offers.example/apply\r\n";
    let mut message = head.as_bytes().to_vec();
    let line = b"nothing of interest stands in this line of seventy-eight letters and spaces..\r\n";
    while message.len() + line.len() <= 8 << 20 {
        message.extend_from_slice(line);
    }
    let read = score(&app, &json!({"message_base64": STANDARD.encode(&message)})).await;
    assert_eq!(read["decision"], "exceeds", "{}", read["summary"]);
    message.resize((8 << 20) + 1, b' ');
    let longer = json!({"message_base64": STANDARD.encode(&message)});
    let refused = app.post_json(ALERT, &longer).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
}
