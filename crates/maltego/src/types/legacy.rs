//! Property ids that clients of the v2 protocol still send for some standard types.

/// Pairs an old property id of a type with the current one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LegacyProperty {
    /// The full id of the type.
    pub type_id: &'static str,
    /// The property id on the v2 wire.
    pub old: &'static str,
    /// The property id of today.
    pub new: &'static str,
}

const fn row(type_id: &'static str, old: &'static str, new: &'static str) -> LegacyProperty {
    LegacyProperty { type_id, old, new }
}

/// Lists the old ids (the mapping of the vendor's `maltego-trx` library).
///
/// One row departs from it: a Location's `countrysc` is the country code, as canari has it, and not a URL.
pub static LEGACY: &[LegacyProperty] = &[
    row("maltego.Affiliation", "network", "affiliation.network"),
    row("maltego.Affiliation", "uid", "affiliation.uid"),
    row("maltego.Affiliation", "profile_url", "affiliation.profile-url"),
    row("maltego.affiliation.Spock", "network", "affiliation.network"),
    row("maltego.affiliation.Spock", "uid", "affiliation.uid"),
    row(
        "maltego.affiliation.Spock",
        "profile_url",
        "affiliation.profile-url",
    ),
    row("maltego.affiliation.Spock", "spock_websites", "spock.websites"),
    row("maltego.Alias", "properties.alias", "alias"),
    row("maltego.CircularArea", "area", "radius"),
    row("maltego.Device", "properties.device", "device"),
    row("maltego.Document", "maltego.v2.value.property", "title"),
    row("maltego.Document", "link", "url"),
    row("maltego.Document", "metainfo", "document.meta-data"),
    row("maltego.Domain", "whois", "whois-info"),
    row("maltego.GPS", "properties.gps", "gps.coordinate"),
    row("maltego.IPv4Address", "whois", "whois-info"),
    row("maltego.Image", "properties.image", "description"),
    row("maltego.Image", "fullImage", "url"),
    row("maltego.Location", "area", "location.area"),
    row("maltego.Location", "countrysc", "countrycode"),
    row("maltego.Location", "long", "longitude"),
    row("maltego.Location", "lat", "latitude"),
    row("maltego.Person", "firstname", "person.firstnames"),
    row("maltego.Person", "lastname", "person.lastname"),
    row("maltego.PhoneNumber", "countrycode", "phonenumber.countrycode"),
    row("maltego.PhoneNumber", "citycode", "phonenumber.citycode"),
    row("maltego.PhoneNumber", "areacode", "phonenumber.areacode"),
    row("maltego.PhoneNumber", "lastnumbers", "phonenumber.lastnumbers"),
    row("maltego.Service", "banner", "banner.text"),
    row("maltego.Service", "port", "port.number"),
    row("maltego.URL", "maltego.v2.value.property", "short-title"),
    row("maltego.URL", "theurl", "url"),
    row("maltego.URL", "fulltitle", "title"),
];

/// Lists the old ids of one type.
pub fn legacy_of(type_id: &str) -> impl Iterator<Item = &'static LegacyProperty> {
    LEGACY.iter().filter(move |row| row.type_id == type_id)
}
