//! Names decisions by their content: equal evidence under equal rules is the same decision.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::alert::{Fallbacks, Ignored};
use super::evidence::{Evidence, Millionths, Polarity, RawValue};
use super::policy::Policy;
use super::score::Assessment;
use pivotd_domain::hex::hex;

/// Returns the digest of a piece of evidence: 64 hexadecimal digits of the SHA-256 of what was said, without its age.
#[must_use]
pub fn evidence(evidence: &Evidence) -> String {
    let mut hash = Sha256::new();
    put_evidence(&mut hash, evidence);
    hex(&hash.finalize())
}

/// Says what an answer tells beside its assessments.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnswerContext<'a> {
    /// What was not scored, and why.
    pub ignored: &'a [Ignored],
    /// What could not be read.
    pub unreadable: &'a [Ignored],
    /// Links that only the vendor of their wrapper can unwrap.
    pub sealed: &'a [Ignored],
    /// What was too much to be scored.
    pub excess: &'a [Ignored],
    /// What else is worth knowing.
    pub notes: &'a [String],
}

/// Returns the id of a decision: a UUID (version 8) of tenant, rules, thresholds, fallbacks and all that was concluded.
#[must_use]
pub fn decision(
    tenant: &str,
    policy: &Policy,
    fallbacks: Fallbacks,
    assessments: &[Assessment],
    beside: AnswerContext<'_>,
) -> String {
    let mut hash = Sha256::new();
    put(&mut hash, tenant.as_bytes());
    put(&mut hash, policy.version().as_bytes());
    hash.update([policy.threshold]);
    let Fallbacks {
        undetermined,
        unreadable,
        sealed,
        unknown,
    } = fallbacks;
    hash.update([undetermined, unreadable, sealed, unknown].map(|one| one as u8));
    hash.update(policy.min_sources.to_be_bytes());
    for item in assessments {
        put(&mut hash, item.role.as_bytes());
        put(&mut hash, item.r#type.name().as_bytes());
        put(&mut hash, item.indicator.as_bytes());
        hash.update([item.threshold, item.score.unwrap_or(u8::MAX), item.decision as u8]);
        hash.update(item.evidence.len().to_be_bytes());
        for one in &item.evidence {
            put_evidence(&mut hash, one);
        }
    }
    let mut texts = |texts: &mut dyn ExactSizeIterator<Item = &str>| {
        hash.update(texts.len().to_be_bytes());
        texts.for_each(|text| put(&mut hash, text.as_bytes()));
    };
    for values in [beside.ignored, beside.unreadable, beside.sealed, beside.excess] {
        texts(&mut values.iter().map(|one| one.role.as_str()));
        texts(&mut values.iter().map(|one| one.value.as_str()));
        texts(&mut values.iter().map(|one| one.reason.as_str()));
    }
    texts(&mut beside.notes.iter().map(String::as_str));
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(hash.finalize()) {
        *to = from;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

/// Takes in a text with its length, so that no two sequences of texts read alike.
fn put(hash: &mut Sha256, bytes: &[u8]) {
    hash.update(bytes.len().to_be_bytes());
    hash.update(bytes);
}

fn put_evidence(hash: &mut Sha256, evidence: &Evidence) {
    put(hash, evidence.source.as_bytes());
    put(hash, evidence.measure.as_bytes());
    put(hash, evidence.about.as_deref().unwrap_or_default().as_bytes());
    put(hash, evidence.family.as_bytes());
    let points = match evidence.polarity {
        Polarity::Malicious => 0,
        Polarity::Benign(class) => 1 + class as u8,
        Polarity::Context => u8::MAX,
    };
    let (status, grade) = (evidence.status as u8, evidence.reliability as u8);
    let (passes, local) = (u8::from(evidence.passthrough), u8::from(evidence.local));
    hash.update([status, grade, points, passes, local]);
    let raw = evidence.raw.as_ref().map(|raw| match &raw.value {
        RawValue::Whole(number) => ("whole", number.to_string(), raw.scale.as_str()),
        RawValue::Text(text) => ("text", text.clone(), raw.scale.as_str()),
    });
    let (form, value, scale) = raw.unwrap_or_default();
    for text in [
        form,
        &value,
        scale,
        evidence.hazard.as_deref().unwrap_or_default(),
    ] {
        put(hash, text.as_bytes());
    }
    let probability = evidence.probability.map_or(u32::MAX, Millionths::get);
    hash.update(probability.to_be_bytes());
    // A published risk is dated by its retrieval, which is no news of the indicator.
    let observed = evidence.observed_at.filter(|_| !evidence.passthrough);
    let observed = observed.map_or(i64::MIN, jiff::Timestamp::as_second);
    hash.update(observed.to_be_bytes());
    hash.update(evidence.reasons.len().to_be_bytes());
    for reason in &evidence.reasons {
        put(hash, reason.as_bytes());
    }
}

/// Returns the text form of the id, checked; `None` for what is none.
#[must_use]
pub fn id(text: &str) -> Option<String> {
    Uuid::try_parse(text).ok().map(|id| id.to_string())
}
