//! What a list is for, and what a match on it may mean.

/// Says what a match may do to a score. A policy may say otherwise for a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListClass {
    /// Whatever sources say, it is not to be acted on: one's own, or without an owner.
    Hard,
    /// Shared by many who are harmless: one source alone does not suffice.
    Soft,
    /// Worth knowing; it never speaks for the indicator.
    Context,
}

impl ListClass {
    /// Returns the stable name, as it stands in configuration and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
            Self::Context => "context",
        }
    }
}

/// Names what the entries of a list have in common. The order is the order of hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// One's own names, networks, addresses for mail and files.
    Own,
    /// Those of partners, and whatever else was looked at and found right.
    Trusted,
    /// Addresses and names that no host on the internet has.
    Reserved,
    /// Hashes of the file of zero bytes.
    EmptyFile,
    /// Domains that everybody visits.
    Popular,
    /// Content delivery networks.
    Cdn,
    /// Clouds: machines and services that any customer rents.
    Cloud,
    /// Public DNS resolvers.
    Resolver,
    /// Domains of mailboxes that any user gets.
    FreeMail,
    /// Makers of security products, their look-up services included.
    SecurityVendor,
    /// Names at and below which customers put content of their own.
    SharedHosting,
    /// Domains of mailboxes that are thrown away.
    Disposable,
    /// Zones below which customers of dynamic DNS services get names.
    DynamicDns,
    /// Zones of private registries, below which people register names. It says where a registration begins, and nothing
    /// of the names: there are no hits of it.
    Registry,
    /// Services that shorten URLs.
    Shortener,
    /// Hosts of mail protection that rewrite URLs; the real one stands inside.
    SafeLink,
    /// Name servers and addresses of domains that are for sale or idle.
    Parking,
    /// Addresses, networks and name servers that only listen.
    Sinkhole,
    /// Ways out of VPNs, proxies and anonymity networks, and names inside of these.
    Anonymizer,
    /// Those who scan the whole internet and say so.
    Scanner,
}

/// Says what kind of thing an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Name,
    Network,
    Email,
    Hash,
}

impl Purpose {
    /// Lists every purpose.
    pub const ALL: [Self; 20] = [
        Self::Own,
        Self::Trusted,
        Self::Reserved,
        Self::EmptyFile,
        Self::Popular,
        Self::Cdn,
        Self::Cloud,
        Self::Resolver,
        Self::FreeMail,
        Self::SecurityVendor,
        Self::SharedHosting,
        Self::Disposable,
        Self::DynamicDns,
        Self::Registry,
        Self::Shortener,
        Self::SafeLink,
        Self::Parking,
        Self::Sinkhole,
        Self::Anonymizer,
        Self::Scanner,
    ];

    /// Returns the stable kebab-case name, as it stands in policies and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Trusted => "trusted",
            Self::Reserved => "reserved",
            Self::EmptyFile => "empty-file",
            Self::Popular => "popular",
            Self::Cdn => "cdn",
            Self::Cloud => "cloud",
            Self::Resolver => "resolver",
            Self::FreeMail => "free-mail",
            Self::SecurityVendor => "security-vendor",
            Self::SharedHosting => "shared-hosting",
            Self::Disposable => "disposable",
            Self::DynamicDns => "dynamic-dns",
            Self::Registry => "registry",
            Self::Shortener => "shortener",
            Self::SafeLink => "safe-link",
            Self::Parking => "parking",
            Self::Sinkhole => "sinkhole",
            Self::Anonymizer => "anonymizer",
            Self::Scanner => "scanner",
        }
    }

    /// Returns the key in `[lists]` that names its files: the name in snake case, but `sinkholes`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::EmptyFile => "empty_file",
            Self::FreeMail => "free_mail",
            Self::SecurityVendor => "security_vendor",
            Self::SharedHosting => "shared_hosting",
            Self::DynamicDns => "dynamic_dns",
            Self::SafeLink => "safe_link",
            Self::Sinkhole => "sinkholes",
            _ => self.name(),
        }
    }

    /// Returns what a match means where no policy says otherwise.
    pub const fn class(self) -> ListClass {
        match self {
            Self::Own | Self::Trusted | Self::Reserved | Self::EmptyFile => ListClass::Hard,
            Self::Popular
            | Self::Cdn
            | Self::Cloud
            | Self::Resolver
            | Self::FreeMail
            | Self::SecurityVendor => ListClass::Soft,
            Self::SharedHosting
            | Self::Disposable
            | Self::DynamicDns
            | Self::Registry
            | Self::Shortener
            | Self::SafeLink
            | Self::Parking
            | Self::Sinkhole
            | Self::Anonymizer
            | Self::Scanner => ListClass::Context,
        }
    }

    /// Tells whether its lists hold entries of a shape.
    pub(super) fn takes(self, shape: Shape) -> bool {
        match self {
            Self::Own | Self::Trusted => true,
            Self::EmptyFile => shape == Shape::Hash,
            Self::Popular
            | Self::FreeMail
            | Self::Disposable
            | Self::DynamicDns
            | Self::Registry
            | Self::Shortener
            | Self::SafeLink => shape == Shape::Name,
            _ => matches!(shape, Shape::Name | Shape::Network),
        }
    }

    /// Says in words what its entries are, for messages to people.
    pub(super) fn expected(self) -> &'static str {
        if self.takes(Shape::Email) {
            "a domain, an address, a network, an e-mail address or a hash"
        } else if self.takes(Shape::Network) {
            "an address, a network or a host name"
        } else if self.takes(Shape::Name) {
            "a domain"
        } else {
            "an MD5, SHA-1, SHA-256 or SHA-512"
        }
    }

    /// Tells whether a match of its domain says something about an address for mail. What else is known of the domain
    /// is a matter of the domain, which is asked about by itself.
    pub(super) const fn speaks_of_mailboxes(self) -> bool {
        matches!(
            self,
            Self::Own | Self::Trusted | Self::Reserved | Self::FreeMail | Self::Disposable
        )
    }
}
