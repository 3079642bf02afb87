//! Patterns of log lines: what many lines have in common, with placeholders for what varies.
//!
//! After Drain (He, Zhu, Zheng, Lyu: "Drain: an online log parsing approach with fixed depth tree", 2017): a line is
//! compared only with patterns that have as many words and begin with the same ones, so that a line costs the same
//! however many patterns there are. Numbers, ids, addresses and times become placeholders before anything is compared.
//!
//! Pure and bounded: at most [`MAX_PATTERNS`] patterns of at most [`MAX_WORDS`] words; lines beyond are counted in
//! [`Patterns::unmatched`], never kept.

use regex::{Captures, Regex};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Most patterns.
pub const MAX_PATTERNS: usize = 500;
/// Words of a line that count; what follows is one word, [`REST`].
pub const MAX_WORDS: usize = 48;
/// Bytes of a line that count.
pub const MAX_LINE: usize = 2_000;
/// Stands for a word that varies.
pub const ANY: &str = "<*>";
/// Stands for all words beyond the last that counts.
const REST: &str = "<...>";
/// Different first words for lines of one length; further ones share a place.
const MAX_FIRST_WORDS: usize = 100;
/// Shorter words of letters and digits are names (`sha256`, `ipv4`), longer ones ids.
const LEAST_ID: usize = 8;

/// What a pattern is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    words: Vec<String>,
    count: u64,
}

impl Pattern {
    /// The pattern as a person reads it; [`PatternText`] reads it back.
    pub fn text(&self) -> String {
        self.words.join(" ")
    }

    /// Lines that it stands for.
    pub const fn count(&self) -> u64 {
        self.count
    }
}

/// A pattern as it was written down, to find its lines again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternText(Vec<String>);

impl PatternText {
    /// Reads what [`Pattern::text`] wrote.
    pub fn new(text: &str) -> Self {
        Self(text.split_whitespace().take(MAX_WORDS + 1).map(str::to_owned).collect())
    }

    /// Whether the line is one of the pattern's.
    pub fn matches(&self, line: &str) -> bool {
        let line = masked(line);
        let mut words = words(&line);
        let alike = self.0.iter().all(|want| words.next().is_some_and(|word| want == ANY || want == word));
        alike && words.next().is_none()
    }
}

/// Where the patterns of lines with this number of words and this first word are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    words: usize,
    first: String,
}

/// Finds patterns, line by line.
#[derive(Debug, Clone, Default)]
pub struct Patterns {
    found: Vec<Pattern>,
    places: HashMap<Place, Vec<usize>>,
    first_words: HashMap<usize, HashSet<String>>,
    unmatched: u64,
}

impl Patterns {
    /// Adds a line; the number of its pattern in [`Self::found`], or `None` when there is no room for one more.
    pub fn add(&mut self, line: &str) -> Option<usize> {
        let line = masked(line);
        let words: Vec<&str> = words(&line).collect();
        let place = self.place(&words);
        let at = match self.best(&place, &words) {
            Some(at) => at,
            None if self.found.len() >= MAX_PATTERNS => {
                self.unmatched += 1;
                return None;
            }
            None => {
                self.found.push(Pattern { words: words.iter().map(|word| (*word).to_owned()).collect(), count: 0 });
                self.places.entry(place).or_default().push(self.found.len() - 1);
                self.found.len() - 1
            }
        };
        let pattern = &mut self.found[at];
        pattern.count += 1;
        for (held, word) in pattern.words.iter_mut().zip(&words) {
            if held != word && held != ANY {
                ANY.clone_into(held);
            }
        }
        Some(at)
    }

    /// Patterns in the order in which their first line came.
    pub fn found(&self) -> &[Pattern] {
        &self.found
    }

    /// Lines for whose pattern there was no room.
    pub const fn unmatched(&self) -> u64 {
        self.unmatched
    }

    fn place(&mut self, words: &[&str]) -> Place {
        let firsts = self.first_words.entry(words.len()).or_default();
        let first = words.first().copied().unwrap_or_default();
        let is_new = !firsts.contains(first);
        let first = if first.contains('<') || (is_new && firsts.len() >= MAX_FIRST_WORDS) { ANY } else { first };
        if is_new && first != ANY {
            firsts.insert(first.to_owned());
        }
        Place { words: words.len(), first: first.to_owned() }
    }

    /// The most similar pattern, when more than half of what does not vary in the line is the same in it.
    fn best(&self, place: &Place, words: &[&str]) -> Option<usize> {
        let candidates = self.places.get(place)?;
        let literals = words.iter().filter(|word| !word.contains('<')).count();
        let alike = |at: usize| {
            let pairs = || self.found[at].words.iter().map(String::as_str).zip(words.iter().copied());
            if literals == 0 {
                return pairs().all(|(held, word)| held == word || held == ANY).then_some(words.len());
            }
            let equal = pairs().filter(|(held, word)| held == word && !word.contains('<')).count();
            (equal * 2 > literals).then_some(equal)
        };
        let best = candidates.iter().filter_map(|at| Some((alike(*at)?, std::cmp::Reverse(*at)))).max()?;
        Some(best.1.0)
    }
}

fn words(masked: &str) -> impl Iterator<Item = &str> {
    let mut all = masked.split_whitespace();
    let mut taken = 0;
    std::iter::from_fn(move || {
        let word = all.next()?;
        taken += 1;
        match taken {
            1..=MAX_WORDS => Some(word),
            at if at == MAX_WORDS + 1 => Some(REST),
            _ => None,
        }
    })
}

/// The line with placeholders for what varies by its form alone.
fn masked(line: &str) -> Cow<'_, str> {
    static VARYING: LazyLock<Regex> = LazyLock::new(|| {
        // In the order in which they win at one place.
        Regex::new(
            r"(?x)
            (?P<kept> <(?: time|id|ip|email|hex|n|\* )> )
            | (?P<time>
                \b \d{4}-\d{2}-\d{2} (?: [T\ ] \d{2}:\d{2} (?: :\d{2} (?: [.,]\d+ )? )? (?: Z | [+-]\d{2}:?\d{2} \b )? )?
                | \b \d{2}:\d{2}:\d{2} (?: [.,]\d+ )? \b
              )
            | (?P<id> \b [0-9A-Fa-f]{8} -? [0-9A-Fa-f]{4} -? [0-9A-Fa-f]{4} -? [0-9A-Fa-f]{4} -? [0-9A-Fa-f]{12} \b )
            | (?P<ip> \b \d{1,3} (?: \. \d{1,3} ){3} (?: :\d+ )? \b )
            | (?P<email> [\p{L}\p{N}._%+-]+ @ [\p{L}\p{N}-]+ (?: \. [\p{L}\p{N}-]+ )+ )
            | (?P<hex> \b 0x[0-9A-Fa-f]+ \b )
            | (?P<word> [A-Za-z0-9]+ )
            | (?P<n> \d+ )
            ",
        )
        .expect("the pattern is a constant")
    });
    let line = &line[..line.floor_char_boundary(MAX_LINE)];
    VARYING.replace_all(line, |found: &Captures<'_>| {
        for name in ["time", "id", "ip", "email", "hex", "n"] {
            if found.name(name).is_some() {
                return format!("<{name}>");
            }
        }
        match found.name("word") {
            Some(word) => masked_word(word.as_str()),
            None => found[0].to_owned(),
        }
    })
}

/// Letters and digits: a name, an id, or a name with a number in it.
fn masked_word(word: &str) -> String {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 {
        return word.to_owned();
    }
    if digits < word.len() && digits >= 2 && word.len() >= LEAST_ID {
        return "<id>".to_owned();
    }
    let mut out = String::with_capacity(word.len());
    let mut in_number = false;
    for c in word.chars() {
        if !c.is_ascii_digit() {
            out.push(c);
        } else if !in_number {
            out.push_str("<n>");
        }
        in_number = c.is_ascii_digit();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_varies_by_its_form_is_a_placeholder() {
        for (case, line, want) in [
            ("nothing varies", "could not connect", "could not connect"),
            ("numbers", "order 7 took 1.25s (3 of 4)", "order <n> took <n>.<n>s (<n> of <n>)"),
            ("full-width digits", "注文１２番を受け付けました", "注文<n>番を受け付けました"),
            ("a number inside Japanese", "注文1234番", "注文<n>番"),
            ("time", "2026-11-01T10:00:00.123Z ready", "<time> ready"),
            ("time with a blank", "2026-11-01 10:00:00,5 ready", "<time> ready"),
            ("time of day", "at 10:00:00 sharp", "at <time> sharp"),
            ("uuid", "no 7f4df0d3-02a4-4d0e-9a3f-0123456789ab", "no <id>"),
            ("an id", "job q7x81kzz9 failed", "job <id> failed"),
            ("a name with a number", "sha256 of web1", "sha<n> of web<n>"),
            ("a long word", "certificate expired", "certificate expired"),
            ("address", "from 10.0.3.12:8080", "from <ip>"),
            ("e-mail", "to hanako@shop.example now", "to <email> now"),
            ("hex", "at 0x7f54f6bb", "at <hex>"),
            ("key and value", "user=42 ok=true", "user=<n> ok=true"),
        ] {
            assert_eq!(masked(line), want, "{case}");
        }
    }

    fn found(lines: &[&str]) -> Vec<(String, u64)> {
        let mut patterns = Patterns::default();
        for line in lines {
            patterns.add(line);
        }
        patterns.found().iter().map(|pattern| (pattern.text(), pattern.count())).collect()
    }

    #[test]
    fn lines_of_one_statement_are_one_pattern() {
        for (case, lines, want) in [
            ("numbers", vec!["order 7 paid", "order 8 paid"], vec![("order <n> paid", 2)]),
            (
                "a name in the middle",
                vec!["user hanako signed in from Tokyo", "user taro signed in from Osaka"],
                vec![("user <*> signed in from <*>", 2)],
            ),
            (
                "a name at the end",
                vec!["payment refused by bank A for shop", "payment refused by bank B for cafe"],
                vec![("payment refused by bank <*> for <*>", 2)],
            ),
            (
                "two statements about one thing",
                vec!["order 7 paid", "order 8 cancelled"],
                vec![("order <n> paid", 1), ("order <n> cancelled", 1)],
            ),
            (
                "too little in common",
                vec!["start worker now", "start nothing else"],
                vec![("start worker now", 1), ("start nothing else", 1)],
            ),
            (
                "another length",
                vec!["cache miss", "cache miss again"],
                vec![("cache miss", 1), ("cache miss again", 1)],
            ),
            ("empty lines", vec!["", "  "], vec![("", 2)]),
        ] {
            let want: Vec<(String, u64)> = want.into_iter().map(|(text, n)| (text.to_owned(), n)).collect();
            assert_eq!(found(&lines), want, "{case}");
        }
    }

    #[test]
    fn a_pattern_finds_its_lines_and_no_others() {
        let text = PatternText::new("payment refused by bank <*> for order <n>");
        for (line, want) in [
            ("payment refused by bank A for order 7", true),
            ("payment  refused by bank <*> for order 99", true),
            ("payment refused by bank A for order 7 again", false),
            ("payment refused by bank A for order", false),
            ("payment refused by bank A for order x", false),
            ("", false),
        ] {
            assert_eq!(text.matches(line), want, "{line}");
        }
    }

    #[test]
    fn hostile_lines_cost_bounded_memory() {
        let mut patterns = Patterns::default();
        for at in 0..5_000u32 {
            let name: String = at.to_string().bytes().map(|b| char::from(b - b'0' + b'a')).collect();
            patterns.add(&format!("{name} {}", "w ".repeat(at as usize % 90)));
        }
        assert!(patterns.found().len() <= MAX_PATTERNS);
        let kept: u64 = patterns.found().iter().map(Pattern::count).sum();
        assert_eq!(kept + patterns.unmatched(), 5_000);
        let longest = patterns.found().iter().map(|pattern| pattern.words.len()).max();
        assert_eq!(longest, Some(MAX_WORDS + 1));
    }

    proptest! {
        #[test]
        fn a_line_is_found_again_by_its_pattern(lines in prop::collection::vec("[a-z0-9 .:<*>-]{0,40}|\\PC{0,40}", 1..30)) {
            let mut patterns = Patterns::default();
            let places: Vec<_> = lines.iter().map(|line| patterns.add(line)).collect();
            for (line, at) in lines.iter().zip(places) {
                let text = patterns.found()[at.unwrap()].text();
                prop_assert!(PatternText::new(&text).matches(line), "{text:?} does not match {line:?}");
            }
        }
    }
}
