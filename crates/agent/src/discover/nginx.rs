//! Reads as much of nginx's configuration as says where access logs are and what their lines look like.
//!
//! Never runs nginx, never reads more than the given budget, and follows `include` to a bounded depth.

use super::{Budget, Declared, LogTarget};
use crate::glob;
use std::collections::HashMap;
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::str::Chars;

const MAX_DEPTH: usize = 8;
const MAX_NESTING: usize = 32;
/// nginx's own, which need no definition.
pub(super) const COMBINED: &str = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    End,
    Open,
    Close,
}

/// Access logs declared below `root`, from `main` (an absolute path inside it).
pub(super) fn declared(root: &Path, main: &Path, budget: &mut Budget) -> Vec<Declared> {
    let mut reader = Reader {
        root,
        folder: main.parent().unwrap_or(main).to_owned(),
        budget,
        formats: HashMap::new(),
        found: Vec::new(),
    };
    reader.file(main, &Scope::default(), 0);
    let Reader { formats, found, .. } = reader;
    let with_format = |(mut log, name): (Declared, Option<String>)| {
        log.format = match name.as_deref() {
            None | Some("combined") => Some(COMBINED.to_owned()),
            Some(name) => formats.get(name).cloned(),
        };
        log
    };
    found.into_iter().map(with_format).collect()
}

/// What the enclosing blocks say.
#[derive(Debug, Clone, Default)]
struct Scope {
    server_name: Option<String>,
    nesting: usize,
}

struct Reader<'a> {
    root: &'a Path,
    folder: PathBuf,
    budget: &'a mut Budget,
    formats: HashMap<String, String>,
    found: Vec<(Declared, Option<String>)>,
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, scope: &Scope, depth: usize) {
        let Some(text) = self.budget.read(self.root, path) else { return };
        let tokens = tokens(&text);
        self.block(&tokens, scope, depth);
    }

    /// Reads directives up to the end of their block; returns how many tokens that took.
    fn block(&mut self, tokens: &[Token], outer: &Scope, depth: usize) -> usize {
        let mut scope = outer.clone();
        if let Some(name) = server_name(tokens) {
            scope.server_name = Some(name);
        }
        let mut at = 0;
        let mut words: Vec<&str> = Vec::new();
        while at < tokens.len() {
            match &tokens[at] {
                Token::Word(word) => words.push(word),
                Token::End => {
                    self.directive(&words, &scope, depth);
                    words.clear();
                }
                Token::Open => {
                    words.clear();
                    if scope.nesting < MAX_NESTING {
                        let inner = Scope { nesting: scope.nesting + 1, ..scope.clone() };
                        at += self.block(&tokens[at + 1..], &inner, depth);
                    }
                }
                Token::Close => return at + 1,
            }
            at += 1;
        }
        at
    }

    fn directive(&mut self, words: &[&str], scope: &Scope, depth: usize) {
        match words {
            ["include", pattern] if depth < MAX_DEPTH => {
                for path in self.included(pattern) {
                    self.file(&path, scope, depth + 1);
                }
            }
            ["log_format", name, parts @ ..] => {
                let parts = parts.iter().filter(|part| !part.starts_with("escape="));
                self.formats.insert((*name).to_owned(), parts.copied().collect());
            }
            ["access_log", "off"] => {}
            ["access_log", path, options @ ..] => {
                let format = options.first().filter(|option| !option.contains('='));
                let target = target(path, options);
                let log = Declared {
                    target,
                    server_name: scope.server_name.clone(),
                    format: None,
                    by: "nginx configuration",
                };
                if self.budget.take_log() {
                    self.found.push((log, format.map(|format| (*format).to_owned())));
                }
            }
            _ => {}
        }
    }

    fn included(&self, pattern: &str) -> Vec<PathBuf> {
        let absolute = self.folder.join(pattern);
        if !glob::is_pattern(pattern) {
            return vec![absolute];
        }
        let below = self.root.join(absolute.strip_prefix("/").unwrap_or(&absolute));
        let found = glob::expand(&below, 512).into_iter();
        found.filter_map(|path| Some(Path::new("/").join(path.strip_prefix(self.root).ok()?))).collect()
    }
}

/// The first real name in a block, without looking into inner blocks.
fn server_name(tokens: &[Token]) -> Option<String> {
    let mut depth = 0usize;
    let mut previous = &Token::End;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Open => depth += 1,
            Token::Close if depth == 0 => return None,
            Token::Close => depth -= 1,
            Token::Word(word) if depth == 0 && word == "server_name" && !matches!(previous, Token::Word(_)) => {
                let names = tokens[at + 1..].iter().map_while(|token| match token {
                    Token::Word(name) => Some(name),
                    _ => None,
                });
                return names.into_iter().find(|name| is_plain_name(name)).cloned();
            }
            _ => {}
        }
        previous = token;
    }
    None
}

fn is_plain_name(name: &str) -> bool {
    name != "_"
        && name != "localhost"
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !name.contains(['*', '$'])
}

fn target(path: &str, options: &[&str]) -> LogTarget {
    let refused = if path.starts_with("syslog:") {
        "written to syslog; let it send to the syslog port instead"
    } else if path.contains('$') {
        "the path has variables; configure the files by a pattern"
    } else if options.iter().any(|option| option.starts_with("gzip")) {
        "written compressed; import it instead"
    } else if !path.starts_with('/') {
        "the path is relative to nginx's prefix, which is not known; configure the full path"
    } else {
        return LogTarget::File(PathBuf::from(path));
    };
    LogTarget::Skipped { text: path.to_owned(), reason: refused }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(&c) = chars.peek() {
        match c {
            c if c.is_whitespace() => drop(chars.next()),
            '#' => drop(chars.by_ref().find(|c| *c == '\n')),
            ';' | '{' | '}' => {
                chars.next();
                tokens.push(match c {
                    ';' => Token::End,
                    '{' => Token::Open,
                    _ => Token::Close,
                });
            }
            '"' | '\'' => {
                chars.next();
                tokens.push(Token::Word(quoted(&mut chars, c)));
            }
            _ => tokens.push(Token::Word(word(&mut chars))),
        }
    }
    tokens
}

fn quoted(chars: &mut Peekable<Chars<'_>>, quote: char) -> String {
    let mut text = String::new();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('t') => text.push('\t'),
                Some('n') => text.push('\n'),
                Some(other @ ('"' | '\'' | '\\')) => text.push(other),
                Some(other) => text.extend(['\\', other]),
                None => {}
            },
            c if c == quote => break,
            c => text.push(c),
        }
    }
    text
}

fn word(chars: &mut Peekable<Chars<'_>>) -> String {
    let mut text = String::new();
    while let Some(&c) = chars.peek() {
        // `${name}` belongs to the word.
        let opens_name = c == '{' && text.ends_with('$');
        if c.is_whitespace() || c == ';' || (c == '{' && !opens_name) || (c == '}' && !text.contains("${")) {
            break;
        }
        text.push(c);
        chars.next();
    }
    text
}
