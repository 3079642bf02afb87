//! File name patterns with `*`, `?` and `[abc]`, as in configuration files.
//!
//! Never follows more than a bounded number of entries; `*` matches neither `/` nor a leading dot.

use std::path::{Component, Path, PathBuf};

const MAX_VISITED: usize = 20_000;

/// Whether the text holds a pattern at all.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Existing paths that match, sorted, `limit` at most.
pub fn expand(pattern: &Path, limit: usize) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    let mut visited = 0;
    for part in pattern.components() {
        let mut next = Vec::new();
        for base in &found {
            match part {
                Component::Normal(name) if name.to_str().is_some_and(is_pattern) => {
                    let name = name.to_str().unwrap_or_default();
                    let folder = if base.as_os_str().is_empty() { Path::new(".") } else { base };
                    let Ok(entries) = std::fs::read_dir(folder) else { continue };
                    for entry in entries.flatten() {
                        visited += 1;
                        if visited > MAX_VISITED {
                            break;
                        }
                        if entry.file_name().to_str().is_some_and(|text| matches(name, text)) {
                            next.push(base.join(entry.file_name()));
                        }
                    }
                }
                other => next.push(base.join(other)),
            }
        }
        found = next;
    }
    found.retain(|path| path.exists());
    found.sort();
    found.truncate(limit);
    found
}

/// Whether a name matches a pattern.
pub fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, n));
            p += 1;
        } else if let Some(width) = one(&pattern[p..], name[n]) {
            p += width;
            n += 1;
        } else if let Some((at, taken)) = star {
            star = Some((at, taken + 1));
            (p, n) = (at + 1, taken + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// How much of the pattern one character uses up, if it fits.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match pattern.first()? {
        '?' => Some(1),
        '[' => {
            let end = pattern.iter().skip(2).position(|p| *p == ']').map(|at| at + 2);
            let Some(end) = end else { return (c == '[').then_some(1) };
            let inner = &pattern[1..end];
            let negated = matches!(inner.first(), Some('!' | '^'));
            let set = &inner[usize::from(negated)..];
            let mut at = 0;
            let mut hit = false;
            while at < set.len() {
                if at + 2 < set.len() && set[at + 1] == '-' {
                    hit |= (set[at]..=set[at + 2]).contains(&c);
                    at += 3;
                } else {
                    hit |= set[at] == c;
                    at += 1;
                }
            }
            (hit != negated).then_some(end + 1)
        }
        literal => (*literal == c).then_some(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, name, want) in [
            ("*.log", "access.log", true),
            ("*.log", "access.log.1", false),
            ("*", ".hidden", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b*c", "xxaxxbxxc", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[", "[", true),
            ("", "", true),
            ("**", "anything", true),
        ] {
            assert_eq!(matches(pattern, name), want, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_in_the_middle_of_a_path_is_expanded() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["shop/access.log", "blog/access.log", "blog/error.log"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let found = expand(&folder.path().join("*/access.*"), 10);
        assert_eq!(found, [folder.path().join("blog/access.log"), folder.path().join("shop/access.log")]);
        assert_eq!(expand(&folder.path().join("none/*"), 10), Vec::<PathBuf>::new());
        assert_eq!(expand(&folder.path().join("*/access.*"), 1).len(), 1);
    }
}
