//! Holds what a DNS question asks for and what it is answered, as data: record types, records, and the reply that
//! carries them.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::{Call, Cost, Method, ProviderError, Reply, ReplyClass};

/// The name exists, with or without records of the type (RFC 1035 section 4.1.1, as are the others).
pub const NOERROR: u16 = 0;
/// The server could not read the question.
pub const FORMERR: u16 = 1;
/// The server could not find out.
pub const SERVFAIL: u16 = 2;
/// There is no such name.
pub const NXDOMAIN: u16 = 3;
/// The server does not know this kind of question.
pub const NOTIMP: u16 = 4;
/// The server does not want to answer.
pub const REFUSED: u16 = 5;

/// Names the types of records that providers ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordType {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Mail servers.
    Mx,
    /// Texts.
    Txt,
}

impl RecordType {
    /// Lists every type.
    pub const ALL: [Self; 4] = [Self::A, Self::Aaaa, Self::Mx, Self::Txt];

    /// Returns the name used in zone files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Mx => "MX",
            Self::Txt => "TXT",
        }
    }
}

/// Holds the data of one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resource {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// A mail server.
    Mx {
        /// The lowest is tried first.
        preference: u16,
        /// Its name, lower case, without the dot at its end: empty for the root.
        exchange: String,
    },
    /// A text, its parts joined; bytes that are no UTF-8 are replaced.
    Txt(String),
}

impl Call {
    /// Makes a question for the records of `kind` that `name` (without the dot at its end) has; it costs one call.
    #[must_use]
    pub fn dns(
        origin: &'static str,
        product: &'static str,
        name: impl Into<String>,
        kind: RecordType,
    ) -> Self {
        Self {
            method: Method::Dns(kind),
            max_cost: Cost::CALL,
            ..Self::get(origin, product, name)
        }
    }
}

impl Reply {
    /// Makes the reply to a DNS question: the response code as status, the records of the type asked for as JSON.
    #[must_use]
    pub fn of_dns(code: u16, records: &[Resource]) -> Self {
        Self {
            status: code,
            content_type: "application/json".to_owned(),
            retry_after: None,
            headers: std::collections::BTreeMap::new(),
            // These types have no form that JSON lacks, so this cannot fail; nothing would be no list, and malformed.
            body: serde_json::to_vec(records).unwrap_or_default().into(),
        }
    }

    /// Returns the records of the reply to a DNS question.
    ///
    /// # Errors
    /// [`ProviderError::Malformed`] where it is none.
    pub fn resources(&self) -> Result<Vec<Resource>, ProviderError> {
        serde_json::from_slice(&self.body)
            .map_err(|error| ProviderError::Malformed(format!("the answer holds no records: {error}")))
    }
}

/// Says what the reply to a DNS question means by its response code alone. Nothing it says repeats what was asked.
pub fn resolved(reply: &Reply) -> ReplyClass {
    match reply.status {
        NOERROR => match reply.resources() {
            Ok(_) => ReplyClass::Good,
            Err(error) => ReplyClass::Malformed(error.to_string()),
        },
        NXDOMAIN => ReplyClass::NotFound,
        SERVFAIL => ReplyClass::Retry("the resolver could not find out (SERVFAIL)".to_owned()),
        // A matter of its rules or its rate; asking again at once helps with neither.
        REFUSED => ReplyClass::Limited {
            after: None,
            message: "the resolver refuses to answer (REFUSED)".to_owned(),
        },
        FORMERR | NOTIMP => ReplyClass::Malformed(
            "the resolver does not understand the question (FORMERR or NOTIMP)".to_owned(),
        ),
        code => ReplyClass::Refused(format!("the resolver answers with response code {code}")),
    }
}
