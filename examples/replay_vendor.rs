//! Plays DomainTools' hosting history with as many addresses as the domain's name says: `n12.example` has 12. It plays
//! the risk of domains, too, which is the same number.
//!
//! `replay_vendor ADDRESS`; used by `benches/compare/run`. The answers are generated, in the shape that the DomainTools
//! API documents; addresses are of the network set aside for benchmarks (RFC 2544).

use std::fmt::Write as _;

use actix_web::{App, HttpResponse, HttpServer, web};

fn address(at: usize) -> String {
    format!("198.{}.{}.{}", 18 + at / 65_536 % 2, at / 256 % 256, at % 256)
}

/// Reads the number at the end of a domain's first label.
fn number(domain: &str) -> usize {
    let digits = domain
        .split('.')
        .next()
        .unwrap_or_default()
        .rsplit('n')
        .next()
        .unwrap_or_default();
    digits.parse().unwrap_or(1)
}

fn risk(domain: &str) -> String {
    let score = number(domain).min(100);
    let below = score / 2;
    format!(
        "{{\"response\":{{\"domain\":\"{domain}\",\"risk_score\":{score},\"components\":[\
         {{\"name\":\"proximity\",\"risk_score\":{below}}},\
         {{\"name\":\"threat_profile\",\"risk_score\":{score},\"threats\":[\"phishing\"],\"evidence\":[\"registrant\"]}},\
         {{\"name\":\"threat_profile_phishing\",\"risk_score\":{score}}},\
         {{\"name\":\"threat_profile_malware\",\"risk_score\":{below}}},\
         {{\"name\":\"threat_profile_spam\",\"risk_score\":{below}}}]}}}}"
    )
}

fn history(domain: &str) -> String {
    let count = number(domain);
    let mut body = format!("{{\"response\":{{\"domain_name\":\"{domain}\",\"ip_history\":[");
    for at in 0..count {
        let comma = if at == 0 { "" } else { "," };
        let before = if at == 0 {
            "null".to_owned()
        } else {
            format!("\"{}\"", address(at - 1))
        };
        let action = if at == 0 { ("N", "New") } else { ("C", "Change") };
        let (year, month, day) = (1990 + at / 336 % 34, 1 + at / 28 % 12, 1 + at % 28);
        // Writing to a string cannot fail.
        let _ = write!(
            body,
            "{comma}{{\"domain\":\"{domain}\",\"post_ip\":\"{}\",\"pre_ip\":{before},\"action\":\"{}\",\
             \"actiondate\":\"{year}-{month:02}-{day:02}\",\"action_in_words\":\"{}\"}}",
            address(at),
            action.0,
            action.1
        );
    }
    body.push_str("],\"registrar_history\":[],\"nameserver_history\":[]}}");
    body
}

const ACCOUNT: &str = r#"{"response":{"account":{"api_username":"bench","active":true},"products":[
{"id":"hosting-history","per_month_limit":null,"per_hour_limit":null,"per_minute_limit":null,"absolute_limit":null,
"usage":{"today":"0","month":"0"},"expiration_date":null},
{"id":"risk-evidence","per_month_limit":null,"per_hour_limit":null,"per_minute_limit":null,"absolute_limit":null,
"usage":{"today":"0","month":"0"},"expiration_date":null}]}}"#;

#[derive(serde::Deserialize)]
struct Asked {
    domain: String,
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let Some(address) = std::env::args().nth(1) else {
        return Err(std::io::Error::other("usage: replay_vendor ADDRESS"));
    };
    let json = |body: String| {
        HttpResponse::Ok()
            .content_type("application/json;charset=utf-8")
            .body(body)
    };
    HttpServer::new(move || {
        App::new()
            .route(
                "/v1/account",
                web::get().to(move || async move { json(ACCOUNT.to_owned()) }),
            )
            .route(
                "/v1/{domain}/hosting-history",
                web::get().to(move |domain: web::Path<String>| async move { json(history(&domain)) }),
            )
            .route(
                "/v1/risk/evidence/",
                web::get().to(move |asked: web::Query<Asked>| async move { json(risk(&asked.domain)) }),
            )
    })
    .workers(1)
    .bind(address)?
    .run()
    .await
}
