//! Prints declarations, and follows the types that they name.

use super::items::{Case, Field, Item, Shape, Type};
use super::source::Source;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Types whose form is not declared but written by hand, and what it is. `Position` writes the map `Wire`.
const BY_HAND: [(&str, &str); 7] = [
    ("Bytes", "bytes"),
    ("Digest", "digest"),
    ("HexBytes", ""),
    ("LocalDate", "date"),
    ("RecordKind", "[kind of record](#kinds-of-records)"),
    (
        "SectorName",
        "text of 1 to 96 bytes, not blank, without control characters",
    ),
    ("Timestamp", "time"),
];

/// What the language brings.
const PLAIN: [(&str, &str); 11] = [
    ("String", "text"),
    ("bool", "true or false"),
    ("u8", "number"),
    ("u16", "number"),
    ("u32", "number"),
    ("u64", "number"),
    ("i16", "number"),
    ("i32", "number"),
    ("i64", "number"),
    ("usize", "number"),
    ("Uuid", "id"),
];

/// Columns of a line.
const WIDTH: usize = 140;

/// Holds [`BY_HAND`] against the types that do write themselves.
///
/// # Panics
/// Where they differ.
pub(super) fn check_by_hand(source: &Source) {
    let found: BTreeSet<&str> = source.by_hand.iter().map(String::as_str).collect();
    let told = BY_HAND.iter().map(|(name, _)| *name);
    let told: BTreeSet<&str> = told.chain(["Position"]).collect();
    assert_eq!(found, told, "types that write themselves");
}

/// A link to what is printed of a type.
pub(super) fn link(name: &str) -> String {
    match name {
        "ActionKind" => "[kind of command](#kinds-of-commands)".to_owned(),
        "RefusalCode" => "[code](#codes-of-refusals)".to_owned(),
        _ => format!("[{name}](#{})", name.to_lowercase()),
    }
}

/// Writes `text` behind `first`, and what finds no room in that line behind `further`.
pub(super) fn wrapped(out: &mut String, first: &str, text: &str, further: &str) {
    let mut line = first.to_owned();
    for word in text.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            writeln!(out, "{line}").unwrap();
            // What would begin a line as something else.
            assert!(
                !["-", "+", "*", "#"].contains(&word),
                "a line begins with {word}"
            );
            further.clone_into(&mut line);
            line.push_str(word);
            continue;
        }
        if !line.ends_with(' ') && !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(out, "{line}").unwrap();
}

pub(super) struct Printer<'a> {
    source: &'a Source,
    out: String,
    printed: BTreeSet<String>,
    named: BTreeSet<String>,
}

impl<'a> Printer<'a> {
    pub(super) fn new(source: &'a Source, out: String) -> Self {
        // What stands in tables already.
        let printed = ["ActionKind", "RefusalCode"].map(str::to_owned).into();
        Self {
            source,
            out,
            printed,
            named: BTreeSet::new(),
        }
    }

    /// A part of the document with these types, in this order.
    pub(super) fn part(&mut self, heading: &str, names: &[String]) {
        write!(self.out, "\n## {heading}\n").unwrap();
        for name in names {
            self.item(name);
        }
    }

    /// What the types printed so far name, and those name in turn, by name.
    pub(super) fn the_rest(&mut self) {
        let mut maps = BTreeSet::new();
        let before = self.printed.clone();
        // What is printed here only finds out what is named: the order is by name.
        let kept = self.out.len();
        while let Some(name) = self.named.difference(&self.printed).next().cloned() {
            self.item(&name);
            maps.insert(name);
        }
        self.out.truncate(kept);
        self.printed = before;
        let is_names = |name: &&String| matches!(self.declared(name).shape, Shape::Names(_));
        let (names, parts): (Vec<&String>, Vec<&String>) = maps.iter().partition(is_names);
        let (names, parts) = (
            names.into_iter().cloned().collect::<Vec<_>>(),
            parts.into_iter().cloned().collect::<Vec<_>>(),
        );
        self.part("Parts", &parts);
        self.part("Enumerations", &names);
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    /// The declaration that says how a type travels.
    fn declared(&self, name: &str) -> &'a Item {
        // A position checks itself while it is read, and travels as this.
        self.source
            .item(if name == "Position" { "Wire" } else { name })
    }

    fn item(&mut self, name: &str) {
        if !self.printed.insert(name.to_owned()) {
            return;
        }
        let Item { doc, shape, .. } = self.declared(name);
        write!(self.out, "\n### {name}\n\n").unwrap();
        let form = match shape {
            Shape::Map(_) => "Map.",
            Shape::List(_) => "List.",
            Shape::Names(_) => "Enumeration.",
            Shape::Choice(_) => "Choice.",
            Shape::As(_) | Shape::Id => panic!("{name} is not printed by itself"),
        };
        let doc = match name {
            "Position" => "A position as it was measured.",
            _ => doc,
        };
        let doc = self.words(doc);
        wrapped(&mut self.out, "", &format!("{form} {doc}"), "");
        self.out.push('\n');
        match shape {
            Shape::Map(fields) | Shape::List(fields) => self.fields(fields),
            Shape::Names(cases) | Shape::Choice(cases) => self.cases(cases),
            Shape::As(_) | Shape::Id => {}
        }
    }

    fn fields(&mut self, fields: &[Field]) {
        for field in fields {
            let of = self.field(field);
            let doc = self.words(&field.doc);
            let line = format!("{} `{}`: {of}. {doc}", field.key, field.name);
            wrapped(&mut self.out, "- ", line.trim_end(), "  ");
        }
    }

    fn cases(&mut self, cases: &[Case]) {
        let mut cases: Vec<&Case> = cases.iter().collect();
        cases.sort_by_key(|case| case.number);
        for case in cases {
            let default = if case.is_default { " *(default)*" } else { "" };
            let doc = self.words(&case.doc);
            let line = format!("{} `{}`{default}: {doc}", case.number, case.name);
            wrapped(&mut self.out, "- ", line.trim_end(), "  ");
            for (place, field) in (0..).zip(&case.fields) {
                assert_eq!(field.key, place, "values follow each other");
                let (of, doc) = (self.field(field), self.words(&field.doc));
                let name = match &*field.name {
                    "" => String::new(),
                    name => format!("`{name}`: "),
                };
                let line = format!("[{place}] {name}{of}. {doc}");
                wrapped(&mut self.out, "  - ", line.trim_end(), "    ");
            }
        }
    }

    /// Without the brackets and paths by which comments name other parts of the source; with the number that a
    /// constant is.
    fn words(&self, doc: &str) -> String {
        let mut parts = doc.split("[`");
        let mut words = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (named, after) = part.split_once("`]").unwrap();
            let named = named.rsplit("::").next().unwrap_or(named);
            match self.source.constant(named) {
                Some(number) => write!(words, "{number} (`{named}`){after}").unwrap(),
                None => write!(words, "`{named}`{after}").unwrap(),
            }
        }
        words
    }

    fn field(&mut self, field: &Field) -> String {
        let (of, optional) = match &*field.of.name {
            "Option" => (&field.of.of[0], true),
            _ => (&field.of, false),
        };
        let remark = match (optional, field.defaulted) {
            (true, _) => ", *optional*",
            (false, true) => ", *default*",
            (false, false) => "",
        };
        format!("{}{remark}", self.kind(of))
    }

    /// A type in words; what it names is printed too.
    fn kind(&mut self, of: &Type) -> String {
        let table = PLAIN.iter().chain(&BY_HAND);
        let told = table.clone().find(|(name, _)| *name == of.name);
        match (&*of.name, &of.of[..]) {
            ("Vec", [one]) => format!("list of {}", self.kind(one)),
            ("Box", [one]) => self.kind(one),
            ("HexBytes", [least, most]) => {
                let (least, most) = (self.source.number(least), self.source.number(most));
                format!("{least} to {most} bytes")
            }
            ("Position", []) => {
                self.named.insert(of.name.clone());
                link(&of.name)
            }
            (_, []) if told.is_some() => told.unwrap().1.to_owned(),
            (name, []) => match &self.source.item(name).shape {
                Shape::Id => match name.strip_suffix("Id") {
                    Some("Subject") | None => "id".to_owned(),
                    Some(what) => format!("id ({})", what.to_lowercase()),
                },
                Shape::As(other) => {
                    let other = other.clone();
                    self.kind(&other)
                }
                _ => {
                    self.named.insert(name.to_owned());
                    link(name)
                }
            },
            _ => panic!("cannot say what {of:?} is"),
        }
    }
}
