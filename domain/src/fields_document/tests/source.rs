//! Reads the declarations out of the source.

use super::items::{self, Before, Item, Shape, Type, before, cases, fields, listed, type_of};
use super::tokens::{Tree, trees};
use std::collections::BTreeMap;
use std::path::Path;

/// All that the source declares to travel, by name.
#[derive(Default)]
pub(super) struct Source {
    items: BTreeMap<String, Vec<Item>>,
    numbers: BTreeMap<String, u32>,
    /// Types that write themselves by hand.
    pub by_hand: Vec<String>,
    /// Kinds of records with the numbers that a function gives them.
    pub record_kinds: Vec<(u32, String)>,
    /// The type of each such kind, and what is said of it.
    pub record_types: BTreeMap<String, String>,
}

impl Source {
    /// Reads every file below `folder`, but no tests.
    pub(super) fn read(&mut self, folder: &Path) {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            let name = path.file_stem().unwrap().to_str().unwrap();
            if name.ends_with("tests") || name.starts_with("fields_document") {
                continue;
            }
            if path.is_dir() {
                self.read(&path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let read = trees(&std::fs::read_to_string(&path).unwrap());
                self.walk(&read, &path.display().to_string());
            }
        }
    }

    /// The declaration of this name.
    ///
    /// # Panics
    /// Where there is none, or more than one.
    pub(super) fn item(&self, name: &str) -> &Item {
        match self.items.get(name).map(Vec::as_slice) {
            Some([item]) => item,
            Some(several) => {
                let files: Vec<&str> = several.iter().map(|item| &*item.file).collect();
                panic!("{name} is declared in each of {files:?}")
            }
            None => panic!("nothing that travels is called {name}"),
        }
    }

    /// The number that a constant of this name is.
    pub(super) fn constant(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    /// A number, written out or by the name of a constant.
    pub(super) fn number(&self, of: &Type) -> u32 {
        let named = self.constant(&of.name);
        named.unwrap_or_else(|| of.name.parse().unwrap())
    }

    fn add(&mut self, name: &str, doc: &Before, file: &str, shape: Shape) {
        let item = Item {
            doc: doc.doc(),
            file: file.to_owned(),
            shape,
        };
        self.items.entry(name.to_owned()).or_default().push(item);
    }

    /// Reads what stands in `file`.
    pub(super) fn walk(&mut self, trees: &[Tree], file: &str) {
        let mut rest = trees;
        while !rest.is_empty() {
            let (before, after) = before(rest);
            rest = match after {
                [
                    Tree::Word(m),
                    Tree::Mark('!'),
                    Tree::Word(_),
                    Tree::Group(..),
                    after @ ..,
                ] if m == "macro_rules" => after,
                [
                    Tree::Word(m),
                    Tree::Mark('!'),
                    Tree::Group(_, inside),
                    after @ ..,
                ] => {
                    self.called(m, inside, file);
                    after
                }
                [
                    Tree::Word(m),
                    Tree::Word(_),
                    Tree::Group('{', inside),
                    after @ ..,
                ] if m == "mod" => {
                    if !before.has("cfg", "test") {
                        self.walk(inside, file);
                    }
                    after
                }
                [
                    Tree::Word(of),
                    Tree::Word(name),
                    Tree::Mark('='),
                    after @ ..,
                ] if of == "type" => {
                    let end = after.iter().position(|tree| tree.is(';')).unwrap();
                    let shape = after[..end].iter().all(|t| !matches!(t, Tree::Group(..)));
                    if shape {
                        self.add(name, &before, file, Shape::As(type_of(&after[..end])));
                    }
                    &after[end + 1..]
                }
                [
                    Tree::Word(of),
                    Tree::Word(name),
                    Tree::Group(_, inside),
                    after @ ..,
                ] if of == "struct" || of == "enum" => {
                    self.declared(&before, (of, name), inside, file);
                    after
                }
                [
                    Tree::Word(of),
                    Tree::Word(name),
                    Tree::Mark(':'),
                    Tree::Word(_),
                    Tree::Mark('='),
                    Tree::Word(number),
                    Tree::Mark(';'),
                    after @ ..,
                ] if of == "const" => {
                    if let Ok(number) = number.replace('_', "").parse() {
                        self.numbers.insert(name.clone(), number);
                    }
                    after
                }
                [Tree::Word(of), after @ ..] if of == "impl" => self.implemented(after),
                [_, after @ ..] => after,
                [] => after,
            };
        }
    }

    /// A struct or enumeration that derives its form.
    fn declared(&mut self, doc: &Before, (of, name): (&str, &str), inside: &[Tree], file: &str) {
        let travels = (doc.has("derive", "Encode"), doc.has("derive", "Decode"));
        let what = format!("{file}: {name}");
        if name == "RecordKind" {
            for part in items::parts(inside, ',') {
                let (doc, rest) = before(part);
                let kind = rest.first().and_then(Tree::word).unwrap();
                self.record_types.insert(kind.to_owned(), doc.doc());
            }
        }
        match travels {
            (false, false) => return,
            both => assert_eq!(both, (true, true), "{what} is written or read alone"),
        }
        let numbered = doc.has("cbor", "index_only");
        let shape = match of {
            "struct" if doc.has("cbor", "map") => Shape::Map(fields(inside, true, &what)),
            "struct" if doc.has("cbor", "array") => Shape::List(fields(inside, true, &what)),
            "struct" if doc.has("cbor", "transparent") => {
                let [only] = &fields(inside, false, &what)[..] else {
                    panic!("{what} is more than one field")
                };
                Shape::As(only.of.clone())
            }
            "enum" if numbered => Shape::Names(cases(inside, doc, &what)),
            "enum" => Shape::Choice(cases(inside, doc, &what)),
            _ => panic!("{what}: neither a map nor a list"),
        };
        self.add(name, doc, file, shape);
    }

    /// What our own macros declare.
    fn called(&mut self, by: &str, inside: &[Tree], file: &str) {
        let what = format!("{by} in {file}");
        let (doc, rest) = before(inside);
        match (by, rest) {
            (
                "wire_struct" | "record" | "message",
                [Tree::Word(s), Tree::Word(name), Tree::Group('{', inside)],
            ) if s == "struct" => {
                self.add(name, &doc, file, Shape::Map(fields(inside, true, &what)));
            }
            ("part", [Tree::Word(name), Tree::Group('{', inside)]) => {
                self.add(name, &doc, file, Shape::Map(fields(inside, true, &what)));
            }
            ("wire_names", [Tree::Word(e), Tree::Word(name), Tree::Group('{', inside)])
                if e == "enum" =>
            {
                self.add(name, &doc, file, Shape::Names(listed(inside, &what)));
            }
            ("closed_list", [Tree::Word(name), Tree::Group('{', inside)]) => {
                self.add(name, &doc, file, Shape::Names(listed(inside, &what)));
            }
            ("identifier", [Tree::Word(name)]) => self.add(name, &doc, file, Shape::Id),
            ("actions", _) => {
                let shape = Shape::Names(listed(inside, &what));
                self.add("ActionKind", &Before::default(), file, shape);
            }
            ("refusal_codes", _) => {
                let shape = Shape::Names(listed(inside, &what));
                self.add("RefusalCode", &Before::default(), file, shape);
            }
            _ => assert!(!has_keys(inside), "{what}: a macro that is not known here"),
        }
    }

    /// Notes which types write themselves, and the numbers of kinds of records.
    fn implemented<'a>(&mut self, trees: &'a [Tree]) -> &'a [Tree] {
        let end = trees.iter().position(|tree| tree.group('{').is_some());
        let end = end.unwrap();
        let (head, body) = (&trees[..end], trees[end].group('{').unwrap());
        let of = head.iter().position(|tree| tree.word() == Some("for"));
        match of {
            Some(of) if head[..of].iter().any(|t| t.word() == Some("Encode")) => {
                self.by_hand.push(type_of(&head[of + 1..]).name);
            }
            None if head.first().and_then(Tree::word) == Some("RecordKind") => {
                let number = body.iter().position(|tree| tree.word() == Some("number"));
                let body = body[number.unwrap()..].iter().find_map(|t| t.group('{'));
                let arms = body.unwrap().iter().find_map(|t| t.group('{')).unwrap();
                for arm in items::parts(arms, ',') {
                    if let [
                        ..,
                        Tree::Word(name),
                        Tree::Mark('='),
                        Tree::Mark('>'),
                        Tree::Word(n),
                    ] = arm
                    {
                        self.record_kinds.push((n.parse().unwrap(), name.clone()));
                    }
                }
            }
            _ => {}
        }
        &trees[end + 1..]
    }
}

fn has_keys(trees: &[Tree]) -> bool {
    trees.iter().any(|tree| match tree {
        Tree::Group('[', inside) if inside.first().and_then(Tree::word) == Some("n") => true,
        Tree::Group(_, inside) => has_keys(inside),
        _ => false,
    })
}
