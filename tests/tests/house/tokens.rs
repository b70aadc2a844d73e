//! Rust source cut into the few tokens that name modules: words and punctuation, without comments and literals.

/// A word or a punctuation mark, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// An identifier or keyword, `::`, or one other character.
    pub text: String,
    /// Its line, counted from 1.
    pub line: usize,
}

impl Token {
    /// Whether this is an identifier or a keyword.
    pub fn is_word(&self) -> bool {
        self.text
            .starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// Cuts `source`. Comments, strings, characters and numbers leave nothing; lifetimes leave their name's quote out.
pub fn tokens(source: &str) -> Vec<Token> {
    let mut cursor = Cursor {
        rest: source,
        line: 1,
    };
    let mut tokens = Vec::new();
    while let Some(first) = cursor.rest.chars().next() {
        if cursor.skip_comment() || cursor.skip_literal() {
            continue;
        }
        let line = cursor.line;
        let length = if first.is_alphanumeric() || first == '_' {
            word_length(cursor.rest)
        } else if cursor.rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let text = cursor.advance(length);
        if !first.is_whitespace() && !first.is_numeric() {
            tokens.push(Token {
                text: text.to_owned(),
                line,
            });
        }
    }
    tokens
}

fn word_length(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len())
}

struct Cursor<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Cursor<'a> {
    fn advance(&mut self, bytes: usize) -> &'a str {
        let (passed, rest) = self.rest.split_at(bytes);
        self.line += passed.matches('\n').count();
        self.rest = rest;
        passed
    }

    /// Passes everything up to and including `end`, or to the end of the file.
    fn advance_past(&mut self, from: usize, end: &str) {
        let found = self.rest[from..].find(end).map(|at| from + at + end.len());
        self.advance(found.unwrap_or(self.rest.len()));
    }

    fn skip_comment(&mut self) -> bool {
        if self.rest.starts_with("//") {
            self.advance_past(0, "\n");
            return true;
        }
        if !self.rest.starts_with("/*") {
            return false;
        }
        let mut depth = 0;
        loop {
            if self.rest.starts_with("/*") {
                depth += 1;
                self.advance(2);
            } else if self.rest.starts_with("*/") {
                depth -= 1;
                self.advance(2);
            } else if let Some(next) = self.rest.chars().next() {
                self.advance(next.len_utf8());
            }
            if depth == 0 || self.rest.is_empty() {
                return true;
            }
        }
    }

    fn skip_literal(&mut self) -> bool {
        let prefix = ["br", "cr", "b", "c", "r", ""]
            .into_iter()
            .find(|prefix| {
                self.rest
                    .strip_prefix(prefix)
                    .is_some_and(|rest| rest.starts_with(['"', '#', '\'']))
            })
            .map(str::len);
        let Some(prefix) = prefix else { return false };
        let body = &self.rest[prefix..];
        let hashes = body.len() - body.trim_start_matches('#').len();
        if self.rest[..prefix].contains('r') && body[hashes..].starts_with('"') {
            self.advance_past(prefix + hashes + 1, &format!("\"{}", "#".repeat(hashes)));
            return true;
        }
        if self.rest[..prefix].contains('r') && hashes == 1 {
            // A raw identifier: the word itself is the next token.
            self.advance(prefix + 1);
            return true;
        }
        match body.chars().next() {
            Some('"') => self.advance(prefix + quoted_length(body, '"')),
            Some('\'') if is_character(body) => self.advance(prefix + quoted_length(body, '\'')),
            // A lifetime: its name would otherwise read as a word.
            Some('\'') => self.advance(prefix + 1 + word_length(&body[1..])),
            _ => return false,
        };
        true
    }
}

/// Whether the quote opens a character and not a lifetime.
fn is_character(body: &str) -> bool {
    let mut inside = body.chars().skip(1);
    inside.next() == Some('\\') || inside.next() == Some('\'')
}

/// Bytes of a literal that starts with `quote`, through its closing quote; a backslash hides one character.
fn quoted_length(body: &str, quote: char) -> usize {
    let mut hidden = false;
    for (at, character) in body.char_indices().skip(1) {
        match character {
            _ if hidden => hidden = false,
            '\\' => hidden = true,
            _ if character == quote => return at + character.len_utf8(),
            _ => {}
        }
    }
    body.len()
}

#[test]
fn comments_and_literals_leave_no_words() {
    let source = r##"
        // diesel::a
        /* diesel::b /* nested */ diesel::c */
        let text = ("diesel::d \" diesel::e", r#"diesel::f " "#, b"diesel", 'd', '\'', b'x');
        fn r#use<'image>() -> u32 { 0x1f }
    "##;
    let words: Vec<_> = tokens(source)
        .into_iter()
        .filter(Token::is_word)
        .map(|t| t.text)
        .collect();
    assert_eq!(words, ["let", "text", "fn", "use", "u32"]);
}

#[test]
fn a_token_knows_its_line() {
    let found = tokens("/* one\n two */ \"three\nfour\"\nfive::six");
    assert_eq!(
        found
            .iter()
            .map(|token| token.text.as_str())
            .collect::<Vec<_>>(),
        ["five", "::", "six"]
    );
    assert!(found.iter().all(|token| token.line == 4), "{found:?}");
}
