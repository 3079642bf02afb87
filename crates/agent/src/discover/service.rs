//! A name for the service behind a log: from its virtual host, else from its file name.
//!
//! Pure; always a valid name.

use base::ServiceName;

/// The shortest telling name: `www.shop.example.com` and `shop.access.log` both become `shop`; a log that says
/// nothing gets `fallback`.
pub fn suggested_service(host: Option<&str>, file_name: &str, fallback: &str) -> ServiceName {
    let candidates = [host.map(of_host), Some(of_file(file_name)), Some(fallback.to_owned())];
    let named = candidates.into_iter().flatten().find_map(|text| clean(&text).parse().ok());
    named.unwrap_or_else(|| "web".parse().expect("a plain word is a service name"))
}

fn of_host(host: &str) -> String {
    let host = host.trim_end_matches('.');
    let host = host.strip_prefix("www.").unwrap_or(host);
    if host.parse::<std::net::IpAddr>().is_ok() {
        return String::new();
    }
    host.split('.').next().unwrap_or(host).to_owned()
}

fn of_file(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let words = name.split(['.', '_', '-']).filter(|word| {
        !matches!(*word, "access" | "log" | "ssl" | "other" | "vhosts" | "www" | "com" | "request" | "json" | "")
    });
    words.collect::<Vec<_>>().join("-")
}

fn clean(text: &str) -> String {
    let mut name = String::new();
    for c in text.to_ascii_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => name.push(c),
            _ if name.ends_with('-') => {}
            _ => name.push('-'),
        }
    }
    name.truncate(63);
    name.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_service_is_named_after_its_host_or_its_file() {
        for (host, file, want) in [
            (Some("shop.example.com"), "access.log", "shop"),
            (Some("www.example.co.jp"), "access.log", "example"),
            (Some("Shop_1.example"), "access.log", "shop-1"),
            (Some("192.0.2.1"), "access.log", "nginx"),
            (None, "shop.access.log", "shop"),
            (None, "my_shop-access_log", "my-shop"),
            (None, "access.log", "nginx"),
            (None, "other_vhosts_access.log", "nginx"),
            (None, "アクセス.log", "nginx"),
        ] {
            assert_eq!(suggested_service(host, file, "nginx").as_str(), want, "{host:?} {file}");
        }
    }

    proptest! {
        #[test]
        fn any_host_and_file_give_a_name(host in ".{0,80}", file in ".{0,80}") {
            prop_assert!(!suggested_service(Some(&host), &file, "").as_str().is_empty());
        }
    }
}
