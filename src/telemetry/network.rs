//! Counts what clients do to the server before they are known: connections, bodies, wrong tokens.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// Labels clients that let the server wait too long.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SlowLabels {
    /// `handshake`, `head`, `body` or `answer`.
    pub phase: &'static str,
}

/// Labels refused heads and bodies of requests.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RefusedLabels {
    /// `too_large` or `memory`; of bodies also `encoded`.
    pub reason: &'static str,
}

/// Labels tokens that are refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TokenLabels {
    /// The route's pattern.
    pub route: String,
    /// `missing`, `misspelt`, `unknown` or `expired`.
    pub reason: &'static str,
}

/// Holds the metrics of the network; clones share them.
#[derive(Debug, Clone, Default)]
pub struct NetworkMetrics {
    /// Connections that are open.
    pub connections: Gauge,
    /// Connections that were refused, at once or by their answer.
    pub refused: Counter,
    /// Connections that were closed to make room.
    pub made_room: Counter,
    /// Requests that were refused because more came than could be answered.
    pub shed: Counter,
    /// Bytes of bodies in memory.
    pub bodies: Gauge,
    /// Bytes of heads that have not come whole.
    pub heads: Gauge,
    /// Bytes of large answers that clients have not taken yet.
    pub answers: Gauge,
    /// Answers that ended to make room for others.
    pub answers_made_room: Counter,
    /// Answers for which there was no room.
    pub answers_refused: Counter,
    /// Requests beyond their client's share of those under way.
    pub over_share: Counter,
    slow: Family<SlowLabels, Counter>,
    heads_refused: Family<RefusedLabels, Counter>,
    bodies_refused: Family<RefusedLabels, Counter>,
    tokens_refused: Family<TokenLabels, Counter>,
}

impl NetworkMetrics {
    /// Registers all of them.
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "connections",
            "Connections of clients that are open",
            self.connections.clone(),
        );
        registry.register(
            "connections_refused",
            "Connections and requests refused because the server worked on all connections that were open",
            self.refused.clone(),
        );
        registry.register(
            "connections_made_room",
            "Connections closed to make room, those first whose clients let the server wait longest",
            self.made_room.clone(),
        );
        registry.register(
            "requests_shed",
            "Requests refused because more came than could be answered",
            self.shed.clone(),
        );
        registry.register(
            "requests_over_share",
            "Requests refused because their client had its share of those under way",
            self.over_share.clone(),
        );
        registry.register_with_unit(
            "heads",
            "Heads of requests that have not come whole",
            Unit::Bytes,
            self.heads.clone(),
        );
        registry.register(
            "heads_refused",
            "Connections that ended because of the head of a request, by reason",
            self.heads_refused.clone(),
        );
        registry.register_with_unit(
            "answers",
            "Large answers that their clients have not taken whole",
            Unit::Bytes,
            self.answers.clone(),
        );
        registry.register(
            "answers_made_room",
            "Large answers that ended to make room for others, those first whose clients take slowest",
            self.answers_made_room.clone(),
        );
        registry.register(
            "answers_refused",
            "Large answers for which there was no room",
            self.answers_refused.clone(),
        );
        registry.register_with_unit(
            "bodies",
            "Request bodies in memory",
            Unit::Bytes,
            self.bodies.clone(),
        );
        registry.register(
            "bodies_refused",
            "Request bodies that were not read to their end, by reason",
            self.bodies_refused.clone(),
        );
        registry.register(
            "slow_clients",
            "Connections that ended because the client let the server wait, by phase",
            self.slow.clone(),
        );
        registry.register(
            "tokens_refused",
            "Requests without a token, or with one that is refused, by route and reason",
            self.tokens_refused.clone(),
        );
    }

    /// Counts a client that lets the server wait too long.
    pub fn slow(&self, phase: &'static str) {
        self.slow.get_or_create(&SlowLabels { phase }).inc();
    }

    /// Counts connections that ended because of the head of a request.
    pub fn heads_refused(&self, reason: &'static str, count: u64) {
        self.heads_refused
            .get_or_create(&RefusedLabels { reason })
            .inc_by(count);
    }

    /// Counts a body that was not read to its end.
    pub fn body_refused(&self, reason: &'static str) {
        self.bodies_refused.get_or_create(&RefusedLabels { reason }).inc();
    }

    /// Counts a token that was refused.
    pub fn token_refused(&self, route: &str, reason: &'static str) {
        let route = route.to_owned();
        self.tokens_refused
            .get_or_create(&TokenLabels { route, reason })
            .inc();
    }

    /// Returns how many clients let the server wait too long in a phase.
    #[cfg(test)]
    pub fn slow_count(&self, phase: &'static str) -> u64 {
        self.slow.get_or_create(&SlowLabels { phase }).get()
    }

    /// Returns how many connections ended because of a head.
    #[cfg(test)]
    pub fn heads_refused_count(&self, reason: &'static str) -> u64 {
        self.heads_refused.get_or_create(&RefusedLabels { reason }).get()
    }
}
