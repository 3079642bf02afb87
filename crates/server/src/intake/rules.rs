//! Which service a record belongs to, by what its sender calls it.
//!
//! A rule of the configuration wins; without one the name itself becomes the service's: in lower case, with a dash for
//! whatever a name can't have. So `kube.var.log.shop` of fluentd becomes `kube-var-log-shop` unless a rule says better.

use base::ServiceName;
use signal::filter::Pattern;

/// The service of records whose sender says none.
const UNNAMED: &str = "unnamed";
/// Longest name of a service.
const MAX_NAME: usize = 63;

/// Rules in the order in which they are tried: a pattern with `*`, and the service it means.
#[derive(Debug, Clone, Default)]
pub struct ServiceRules {
    rules: Vec<(Pattern, ServiceName)>,
}

impl ServiceRules {
    /// With the rules of the configuration.
    pub fn new(rules: Vec<(String, ServiceName)>) -> Self {
        let pattern = |text: &str| Pattern::from_pieces(text.split('*').map(str::to_owned).collect());
        Self { rules: rules.into_iter().map(|(text, service)| (pattern(&text), service)).collect() }
    }

    /// The service of a record whose sender calls itself `said`.
    pub fn service_of(&self, said: &str) -> ServiceName {
        let rule = self.rules.iter().find(|(pattern, _)| pattern.matches(said));
        rule.map_or_else(|| named_after(said), |(_, service)| service.clone())
    }
}

fn named_after(said: &str) -> ServiceName {
    let mut name = String::with_capacity(said.len().min(MAX_NAME));
    for c in said.chars() {
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9') => name.push(c),
            _ if name.is_empty() || name.ends_with('-') => {}
            _ => name.push('-'),
        }
        if name.len() == MAX_NAME {
            break;
        }
    }
    let name = name.trim_end_matches('-');
    let name = if name.is_empty() { UNNAMED } else { name };
    name.parse().expect("only letters, digits and dashes were taken, 63 at most")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_wins_and_any_other_name_becomes_one_that_is_allowed() {
        let rules = ServiceRules::new(vec![("app.web.*".into(), "shop".parse().unwrap())]);
        for (said, want) in [
            ("app.web.access", "shop"),
            ("app.db", "app-db"),
            ("Checkout Service", "checkout-service"),
            ("_internal__x_", "internal-x"),
            ("", "unnamed"),
            ("決済", "unnamed"),
            ("決済-api", "api"),
        ] {
            assert_eq!(rules.service_of(said).as_str(), want, "{said}");
        }
        assert_eq!(rules.service_of(&"x".repeat(200)).as_str().len(), 63);
    }

    proptest::proptest! {
        #[test]
        fn any_name_means_a_service(said in "\\PC{0,100}") {
            let _ = ServiceRules::default().service_of(&said);
        }
    }
}
