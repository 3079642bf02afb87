//! Which routes of real traffic a check looks at.

use super::spec::{Check, CheckName, Probe};

/// A request that a check makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked {
    /// The check.
    pub check: String,
    /// Which step, from 0.
    pub step: usize,
    method: &'static str,
    path: String,
}

/// The requests that checks of a service make.
pub fn walked<'c>(checks: impl IntoIterator<Item = (&'c CheckName, &'c Check)>, service: &str) -> Vec<Walked> {
    let mut out = Vec::new();
    for (name, check) in checks {
        if check.service.as_ref().is_none_or(|of| of.as_str() != service) {
            continue;
        }
        let Probe::Http(steps) = &check.probe else { continue };
        out.extend(steps.iter().enumerate().map(|(at, step)| Walked {
            check: name.to_string(),
            step: at,
            method: step.method.as_str(),
            path: step.path(),
        }));
    }
    out
}

impl Walked {
    /// Whether a route, `GET /items/{id}`, is that of this request. A variable of the check stands for one segment.
    pub fn covers(&self, route: &str) -> bool {
        let Some((method, wanted)) = route.split_once(' ') else { return false };
        if method != self.method {
            return false;
        }
        let (mut wanted, mut given) = (wanted.split('/').peekable(), self.path.split('/'));
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some("*" | "…"), Some(_)) if wanted.peek().is_none() => return true,
                (Some(wanted), Some(given)) if segment(wanted, given) => {}
                _ => return false,
            }
        }
    }
}

fn segment(wanted: &str, given: &str) -> bool {
    if wanted == given {
        return true;
    }
    if given.is_empty() {
        return false;
    }
    if given.contains("{{") {
        // What it will be is not known: it can be where a route has a placeholder.
        return wanted == "*" || wanted.starts_with(':') || wanted.contains('{');
    }
    if wanted == "*" || wanted.starts_with(':') {
        return true;
    }
    // `{id}`, also within a segment: `page-{n}.html`.
    let mut pattern = String::new();
    let mut rest = wanted;
    while let Some((front, behind)) = rest.split_once('{') {
        let Some((_, after)) = behind.split_once('}') else { break };
        pattern.push_str(front);
        pattern.push('*');
        rest = after;
    }
    pattern.push_str(rest);
    pattern.contains('*') && super::answer::fits(&pattern, given)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked_of(step: &str) -> Walked {
        let check: Check =
            serde_saphyr::from_str(&format!("service: shop\nvariables: {{id: '7'}}\nsteps:\n  - {{{step}}}\n"))
                .unwrap();
        let name: CheckName = "buy".parse().unwrap();
        assert_eq!(walked([(&name, &check)], "other"), []);
        walked([(&name, &check)], "shop").remove(0)
    }

    #[test]
    fn a_step_covers_its_route() {
        for (step, route, want) in [
            ("get: https://shop.example/", "GET /", true),
            ("get: https://shop.example", "GET /", true),
            ("get: 'https://shop.example?q=1'", "GET /", true),
            ("get: https://shop.example/", "POST /", false),
            ("get: 'https://shop.example/items/7?x=1'", "GET /items/{id}", true),
            ("get: 'https://shop.example/items/7'", "GET /items/:id", true),
            ("get: 'https://shop.example/items/7/reviews'", "GET /items/{id}", false),
            ("get: 'https://shop.example/items/'", "GET /items/{id}", false),
            ("get: 'https://shop.example/items/{{id}}'", "GET /items/{id}", true),
            ("get: 'https://shop.example/items/{{id}}'", "GET /items/new", false),
            ("get: 'https://shop.example/items/new'", "GET /items/new", true),
            ("get: 'https://shop.example/page-12.html'", "GET /page-{n}.html", true),
            ("get: 'https://shop.example/page-12.css'", "GET /page-{n}.html", false),
            ("get: 'https://shop.example/files/a/b'", "GET /files/*", true),
            ("post: https://shop.example/cart, form: {a: b}", "POST /cart", true),
            ("get: https://shop.example/", "(other)", false),
        ] {
            assert_eq!(walked_of(step).covers(route), want, "{step} {route}");
        }
    }
}
