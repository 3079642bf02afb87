//! Which key an SDK shows: in a header, in the query, or in the envelope itself when it comes through a tunnel.

use crate::lenient::{self, MAX_NAME, cut};
use percent_encoding::percent_decode_str;

/// What an SDK says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Auth {
    /// The public key of the project.
    pub key: String,
    /// Version of the protocol, 7 today.
    pub version: Option<u32>,
    /// Name and version of the SDK (`sentry.python/2.75.0`).
    pub client: Option<String>,
}

impl Auth {
    /// Reads `X-Sentry-Auth` (or `Authorization`): `Sentry sentry_version=7, sentry_key=...`.
    pub fn from_header(header: &str) -> Option<Self> {
        let pairs = header.trim();
        let pairs = match pairs.get(..7) {
            Some(scheme) if scheme.eq_ignore_ascii_case("sentry ") => &pairs[7..],
            _ => pairs,
        };
        Self::from_pairs(
            pairs
                .split(',')
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name.trim(), value.trim().trim_matches('"').to_owned())),
        )
    }

    /// Reads the query of the address: `sentry_version=7&sentry_key=...`.
    pub fn from_query(query: &str) -> Option<Self> {
        Self::from_pairs(
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name, percent_decode_str(value).decode_utf8_lossy().into_owned())),
        )
    }

    /// Reads the address with the key (`dsn`) in the headers of an envelope.
    pub fn from_envelope(body: &[u8]) -> Option<Self> {
        let line = body.split(|byte| *byte == b'\n').next()?;
        let header = lenient::parse(line).ok()?;
        let dsn = lenient::text(&header["dsn"])?;
        let (_, rest) = dsn.split_once("://")?;
        let (key, _) = rest.split_once('@')?;
        let key = key.split(':').next()?;
        Self::from_pairs([("sentry_key", key.to_owned())].into_iter())
    }

    fn from_pairs<'a>(pairs: impl Iterator<Item = (&'a str, String)>) -> Option<Self> {
        let mut auth = Self::default();
        for (name, value) in pairs {
            match name {
                "sentry_key" => auth.key = value,
                "sentry_version" => auth.version = value.split('.').next().and_then(|version| version.parse().ok()),
                "sentry_client" => auth.client = Some(cut(&value, MAX_NAME).to_owned()),
                _ => {}
            }
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let is_key = (1..=128).contains(&auth.key.len()) && auth.key.bytes().all(plain);
        is_key.then_some(auth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_key_is_found_wherever_sdks_put_it() {
        let auth = |version, client: Option<&str>| {
            Some(Auth { key: "0123abcd".to_owned(), version, client: client.map(str::to_owned) })
        };
        for (header, want) in [
            (
                "Sentry sentry_key=0123abcd, sentry_version=7, sentry_client=sentry.python/2.75.0",
                auth(Some(7), Some("sentry.python/2.75.0")),
            ),
            ("sentry sentry_version=6,sentry_key=0123abcd,sentry_secret=x", auth(Some(6), None)),
            ("sentry_key=0123abcd", auth(None, None)),
            ("Sentry sentry_version=7", None),
            ("Sentry sentry_key=a b", None),
            ("Bearer x", None),
            ("", None),
        ] {
            assert_eq!(Auth::from_header(header), want, "{header}");
        }
        let query = "sentry_version=7&sentry_key=0123abcd&sentry_client=sentry.javascript.node%2F11.12.0";
        assert_eq!(Auth::from_query(query), auth(Some(7), Some("sentry.javascript.node/11.12.0")));
        assert_eq!(Auth::from_query("sentry_key=%00"), None);
        let tunnel = b"{\"dsn\":\"https://0123abcd:secret@errors.example/42\"}\n{}\n";
        assert_eq!(Auth::from_envelope(tunnel), auth(None, None));
        assert_eq!(Auth::from_envelope(b"{}\n"), None);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(raw in "\\PC{0,60}|Sentry [a-z_=, ]{0,40}|[a-z_=&%0-9]{0,40}") {
            let _ = (Auth::from_header(&raw), Auth::from_query(&raw), Auth::from_envelope(raw.as_bytes()));
        }
    }
}
