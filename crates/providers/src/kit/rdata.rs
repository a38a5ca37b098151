//! Reads the data of records of the DNS by their type, as passive DNS shows it: a host may stand behind numbers.

use super::tolerant::{address, host};

/// Says what the data of a record names.
#[derive(Debug, PartialEq, Eq)]
pub enum Data {
    /// An address.
    Address(String),
    /// A host.
    Host(String),
    /// No host: the root stands in its place (RFC 7505, RFC 2782).
    NoHost,
    /// Nothing that can be asked about: the type is of texts or numbers.
    Other,
    /// Nothing that this type can have.
    Unread,
}

/// Reads the data of a record whose type is written as [`kind`] writes it.
pub fn read(kind: &str, data: &str) -> Data {
    let named = |target: &str| match host(target) {
        Some(name) => Data::Host(name),
        None if target == "." => Data::NoHost,
        None => Data::Unread,
    };
    match kind {
        "A" | "AAAA" => address(data).map_or(Data::Unread, Data::Address),
        "CNAME" | "DNAME" | "NS" | "PTR" => named(data.trim()),
        "MX" => behind(data, 1).map_or(Data::Unread, named),
        "SRV" => behind(data, 3).map_or(Data::Unread, named),
        kind if is_type(kind) => Data::Other,
        _ => Data::Unread,
    }
}

/// Cuts off what stands before the host of a mail server or a service: so many numbers, or none where the vendor left
/// them out.
pub fn bare<'t>(kind: &str, data: &'t str) -> &'t str {
    let numbers = match kind {
        "MX" => 1,
        "SRV" => 3,
        _ => return data,
    };
    behind(data, numbers).unwrap_or(data)
}

fn behind(data: &str, numbers: usize) -> Option<&str> {
    let words: Vec<&str> = data.split_whitespace().collect();
    let (target, before) = words.split_last()?;
    let are_numbers = before.iter().all(|word| word.parse::<u16>().is_ok());
    (are_numbers && [0, numbers].contains(&before.len())).then_some(*target)
}

/// Returns the type of a record as people write it; some vendors give its number.
pub fn kind(text: &str) -> String {
    let text = text.trim();
    match text {
        "1" => "A",
        "2" => "NS",
        "5" => "CNAME",
        "6" => "SOA",
        "12" => "PTR",
        "15" => "MX",
        "16" => "TXT",
        "28" => "AAAA",
        "33" => "SRV",
        "39" => "DNAME",
        other => {
            let number = other.bytes().all(|byte| byte.is_ascii_digit());
            // RFC 3597 names those that have no name.
            return if number {
                format!("TYPE{other}")
            } else {
                other.to_ascii_uppercase()
            };
        }
    }
    .to_owned()
}

/// Tells whether a text can be the name of a type of records: `SOA`, `NSEC3PARAM`, `TYPE65534`.
pub fn is_type(text: &str) -> bool {
    let letters = |letter: u8| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == b'-';
    (1..=12).contains(&text.len()) && text.bytes().all(letters) && !text.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_read_behind_its_numbers_and_nothing_else_is() {
        let host = |name: &str| Data::Host(name.to_owned());
        for (kind, data, read_as) in [
            ("A", "192.0.2.44", Data::Address("192.0.2.44".to_owned())),
            ("AAAA", "2001:DB8::1", Data::Address("2001:db8::1".to_owned())),
            ("A", "300.1.2.3", Data::Unread),
            ("A", "www.example.net", Data::Unread),
            ("MX", "10\tmx.example.net", host("mx.example.net")),
            ("MX", "10 MX.example.net.", host("mx.example.net")),
            ("MX", "mx.example.net", host("mx.example.net")),
            ("MX", "0 .", Data::NoHost),
            ("MX", "see mx.example.net", Data::Unread),
            ("MX", "1 2 mx.example.net", Data::Unread),
            ("MX", "10", Data::Unread),
            ("SRV", "0 5 443 h.example.", host("h.example")),
            ("SRV", "h.example", host("h.example")),
            ("SRV", "0 0 0 .", Data::NoHost),
            ("SRV", "5 443 h.example", Data::Unread),
            ("NS", " ns1.example.net. ", host("ns1.example.net")),
            ("NS", "ns1.example.net, ns2.example.net", Data::Unread),
            ("CNAME", "bad host!", Data::Unread),
            ("CNAME", ".", Data::NoHost),
            ("SOA", "ns1.example.net. hostmaster.example.net. 1 2", Data::Other),
            ("TXT", "mx.example.net", Data::Other),
            ("<b>", "mx.example.net", Data::Unread),
        ] {
            assert_eq!(read(kind, data), read_as, "{kind} {data}");
        }
        assert_eq!(kind("ns"), "NS");
        assert_eq!(kind("33"), "SRV");
        assert_eq!(bare("MX", "10 mx.example."), "mx.example.");
    }
}
