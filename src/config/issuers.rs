//! Reads `[issuers]`: whose signed tokens (JWT) stand for a client.

use std::num::NonZeroU32;

use jsonwebtoken::Algorithm;

use super::reader::{Reader, flag, path, text, texts};
use super::settings::IssuerSettings;
use super::values;

/// Names the algorithms that can be configured: those whose verifying key is no secret.
const ALGORITHMS: [(&str, Algorithm); 9] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];
/// Those that are accepted where the configuration names none.
const USUAL: [Algorithm; 2] = [Algorithm::RS256, Algorithm::ES256];

pub(super) fn issuers(root: &Reader<'_>) -> Vec<IssuerSettings> {
    let Some(node) = root.get("issuers") else {
        return Vec::new();
    };
    let table = Reader::new(root.findings, root.path("issuers"), node);
    let mut all: Vec<IssuerSettings> = Vec::new();
    for entry in table.rest() {
        let reader = Reader::new(table.findings, table.path(&entry.name), &entry.node);
        if let Some(one) = issuer(&reader, &entry.name) {
            if all.iter().any(|known| known.issuer == one.issuer) {
                let message = format!("issuer: another one has \"{}\" already", one.issuer);
                reader.findings.error(&entry.origin, message);
            }
            all.push(one);
        }
        reader.finish();
    }
    all
}

fn issuer(reader: &Reader<'_>, name: &str) -> Option<IssuerSettings> {
    let filled = |node: &_| {
        let text: String = text(node)?;
        (!text.trim().is_empty())
            .then_some(text)
            .ok_or_else(|| "must not be empty".to_owned())
    };
    let issuer = reader.required_value("issuer", filled);
    let jwks_url = reader.required_value("jwks_url", |node| {
        values::plain_url(&filled(node)?).map(|url| url.as_str().trim_end_matches('/').to_owned())
    });
    let audience = reader.required_value("audience", |node| match texts(node) {
        Ok(all) if all.is_empty() => Err("expected who its tokens are for, at least one".to_owned()),
        Ok(all) => Ok(all),
        Err(_) => filled(node).map(|one| vec![one]),
    });
    let client = reader.required_value("client", |node| {
        let text = filled(node)?;
        values::is_plain_name(&text)
            .then_some(text.clone())
            .ok_or_else(|| format!("expected a name of letters, digits and -_.@, found \"{text}\""))
    });
    let tenant = reader.value_or("tenant", "default".to_owned(), "\"default\"", |node| {
        let name = text(node)?;
        values::is_plain_name(&name)
            .then_some(name)
            .ok_or_else(|| "expected the name of a tenant".to_owned())
    });
    let per_minute = reader.value("rate", |node| {
        let given = text(node)?;
        let number = given.strip_suffix("/min").and_then(|number| number.parse().ok());
        number.ok_or_else(|| {
            format!("expected so many indicators a minute, such as \"600/min\", found \"{given}\"")
        })
    });
    let algorithms = reader.value("algorithms", |node| {
        let named = texts(node)?;
        let known = |name: &String| {
            let found = ALGORITHMS.iter().find(|(known, _)| known == name);
            found.map(|(_, algorithm)| *algorithm).ok_or_else(|| {
                let all = ALGORITHMS.map(|(known, _)| known).join(", ");
                format!("\"{name}\" is none of {all}")
            })
        };
        named.iter().map(known).collect::<Result<Vec<_>, _>>()
    });
    let ca_file = reader.value("ca_file", path);
    let allow_private = reader.value_or("allow_private", false, "false", flag);
    Some(IssuerSettings {
        name: name.to_owned(),
        issuer: issuer?,
        audience: audience?,
        jwks_url: jwks_url?,
        client: client?,
        tenant,
        per_minute: per_minute.map(|number: NonZeroU32| number),
        algorithms: algorithms.unwrap_or_else(|| USUAL.to_vec()),
        ca_file,
        allow_private,
    })
}
