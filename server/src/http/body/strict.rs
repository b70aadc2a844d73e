//! JSON read twice: once for what no type would notice, once into the type.

use std::collections::HashSet;
use std::fmt;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor,
};
use serde_json::error::Category;

use crate::http::problem::{Problem, ProblemCode};

/// How deep objects and arrays may lie in one another.
pub const DEEPEST: usize = 32;

/// Reads a body.
///
/// # Errors
/// 400 for what is not strict JSON, 422 for JSON that is not a `T`; with line and column.
pub fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Box<Problem>> {
    let refused = |code, detail: String| Box::new(Problem::new(code, detail));
    let malformed = |detail| refused(ProblemCode::Malformed, detail);
    let text = std::str::from_utf8(body)
        .map_err(|error| malformed(format!("not UTF-8 from byte {} on", error.valid_up_to())))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    Strict { depth: 0 }
        .deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|error| malformed(error.to_string()))?;
    serde_json::from_str(text).map_err(|error| {
        let code = match error.classify() {
            Category::Data => ProblemCode::Invalid,
            Category::Io | Category::Syntax | Category::Eof => ProblemCode::Malformed,
        };
        refused(code, error.to_string())
    })
}

/// Goes through a value and keeps nothing of it.
struct Strict {
    depth: usize,
}

impl Strict {
    fn inside<E: serde::de::Error>(&self) -> Result<Self, E> {
        if self.depth >= DEEPEST {
            return Err(E::custom(format_args!("nested deeper than {DEEPEST}")));
        }
        Ok(Self {
            depth: self.depth + 1,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

fn without_nul<E: serde::de::Error>(text: &str) -> Result<(), E> {
    if text.contains('\0') {
        return Err(E::custom("a text holds a NUL character"));
    }
    Ok(())
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        without_nul(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        loop {
            let inside = self.inside()?;
            if items.next_element_seed(inside)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            without_nul(&key)?;
            entries.next_value_seed(self.inside()?)?;
            // Named by its place only: a key is what somebody else wrote, of any length.
            if !seen.insert(key) {
                return Err(A::Error::custom("an object has the same key twice"));
            }
        }
        Ok(())
    }
}
