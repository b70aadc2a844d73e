//! What became of a command that took no (full) effect: what its author chose to do about it, and what those who
//! answer for the place made of it. Told to the author's devices as a record of its own.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::hash::Digest;
use crate::ids::{InstallId, PersonId, SubjectId};
use crate::refusal::Refusal;
use crate::text::{self, SHORT_TEXT_MAX};
use crate::time::Timestamp;

/// Separates these identifiers from every other use of the same hash function.
const ID_DOMAIN: &[u8] = b"hazardloop command fate v1";

/// Which command of a device: its install, and its place in what that install sent.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cbor(map)]
pub struct SentCommand {
    /// The install.
    #[n(0)]
    pub install_id: InstallId,
    /// Its sequence there, from 1.
    #[n(1)]
    pub seq: i64,
}

/// What an author chose to do about a command that took no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum ChoiceKind {
    /// Sent again as it was.
    #[n(0)]
    Retried,
    /// Another command was sent in its place.
    #[n(1)]
    Amended,
    /// It is to have no effect.
    #[n(2)]
    GivenUp,
}

impl ChoiceKind {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retried => "retried",
            Self::Amended => "amended",
            Self::GivenUp => "given_up",
        }
    }
}

/// A choice, as it is made: carried by the command that takes the other's place, or by one that gives it up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
#[cbor(map)]
pub struct Choice {
    /// About which command.
    #[n(0)]
    pub about: SentCommand,
    /// What.
    #[n(1)]
    pub how: ChoiceKind,
    /// Why; always said where a command is given up.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Choice {
    /// Whether it says what it must.
    ///
    /// # Errors
    /// A [`Refusal`] that names the field.
    pub fn check(&self) -> Result<(), Refusal> {
        match (&self.how, &self.reason) {
            (ChoiceKind::GivenUp, None) => Err(Refusal::invalid_field(
                "choice.reason",
                "must say why it is given up",
            )),
            (ChoiceKind::GivenUp, Some(reason)) => {
                text::required("choice.reason", reason, SHORT_TEXT_MAX)
            }
            (_, reason) => text::optional("choice.reason", reason.as_deref(), SHORT_TEXT_MAX),
        }
    }
}

/// A choice that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cbor(map)]
pub struct Chosen {
    /// What.
    #[n(0)]
    pub how: ChoiceKind,
    /// Why.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The command by which it was said; absent: said on a page.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<SentCommand>,
    /// When, by the server's clock.
    #[n(3)]
    pub at: Timestamp,
}

/// What those who answer for the place made of a command that could not be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum SettledAs {
    /// It is to have no effect.
    #[n(0)]
    Dismissed,
    /// What it says was entered in another way, by whoever answers for it now.
    #[n(1)]
    Entered,
}

impl SettledAs {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Dismissed, Self::Entered];

    /// The identifier that tables hold.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dismissed => "dismissed",
            Self::Entered => "entered",
        }
    }
}

/// A settlement, as its author is told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cbor(map)]
pub struct SettledCommand {
    /// How.
    #[n(0)]
    pub how: SettledAs,
    /// Why, or where it was entered.
    #[n(1)]
    pub note: String,
    /// Who.
    #[n(2)]
    pub by: PersonId,
    /// Their name then.
    #[n(3)]
    pub by_name: String,
    /// When.
    #[n(4)]
    pub at: Timestamp,
}

/// The record.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CommandFate {
    /// Which command.
    #[n(0)]
    pub command: SentCommand,
    /// Counts changes, from 1.
    #[n(1)]
    pub version: i64,
    /// Its kind, as it was sent.
    #[n(2)]
    pub kind: String,
    /// What it acts upon, where that could be read.
    #[n(3)]
    pub subject_id: Option<SubjectId>,
    /// When the server received it.
    #[n(4)]
    pub received_at: Timestamp,
    /// What the author chose last.
    #[n(5)]
    pub chosen: Option<Chosen>,
    /// What those who answer for the place made of it.
    #[n(6)]
    pub settled: Option<SettledCommand>,
}

impl SentCommand {
    /// The identifier of the record of what became of it (UUIDv8, RFC 9562): whoever knows the command knows it.
    pub fn fate_id(&self) -> Uuid {
        self.derived_id(ID_DOMAIN)
    }

    /// An identifier that follows from the command and from what it is for.
    pub(crate) fn derived_id(&self, domain: &[u8]) -> Uuid {
        let seq = self.seq.to_be_bytes();
        let digest = Digest::sha256_of_parts(&[domain, self.install_id.as_bytes(), &seq]);
        let mut first = [0; 16];
        first.copy_from_slice(digest.as_bytes().split_at(16).0);
        uuid::Builder::from_custom_bytes(first).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn sent(seq: i64) -> SentCommand {
        SentCommand {
            install_id: InstallId(Uuid::from_u128(7)),
            seq,
        }
    }

    #[test]
    fn a_fate_travels_whole_and_its_id_follows_from_the_command() {
        let fate = CommandFate {
            command: sent(3),
            version: 2,
            kind: "note".to_owned(),
            subject_id: Some(SubjectId(Uuid::from_u128(9))),
            received_at: Timestamp::from_millis(1_700_000_000_000),
            chosen: Some(Chosen {
                how: ChoiceKind::Amended,
                reason: None,
                by: Some(sent(8)),
                at: Timestamp::from_millis(1_700_000_000_001),
            }),
            settled: Some(SettledCommand {
                how: SettledAs::Entered,
                note: "已由接任人员登记".to_owned(),
                by: PersonId(Uuid::from_u128(5)),
                by_name: "周局".to_owned(),
                at: Timestamp::from_millis(1_700_000_000_002),
            }),
        };
        let bytes = minicbor::to_vec(&fate).unwrap();
        assert_eq!(minicbor::decode::<CommandFate>(&bytes).unwrap(), fate);
        assert_eq!(sent(3).fate_id(), sent(3).fate_id());
        assert_ne!(sent(3).fate_id(), sent(4).fate_id());
        assert_eq!(sent(3).fate_id().get_version_num(), 8);
    }

    #[test]
    fn who_gives_up_says_why() {
        let choice = |how, reason: Option<&str>| Choice {
            about: sent(1),
            how,
            reason: reason.map(str::to_owned),
        };
        assert!(choice(ChoiceKind::GivenUp, None).check().is_err());
        assert!(choice(ChoiceKind::GivenUp, Some("  ")).check().is_err());
        assert!(
            choice(ChoiceKind::GivenUp, Some("重复上报"))
                .check()
                .is_ok()
        );
        assert!(choice(ChoiceKind::Retried, None).check().is_ok());
        let long = "长".repeat(SHORT_TEXT_MAX + 1);
        assert!(choice(ChoiceKind::Amended, Some(&long)).check().is_err());
    }
}
