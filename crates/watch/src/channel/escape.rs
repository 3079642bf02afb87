//! Making observed text harmless for each service, and cutting it to size without cutting an escape in two.

/// How a service counts the length of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// Unicode scalar values.
    Chars,
    /// UTF-16 code units, as JavaScript and LINE count.
    Utf16,
    /// UTF-8 bytes.
    Bytes,
}

impl Count {
    fn of(self, text: &str) -> usize {
        match self {
            Self::Chars => text.chars().count(),
            Self::Utf16 => text.encode_utf16().count(),
            Self::Bytes => text.len(),
        }
    }
}

/// The text, escaped character by character, and cut so that the result is at most `max` long.
pub(crate) fn fit(text: &str, max: usize, count: Count, escape: fn(char, &mut String)) -> String {
    let mut out = String::new();
    let (mut length, mut one) = (0, String::new());
    let mut fits_with_mark = 0; // bytes of `out` after which there is still room for the mark
    for c in text.chars() {
        one.clear();
        escape(c, &mut one);
        let added = count.of(&one);
        if length + added > max {
            out.truncate(fits_with_mark);
            if count.of("…") <= max {
                out.push('…');
            }
            return out;
        }
        out.push_str(&one);
        length += added;
        if length + count.of("…") <= max {
            fits_with_mark = out.len();
        }
    }
    out
}

/// As it is.
pub(crate) fn plain(c: char, out: &mut String) {
    out.push(c);
}

/// Slack's three characters; and a mark after `@`, for servers that read mentions in plain text.
pub(crate) fn slack(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '@' => out.push_str("@\u{200b}"),
        other => out.push(other),
    }
}

/// Markdown as Discord, GitHub and others read it: everything that could begin formatting, a link or a mention.
pub(crate) fn markdown(c: char, out: &mut String) {
    match c {
        '@' => out.push_str("@\u{200b}"),
        // `#12` would become a reference to an issue.
        '#' => out.push_str("\\#\u{200b}"),
        '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '<' | '>' | '!' | '|' | '~' | '&' => {
            out.push('\\');
            out.push(c);
        }
        other => out.push(other),
    }
}

/// Takes addresses apart, for services that make a link of every address they see.
pub(crate) fn unlinked(text: &str) -> String {
    text.replace("://", ":\u{200b}//")
}

/// Text and attribute values of HTML.
pub(crate) fn html(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        other => out.push(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_escape_is_never_cut_in_two() {
        assert_eq!(fit("a<b", 5, Count::Chars, slack), "a…");
        assert_eq!(fit("a<b", 6, Count::Chars, slack), "a&lt;b");
        assert_eq!(fit("<<<", 9, Count::Chars, slack), "&lt;&lt;…");
        assert_eq!(fit("日本語", 8, Count::Bytes, plain), "日…");
        assert_eq!(fit("😀😀", 3, Count::Utf16, plain), "😀…");
        assert_eq!(fit("abc", 0, Count::Chars, plain), "");
    }

    #[test]
    fn nobody_is_mentioned_and_nothing_becomes_a_link() {
        let hostile = "<!channel> @everyone [x](https://evil.example) #1 `*_";
        assert_eq!(fit(hostile, 999, Count::Chars, slack).matches('<').count(), 0);
        let markdown = fit(&unlinked(hostile), 999, Count::Chars, markdown);
        assert!(!markdown.contains("://") && !markdown.contains("@everyone") && !markdown.contains("#1"), "{markdown}");
        assert_eq!(fit("<a href='x'>", 99, Count::Chars, html), "&lt;a href=&#39;x&#39;&gt;");
    }

    proptest! {
        #[test]
        fn the_result_is_never_longer_than_allowed(text in ".{0,60}", max in 0_usize..40) {
            for count in [Count::Chars, Count::Utf16, Count::Bytes] {
                for escape in [plain, slack, markdown, html] {
                    let out = fit(&text, max, count, escape);
                    prop_assert!(count.of(&out) <= max, "{out:?}");
                }
            }
        }

        #[test]
        fn what_fits_is_whole(text in "[a-z@<&]{0,20}") {
            let whole: String = text.chars().fold(String::new(), |mut out, c| { slack(c, &mut out); out });
            prop_assert_eq!(fit(&text, 500, Count::Chars, slack), whole);
        }
    }
}
