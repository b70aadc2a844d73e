//! Rust source as trees of tokens: as much of the language as declarations need.

/// One token, or a group in brackets with what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tree {
    /// A name, a keyword or a number.
    Word(String),
    /// A string.
    Text(String),
    /// A comment that documents what follows.
    Doc(String),
    /// A mark, such as `#` or `<`.
    Mark(char),
    /// What stands in `(`, `[` or `{`.
    Group(char, Vec<Tree>),
}

impl Tree {
    pub(super) fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            _ => None,
        }
    }

    pub(super) fn group(&self, opens: char) -> Option<&[Tree]> {
        match self {
            Self::Group(with, inside) if *with == opens => Some(inside),
            _ => None,
        }
    }

    pub(super) fn is(&self, mark: char) -> bool {
        *self == Self::Mark(mark)
    }
}

/// The trees of a file.
///
/// # Panics
/// Where its brackets do not match: then this reader has misread it.
pub(super) fn trees(source: &str) -> Vec<Tree> {
    let mut reader = Reader {
        rest: source.chars().collect(),
        at: 0,
    };
    let read = reader.group(None);
    assert_eq!(reader.at, reader.rest.len(), "read to the end");
    read
}

struct Reader {
    rest: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self, ahead: usize) -> char {
        self.rest.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn starts(&self, text: &str) -> bool {
        let mut ahead = 0..;
        text.chars()
            .all(|c| ahead.next().is_some_and(|n| self.peek(n) == c))
    }

    fn line(&mut self) -> String {
        let start = self.at;
        while self.at < self.rest.len() && self.peek(0) != '\n' {
            self.at += 1;
        }
        self.rest[start..self.at].iter().collect()
    }

    fn group(&mut self, closes: Option<char>) -> Vec<Tree> {
        let mut read = Vec::new();
        while self.at < self.rest.len() {
            let c = self.peek(0);
            if self.starts("//") {
                let line = self.line();
                if let Some(doc) = line.strip_prefix("///").filter(|d| !d.starts_with('/')) {
                    read.push(Tree::Doc(doc.trim().to_owned()));
                }
                continue;
            }
            assert!(!self.starts("/*"), "a comment that this reader cannot read");
            self.at += 1;
            match c {
                '(' => read.push(Tree::Group(c, self.group(Some(')')))),
                '[' => read.push(Tree::Group(c, self.group(Some(']')))),
                '{' => read.push(Tree::Group(c, self.group(Some('}')))),
                ')' | ']' | '}' => {
                    assert_eq!(Some(c), closes, "brackets match");
                    return read;
                }
                '"' => read.push(self.text()),
                'r' if matches!(self.peek(0), '"' | '#') => read.push(self.raw()),
                'b' if self.peek(0) == '"' => {
                    self.at += 1;
                    read.push(self.text());
                }
                // A lifetime has no second quote.
                '\'' if self.peek(0) == '\\' || self.peek(1) == '\'' => self.character(),
                c if c.is_alphanumeric() || c == '_' => {
                    let start = self.at - 1;
                    while self.peek(0).is_alphanumeric() || self.peek(0) == '_' {
                        self.at += 1;
                    }
                    read.push(Tree::Word(self.rest[start..self.at].iter().collect()));
                }
                c if c.is_whitespace() => {}
                c => read.push(Tree::Mark(c)),
            }
        }
        assert_eq!(closes, None, "brackets match");
        read
    }

    fn text(&mut self) -> Tree {
        let mut text = String::new();
        while self.peek(0) != '"' {
            assert!(self.at < self.rest.len(), "a string ends");
            if self.peek(0) == '\\' {
                self.at += 1;
            }
            text.push(self.peek(0));
            self.at += 1;
        }
        self.at += 1;
        Tree::Text(text)
    }

    fn raw(&mut self) -> Tree {
        let mut end = String::from("\"");
        while self.peek(0) == '#' {
            end.push('#');
            self.at += 1;
        }
        assert_eq!(self.peek(0), '"', "a raw string");
        self.at += 1;
        let start = self.at;
        while !self.starts(&end) {
            assert!(self.at < self.rest.len(), "a raw string ends");
            self.at += 1;
        }
        let text = self.rest[start..self.at].iter().collect();
        self.at += end.len();
        Tree::Text(text)
    }

    fn character(&mut self) {
        if self.peek(0) == '\\' {
            self.at += 1;
        }
        self.at += 1;
        while self.peek(0) != '\'' {
            self.at += 1;
        }
        self.at += 1;
    }
}
