//! Who a user is: one keyed hash, from what the service's configuration names or from address and agent.
//!
//! Neither the cookie nor the address is ever stored. The key stays in the data folder, so that hashes of two
//! installations can't be compared.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use signal::AccessRecord;
use std::borrow::Cow;
use std::fmt;

/// How the users of a service are told apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum UserRule {
    /// By the user field of the log if it has one, else by address and agent.
    #[default]
    Auto,
    /// By the value of a cookie.
    Cookie(String),
    /// By the value of a request header.
    Header(String),
    /// By the value of a field.
    Field(String),
}

/// What a user was recognised by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecognisedBy {
    /// What the configuration or the log names.
    Named,
    /// A hash of address and agent, because the line names nobody.
    AddressAndAgent,
}

impl fmt::Display for UserRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("user field, else address and agent (keyed hash)"),
            Self::Cookie(name) => write!(f, "cookie {name}"),
            Self::Header(name) => write!(f, "header {name}"),
            Self::Field(name) => write!(f, "field {name}"),
        }
    }
}

impl UserRule {
    /// The kind in the API: `cookie`, `header`, `field` or `hash`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Auto => "hash",
            Self::Cookie(_) => "cookie",
            Self::Header(_) => "header",
            Self::Field(_) => "field",
        }
    }

    /// Whether a field holds what users are told apart by, which is never stored as it is.
    pub fn reads(&self, key: &str) -> bool {
        match self {
            Self::Auto => false,
            Self::Cookie(name) => is_named(key, "cookie_", name),
            Self::Header(name) => is_named(key, "http_", &name.to_ascii_lowercase().replace('-', "_")),
            Self::Field(name) => is_named(key, "", name),
        }
    }

    fn value<'r>(&self, record: &'r AccessRecord<'_>) -> Option<&'r str> {
        let value = match self {
            Self::Auto => record.user.as_deref(),
            Self::Cookie(name) => named(record, "cookie_", name),
            Self::Header(name) => named(record, "http_", &name.to_ascii_lowercase().replace('-', "_")),
            Self::Field(name) => named(record, "", name),
        };
        value.filter(|value| !value.is_empty() && *value != "-")
    }
}

/// A field by its bare or prefixed name; logs whose format says "user" put it into the user field.
fn named<'r>(record: &'r AccessRecord<'_>, prefix: &str, name: &str) -> Option<&'r str> {
    let extra = record.extra.iter().find(|(key, _)| is_named(key, prefix, name)).map(|(_, value)| value.as_ref());
    extra.or(record.user.as_deref())
}

fn is_named(key: &str, prefix: &str, name: &str) -> bool {
    key.eq_ignore_ascii_case(name) || key.strip_prefix(prefix).is_some_and(|rest| rest.eq_ignore_ascii_case(name))
}

/// Makes user keys.
#[derive(Clone)]
pub struct Identifier {
    key: [u8; 32],
}

impl Identifier {
    /// With the installation's key.
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The key of a person by a name that their application knows them by: the same as that of a user field of a log.
    pub fn key_of_name(&self, name: &str) -> UserKey {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(b"named\0").update(name.as_bytes());
        UserKey::of(&hasher)
    }

    /// The key of whoever is only known by an address.
    pub fn key_of_address(&self, address: &str) -> UserKey {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(b"agent\0").update(address.as_bytes()).update(b"\0");
        UserKey::of(&hasher)
    }

    /// The key of whoever made the request: 11 characters; `None` when the line tells nothing at all.
    pub fn user_key(&self, rule: &UserRule, record: &AccessRecord<'_>) -> Option<(UserKey, RecognisedBy)> {
        if let Some(value) = rule.value(record) {
            return Some((self.key_of_name(value), RecognisedBy::Named));
        }
        let address = record.remote_addr.as_deref()?;
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(b"agent\0").update(address.as_bytes()).update(b"\0");
        hasher.update(record.user_agent.as_deref().unwrap_or("").as_bytes());
        Some((UserKey::of(&hasher), RecognisedBy::AddressAndAgent))
    }
}

/// A keyed hash as 11 characters of base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserKey([u8; 11]);

impl UserKey {
    fn of(hasher: &blake3::Hasher) -> Self {
        let mut text = [0; 11];
        let hash = hasher.finalize();
        URL_SAFE_NO_PAD.encode_slice(&hash.as_bytes()[..8], &mut text).expect("8 bytes are 11 characters");
        Self(text)
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("base64 is ASCII")
    }
}

/// The network of an address (/24 or /48), which may have a port: enough to see where a flood comes from, not who.
pub fn network_of(address: &str) -> Option<String> {
    match ip_of(address)?.to_canonical() {
        std::net::IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            Some(format!("{a}.{b}.{c}.0/24"))
        }
        std::net::IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            Some(format!("{a:x}:{b:x}:{c:x}::/48"))
        }
    }
}

fn ip_of(raw: &str) -> Option<std::net::IpAddr> {
    // What can't be an address is told without parsing: this looks at every field of every line.
    let first = *raw.as_bytes().first()?;
    if !(first.is_ascii_hexdigit() || matches!(first, b':' | b'[')) || !raw.contains(['.', ':']) {
        return None;
    }
    let without_zone = || raw.split_once('%')?.0.parse().ok();
    let in_brackets = || raw.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || raw.parse::<std::net::SocketAddr>().ok().map(|at| at.ip());
    raw.parse().ok().or_else(with_port).or_else(in_brackets).or_else(without_zone)
}

/// A field's value; addresses, alone or in a list, become their networks.
pub fn without_address(value: &str) -> Cow<'_, str> {
    if value.contains(',') {
        let networks: Option<Vec<String>> = value.split(',').map(|part| network_of(part.trim())).collect();
        return networks.map_or(Cow::Borrowed(value), |networks| Cow::Owned(networks.join(", ")));
    }
    network_of(value.trim()).map_or(Cow::Borrowed(value), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record<'a>(user: Option<&'a str>, extra: &[(&'a str, &'a str)]) -> AccessRecord<'a> {
        AccessRecord {
            user: user.map(Into::into),
            remote_addr: Some("192.0.2.7".into()),
            user_agent: Some("curl".into()),
            extra: extra.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
            ..AccessRecord::default()
        }
    }

    #[test]
    fn a_user_is_who_the_configuration_names_else_address_and_agent() {
        let identifier = Identifier::new([7; 32]);
        let by = |rule: &UserRule, record: &AccessRecord<'_>| identifier.user_key(rule, record).map(|found| found.1);
        let cookie = UserRule::Cookie("sid".into());
        let header = UserRule::Header("X-User".into());
        for (case, rule, record, want) in [
            ("user field", &UserRule::Auto, record(Some("ann"), &[]), RecognisedBy::Named),
            ("dash is nobody", &UserRule::Auto, record(Some("-"), &[]), RecognisedBy::AddressAndAgent),
            ("cookie column", &cookie, record(None, &[("cookie_sid", "1")]), RecognisedBy::Named),
            ("cookie as user field", &cookie, record(Some("1"), &[]), RecognisedBy::Named),
            ("no cookie", &cookie, record(None, &[("other", "1")]), RecognisedBy::AddressAndAgent),
            ("header", &header, record(None, &[("http_x_user", "1")]), RecognisedBy::Named),
        ] {
            assert_eq!(by(rule, &record), Some(want), "{case}");
        }
        assert_eq!(by(&UserRule::Auto, &AccessRecord::default()), None, "nothing told");
    }

    #[test]
    fn keys_depend_on_the_installation_and_never_show_the_value() {
        let ann = record(Some("ann@example.com"), &[]);
        let key = |secret| Identifier::new([secret; 32]).user_key(&UserRule::Auto, &ann).unwrap().0;
        assert_eq!(key(1), key(1));
        assert_ne!(key(1), key(2));
        assert!(!key(1).as_str().contains("ann"));
    }

    #[test]
    fn only_the_network_of_an_address_is_told() {
        assert_eq!(network_of("192.0.2.77").as_deref(), Some("192.0.2.0/24"));
        assert_eq!(network_of("2001:db8:7:1::9").as_deref(), Some("2001:db8:7::/48"));
        assert_eq!(network_of("[2001:db8:7:1::9]:443").as_deref(), Some("2001:db8:7::/48"));
        assert_eq!(network_of("192.0.2.77:80").as_deref(), Some("192.0.2.0/24"));
        assert_eq!(network_of("::ffff:192.0.2.77").as_deref(), Some("192.0.2.0/24"));
        assert_eq!(network_of("unicomp6.unicomp.net"), None);
        assert_eq!(without_address("192.0.2.7, unknown"), "192.0.2.7, unknown");
    }
}
