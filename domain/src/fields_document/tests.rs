//! Prints `docs/PROTOCOL-FIELDS.md` from the declarations in the source and holds the file against it. After a change
//! of what travels: `UPDATE_DOCS=1 cargo test -p hazardloop-domain fields_document`.
//!
//! The source is read as text because only there the words stand beside the keys. Whatever it cannot read it refuses:
//! a field that is left out here is one that nobody who writes a client hears of.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "tests/items.rs"]
mod items;
#[path = "tests/print.rs"]
mod print;
#[path = "tests/source.rs"]
mod source;
#[path = "tests/tokens.rs"]
mod tokens;

use crate::command::{ActionKind, SubjectKind};
use crate::refusal::RefusalCode;
use items::Shape;
use print::Printer;
use source::Source;
use std::fmt::Write as _;
use std::path::Path;

const INTRODUCTION: &str = "# Fields and numbers of the sync protocol\n\n\
    Printed from the source by `UPDATE_DOCS=1 cargo test -p hazardloop-domain fields_document`; a test fails while it\n\
    differs. How all this travels and what it is for: [PROTOCOL](PROTOCOL.md).\n\n\
    A **map** has integer keys; a field is given as key, name, type and meaning. The name is that of JSON and of\n\
    `openapi.yaml`; it does not travel in CBOR. A **list** has its values in this order, a **choice** is\n\
    `[number, [values]]`, an **enumeration** its number. Other names `so written` are of the source.\n\n\
    *optional*: may be absent. *default*: may be absent, and then means an empty list or text, `false`, 0, a map\n\
    without keys, or the value marked *(default)*. Anything else must be there. Times are milliseconds since 1970 in UTC, dates the\n\
    number YYYYMMDD in Asia/Shanghai, ids 16 bytes, digests 32 bytes (SHA-256). Amounts of money are fen, 1/100 CNY.\n\n\
    Texts that people write hold no control characters but line feed and tab; the longest are 4,000 characters, names,\n\
    places and reasons 500. Which field must be there in which state is said by the rules, not by this list:\n\
    [LIFECYCLE](LIFECYCLE.md), [INSPECTIONS](INSPECTIONS.md), and the refusal names the field.\n";

/// Commands that are no actions: what is in the fields of each.
const OTHERS: [(&str, &str, &str); 3] = [
    (
        "placeholder",
        "what its command was to act upon",
        "[Placeholder](#placeholder)",
    ),
    (
        "give_up",
        "that of the command that is given up",
        "none: an empty map; key 4 of the payload says it all",
    ),
    (
        "witness",
        "the install whose chain it is about",
        "[WitnessedHead](#witnessedhead)",
    ),
];

/// Messages, and what else goes from one program to another.
const MESSAGES: [&str; 18] = [
    "PushRequest",
    "PushResponse",
    "LeanPush",
    "PackedPush",
    "PullRequest",
    "PullResponse",
    "LeanPull",
    "LeanPullResponse",
    "PackedPullResponse",
    "OfferRequest",
    "OfferResponse",
    "Envelope",
    "CommandPayload",
    "SigningRequest",
    "SigningAnswer",
    "ShownHead",
    "ChainHead",
    "WitnessedHead",
];

fn source() -> Source {
    let mut source = Source::default();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    source.read(&here.join("src"));
    source.read(&here.join("../sync-protocol/src"));
    source
}

fn commands(out: &mut String, source: &Source) -> Vec<String> {
    out.push_str("\n## Kinds of commands\n\n");
    out.push_str("The kind is a text in the envelope; its number stands in `allowed` of a refusal. All are of version 1. ");
    out.push_str("What *begins*\nits subject makes its id. Those of the server alone are never taken from a device.\n\n");
    out.push_str("| number | kind | acts upon | fields | |\n|---|---|---|---|---|\n");
    let Shape::Names(cases) = &source.item("ActionKind").shape else {
        panic!("kinds of commands are an enumeration")
    };
    let mut rows = Vec::new();
    for case in cases {
        let kind = ActionKind::from_name(&case.name).unwrap();
        let number: u32 = minicbor::decode(&minicbor::to_vec(kind).unwrap()).unwrap();
        assert_eq!(number, case.number, "{}", case.name);
        assert_eq!(kind.version(), 1, "the text above says so");
        let subject = match kind.subject() {
            SubjectKind::Hazard => "hazard",
            SubjectKind::Inspection => "inspection",
        };
        let remark = match (kind.is_servers_own(), kind.may_begin()) {
            (true, _) => "the server alone",
            (false, true) => "begins",
            (false, false) => "",
        };
        let payload = case.payload.clone().unwrap();
        let link = print::link(&payload);
        let name = &case.name;
        rows.push((
            number,
            format!("| {number} | `{name}` | {subject} | {link} | {remark} |"),
            payload,
        ));
    }
    assert_eq!(rows.len(), ActionKind::ALL.len());
    rows.sort();
    for (_, row, _) in &rows {
        writeln!(out, "{row}").unwrap();
    }
    for (kind, subject, fields) in OTHERS {
        writeln!(out, "| | `{kind}` | {subject} | {fields} | |").unwrap();
    }
    rows.into_iter().map(|(_, _, payload)| payload).collect()
}

fn records(out: &mut String, source: &Source) -> Vec<String> {
    out.push_str("\n## Kinds of records\n\n| number | body |\n|---|---|\n");
    let mut bodies = Vec::new();
    for (number, kind) in &source.record_kinds {
        let doc = &source.record_types[kind];
        let path = doc.split('`').nth(1).unwrap();
        let body = path.rsplit("::").next().unwrap().to_owned();
        writeln!(out, "| {number} | {} |", print::link(&body)).unwrap();
        bodies.push(body);
    }
    // Beside them there is only the kind that this build does not know.
    assert_eq!(bodies.len() + 1, source.record_types.len());
    bodies
}

fn refusals(out: &mut String, source: &Source) {
    out.push_str("\n## Codes of refusals\n\n| number | code | in words |\n|---|---|---|\n");
    let Shape::Names(cases) = &source.item("RefusalCode").shape else {
        panic!("codes are an enumeration")
    };
    assert_eq!(cases.len(), RefusalCode::ALL.len());
    for (case, code) in cases.iter().zip(RefusalCode::ALL) {
        let number: u32 = minicbor::decode(&minicbor::to_vec(code).unwrap()).unwrap();
        let named = (case.number, &*case.name);
        assert_eq!(named, (number, code.as_str()));
        let words = code.wording_en();
        writeln!(out, "| {number} | `{}` | {words} |", code.as_str()).unwrap();
    }
}

/// What holds where no record of kind 10 says something else.
fn defaults(out: &mut String) {
    out.push_str("\n## Limits where no record tells them\n\n");
    let hazards = minicbor::to_vec(crate::hazard::Limits::default()).unwrap();
    let inspections = minicbor::to_vec(crate::inspection::InspectionLimits::default()).unwrap();
    for (name, bytes) in [("Limits", hazards), ("InspectionLimits", inspections)] {
        let mut d = minicbor::Decoder::new(&bytes);
        let values: Vec<String> = (0..d.map().unwrap().unwrap())
            .map(|_| {
                let key = d.u32().unwrap();
                match d.datatype().unwrap() {
                    minicbor::data::Type::Bool => format!("{key}: {}", d.bool().unwrap()),
                    _ => format!("{key}: {}", d.i64().unwrap()),
                }
            })
            .collect();
        let values = values.join(", ");
        let link = print::link(name);
        print::wrapped(out, "", &format!("{link}: {{{values}}}"), "");
        out.push('\n');
    }
    out.pop();
}

fn document() -> String {
    let source = source();
    print::check_by_hand(&source);
    let mut out = String::from(INTRODUCTION);
    let payloads = commands(&mut out, &source);
    let bodies = records(&mut out, &source);
    refusals(&mut out, &source);
    defaults(&mut out);
    let mut printer = Printer::new(&source, out);
    let messages = MESSAGES.map(str::to_owned);
    printer.part("Messages", &messages);
    printer.part("Fields of commands", &payloads);
    printer.part("Placeholders", &["Placeholder".to_owned()]);
    printer.part("Bodies of records", &bodies);
    printer.the_rest();
    printer.finish()
}

#[test]
fn fields_document() {
    crate::printed_tests::check("PROTOCOL-FIELDS.md", &document(), "fields_document");
}

#[test]
fn limits_of_texts_are_those_that_the_introduction_tells() {
    assert_eq!(crate::text::LONG_TEXT_MAX, 4_000);
    assert_eq!(crate::text::SHORT_TEXT_MAX, 500);
}

fn read(text: &str) -> Source {
    let mut source = Source::default();
    source.walk(&tokens::trees(text), "here");
    source
}

#[test]
fn what_is_declared_is_read_whatever_stands_around_it() {
    let source = read(
        "fn other<'a>(c: char) -> &'a str { if c == '{' { \"}\" } else { r#\"\"}\"# } }\n\
         /// Two.\n#[derive(Clone, Encode, Decode)] #[cbor(map)] pub struct Two {\n\
         /// First.\n#[n(0)] pub first: Option<Vec<a::B>>, #[n(3)] #[cbor(default)] pub(crate) second: bool }",
    );
    let Shape::Map(fields) = &source.item("Two").shape else {
        panic!("a map")
    };
    let told: Vec<_> = fields
        .iter()
        .map(|f| (f.key, &*f.name, f.defaulted))
        .collect();
    assert_eq!(told, [(0, "first", false), (3, "second", true)]);
    assert_eq!(
        (&*fields[0].doc, &*fields[0].of.of[0].of[0].name),
        ("First.", "B")
    );
}

#[test]
#[should_panic(expected = "a field without a key")]
fn a_field_without_a_key_is_refused() {
    read("#[derive(Encode, Decode)] #[cbor(map)] struct One { first: bool }");
}

#[test]
#[should_panic(expected = "a macro that is not known here")]
fn a_macro_that_declares_keys_unknown_to_this_reader_is_refused() {
    read("new_kind! { One { #[n(0)] first: bool } }");
}

#[test]
#[should_panic(expected = "cannot read the type")]
fn a_type_that_this_reader_does_not_know_is_refused() {
    read("#[derive(Encode, Decode)] #[cbor(map)] struct One { #[n(0)] first: (bool, bool) }");
}
