//! What lists mean for a score: benign by class, malicious by a probability, or only worth knowing.

use super::evidence::{
    BenignClass, Evidence, EvidenceStatus, Knowledge, Millionths, Polarity, Reliability, printable,
};
use super::policy::{ListMeaning, Rules};
use pivotd_domain::lists::{Hit, ListClass, Purpose, may_be_of_strangers};
use pivotd_domain::{Indicator, IndicatorKind};

/// Names the source of what lists say.
pub const SOURCE: &str = "lists";

/// Mailboxes of a function, which several people read (RFC 2142, and those that are common).
const ROLES: &[&str] = &[
    "abuse",
    "admin",
    "administrator",
    "billing",
    "contact",
    "help",
    "helpdesk",
    "hostmaster",
    "hr",
    "info",
    "it",
    "jobs",
    "mail",
    "marketing",
    "news",
    "newsletter",
    "no-reply",
    "noc",
    "noreply",
    "office",
    "postmaster",
    "press",
    "privacy",
    "root",
    "sales",
    "security",
    "service",
    "support",
    "team",
    "webmaster",
];

/// Makes evidence of the lists that an indicator stands on.
#[must_use]
pub fn evidence(indicator: &Indicator, hits: &[Hit], rules: &Rules) -> Vec<Evidence> {
    let shared = hits.iter().any(|hit| hit.purpose == Purpose::SharedHosting);
    let strange_page = indicator.kind() == IndicatorKind::Url && hits.iter().any(of_strangers);
    // Of these the host is known alone.
    let unsure_page = !strange_page && may_be_of_strangers(indicator);
    let of = |hit: &Hit| {
        let mut evidence = listed(indicator.kind(), hit, rules);
        let says_nothing = match hit.purpose {
            // That a network is good says nothing of what its customers put there.
            Purpose::Cdn | Purpose::Cloud => shared,
            // That many people visit a host says nothing of what strangers put there, or of where it leads.
            Purpose::Popular => strange_page || unsure_page,
            _ => false,
        };
        if says_nothing && evidence.polarity == Polarity::Benign(BenignClass::Soft) {
            evidence.polarity = Polarity::Benign(BenignClass::Context);
        }
        let vouches = match hit.purpose {
            Purpose::Own | Purpose::Trusted => true,
            Purpose::Popular => !strange_page,
            _ => false,
        };
        if vouches && matches!(evidence.polarity, Polarity::Benign(_)) {
            evidence.knowledge = Knowledge::Listed;
            if hit.purpose == Purpose::Popular && unsure_page {
                evidence.about = indicator.host();
            }
        }
        evidence
    };
    let mut evidence: Vec<Evidence> = hits.iter().map(of).collect();
    evidence.extend(role(indicator));
    evidence
}

/// Tells whether a list says that strangers put content at a host, or that its links lead elsewhere.
#[must_use]
pub fn of_strangers(hit: &Hit) -> bool {
    match hit.purpose {
        Purpose::FreeMail
        | Purpose::Disposable
        | Purpose::Shortener
        | Purpose::SafeLink
        | Purpose::Cdn
        | Purpose::Cloud => true,
        // A customer's name below a suffix is that customer's alone.
        Purpose::SharedHosting => !hit.is_of_suffix(),
        _ => false,
    }
}

/// Says which list of what is popular vouches for an indicator itself; `None` where none does.
#[must_use]
pub fn vouched_as_popular(indicator: &Indicator, hits: &[Hit], rules: &Rules) -> Option<String> {
    popular_evidence(indicator, hits, rules, |about| about.is_none())
}

/// Says which list of what is popular vouches for the host of a page, of which that is all that is known.
#[must_use]
pub fn popular_host(page: &Indicator, hits: &[Hit], rules: &Rules) -> Option<String> {
    popular_evidence(page, hits, rules, |about| about.is_some())
}

fn popular_evidence(
    indicator: &Indicator,
    hits: &[Hit],
    rules: &Rules,
    is_wanted: impl Fn(Option<&str>) -> bool,
) -> Option<String> {
    let vouches = |item: &Evidence| {
        item.knowledge == Knowledge::Listed
            && item.measure == Purpose::Popular.name()
            && is_wanted(item.about.as_deref())
    };
    let found = evidence(indicator, hits, rules).into_iter().find(vouches)?;
    found.reasons.into_iter().next()
}

/// Tells that the domain of an address for mail is popular, and not shared with strangers: told, and counted for
/// nothing but that the sender is known.
#[must_use]
pub fn popular_sender(domain: &Indicator, hits: &[Hit]) -> Option<Evidence> {
    let hit = hits.iter().find(|hit| hit.purpose == Purpose::Popular)?;
    // The mailboxes of a host's own name are its operator's, whatever strangers put on its pages.
    let is_shared = hits.iter().any(|hit| match hit.purpose {
        Purpose::SharedHosting => hit.entry != domain.value(),
        _ => of_strangers(hit),
    });
    (!is_shared).then(|| Evidence {
        measure: Purpose::Popular.name().to_owned(),
        about: Some(domain.value().to_owned()),
        local: true,
        polarity: Polarity::Benign(BenignClass::Context),
        probability: Some(Millionths::ZERO),
        knowledge: Knowledge::Listed,
        reasons: vec![format!(
            "popular: {} on {}",
            printable(&hit.entry),
            printable(&hit.list)
        )],
        ..Evidence::absent(SOURCE, EvidenceStatus::Ok)
    })
}

fn listed(kind: IndicatorKind, hit: &Hit, rules: &Rules) -> Evidence {
    // A mailbox at a free provider is one person's: others are only hit where the domain is blocked.
    let mailbox = kind == IndicatorKind::Email && hit.purpose == Purpose::FreeMail;
    let name = hit.purpose.name();
    let meaning = match (mailbox, rules.lists.get(name)) {
        (true, _) => ListMeaning::Benign(BenignClass::Context),
        (false, Some(meaning)) => *meaning,
        (false, None) => ListMeaning::Benign(match hit.purpose.class() {
            ListClass::Hard => BenignClass::Hard,
            ListClass::Soft => BenignClass::Soft,
            ListClass::Context => BenignClass::Context,
        }),
    };
    let words = name.replace('-', " ");
    // A customer's name below a suffix is that customer's alone.
    let alone = mailbox || hit.is_of_suffix();
    // A domain of free mail is everybody's, whatever the rules say.
    let hazard = !alone
        && (hit.purpose == Purpose::FreeMail || rules.never_block.iter().any(|purpose| purpose == name));
    let local = Evidence {
        measure: name.to_owned(),
        local: true,
        reasons: vec![format!(
            "{words}: {} on {}",
            printable(&hit.entry),
            printable(&hit.list)
        )],
        hazard: hazard.then_some(words),
        ..Evidence::absent(SOURCE, EvidenceStatus::Ok)
    };
    match meaning {
        ListMeaning::Benign(class) => Evidence {
            polarity: Polarity::Benign(class),
            probability: Some(Millionths::ZERO),
            ..local
        },
        ListMeaning::Malicious(probability) => Evidence {
            // Each list is a family: that a mailbox is thrown away and that its name is for sale are two things.
            family: format!("{SOURCE}:{name}"),
            polarity: Polarity::Malicious,
            probability: Some(probability),
            reliability: Reliability::B,
            knowledge: Knowledge::CountsOnly,
            ..local
        },
    }
}

/// Tells of a mailbox that several people read.
fn role(indicator: &Indicator) -> Option<Evidence> {
    if indicator.kind() != IndicatorKind::Email {
        return None;
    }
    let (local, _) = indicator.value().rsplit_once('@')?;
    ROLES
        .contains(&local.to_ascii_lowercase().as_str())
        .then(|| Evidence {
            measure: "role".to_owned(),
            local: true,
            polarity: Polarity::Benign(BenignClass::Context),
            probability: Some(Millionths::ZERO),
            reasons: vec!["a role's mailbox, which several people read".to_owned()],
            ..Evidence::absent(SOURCE, EvidenceStatus::Ok)
        })
}
