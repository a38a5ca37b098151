//! Says what an entity rests on: on independent sources that saw it at the same time, or on one alone.

use std::collections::BTreeSet;

use super::Node;
use super::period::{Period, seen};
use crate::catalogue::OWN;

/// Says what an entity rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Support {
    /// One source tells of it, and only outside the period that is looked at.
    Weak,
    /// Independent sources saw it in periods that overlap.
    Corroborated,
    /// One source tells of it, within the period or without a date.
    Single,
    /// Independent sources tell of it, and their periods do not overlap or are not known.
    Apart,
    /// No source tells of it: it was given, or is a part of what was.
    Given,
}

impl Support {
    /// Judges an entity; without a period, whatever one source alone tells of is weak.
    #[must_use]
    pub fn of(node: &Node, wanted: Option<Period>) -> Self {
        let families: BTreeSet<&str> = node.sources().into_iter().map(family).collect();
        match families.len() {
            0 => Self::Given,
            1 => {
                let seen = node.seen();
                let is_outside =
                    |wanted: Period| !seen.is_empty() && !seen.iter().any(|period| period.touches(&wanted));
                if wanted.is_none_or(is_outside) {
                    Self::Weak
                } else {
                    Self::Single
                }
            }
            _ if is_corroborated(node, wanted) => Self::Corroborated,
            _ => Self::Apart,
        }
    }
}

/// Tells whether two independent sources saw it on the same day, and within the period.
fn is_corroborated(node: &Node, wanted: Option<Period>) -> bool {
    let families: BTreeSet<&str> = node.sources().into_iter().map(family).collect();
    let of_family = |wanted_family: &str| {
        let all = node.observations.iter();
        seen(all.filter(|one| one.source != OWN && family(&one.source) == wanted_family))
    };
    let periods: Vec<Vec<Period>> = families.into_iter().map(of_family).collect();
    periods.iter().enumerate().any(|(at, one)| {
        let later = periods.iter().skip(at + 1).flatten();
        later.into_iter().any(|other| {
            one.iter().any(|period| {
                let common = period.common(other);
                common.is_some_and(|common| wanted.is_none_or(|wanted| wanted.touches(&common)))
            })
        })
    })
}

/// Returns what counts as one source: services that sell the same data are not independent.
fn family(source: &str) -> &str {
    match source {
        // Microsoft's service took over the data of the other.
        "passivetotal" => "defender",
        other => other,
    }
}
