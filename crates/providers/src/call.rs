//! Describes one call to a vendor as data, what came back, and what that meant and cost.

use std::collections::BTreeMap;

use bytes::Bytes;
use secrecy::SecretString;

use super::descriptor::{Name, ProductId};
use super::kit::common;
use super::kit::resource::RecordType;

/// Says what a call can cost at most, or did cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Calls on the wire.
    pub calls: i64,
    /// Records returned.
    pub records: i64,
    /// Hundredths of the product's currency.
    pub cents: i64,
}

impl Cost {
    /// Costs one call and nothing else.
    pub const CALL: Self = Self {
        calls: 1,
        records: 0,
        cents: 0,
    };

    /// Costs one call and up to this many records.
    #[must_use]
    pub const fn records(records: i64) -> Self {
        Self {
            calls: 1,
            records,
            cents: 0,
        }
    }
}

/// Describes one HTTP call, which the engine joins to its origin's base URL, or one DNS question, which it sends to its
/// origin's resolver.
#[derive(Debug, Clone)]
pub struct Call {
    /// Name of the declared origin.
    pub origin: Name,
    /// Base URL to go to instead of the origin's: only one that [`super::Provider::servers`] names is gone to.
    pub server: Option<String>,
    /// The HTTP method, or the type of records that a DNS question asks for.
    pub method: Method,
    /// Path from the leading slash, percent-encoded, exactly as it goes on the wire. Of a DNS question the name, without
    /// the dot at its end.
    pub path: String,
    /// Query parameters; `sign` adds its own.
    pub query: Vec<(String, String)>,
    /// Form fields of a POST; `sign` adds its own.
    pub form: Vec<(String, String)>,
    /// Headers; `sign` adds its own, all of them sensitive.
    pub headers: Vec<(Name, SecretString)>,
    /// The product that is billed.
    pub product: ProductId,
    /// The most that this call can cost.
    pub max_cost: Cost,
    /// Whether it may be repeated once bytes were sent; a purchase may not.
    pub repeatable: bool,
    /// Whether the look-up has its answer without it: it is tried once, and not for long.
    pub optional: bool,
}

/// Says how a call asks: by one of the HTTP methods that providers use, or over DNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// POST with a form
    Post,
    /// A DNS question for records of this type. It has no query, form or headers.
    Dns(RecordType),
}

impl Method {
    /// Returns the method as it stands in a request, or the name of the type that a DNS question asks for.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Dns(kind) => kind.name(),
        }
    }
}

impl Call {
    /// Makes a GET of `path` at the first origin, billed to `product`, that costs one call.
    #[must_use]
    pub fn get(origin: impl Into<Name>, product: impl Into<ProductId>, path: impl Into<String>) -> Self {
        Self {
            origin: origin.into(),
            server: None,
            method: Method::Get,
            path: path.into(),
            query: Vec::new(),
            form: Vec::new(),
            headers: Vec::new(),
            product: product.into(),
            max_cost: Cost::CALL,
            repeatable: true,
            optional: false,
        }
    }

    /// Makes a POST of a form.
    #[must_use]
    pub fn post(origin: impl Into<Name>, product: impl Into<ProductId>, path: impl Into<String>) -> Self {
        Self {
            method: Method::Post,
            ..Self::get(origin, product, path)
        }
    }

    /// Adds a query parameter (GET) or a form field (POST) and returns the call.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.add(name, value);
        self
    }

    /// Adds a query parameter (GET) or a form field (POST).
    pub fn add(&mut self, name: &str, value: impl Into<String>) {
        let pair = (name.to_owned(), value.into());
        match self.method {
            Method::Get | Method::Dns(_) => self.query.push(pair),
            Method::Post => self.form.push(pair),
        }
    }

    /// Returns the query as it goes on the wire, without the question mark; a space is `%20`. `None` without parameters.
    #[must_use]
    pub fn encoded_query(&self) -> Option<String> {
        let encode = common::parameter;
        let pairs: Vec<String> = self
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("&"))
    }

    /// Returns path and query exactly as they go on the wire below a base URL's path; see [`super::ExposedKey::prefix`].
    #[must_use]
    pub fn target(&self, prefix: &str) -> String {
        match self.encoded_query() {
            Some(query) => format!("{prefix}{}?{query}", self.path),
            None => format!("{prefix}{}", self.path),
        }
    }

    /// Sets a header, in place of what an attempt before this one set.
    pub fn set_header(&mut self, name: impl Into<Name>, value: SecretString) {
        let name = name.into();
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value));
    }

    /// Sends it to a server that the provider's files name, and returns the call.
    #[must_use]
    pub fn at(mut self, server: impl Into<String>) -> Self {
        self.server = Some(server.into());
        self
    }

    /// Says that the look-up has its answer without it, and returns the call.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Sets the most it can cost and returns the call.
    #[must_use]
    pub fn costing(mut self, cost: Cost) -> Self {
        self.max_cost = cost;
        self
    }
}

/// Holds a complete reply: decoded body, under the size cap.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status; of a DNS question its response code, see [`Reply::of_dns`].
    pub status: u16,
    /// The `Content-Type` header, lower case.
    pub content_type: String,
    /// The `Retry-After` header as it came.
    pub retry_after: Option<String>,
    /// The headers that [`super::Descriptor::reply_headers`] names, as they came.
    pub headers: BTreeMap<Name, String>,
    /// The decoded body; of a DNS question its records, see [`Reply::resources`].
    pub body: Bytes,
}

/// Says what a reply means, for this attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyClass {
    /// The reply answers the call.
    Good,
    /// The vendor knows nothing; the continuation is given the reply.
    NotFound,
    /// A limit of the vendor's was hit: seconds to wait where the vendor says.
    Limited {
        /// Seconds until it opens, where the vendor says.
        after: Option<u64>,
        /// Plain words.
        message: String,
    },
    /// The key is refused.
    KeyRefused(String),
    /// The session's token is refused; another one is bought once, then the key counts as refused.
    SessionEnded(String),
    /// The product is not in the subscription.
    NotEntitled(String),
    /// The vendor failed; another attempt may succeed.
    Retry(String),
    /// The vendor will not answer this; another attempt will not help.
    Refused(String),
    /// The reply cannot be understood.
    Malformed(String),
}

impl ReplyClass {
    /// Says how long a limit lasts, where the vendor does not.
    #[must_use]
    pub fn otherwise(mut self, seconds: Option<u64>) -> Self {
        if let Self::Limited { after, .. } = &mut self {
            *after = after.or(seconds);
        }
        self
    }

    /// Changes what it says in plain words.
    #[must_use]
    pub fn saying(mut self, change: impl FnOnce(&str) -> String) -> Self {
        match &mut self {
            Self::Good | Self::NotFound => {}
            Self::Limited { message, .. }
            | Self::KeyRefused(message)
            | Self::SessionEnded(message)
            | Self::NotEntitled(message)
            | Self::Retry(message)
            | Self::Refused(message)
            | Self::Malformed(message) => *message = change(message),
        }
        self
    }
}

/// Says what an attempt cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charge {
    /// The vendor's facts say that it was free.
    Free,
    /// It cost this much.
    Known(Cost),
    /// The vendor does not say, so it cost the most it can.
    Most,
}

/// Joins what a reply means with what it cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classification {
    /// What it means.
    pub class: ReplyClass,
    /// What it cost.
    pub charge: Charge,
}
