//! What people read about a firing, in English and Japanese: `locales/*/watch.ftl`.
//!
//! Messages are written here and not by the binary, because a message is one thing: its words, what is escaped in it for
//! a service, and how much of it that service takes are tested together.

use fluent_templates::fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use fluent_templates::{FluentBundle, langid};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

const ENGLISH: &str = include_str!("../../../locales/en/watch.ftl");
const JAPANESE: &str = include_str!("../../../locales/ja/watch.ftl");

/// A language that messages are written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Japanese.
    #[serde(rename = "ja")]
    Japanese,
}

/// The texts of one language, with English for what is missing.
pub struct Texts {
    language: Language,
    bundle: FluentBundle<FluentResource>,
}
impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Texts").field(&self.language).finish()
    }
}

impl Texts {
    /// The texts of a language.
    pub fn new(language: Language) -> Self {
        let (id, sources) = match language {
            Language::English => (langid!("en"), &[ENGLISH][..]),
            Language::Japanese => (langid!("ja"), &[ENGLISH, JAPANESE][..]),
        };
        let mut bundle = FluentBundle::new_concurrent(vec![id]);
        bundle.set_use_isolating(false); // marks for mixed directions are litter in a chat
        for source in sources {
            // A broken line loses its own text only; a test reads both files whole.
            let resource = FluentResource::try_new((*source).to_owned()).unwrap_or_else(|(usable, _)| usable);
            bundle.add_resource_overriding(resource);
        }
        Self { language, bundle }
    }

    /// The language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// A text without places.
    pub fn get(&self, key: &str) -> String {
        self.say(key, &[])
    }

    /// A text and what fills its places.
    pub fn say(&self, key: &str, values: &[(&'static str, &str)]) -> String {
        let mut args = FluentArgs::new();
        for (name, value) in values {
            args.set(*name, FluentValue::from(*value));
        }
        let pattern = self.bundle.get_message(key).and_then(|found| found.value());
        let Some(pattern) = pattern else { return key.to_owned() };
        self.bundle.format_pattern(pattern, Some(&args), &mut Vec::new()).into_owned()
    }
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
    fn places_are_filled_and_a_missing_text_is_its_key() {
        for language in [Language::English, Language::Japanese] {
            let texts = Texts::new(language);
            assert!(texts.say("watch-title-fire-alert", &[("what", "shop")]).contains("shop"), "{language:?}");
            assert_eq!(texts.get("watch-nothing"), "watch-nothing");
        }
    }
}
