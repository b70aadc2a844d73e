//! Licence expressions (SPDX 2.3, annex D), as packages state them, held against a list of allowed licences.

/// Whether somebody who accepts the licences `allowed`, and the exceptions `exceptions` (which only add
/// permissions), may use what is under `expression`. Takes the older `MIT/Apache-2.0` for `OR`, as cargo does.
///
/// # Errors
/// Says what is wrong with an expression that cannot be read.
pub fn permits(expression: &str, allowed: &[&str], exceptions: &[&str]) -> Result<bool, String> {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader {
        words: &words,
        allowed,
        exceptions,
    };
    let permitted = reader.either()?;
    match reader.words.first() {
        None => Ok(permitted),
        Some(word) => Err(format!("`{expression}`: did not expect `{word}`")),
    }
}

struct Reader<'a> {
    words: &'a [&'a str],
    allowed: &'a [&'a str],
    exceptions: &'a [&'a str],
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.next();
        }
        found
    }

    // Every side is read whatever the other said: a malformed rest must not hide behind a good start.
    fn either(&mut self) -> Result<bool, String> {
        let mut permitted = self.both()?;
        while self.take("OR") {
            permitted |= self.both()?;
        }
        Ok(permitted)
    }

    fn both(&mut self) -> Result<bool, String> {
        let mut permitted = self.one()?;
        while self.take("AND") {
            permitted &= self.one()?;
        }
        Ok(permitted)
    }

    fn one(&mut self) -> Result<bool, String> {
        let licence = match self.next() {
            None => return Err("the expression ends too early".to_owned()),
            Some("(") => {
                let permitted = self.either()?;
                return if self.take(")") {
                    Ok(permitted)
                } else {
                    Err("a `)` is missing".to_owned())
                };
            }
            Some(word @ (")" | "OR" | "AND" | "WITH")) => {
                return Err(format!("did not expect `{word}`"));
            }
            Some(licence) => licence,
        };
        let mut permitted = self.allowed.contains(&licence);
        if self.take("WITH") {
            let exception = self.next().ok_or("`WITH` names no exception")?;
            permitted &= self.exceptions.contains(&exception);
        }
        Ok(permitted)
    }
}
