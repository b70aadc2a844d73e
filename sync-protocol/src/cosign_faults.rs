//! Why a co-signature is not good, in the sentences that people are told. Nothing else is worded
//! here: a test of the device reads this file for what has to be said in Chinese.

use hazardloop_domain::refusal::{Refusal, RefusalCode};

/// Why a co-signature is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There are more than a command may have.
    TooMany {
        /// How many it may have.
        most: usize,
    },
    /// The author signed twice.
    OwnAct,
    /// Another one is by the same person.
    Twice,
    /// No key of that person fits. Whether there is such a key is not told.
    NotTheirs,
    /// Signed, by its own word, when the key was revoked already.
    RevokedBefore,
    /// The key is revoked, and nothing can be kept for a person to settle.
    Revoked,
    /// It is in the history already.
    UsedBefore,
    /// That person has no role over the hazard.
    NoRole,
}

impl Fault {
    /// The refusal, for the co-signature at this place or for all of them.
    pub fn refusal(self, at: Option<usize>) -> Refusal {
        let field = match at {
            Some(at) => format!("co_signatures[{at}]"),
            None => "co_signatures".to_owned(),
        };
        Refusal {
            field: Some(field),
            ..Refusal::new(RefusalCode::CoSignatureInvalid, &self.rule())
        }
    }

    fn rule(self) -> String {
        let sentence = match self {
            Self::TooMany { most } => {
                return format!("a command has at most {most} co-signatures");
            }
            Self::OwnAct => "its author is no second person",
            Self::Twice => "one person signs once",
            Self::NotTheirs => "this is no signature of theirs over this command",
            Self::RevokedBefore => "the key was revoked before it signed",
            Self::Revoked => "the key was revoked",
            Self::UsedBefore => "it was used before; they sign each act anew",
            Self::NoRole => "whoever signed holds no role over this hazard",
        };
        sentence.to_owned()
    }
}
