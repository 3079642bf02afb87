//! Which group an error belongs to, and why: its fingerprint.
//!
//! Two errors are in one group when the same thing went wrong at the same place: the class of the exception, its
//! message without what varies (numbers, ids, quoted text, addresses, paths), and the innermost frames of the
//! application's own code without line numbers, so that a new release or another customer makes no new group. What
//! the sender says itself ([`ErrorTraits::grouping`]) wins.
//!
//! Stored with every error: a version is never changed, only followed by the next one. [`Fingerprint::inputs`] are
//! what was compared, in words that a person can read.

use regex::{Captures, Regex};
use std::fmt::Write;

/// The version that [`Fingerprinter::of`] writes.
pub const VERSION: &str = "v1";
/// Most frames that count.
pub const MAX_FRAMES: usize = 5;
/// Longest message that counts, bytes, before and after what varies is replaced.
pub const MAX_MESSAGE: usize = 500;
/// Longest class, function, file or part of a grouping that counts, bytes.
pub const MAX_PART: usize = 300;
/// Most parts of a sender's grouping that count.
pub const MAX_GROUPING: usize = 16;

/// How senders of Sentry's protocol say "and what you would take by yourself".
const DEFAULT_PARTS: [&str; 2] = ["{{ default }}", "{{default}}"];

/// A place in a program, as far as grouping looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place<'a> {
    /// Function, with its module or class where the sender says one.
    pub function: &'a str,
    /// File.
    pub file: &'a str,
    /// Whether it is the application's own code; `None` when nobody said.
    pub own: Option<bool>,
}

/// What is known of an error.
#[derive(Debug, Clone, Copy, Default)]
pub struct ErrorTraits<'a> {
    /// Class of the exception.
    pub kind: &'a str,
    /// What it said.
    pub message: &'a str,
    /// Frames, innermost first.
    pub places: &'a [Place<'a>],
    /// What the sender wants it grouped by; empty when it left that to us.
    pub grouping: &'a [&'a str],
}

/// One thing that was compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Class of the exception.
    Kind(String),
    /// Message without what varies.
    Message(String),
    /// One frame.
    Frame {
        /// Function without what varies.
        function: String,
        /// File without what varies.
        file: String,
    },
    /// A part that the sender chose.
    Grouping(String),
}

impl Input {
    /// The stable name of what kind of input this is.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Kind(_) => "type",
            Self::Message(_) => "message",
            Self::Frame { .. } => "frame",
            Self::Grouping(_) => "grouping",
        }
    }

    /// What was compared, as a person reads it.
    pub fn text(&self) -> String {
        match self {
            Self::Kind(text) | Self::Message(text) | Self::Grouping(text) => text.clone(),
            Self::Frame { function, file } => format!("{function} ({file})"),
        }
    }
}

/// The group of an error, and what it follows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// `v1-` and 32 hex digits.
    pub group_id: String,
    /// What was compared, in its order.
    pub inputs: Vec<Input>,
}

impl Fingerprint {
    fn new(inputs: Vec<Input>) -> Self {
        let mut hash = blake3::Hasher::new();
        let mut feed = |text: &str| {
            // The length keeps ("ab", "c") apart from ("a", "bc").
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        };
        feed(VERSION);
        for input in &inputs {
            feed(input.name());
            match input {
                Input::Kind(text) | Input::Message(text) | Input::Grouping(text) => feed(text),
                Input::Frame { function, file } => {
                    feed(function);
                    feed(file);
                }
            }
        }
        let mut group_id = format!("{VERSION}-");
        for byte in &hash.finalize().as_bytes()[..16] {
            let _ = write!(group_id, "{byte:02x}"); // writing to a String never fails
        }
        Self { group_id, inputs }
    }
}

/// Finds the group of errors. Holds the compiled patterns: make one and keep it.
#[derive(Debug, Clone)]
pub struct Fingerprinter {
    varying: Regex,
    varying_in_code: Regex,
}

impl Default for Fingerprinter {
    fn default() -> Self {
        Self::new()
    }
}

impl Fingerprinter {
    /// Compiles the patterns.
    pub fn new() -> Self {
        // In the order in which they win at one place. A quote counts only where no letter stands before it, so that
        // "can't ... don't" is no quoted text.
        let varying = Regex::new(
            r#"(?x)
            (?P<kept> <(?: email|uuid|quoted|hex|path|n )> )
            | (?P<quoted>
                "[^"\n]*" | “[^”\n]*” | 「[^」\n]*」 | 『[^』\n]*』 | `[^`'\n]*[`'] | \B'[^'\n]*'
              )
            | (?P<email> [\p{L}\p{N}._%+-]+ @ [\p{L}\p{N}-]+ (?: \. [\p{L}\p{N}-]+ )+ )
            | (?P<uuid> \b [0-9A-Fa-f]{8} -? [0-9A-Fa-f]{4} -? [0-9A-Fa-f]{4} -? [0-9A-Fa-f]{4} -? [0-9A-Fa-f]{12} \b )
            | (?P<path>
                [A-Za-z][A-Za-z0-9+.-]* :// [^\s"'<>()]* [^\s"'<>(),;:.]
                | (?: \B [./~]{0,2} / | \b [A-Za-z]:\\ ) [^\s"'<>(),;:=]* [^\s"'<>(),;:=.]
              )
            | (?P<hex> \b 0x[0-9A-Fa-f]+ \b | \b [0-9A-Fa-f]{8,} \b )
            | (?P<n> \d+ (?: [.,:] \d+ )* )
            "#,
        )
        .expect("the pattern is a constant");
        let varying_in_code =
            Regex::new(r"(?P<hex>0x[0-9A-Fa-f]+|[0-9A-Fa-f]{8,})|(?P<n>\d+)").expect("the pattern is a constant");
        Self { varying, varying_in_code }
    }

    /// The group of an error.
    pub fn of(&self, error: &ErrorTraits<'_>) -> Fingerprint {
        if error.grouping.is_empty() {
            return Fingerprint::new(self.own_inputs(error));
        }
        let mut inputs = Vec::new();
        for part in error.grouping.iter().take(MAX_GROUPING) {
            if DEFAULT_PARTS.contains(part) {
                inputs.extend(self.own_inputs(error));
            } else {
                inputs.push(Input::Grouping(cut(part, MAX_PART).to_owned()));
            }
        }
        Fingerprint::new(inputs)
    }

    fn own_inputs(&self, error: &ErrorTraits<'_>) -> Vec<Input> {
        let mut inputs = Vec::with_capacity(2 + MAX_FRAMES);
        inputs.push(Input::Kind(cut(error.kind, MAX_PART).to_owned()));
        inputs.push(Input::Message(self.message(error.message)));
        for place in telling_places(error.places) {
            inputs.push(Input::Frame { function: self.code(place.function), file: self.code(place.file) });
        }
        inputs
    }

    /// A message without what varies between two errors of one cause, on one line.
    pub fn message(&self, raw: &str) -> String {
        let one_line = cut(raw, MAX_MESSAGE).split_whitespace().collect::<Vec<_>>().join(" ");
        let replaced = self.varying.replace_all(&one_line, |found: &Captures<'_>| {
            for name in ["quoted", "email", "uuid", "path", "n"] {
                if found.name(name).is_some() {
                    return format!("<{name}>");
                }
            }
            match found.name("hex") {
                Some(hex) if is_word(hex.as_str()) => hex.as_str().to_owned(),
                Some(_) => "<hex>".to_owned(),
                None => found[0].to_owned(),
            }
        });
        cut(&replaced, MAX_MESSAGE).to_owned()
    }

    /// A function or file without what varies between releases and builds: versions, counters, hashes.
    fn code(&self, raw: &str) -> String {
        let replaced = self.varying_in_code.replace_all(cut(raw, MAX_PART), |found: &Captures<'_>| {
            match found.name("hex") {
                Some(hex) if is_word(hex.as_str()) => hex.as_str(),
                Some(hex) if hex.as_str().bytes().all(|b| b.is_ascii_digit()) => "<n>",
                Some(_) => "<hex>",
                None => "<n>",
            }
            .to_owned()
        });
        cut(&replaced, MAX_PART).to_owned()
    }
}

/// The innermost frames that say where the application went wrong: those that are known to be its own, else those
/// that are not known to be a library's, else all.
fn telling_places<'a>(places: &'a [Place<'a>]) -> impl Iterator<Item = &'a Place<'a>> {
    let best = if places.iter().any(|place| place.own == Some(true)) {
        Some(Some(true))
    } else if places.iter().any(|place| place.own.is_none()) {
        Some(None)
    } else {
        None
    };
    places.iter().filter(move |place| best.is_none_or(|own| place.own == own)).take(MAX_FRAMES)
}

/// Letters only: `deadbeef` may be a word, `feedface` a name; ids nearly always hold a digit.
fn is_word(hex: &str) -> bool {
    hex.bytes().all(|b| b.is_ascii_alphabetic())
}

/// The start of a text, at most `limit` bytes, ending at a character.
fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAY: Place<'_> = Place { function: "pay", file: "app/pay.rb", own: Some(true) };
    const RACK: Place<'_> = Place { function: "call", file: "rack/server.rb", own: Some(false) };

    fn group(kind: &str, message: &str, places: &[Place<'_>], grouping: &[&str]) -> String {
        Fingerprinter::new().of(&ErrorTraits { kind, message, places, grouping }).group_id
    }

    #[test]
    fn what_varies_in_a_message_is_replaced() {
        let fingerprinter = Fingerprinter::new();
        for (case, raw, want) in [
            ("nothing varies", "could not connect", "could not connect"),
            ("numbers", "order 7 took 1.25 s, 3 of 4", "order <n> took <n> s, <n> of <n>"),
            ("full-width digits", "注文１２番", "注文<n>番"),
            ("quoted", r#"no "tea" and 'milk' for `x'"#, "no <quoted> and <quoted> for <quoted>"),
            ("japanese quotes", "「お茶」がありません", "<quoted>がありません"),
            ("apostrophes are no quotes", "can't pay, don't retry", "can't pay, don't retry"),
            ("of JavaScript", "undefined (reading 'length')", "undefined (reading <quoted>)"),
            ("uuid", "no 7f4df0d3-02a4-4d0e-9a3f-0123456789ab", "no <uuid>"),
            ("uuid without dashes", "no 7f4df0d302a44d0e9a3f0123456789ab", "no <uuid>"),
            ("hex", "at 0x7f54f6bbec50, sha 4bf92f3577b34da", "at <hex>, sha <hex>"),
            ("a word of hex letters", "the facade effaced", "the facade effaced"),
            ("e-mail", "hanako@shop.example is taken", "<email> is taken"),
            ("path", "can't open /srv/shop/a b.txt: denied", "can't open <path> b.txt: denied"),
            ("relative path", "missing ./config/x.yml.", "missing <path>."),
            ("address", "GET https://shop.example/items/7?x=1 failed", "GET <path> failed"),
            ("drive", r"no C:\shop\x.dll here", "no <path> here"),
            ("either/or is no path", "and/or", "and/or"),
            ("lines and blanks", "a\n  b\t c", "a b c"),
            ("address of a host", "connect 203.0.113.9:5432 refused", "connect <n> refused"),
        ] {
            assert_eq!(fingerprinter.message(raw), want, "{case}");
        }
    }

    #[test]
    fn one_cause_is_one_group() {
        let base = group("PaymentError", "order 7 was refused", &[PAY, RACK], &[]);
        let other_library = Place { file: "puma/server.rb", ..RACK };
        for (case, same, got) in [
            ("another order", true, group("PaymentError", "order 8 was refused", &[PAY, RACK], &[])),
            ("another library below", true, group("PaymentError", "order 7 was refused", &[PAY, other_library], &[])),
            ("another class", false, group("CardError", "order 7 was refused", &[PAY, RACK], &[])),
            ("another message", false, group("PaymentError", "order 7 is unknown", &[PAY, RACK], &[])),
            ("another place", false, group("PaymentError", "order 7 was refused", &[RACK], &[])),
            ("the sender's wish", false, group("PaymentError", "order 7 was refused", &[PAY, RACK], &["pay"])),
            (
                "the sender wants what we do",
                true,
                group("PaymentError", "order 7 was refused", &[PAY, RACK], &["{{ default }}"]),
            ),
        ] {
            assert_eq!(got == base, same, "{case}");
        }
        assert_eq!(group("A", "x", &[], &["pay"]), group("B", "y", &[PAY], &["pay"]), "the wish wins");
        assert_ne!(group("A", "x", &[], &["pay", "{{default}}"]), group("B", "x", &[], &["pay", "{{default}}"]));
        assert_ne!(group("ab", "c", &[], &[]), group("a", "bc", &[], &[]));
    }

    #[test]
    fn a_group_id_never_changes_within_a_version() {
        // Stored with every error. If this fails, write the next version instead.
        assert_eq!(group("PaymentError", "order 7 was refused", &[PAY, RACK], &[]), GOLDEN);
    }
    const GOLDEN: &str = "v1-a36fd1a9988a9fcf61c449c3faa29a99";

    #[test]
    fn own_frames_count_before_others_and_releases_make_no_difference() {
        let fingerprinter = Fingerprinter::new();
        let unknown = Place { own: None, ..PAY };
        for (case, places, want) in [
            ("own", vec![RACK, PAY], vec!["pay (app/pay.rb)"]),
            ("not known to be a library's", vec![RACK, unknown], vec!["pay (app/pay.rb)"]),
            ("only libraries", vec![RACK, RACK], vec!["call (rack/server.rb)", "call (rack/server.rb)"]),
            ("too many", vec![PAY; 9], vec!["pay (app/pay.rb)"; MAX_FRAMES]),
            (
                "release folder, version, hash",
                vec![Place {
                    function: "block (2 levels)",
                    file: "/releases/20260203040506/gems/rack-3.1.2/main.4bf92f35.js",
                    own: Some(true),
                }],
                vec!["block (<n> levels) (/releases/<n>/gems/rack-<n>.<n>.<n>/main.<hex>.js)"],
            ),
        ] {
            let error = ErrorTraits { places: &places, ..ErrorTraits::default() };
            let found = fingerprinter.of(&error);
            let frames: Vec<_> = found.inputs.iter().filter(|input| input.name() == "frame").map(Input::text).collect();
            assert_eq!(frames, want, "{case}");
        }
    }

    #[test]
    fn huge_errors_cost_little() {
        let long = "x1 ".repeat(1 << 20);
        let places = vec![Place { function: &long, file: &long, own: None }; 1_000];
        let grouping = vec![long.as_str(); 1_000];
        for grouping in [&[][..], &grouping] {
            let found =
                Fingerprinter::new().of(&ErrorTraits { kind: &long, message: &long, places: &places, grouping });
            let bytes: usize = found.inputs.iter().map(|input| input.text().len()).sum();
            assert!(bytes <= MAX_MESSAGE + MAX_PART * (MAX_GROUPING + 2 * MAX_FRAMES + 1), "{bytes}");
        }
    }

    proptest! {
        #[test]
        fn no_digit_is_left_in_any_message(raw in "[ -~]{0,80}|\\PC{0,80}|[a-f0-9/'\"@. -]{0,60}") {
            let fingerprinter = Fingerprinter::new();
            let once = fingerprinter.message(&raw);
            prop_assert!(once.len() <= MAX_MESSAGE);
            prop_assert!(!once.bytes().any(|b| b.is_ascii_digit()), "{}", once);
        }
    }
}
