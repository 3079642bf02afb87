//! Frames of a stack trace that a program wrote as text: Python, Ruby, JavaScript, Java and its kin, PHP.
//!
//! Lines that are no frame are skipped. Never more than [`MAX_FRAMES`] frames.

use crate::observed::Frame;
use std::borrow::Cow;

/// Most frames of one error.
pub(crate) const MAX_FRAMES: usize = 200;
/// Longer lines are no frame.
const MAX_LINE: usize = 2_000;

/// The frames of a trace, innermost first.
pub(crate) fn frames(trace: &str) -> Vec<Frame<'_>> {
    let mut frames: Vec<_> = trace.lines().filter(|line| line.len() <= MAX_LINE).filter_map(frame).collect();
    // Python alone writes the innermost last.
    if trace.trim_start().starts_with("Traceback (most recent call last)") {
        frames.reverse();
    }
    frames.truncate(MAX_FRAMES);
    frames
}

fn frame(line: &str) -> Option<Frame<'_>> {
    let line = line.trim();
    let (function, file, number) = python(line).or_else(|| at(line)).or_else(|| php(line)).or_else(|| ruby(line))?;
    let own = is_library(file).then_some(false);
    Some(Frame { function: Cow::Borrowed(function), file: Cow::Borrowed(file), line: number, own })
}

type Parts<'a> = (&'a str, &'a str, Option<u32>);

/// `File "/srv/pay.py", line 12, in pay`
fn python(line: &str) -> Option<Parts<'_>> {
    let (file, rest) = line.strip_prefix("File \"")?.split_once("\", line ")?;
    let (number, function) = rest.split_once(", in ").unwrap_or((rest, ""));
    Some((function, file, number.parse().ok()))
}

/// `at add (/srv/cart.js:10:5)`, `at /srv/cart.js:10:5`, `at shop.Pay.charge(Pay.java:12)`
fn at(line: &str) -> Option<Parts<'_>> {
    let rest = line.strip_prefix("at ")?;
    let (function, place) = match rest.strip_suffix(')').and_then(|rest| rest.rsplit_once('(')) {
        Some((function, place)) => (function.trim_end(), place),
        None => ("", rest.strip_prefix("async ").unwrap_or(rest)),
    };
    let (file, number) = without_position(place);
    (function.is_empty() != number.is_none() || !function.is_empty()).then_some((function, file, number))
}

/// `#0 /srv/pay.php(12): charge()`
fn php(line: &str) -> Option<Parts<'_>> {
    let (count, rest) = line.strip_prefix('#')?.split_once(' ')?;
    count.parse::<u32>().ok()?;
    let (place, function) = rest.split_once(": ")?;
    let (file, number) = place.strip_suffix(')')?.rsplit_once('(')?;
    Some((function.split('(').next().unwrap_or(function), file, Some(number.parse().ok()?)))
}

/// ``app/pay.rb:12:in `charge'``, `app/pay.rb:12:in 'Pay#charge'`, also with `from ` before it.
fn ruby(line: &str) -> Option<Parts<'_>> {
    let line = line.strip_prefix("from ").unwrap_or(line);
    let (place, rest) = line.split_once(":in ")?;
    let (file, number) = place.rsplit_once(':')?;
    let function = rest.strip_prefix(['`', '\''])?;
    let function = &function[..function.rfind('\'').unwrap_or(function.len())];
    Some((function, file, Some(number.parse().ok()?)))
}

/// A file without `:10` or `:10:5` at its end, and the line of these.
fn without_position(place: &str) -> (&str, Option<u32>) {
    let split = |text| -> Option<(&str, u32)> {
        let (file, number) = str::rsplit_once(text, ':')?;
        Some((file, number.parse().ok()?))
    };
    match split(place) {
        Some((rest, last)) => match split(rest) {
            Some((file, line)) => (file, Some(line)),
            None => (rest, Some(last)),
        },
        None => (place, None),
    }
}

/// Whether the file lies where package managers put what others wrote.
pub fn is_library(file: &str) -> bool {
    const PLACES: [&str; 10] = [
        "node_modules/",
        "node:",
        "site-packages/",
        "dist-packages/",
        "/lib/python",
        "/gems/",
        "/lib/ruby/",
        "/vendor/",
        "<frozen ",
        "<internal:",
    ];
    // Node's own, before it wrote `node:`. Elsewhere in a path it is a folder of the application, as Go has it.
    file.starts_with("internal/") || PLACES.iter().any(|place| file.contains(place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn frames_are_read_as_languages_write_them() {
        for (case, trace, want) in [
            (
                "Python",
                "Traceback (most recent call last):\n  File \"main.py\", line 3, in <module>\n    pay(7)\n  File \"/usr/lib/python3.11/json/x.py\", line 12, in pay\nPaymentError: no",
                vec![
                    ("pay", "/usr/lib/python3.11/json/x.py", Some(12), Some(false)),
                    ("<module>", "main.py", Some(3), None),
                ],
            ),
            (
                "JavaScript",
                "TypeError: no\n    at add (/srv/shop/cart.js:10:5)\n    at async Layer.handle (/srv/node_modules/express/layer.js:95:5)\n    at node:events:1:2\n    at new Cart (<anonymous>)",
                vec![
                    ("add", "/srv/shop/cart.js", Some(10), None),
                    ("async Layer.handle", "/srv/node_modules/express/layer.js", Some(95), Some(false)),
                    ("", "node:events", Some(1), Some(false)),
                    ("new Cart", "<anonymous>", None, None),
                ],
            ),
            (
                "Java",
                "java.lang.IllegalStateException: no\n\tat shop.Pay.charge(Pay.java:12)\n\tat shop.Main.main(Native Method)\n\t... 3 more",
                vec![("shop.Pay.charge", "Pay.java", Some(12), None), ("shop.Main.main", "Native Method", None, None)],
            ),
            (
                "Ruby",
                "app/pay.rb:12:in `charge'\n\tfrom /usr/gems/rack-3.1/x.rb:3:in 'Rack::App#call'",
                vec![
                    ("charge", "app/pay.rb", Some(12), None),
                    ("Rack::App#call", "/usr/gems/rack-3.1/x.rb", Some(3), Some(false)),
                ],
            ),
            (
                "PHP",
                "#0 /srv/pay.php(12): charge(Object(X))\n#1 {main}",
                vec![("charge", "/srv/pay.php", Some(12), None)],
            ),
            (
                "Go's internal folder is the application's",
                "at pay (/srv/shop/internal/pay.js:1:2)\nat load (internal/modules/loader.js:3:4)",
                vec![
                    ("pay", "/srv/shop/internal/pay.js", Some(1), None),
                    ("load", "internal/modules/loader.js", Some(3), Some(false)),
                ],
            ),
            ("no trace", "at once\nsomething: else\n#1 x", vec![]),
        ] {
            let found = frames(trace);
            let got: Vec<_> = found.iter().map(|f| (f.function.as_ref(), f.file.as_ref(), f.line, f.own)).collect();
            assert_eq!(got, want, "{case}");
        }
        assert_eq!(frames(&"at f (a:1)\n".repeat(100_000)).len(), MAX_FRAMES);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(raw in "\\PC{0,60}|(at |#0 |File \"|from )?[a-z:()'`# 0-9,\"]{0,40}") {
            let _ = frames(&raw);
        }
    }
}
