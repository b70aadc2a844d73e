//! What the source declares to travel: structs, enumerations and choices with their keys.

use super::tokens::Tree;

/// One declaration.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub doc: String,
    pub file: String,
    pub shape: Shape,
}

/// What it is on the wire.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// A map with these keys.
    Map(Vec<Field>),
    /// A list with these places.
    List(Vec<Field>),
    /// One of these numbers.
    Names(Vec<Case>),
    /// A number with what belongs to it.
    Choice(Vec<Case>),
    /// Written as another type is.
    As(Type),
    /// 16 bytes.
    Id,
}

/// A field, or a value of a choice.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub key: u32,
    pub name: String,
    pub of: Type,
    /// Read as empty, zero or false where it is absent.
    pub defaulted: bool,
    pub doc: String,
}

/// One of several.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub number: u32,
    pub name: String,
    pub doc: String,
    pub is_default: bool,
    pub fields: Vec<Field>,
    /// Of an action: the type of its fields.
    pub payload: Option<String>,
}

/// A type: its last name, and what is in its angle brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Type {
    pub name: String,
    pub of: Vec<Type>,
}

/// Comments and attributes before a declaration.
#[derive(Clone, Debug, Default)]
pub(super) struct Before {
    pub docs: Vec<String>,
    pub attributes: Vec<Vec<Tree>>,
}

impl Before {
    pub(super) fn doc(&self) -> String {
        self.docs.join(" ")
    }

    /// What is in the brackets of each attribute of this name.
    fn each<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [Tree]> {
        let named = move |attribute: &&Vec<Tree>| attribute[0].word() == Some(name);
        let attributes = self.attributes.iter().filter(named);
        attributes.map(|attribute| attribute.get(1).and_then(|t| t.group('(')).unwrap_or(&[]))
    }

    pub(super) fn has(&self, name: &str, word: &str) -> bool {
        let is = |tree: &Tree| tree.word() == Some(word);
        self.each(name).any(|inside| inside.iter().any(is))
    }

    pub(super) fn is_marked(&self, name: &str) -> bool {
        self.each(name).next().is_some()
    }

    fn text(&self, name: &str, word: &str) -> Option<String> {
        self.each(name).find_map(|inside| {
            let at = inside.iter().position(|tree| tree.word() == Some(word))?;
            match inside.get(at + 2) {
                Some(Tree::Text(text)) => Some(text.clone()),
                _ => None,
            }
        })
    }

    fn key(&self) -> Option<u32> {
        let inside = self.each("n").next()?;
        inside.first()?.word()?.parse().ok()
    }
}

/// Takes comments, attributes and `pub` off the front.
pub(super) fn before(trees: &[Tree]) -> (Before, &[Tree]) {
    let (mut read, mut rest) = (Before::default(), trees);
    loop {
        rest = match rest {
            [Tree::Doc(doc), after @ ..] => {
                read.docs.push(doc.clone());
                after
            }
            [
                Tree::Mark('#'),
                Tree::Mark('!'),
                Tree::Group('[', _),
                after @ ..,
            ] => after,
            [Tree::Mark('#'), Tree::Group('[', inside), after @ ..] => {
                read.attributes.push(inside.clone());
                after
            }
            [Tree::Word(public), Tree::Group('(', _), after @ ..] if public == "pub" => after,
            [Tree::Word(public), after @ ..] if public == "pub" => after,
            _ => return (read, rest),
        };
    }
}

/// The parts between marks `at`, but not those within `<` and `>`.
pub(super) fn parts(trees: &[Tree], at: char) -> Vec<&[Tree]> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0);
    for (place, tree) in trees.iter().enumerate() {
        match tree {
            Tree::Mark('<') => depth += 1,
            // Not that of an arrow.
            Tree::Mark('>') if place == 0 || !trees[place - 1].is('=') => depth -= 1,
            Tree::Mark(mark) if *mark == at && depth == 0 => {
                parts.push(&trees[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    if start < trees.len() {
        parts.push(&trees[start..]);
    }
    parts
}

/// A type.
///
/// # Panics
/// At anything but a path, with or without angle brackets.
pub(super) fn type_of(trees: &[Tree]) -> Type {
    let opens = trees.iter().position(|tree| tree.is('<'));
    let path = &trees[..opens.unwrap_or(trees.len())];
    assert!(
        path.iter().all(|t| t.word().is_some() || t.is(':')),
        "cannot read the type {trees:?}"
    );
    let name = path.last().and_then(Tree::word).unwrap().to_owned();
    let of = opens.map_or_else(Vec::new, |opens| {
        assert!(trees.last().unwrap().is('>'), "cannot read {trees:?}");
        let inside = &trees[opens + 1..trees.len() - 1];
        parts(inside, ',').into_iter().map(type_of).collect()
    });
    Type { name, of }
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

/// Fields, each of which must have a key: `name: Type`, or `Type` alone within round brackets.
pub(super) fn fields(inside: &[Tree], named: bool, what: &str) -> Vec<Field> {
    let of = |part: &[Tree]| {
        let (before, rest) = before(part);
        let key = before.key();
        let key = key.unwrap_or_else(|| panic!("{what}: a field without a key: {rest:?}"));
        let with = before.has("cbor", "with") || before.has("cbor", "encode_with");
        let (name, of) = match rest {
            [Tree::Word(name), Tree::Mark(':'), of @ ..] if named => (name.clone(), of),
            of => (String::new(), of),
        };
        assert!(!before.has("serde", "rename"), "{what}: {name} renamed");
        let of = type_of(of);
        // Only ids are written by functions of their own.
        assert!(!with || of.name == "Uuid", "{what}: {name} has its own way");
        Field {
            key,
            name,
            of,
            defaulted: before.has("cbor", "default"),
            doc: before.doc(),
        }
    };
    let read: Vec<Field> = parts(inside, ',').into_iter().map(of).collect();
    assert!(
        read.windows(2).all(|pair| pair[0].key < pair[1].key),
        "{what}: keys ascend"
    );
    read
}

/// The variants of an enumeration as the language writes them.
pub(super) fn cases(inside: &[Tree], of: &Before, what: &str) -> Vec<Case> {
    let case = |part: &[Tree]| {
        let (before, rest) = before(part);
        let variant = rest.first().and_then(Tree::word).unwrap().to_owned();
        let number = before.key();
        let number = number.unwrap_or_else(|| panic!("{what}: {variant} without a number"));
        let name = match (
            before.text("serde", "rename"),
            of.text("serde", "rename_all").as_deref(),
        ) {
            (Some(name), _) => name,
            (None, Some("snake_case") | None) => snake(&variant),
            (None, Some("lowercase")) => variant.to_lowercase(),
            (None, Some(other)) => panic!("{what}: names in {other}"),
        };
        let inside = match &rest[1..] {
            [] => Vec::new(),
            [Tree::Group('{', inside)] => fields(inside, true, what),
            [Tree::Group('(', inside)] => fields(inside, false, what),
            other => panic!("{what}: {variant} is {other:?}"),
        };
        Case {
            number,
            name,
            doc: before.doc(),
            is_default: before.is_marked("default"),
            fields: inside,
            payload: None,
        }
    };
    parts(inside, ',').into_iter().map(case).collect()
}

/// The variants as our own macros list them: `Variant = number, "name", …;`, or with the type of an action's fields
/// in round brackets.
pub(super) fn listed(inside: &[Tree], what: &str) -> Vec<Case> {
    let case = |part: &[Tree]| {
        let (before, rest) = before(part);
        let (payload, rest) = match rest {
            [Tree::Word(_), Tree::Group('(', payload), rest @ ..] => {
                (Some(type_of(payload).name), rest)
            }
            [Tree::Word(_), rest @ ..] => (None, rest),
            other => panic!("{what}: cannot read {other:?}"),
        };
        let [
            Tree::Mark('='),
            Tree::Word(number),
            Tree::Mark(','),
            Tree::Text(name),
            rest @ ..,
        ] = rest
        else {
            panic!("{what}: cannot read {rest:?}")
        };
        // A closed list has the Chinese name behind: it is the beginning of what documents the value.
        let chinese = rest.iter().find_map(|tree| match tree {
            Tree::Text(text) if what.starts_with("closed_list") => Some(format!("{text}.")),
            _ => None,
        });
        let docs: Vec<String> = chinese.into_iter().chain(before.docs.clone()).collect();
        Case {
            number: number.parse().unwrap(),
            name: name.clone(),
            doc: docs.join(" "),
            is_default: before.is_marked("default"),
            fields: Vec::new(),
            payload,
        }
    };
    parts(inside, ';').into_iter().map(case).collect()
}
