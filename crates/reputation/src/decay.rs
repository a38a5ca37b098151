//! What age leaves of the weight of evidence, and until when that stays.

use jiff::{SignedDuration, Timestamp};

use super::evidence::{Evidence, Millionths, Polarity};
use super::policy::Rules;
use super::score::FEEDBACK;

/// Age counts in so many steps of a lifetime, so that a score stands still in between and can be sent again.
const STEPS: u64 = 1000;

/// The age of evidence that loses weight.
struct EvidenceAge {
    /// Seconds.
    age: u64,
    /// Seconds.
    lifetime: u64,
    /// When it was of age 0; `None` where it is unknown.
    since: Option<Timestamp>,
}

impl EvidenceAge {
    /// `None` for evidence that loses nothing: a provider keeps a published risk up to date itself, what speaks for an
    /// indicator does not decay, and what is known here holds until its end.
    fn of(item: &Evidence, rules: &Rules, now: Timestamp) -> Option<Self> {
        let lifetime = rules.lifetime(&item.source);
        if item.passthrough
            || item.lasting
            || item.local
            || item.polarity != Polarity::Malicious
            || lifetime == 0
        {
            return None;
        }
        let (age, since) = match item.observed_at {
            Some(observed) => {
                let seconds = now.as_second().saturating_sub(observed.as_second());
                let since = Timestamp::from_second(observed.as_second()).ok();
                (u64::try_from(seconds).unwrap_or(0), since)
            }
            None => (item.age_s?, item.retrieved_at),
        };
        Some(Self { age, lifetime, since })
    }

    /// How many steps it has gone.
    fn step(&self) -> u64 {
        let step = u128::from(self.age) * u128::from(STEPS) / u128::from(self.lifetime);
        u64::try_from(step).map_or(STEPS, |step| step.min(STEPS))
    }

    /// When it goes the next step.
    fn next(&self) -> Option<Timestamp> {
        let step = self.step();
        if step == STEPS {
            return Some(Timestamp::MAX);
        }
        let age = (u128::from(step + 1) * u128::from(self.lifetime)).div_ceil(u128::from(STEPS));
        let age = SignedDuration::from_secs(i64::try_from(age).ok()?);
        Some(self.since?.checked_add(age).unwrap_or(Timestamp::MAX))
    }
}

/// Returns what age leaves of the weight: 1 - (age / lifetime) to the policy's power (the formula of MISP's decaying
/// models, in integers).
pub(super) fn weight(item: &Evidence, rules: &Rules, now: Timestamp) -> Millionths {
    let Some(aging) = EvidenceAge::of(item, rules, now) else {
        return Millionths::ONE;
    };
    let ratio = aging.step() * (1_000_000 / STEPS);
    let ratio = Millionths::new(u32::try_from(ratio).unwrap_or(u32::MAX));
    (1..rules.decay_power.clamp(1, 8))
        .fold(ratio, |power, _| power.times(ratio))
        .complement()
}

/// Says until when evidence counts as it does at `now`, as long as its answer is fresh. `None` where that cannot be
/// told: what people said ends when they wanted it to.
#[must_use]
pub fn constant_until(item: &Evidence, rules: &Rules, now: Timestamp) -> Option<Timestamp> {
    if item.source == FEEDBACK {
        return None;
    }
    let said = item.says_until.unwrap_or(Timestamp::MAX);
    let weighs = match EvidenceAge::of(item, rules, now) {
        Some(aging) => aging.next()?,
        None => Timestamp::MAX,
    };
    Some(said.min(weighs))
}
