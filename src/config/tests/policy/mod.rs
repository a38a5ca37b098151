//! Tests the rules of scores that are compiled in: what they make of what sources say, and of what sources do not say.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::indicator::Indicator;
use crate::reputation::score::Recommendation;
use crate::reputation::testing::{NOW, indicator, judge, listed, now, risk, sum};
use crate::reputation::*;

mod closing;
mod missing;
mod pages;
mod vendors;
