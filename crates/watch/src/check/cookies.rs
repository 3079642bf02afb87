//! Cookies of one run: kept from step to step, sent where they belong, gone afterwards.

use base::Timestamp;
use url::Url;

/// Most cookies of a run; the oldest go.
const MAX_COOKIES: usize = 100;
/// Longest cookie that is kept, bytes.
const MAX_COOKIE: usize = 4 << 10;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Cookie {
    name: String,
    value: String,
    /// Lower case.
    domain: String,
    /// Whether names below the domain get it too.
    below: bool,
    path: String,
    secure: bool,
    /// Seconds since the epoch.
    ends: Option<i64>,
}

/// What a run has been given.
#[derive(Clone, Default)]
pub struct Jar {
    cookies: Vec<Cookie>,
}

impl std::fmt::Debug for Jar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values are sessions.
        f.debug_list().entries(self.cookies.iter().map(|cookie| &cookie.name)).finish()
    }
}

impl Jar {
    /// Keeps a `Set-Cookie` of an answer from `url`; returns name and value, or `None` for one that can't be kept.
    pub fn set(&mut self, url: &Url, header: &str, now: Timestamp) -> Option<(String, String)> {
        let cookie = parse(url, header, now)?;
        self.cookies.retain(|old| (&old.name, &old.domain, &old.path) != (&cookie.name, &cookie.domain, &cookie.path));
        let named = (cookie.name.clone(), cookie.value.clone());
        if cookie.ends.is_none_or(|ends| ends > now.micros() / 1_000_000) {
            if self.cookies.len() == MAX_COOKIES {
                self.cookies.remove(0);
            }
            self.cookies.push(cookie);
        }
        Some(named)
    }

    /// The header `Cookie` of a request, if there is anything to send.
    pub fn header(&self, url: &Url, now: Timestamp) -> Option<String> {
        let host = url.host_str()?.to_ascii_lowercase();
        let mut fitting: Vec<&Cookie> = self.cookies.iter().filter(|cookie| cookie.fits(&host, url, now)).collect();
        // Longer paths first, as browsers send them; the order is stable else.
        fitting.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<String> = fitting.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

impl Cookie {
    fn fits(&self, host: &str, url: &Url, now: Timestamp) -> bool {
        let domain = host == self.domain || (self.below && is_below(host, &self.domain));
        let path = url.path();
        let in_path = path == self.path
            || (path.starts_with(&self.path) && (self.path.ends_with('/') || path[self.path.len()..].starts_with('/')));
        let alive = self.ends.is_none_or(|ends| ends > now.micros() / 1_000_000);
        domain && in_path && alive && (!self.secure || url.scheme() == "https")
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|front| front.ends_with('.')) && host.parse::<std::net::IpAddr>().is_err()
}

fn parse(url: &Url, header: &str, now: Timestamp) -> Option<Cookie> {
    if header.len() > MAX_COOKIE || header.chars().any(char::is_control) {
        return None;
    }
    let host = url.host_str()?.to_ascii_lowercase();
    let mut parts = header.split(';').map(str::trim);
    let (name, value) = parts.next()?.split_once('=')?;
    let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
    if name.is_empty() {
        return None;
    }
    let mut cookie =
        Cookie { name, value, domain: host.clone(), below: false, path: default_path(url), secure: false, ends: None };
    let mut max_age = None;
    for part in parts {
        let (key, value) = part.split_once('=').map_or((part, ""), |(key, value)| (key.trim(), value.trim()));
        match key.to_ascii_lowercase().as_str() {
            "domain" => {
                let domain = value.trim_start_matches('.').to_ascii_lowercase();
                if domain.is_empty() || (domain == host && host.parse::<std::net::IpAddr>().is_ok()) {
                    continue;
                }
                // Nobody sets cookies for a neighbour, nor for a whole top-level domain.
                if domain != host && !(is_below(&host, &domain) && domain.contains('.')) {
                    return None;
                }
                (cookie.domain, cookie.below) = (domain, true);
            }
            "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
            "secure" => cookie.secure = true,
            "max-age" => max_age = value.parse::<i64>().ok(),
            "expires" => cookie.ends = cookie.ends.or_else(|| date(value)),
            _ => {}
        }
    }
    if let Some(age) = max_age {
        cookie.ends = Some((now.micros() / 1_000_000).saturating_add(age.max(0)));
    }
    (!cookie.secure || url.scheme() == "https").then_some(cookie)
}

fn default_path(url: &Url) -> String {
    match url.path().rfind('/') {
        None | Some(0) => "/".to_owned(),
        Some(at) => url.path()[..at].to_owned(),
    }
}

/// `Wed, 21 Oct 2026 07:28:00 GMT`, with dashes too.
fn date(text: &str) -> Option<i64> {
    let text = text.split_once(',').map_or(text, |(_, rest)| rest).trim().replace('-', " ");
    let text = text.strip_suffix("GMT")?.trim();
    let at = jiff::civil::DateTime::strptime("%d %b %Y %H:%M:%S", text).ok()?;
    Some(at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    #[test]
    fn a_cookie_is_sent_where_it_belongs() {
        for (set_by, cookie, asked, want) in [
            ("https://shop.example/a/b", "s=1", "https://shop.example/a/c", Some("s=1")),
            ("https://shop.example/a/b", "s=1", "https://shop.example/", None),
            ("https://shop.example/a/b", "s=1; Path=/", "https://shop.example/x", Some("s=1")),
            ("https://shop.example/", "s=1; Path=/a", "https://shop.example/ab", None),
            ("https://shop.example/", "s=1", "https://other.example/", None),
            ("https://shop.example/", "s=1", "https://www.shop.example/", None),
            ("https://www.shop.example/", "s=1; Domain=shop.example", "https://shop.example/", Some("s=1")),
            ("https://www.shop.example/", "s=1; Domain=.shop.example", "https://api.shop.example/", Some("s=1")),
            ("https://shop.example/", "s=1; Domain=other.example", "https://other.example/", None),
            ("https://shop.example/", "s=1; Domain=example", "https://shop.example/", None),
            ("https://shop.example/", "s=1; Secure", "http://shop.example/", None),
            ("http://shop.example/", "s=1; Secure", "https://shop.example/", None),
            ("https://shop.example/", "s=1; Max-Age=0", "https://shop.example/", None),
            ("https://shop.example/", "s=1; Max-Age=60", "https://shop.example/", Some("s=1")),
            ("https://shop.example/", "s=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT", "https://shop.example/", None),
            (
                "https://shop.example/",
                "s=1; Expires=Wed, 21-Oct-2099 07:28:00 GMT",
                "https://shop.example/",
                Some("s=1"),
            ),
            ("http://127.0.0.1:8080/", "s=1; Domain=127.0.0.1", "http://127.0.0.1:9090/", Some("s=1")),
            ("https://shop.example/", "=1", "https://shop.example/", None),
            ("https://shop.example/", "s=1\r\nx: y", "https://shop.example/", None),
        ] {
            let mut jar = Jar::default();
            jar.set(&url(set_by), cookie, NOW);
            assert_eq!(jar.header(&url(asked), NOW).as_deref(), want, "{cookie} of {set_by} for {asked}");
        }
    }

    #[test]
    fn a_cookie_is_replaced_deleted_and_ends() {
        let shop = url("https://shop.example/");
        let mut jar = Jar::default();
        jar.set(&shop, "a=1; Path=/", NOW);
        jar.set(&shop, "b=2; Path=/; Max-Age=10", NOW);
        assert_eq!(jar.set(&shop, "a=3; Path=/", NOW), Some(("a".into(), "3".into())));
        assert_eq!(jar.header(&shop, NOW).unwrap(), "b=2; a=3");
        assert_eq!(jar.header(&shop, NOW.plus_seconds(10)).unwrap(), "a=3");
        jar.set(&shop, "a=; Path=/; Max-Age=-1", NOW);
        assert_eq!(jar.header(&shop, NOW).unwrap(), "b=2");
        for number in 0..200 {
            jar.set(&shop, &format!("n{number}=1; Path=/"), NOW);
        }
        assert_eq!(jar.cookies.len(), MAX_COOKIES);
        assert!(!format!("{jar:?}").contains('='));
    }

    proptest! {
        #[test]
        fn any_header_is_taken_or_not(header in "\\PC{0,80}|[a-z]=[a-z]; (Domain|Path|Expires|Max-Age)=[a-z/.,0-9 -]{0,20}") {
            let shop = url("https://www.shop.example/a/b");
            let mut jar = Jar::default();
            jar.set(&shop, &header, NOW);
            if let Some(sent) = jar.header(&shop, NOW) {
                prop_assert!(!sent.chars().any(char::is_control));
            }
            prop_assert_eq!(jar.header(&url("https://evil.example/"), NOW), None);
        }
    }
}
