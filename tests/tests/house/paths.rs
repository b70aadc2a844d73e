//! Every path that Rust source mentions, written out in full: from `use` trees, expressions, types and attributes.

use std::collections::BTreeMap;

use super::tokens::{Token, tokens};

/// A path, and where it is mentioned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// From its root: `crate::store::hazards`, `diesel::prelude::*`, or a bare name in a `use`.
    pub path: String,
    /// Its line, counted from 1.
    pub line: usize,
}

/// The paths in the product's part of `source`, a file that is `module` (`crate`, `crate::store::hazards`) of its
/// package `package` (as Rust writes it). What stands under `#[cfg(test)]` is left out: a test may reach anywhere.
/// Names are followed through this file's imports and child modules, one step.
pub fn mentions(source: &str, module: &str, package: &str) -> Vec<Mention> {
    let tokens = without_tests(tokens(source));
    let mut reader = Reader {
        tokens: &tokens,
        package,
        modules: vec![(module.to_owned(), 0)],
        depth: 0,
    };
    let mut seen = Vec::new();
    let mut names = BTreeMap::new();
    let mut at = 0;
    while at < tokens.len() {
        at = reader.step(at, &mut seen, &mut names);
    }
    seen.into_iter()
        .filter(|found| found.segments.len() > 1 || found.imported)
        .map(|found| Mention {
            path: follow(&found, &names),
            line: found.line,
        })
        .collect()
}

/// A path as it is written, with the module that it is written in.
struct Written {
    segments: Vec<String>,
    within: String,
    line: usize,
    imported: bool,
}

/// What a name stands for in a module: (module, name) to the full path.
type Names = BTreeMap<(String, String), String>;

fn follow(found: &Written, names: &Names) -> String {
    let first = &found.segments[0];
    let known = names.get(&(found.within.clone(), first.clone()));
    match known {
        // An import's own first word is looked up too (`use diesel; use diesel::prelude`), but never in itself.
        Some(full) if !(found.imported && found.segments.len() == 1) => {
            [std::slice::from_ref(full), &found.segments[1..]]
                .concat()
                .join("::")
        }
        _ => found.segments.join("::"),
    }
}

struct Reader<'a> {
    tokens: &'a [Token],
    package: &'a str,
    /// The modules around the cursor, outermost first, each with the depth of braces it opened at.
    modules: Vec<(String, usize)>,
    depth: usize,
}

impl Reader<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &token.text)
    }

    fn module(&self) -> String {
        self.modules.last().expect("the file's own").0.clone()
    }

    /// Reads what starts at `at`; answers where the next thing starts.
    fn step(&mut self, at: usize, seen: &mut Vec<Written>, names: &mut Names) -> usize {
        match self.text(at) {
            "{" => self.depth += 1,
            "}" => {
                self.depth = self.depth.saturating_sub(1);
                if self.modules.len() > 1 && self.modules.last().is_some_and(|m| m.1 == self.depth)
                {
                    self.modules.pop();
                }
            }
            "mod" if self.tokens.get(at + 1).is_some_and(Token::is_word) => {
                let (name, inside) = (self.text(at + 1).to_owned(), self.module());
                let full = format!("{inside}::{name}");
                names.insert((inside, name), full.clone());
                if self.text(at + 2) == "{" {
                    self.modules.push((full, self.depth));
                }
                return at + 2;
            }
            "use" => return self.tree(at + 1, &[], seen, names),
            _ if self.tokens[at].is_word() => return self.path(at, seen),
            _ => {}
        }
        at + 1
    }

    /// A path in an expression, a type or an attribute.
    fn path(&self, mut at: usize, seen: &mut Vec<Written>) -> usize {
        let line = self.tokens[at].line;
        let mut segments = vec![self.text(at).to_owned()];
        while self.text(at + 1) == "::" && self.tokens.get(at + 2).is_some_and(Token::is_word) {
            segments.push(self.text(at + 2).to_owned());
            at += 2;
        }
        let segments = self.rooted(segments);
        seen.push(Written {
            segments,
            within: self.module(),
            line,
            imported: false,
        });
        at + 1
    }

    /// One branch of a `use` tree, below `stem`; answers where the next branch or statement starts.
    fn tree(
        &self,
        mut at: usize,
        stem: &[String],
        seen: &mut Vec<Written>,
        names: &mut Names,
    ) -> usize {
        let line = self.tokens.get(at).map_or(0, |token| token.line);
        let mut segments = stem.to_vec();
        loop {
            match self.text(at) {
                "::" => at += 1,
                "{" => return self.branches(at + 1, &segments, seen, names),
                "*" => {
                    segments.push("*".to_owned());
                    at += 1;
                }
                word if self.tokens.get(at).is_some_and(Token::is_word) && word != "as" => {
                    segments.push(word.to_owned());
                    at += 1;
                }
                _ => break,
            }
        }
        let renamed = (self.text(at) == "as").then(|| self.text(at + 1).to_owned());
        at += if renamed.is_some() { 2 } else { 0 };
        if segments.len() > 1
            && segments.last().is_some_and(|last| last == "self")
            && !stem.is_empty()
        {
            segments.pop();
        }
        let segments = self.rooted(segments);
        if let Some(last) = segments
            .last()
            .filter(|_| segments.len() > 1 || renamed.is_some())
        {
            let name = renamed.unwrap_or_else(|| last.clone());
            names.insert((self.module(), name), segments.join("::"));
        }
        if !segments.is_empty() {
            seen.push(Written {
                segments,
                within: self.module(),
                line,
                imported: true,
            });
        }
        at
    }

    fn branches(
        &self,
        mut at: usize,
        stem: &[String],
        seen: &mut Vec<Written>,
        names: &mut Names,
    ) -> usize {
        while at < self.tokens.len() && self.text(at) != "}" {
            let next = self.tree(at, stem, seen, names);
            // A comma, or something no `use` tree holds: never stand still.
            at = if self.text(next) == "}" {
                next
            } else {
                (next + 1).max(at + 1)
            };
        }
        at + 1
    }

    /// Writes `crate`, `self`, `super` and the package's own name out.
    fn rooted(&self, segments: Vec<String>) -> Vec<String> {
        let mut module: Vec<String> = self.module().split("::").map(str::to_owned).collect();
        let mut rest = segments.as_slice();
        match segments.first().map(String::as_str) {
            Some("crate") => module.truncate(1),
            Some(own) if own == self.package => module.truncate(1),
            Some("self") => {}
            Some("super") => {
                let ups = segments
                    .iter()
                    .take_while(|segment| *segment == "super")
                    .count();
                module.truncate(module.len().saturating_sub(ups).max(1));
                rest = &segments[ups - 1..];
            }
            _ => return segments,
        }
        [module.as_slice(), rest.get(1..).unwrap_or_default()].concat()
    }
}

/// Leaves out each item that `#[cfg(test)]` or `#[test]` stands before.
fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    const MARKS: [&[&str]; 2] = [
        &["#", "[", "cfg", "(", "test", ")", "]"],
        &["#", "[", "test", "]"],
    ];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let mark = MARKS.iter().find(|mark| {
            tokens[at..].len() >= mark.len()
                && tokens[at..]
                    .iter()
                    .zip(mark.iter())
                    .all(|(a, b)| a.text == *b)
        });
        match mark {
            Some(mark) => at = end_of_item(&tokens, at + mark.len()),
            None => {
                kept.push(tokens[at].clone());
                at += 1;
            }
        }
    }
    kept
}

/// After the item that starts at `at`: its closing brace, or its semicolon outside of any bracket.
fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    let mut depth = 0usize;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth = depth.saturating_sub(1);
                if depth == 0 && token.text == "}" {
                    return at;
                }
            }
            ";" if depth == 0 => return at,
            _ => {}
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::mentions;

    fn paths(source: &str) -> Vec<String> {
        let found = mentions(source, "crate::store::hazards", "hazardloop_server");
        found.into_iter().map(|mention| mention.path).collect()
    }

    #[test]
    fn a_use_tree_is_written_out() {
        let source =
            "use crate::{http::{self, routes as r}, usecases::*};\npub(crate) use super::conn;";
        let expected = [
            "crate::http",
            "crate::http::routes",
            "crate::usecases::*",
            "crate::store::conn",
        ];
        assert_eq!(paths(source), expected);
    }

    #[test]
    fn a_path_is_followed_through_an_import_and_a_child_module() {
        assert_eq!(
            paths("use std::time; fn f() { time::Instant::now(); }")[1],
            "std::time::Instant::now"
        );
        assert_eq!(
            paths("use crate::http as web; type A = web::App;")[1],
            "crate::http::App"
        );
        assert_eq!(
            paths("mod image; fn f() { image::open() }"),
            ["crate::store::hazards::image::open"]
        );
        assert_eq!(
            paths("mod a { fn f() { super::super::b() } }"),
            ["crate::store::b"]
        );
        assert_eq!(
            paths("mod a {} fn f() { super::b(); hazardloop_server::http::c() }")[1],
            "crate::http::c"
        );
    }

    #[test]
    fn attributes_and_macros_count_and_tests_do_not() {
        let source = "#[derive(diesel::Queryable)] struct A; diesel::table! { a (id) { id -> Text, } }
            #[cfg(test)] mod tests { use crate::http; } #[cfg(test)] use std::fs; #[test] fn t() { std::fs::f() }";
        assert_eq!(paths(source), ["diesel::Queryable", "diesel::table"]);
    }
}
