//! What people read in the terminal, in English and Japanese. Machines get JSON, which is the same in every language.

use fluent_templates::fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use fluent_templates::{FluentBundle, langid};

const ENGLISH: &str = include_str!("../../../locales/en/cli.ftl");
const JAPANESE: &str = include_str!("../../../locales/ja/cli.ftl");

/// A text to be said: its key in `cli.ftl`, and what fills its places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    key: &'static str,
    values: Vec<(&'static str, String)>,
}

impl Message {
    /// A text without places, so far.
    pub fn new(key: &'static str) -> Self {
        Self { key, values: Vec::new() }
    }

    /// Fills a place.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.values.push((name, value.into()));
        self
    }

    /// Another text with the same values.
    #[must_use]
    pub fn renamed(&self, key: &'static str) -> Self {
        Self { key, values: self.values.clone() }
    }

    /// Its key.
    pub fn key(&self) -> &'static str {
        self.key
    }
}

/// The texts of one language, with English for what is missing.
pub struct Texts {
    language: &'static str,
    bundle: FluentBundle<FluentResource>,
}

impl Texts {
    /// In the language of the terminal.
    pub fn from_environment() -> Self {
        let wanted = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(|name| std::env::var(name).ok());
        Self::new(is_japanese(wanted))
    }

    fn new(japanese: bool) -> Self {
        let language = if japanese { langid!("ja") } else { langid!("en") };
        let mut bundle = FluentBundle::new_concurrent(vec![language]);
        bundle.set_use_isolating(false); // marks for mixed directions are litter in a terminal
        let sources: &[&str] = if japanese { &[ENGLISH, JAPANESE] } else { &[ENGLISH] };
        for source in sources {
            // A broken line loses its own text only; a test reads both files whole.
            let resource = FluentResource::try_new((*source).to_owned()).unwrap_or_else(|(usable, _)| usable);
            bundle.add_resource_overriding(resource);
        }
        Self { language: if japanese { "ja" } else { "en" }, bundle }
    }

    /// `en` or `ja`.
    pub fn language(&self) -> &'static str {
        self.language
    }

    /// A text without places.
    pub fn get(&self, key: &'static str) -> String {
        self.say(&Message::new(key))
    }

    /// A text.
    pub fn say(&self, message: &Message) -> String {
        let mut values = FluentArgs::new();
        for (name, value) in &message.values {
            values.set(*name, FluentValue::from(value.as_str()));
        }
        let pattern = self.bundle.get_message(message.key).and_then(|found| found.value());
        let Some(pattern) = pattern else { return message.key.to_owned() };
        self.bundle.format_pattern(pattern, Some(&values), &mut Vec::new()).into_owned()
    }
}

/// The first variable that is set decides, as everywhere.
fn is_japanese(mut variables: impl Iterator<Item = String>) -> bool {
    variables.find(|value| !value.is_empty()).is_some_and(|value| value.starts_with("ja"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(source: &str) -> Vec<&str> {
        let keys = source.lines().filter_map(|line| line.split_once(" = ").map(|(key, _)| key));
        keys.filter(|key| !key.starts_with([' ', '#'])).collect()
    }

    #[test]
    fn both_languages_have_the_same_texts_and_no_broken_one() {
        assert_eq!(keys(ENGLISH), keys(JAPANESE));
        for source in [ENGLISH, JAPANESE] {
            assert!(FluentResource::try_new(source.to_owned()).is_ok());
        }
    }

    #[test]
    fn the_first_set_variable_chooses_the_language() {
        for (variables, want) in [
            (&["", "", "ja_JP.UTF-8"][..], true),
            (&["C", "", "ja_JP.UTF-8"], false),
            (&["ja_JP", "en_US", "C"], true),
            (&[], false),
        ] {
            assert_eq!(is_japanese(variables.iter().map(|v| (*v).to_owned())), want, "{variables:?}");
        }
    }

    #[test]
    fn places_are_filled_in_both_languages() {
        let message = Message::new("cli-cannot-open").with("file", "a.log");
        for japanese in [false, true] {
            assert!(Texts::new(japanese).say(&message).contains("a.log"), "{japanese}");
        }
    }
}
