//! Names the types of entities that values decide, and says what else entities of a type can be.

/// The types of addresses, and of names.
pub(super) const V4: &str = "maltego.IPv4Address";
pub(super) const V6: &str = "maltego.IPv6Address";
pub(super) const DOMAIN: &str = "maltego.Domain";
pub(super) const HOST: &str = "maltego.DNSName";

/// Tells whether entities of a type can be sinkholes.
pub(super) fn can_be_sinkhole(type_id: &str) -> bool {
    matches!(
        type_id,
        "maltego.IPv4Address" | "maltego.IPv6Address" | "maltego.NSRecord"
    )
}

/// Tells whether entities of a type can be names, or stand on names, that a service gives to its customers.
pub(super) fn can_have_zone(type_id: &str) -> bool {
    matches!(
        type_id,
        "maltego.Domain" | "maltego.DNSName" | "maltego.Website" | "maltego.URL"
    )
}
