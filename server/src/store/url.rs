//! Where the database is: an explicit URL whose scheme alone chooses the kind, never a guess.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use zeroize::Zeroizing;

use super::error::StoreError;

/// Longest part of a wrong scheme that an error repeats; more is noise, or a pasted secret.
const SCHEME_SHOWN: usize = 20;

/// A database address: `sqlite://PATH` or `postgres://…` (also `postgresql://…`).
///
/// `Debug` and `Display` never show a password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Sqlite(PathBuf),
    Postgres(Zeroizing<String>),
}

impl DatabaseUrl {
    /// The address of an SQLite file.
    ///
    /// # Errors
    /// [`StoreError::BadUrl`] for a path that is empty, not UTF-8, or not a file (`:memory:`).
    pub fn sqlite(path: &Path) -> Result<Self, StoreError> {
        let text = path.to_str().ok_or_else(|| bad("the path is not UTF-8"))?;
        if text.is_empty() {
            return Err(bad("the path is empty"));
        }
        if text.contains('\0') {
            return Err(bad("the path holds a zero byte"));
        }
        if text.starts_with(":memory:") {
            // Every connection would see a database of its own.
            return Err(bad(
                "an in-memory database cannot be shared between connections",
            ));
        }
        Ok(Self(Kind::Sqlite(path.to_owned())))
    }

    /// The file, when this is SQLite.
    #[must_use]
    pub fn sqlite_path(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Sqlite(path) => Some(path),
            Kind::Postgres(_) => None,
        }
    }

    /// Whether this is a PostgreSQL server.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        matches!(self.0, Kind::Postgres(_))
    }

    /// What libpq is given, password included: only for opening the connection.
    pub(super) fn postgres_secret(&self) -> Option<&str> {
        match &self.0 {
            Kind::Sqlite(_) => None,
            Kind::Postgres(url) => Some(url),
        }
    }

    /// `message` with this address's password taken out, should a library have repeated it.
    pub(super) fn scrub(&self, message: &str) -> String {
        let password = self
            .postgres_secret()
            .and_then(|url| split(url).password.map(str::to_owned));
        match password {
            Some(password) if !password.is_empty() => message.replace(&password, "***"),
            _ => message.to_owned(),
        }
    }
}

/// The pieces of a PostgreSQL URL that matter for hiding the secret ones.
struct Pieces<'a> {
    scheme: &'a str,
    user: Option<&'a str>,
    password: Option<&'a str>,
    host_and_path: &'a str,
}

fn split(url: &str) -> Pieces<'_> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    // Parameters may hold a password too (`?password=`), so they are not shown at all.
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let authority_end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    let Some((login, host)) = authority.rsplit_once('@') else {
        return Pieces {
            scheme,
            user: None,
            password: None,
            host_and_path: rest,
        };
    };
    let host_start = rest.len() - path.len() - host.len();
    let (user, password) = match login.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (login, None),
    };
    let host_and_path = rest.get(host_start..).unwrap_or_default();
    Pieces {
        scheme,
        user: Some(user),
        password,
        host_and_path,
    }
}

fn bad(why: &str) -> StoreError {
    StoreError::BadUrl {
        why: why.to_owned(),
    }
}

impl FromStr for DatabaseUrl {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(StoreError::WrongScheme {
                scheme: String::new(),
            });
        };
        match scheme {
            "sqlite" => Self::sqlite(Path::new(rest)),
            "postgres" | "postgresql" => {
                let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
                if authority.matches('@').count() > 1 {
                    return Err(bad("write an '@' in a user name or password as %40"));
                }
                if rest.contains('\0') {
                    return Err(bad("the address holds a zero byte"));
                }
                Ok(Self(Kind::Postgres(Zeroizing::new(text.to_owned()))))
            }
            other => {
                let scheme = other
                    .chars()
                    .filter(char::is_ascii_graphic)
                    .take(SCHEME_SHOWN);
                Err(StoreError::WrongScheme {
                    scheme: scheme.collect(),
                })
            }
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Kind::Postgres(url) => {
                let pieces = split(url);
                write!(f, "{}://", pieces.scheme)?;
                match (pieces.user, pieces.password) {
                    (Some(user), Some(_)) => write!(f, "{user}:***@")?,
                    (Some(user), None) => write!(f, "{user}@")?,
                    (None, _) => {}
                }
                f.write_str(pieces.host_and_path)
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for text in [
            "postgres://officer:s3cret@db.example:5432/hazards",
            "postgresql://officer:s3cret@db.example:5432/hazards?sslmode=require",
            "postgres://db.example/hazards?user=officer&password=s3cret",
            "postgres://officer:s3cret@db.example",
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            assert!(!format!("{url} {url:?}").contains("s3cret"), "{url}");
            assert!(format!("{url}").contains("db.example"), "{url}");
        }
        let url: DatabaseUrl = "postgres://officer:s3cret@db.example/hazards"
            .parse()
            .unwrap();
        assert_eq!(url.to_string(), "postgres://officer:***@db.example/hazards");
        assert_eq!(url.scrub("no such host s3cret"), "no such host ***");
    }

    #[test]
    fn only_known_schemes_are_accepted_and_the_refusal_names_the_scheme() {
        for (text, named) in [
            ("mysql://localhost/x", "mysql"),
            ("file:///tmp/x.db", "file"),
            ("/tmp/x.db", ""),
            ("x.db", ""),
            ("", ""),
            ("SQLITE:///tmp/x", "SQLITE"),
            ("host=localhost password=s3cret", ""),
        ] {
            let refused = text.parse::<DatabaseUrl>().unwrap_err();
            assert!(
                matches!(&refused, StoreError::WrongScheme { scheme } if scheme == named),
                "{text}: {refused:?}"
            );
            assert!(!refused.to_string().contains("s3cret"));
        }
    }

    #[test]
    fn addresses_that_cannot_work_are_refused() {
        for text in ["sqlite://", "sqlite://:memory:", "postgres://a:b@c@host/db"] {
            let refused = text.parse::<DatabaseUrl>().unwrap_err();
            assert!(
                matches!(refused, StoreError::BadUrl { .. }),
                "{text}: {refused:?}"
            );
        }
    }

    #[test]
    fn an_sqlite_address_is_its_path() {
        let url: DatabaseUrl = "sqlite:///var/lib/hazardloop/data.db".parse().unwrap();
        assert_eq!(
            url.sqlite_path(),
            Some(Path::new("/var/lib/hazardloop/data.db"))
        );
        let url: DatabaseUrl = "sqlite://data/data.db".parse().unwrap();
        assert_eq!(url.sqlite_path(), Some(Path::new("data/data.db")));
    }
}
