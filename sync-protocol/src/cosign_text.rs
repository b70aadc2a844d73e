//! What two devices show each other, as a code to scan or a text to copy, when a second person
//! signs without network: the request of the author's device, and the answer of the signer's.
//!
//! A text is a prefix that says what it is and base64url (without padding) of the CBOR. One QR
//! code holds 2,953 bytes; how a longer text is shown is the showing program's business.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hazardloop_domain::command::{Action, ActionKind, Command};
use hazardloop_domain::ids::{PersonId, SubjectId};
use minicbor::{Decode, Encode};

use crate::codec::{self, check_well_formed};
use crate::cosign::Statement;
use crate::wire::{Bytes, CoSignature, PayloadError};
use crate::witness::ChainHead;

/// How a request begins.
pub const REQUEST_PREFIX: &str = "hlq1.";
/// How an answer begins.
pub const ANSWER_PREFIX: &str = "hla1.";
/// Most characters of a text.
pub const MOST_CHARACTERS: usize = 16 * 1024;
/// Most characters of a server's address within one.
pub(crate) const ADDRESS_MOST: usize = 500;
/// Depth of nesting in their CBOR.
const DEPTH: usize = 16;

/// What the author's device asks a second person to sign. What it means is read from the fields,
/// by the signer's own device.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SigningRequest {
    /// Base address of the server, as the author's device reaches it.
    #[n(0)]
    pub server: String,
    /// The server's epoch, as far as the author's device knows it.
    #[n(1)]
    pub epoch: Option<String>,
    /// Whose command it is.
    #[n(2)]
    pub author: PersonId,
    /// The command's kind.
    #[n(3)]
    pub kind: String,
    /// The version of its payload.
    #[n(4)]
    pub version: u16,
    /// What it acts upon.
    #[n(5)]
    pub subject_id: SubjectId,
    /// CBOR of the action's own fields.
    #[n(6)]
    pub fields: Bytes,
    /// How far the author's chain is, for the signer's device to witness. A program that does not know of it
    /// passes it over, as does one that finds it damaged.
    #[n(7)]
    pub head: Option<ChainHead>,
}

/// What the signer's device answers.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SigningAnswer {
    /// The signature.
    #[n(0)]
    pub co_signature: CoSignature,
    /// The key that it fits, for the author's device to find out at once when something else was
    /// signed. The server believes the keys registered with it alone.
    #[n(1)]
    pub public_key: Bytes,
    /// How far the signer's chain is, for the author's device to witness likewise.
    #[n(2)]
    pub head: Option<ChainHead>,
}

/// Why a text is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Too many characters.
    #[error("the text has {actual} characters, more than {MOST_CHARACTERS}")]
    TooLong {
        /// How many.
        actual: usize,
    },
    /// Not a text of this kind.
    #[error("the text does not begin with {0}")]
    NotThis(&'static str),
    /// Copied wrongly, or cut short.
    #[error("the text is damaged or incomplete: {0}")]
    Damaged(String),
    /// It says something that this build cannot show.
    #[error("this program cannot show all of it: {0}")]
    NotShowable(String),
}

pub(crate) fn write<T: Encode<()>>(prefix: &str, message: &T) -> String {
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(codec::encode(message)))
}

/// Blanks and line ends that copying put in are no part of a text.
pub(crate) fn read<T: for<'b> Decode<'b, ()>>(
    prefix: &'static str,
    text: &str,
) -> Result<T, TextError> {
    let actual = text.len();
    if actual > MOST_CHARACTERS {
        return Err(TextError::TooLong { actual });
    }
    let text: String = text.split_whitespace().collect();
    let body = text.strip_prefix(prefix);
    let body = body.ok_or(TextError::NotThis(prefix))?;
    let damaged = |error: &dyn std::fmt::Display| TextError::Damaged(error.to_string());
    let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|e| damaged(&e))?;
    codec::decode_strict(&bytes, DEPTH).map_err(|e| damaged(&e))
}

impl SigningRequest {
    /// The request for a command, as this build writes it.
    pub fn of(server: &str, epoch: Option<&str>, author: PersonId, command: &Command) -> Self {
        let kind = command.action.kind();
        Self {
            server: server.to_owned(),
            epoch: epoch.map(str::to_owned),
            author,
            kind: kind.as_str().to_owned(),
            version: kind.version(),
            subject_id: command.subject_id,
            fields: Bytes(command.action.encode_fields()),
            head: None,
        }
    }

    /// As text. `None` where it would be too long.
    pub fn to_text(&self) -> Option<String> {
        let text = write(REQUEST_PREFIX, self);
        (text.len() <= MOST_CHARACTERS).then_some(text)
    }

    /// From text.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn from_text(text: &str) -> Result<Self, TextError> {
        let read: Self = read(REQUEST_PREFIX, text)?;
        if read.server.len() > ADDRESS_MOST {
            return Err(TextError::Damaged("a server's address".to_owned()));
        }
        Ok(read)
    }

    /// Whether it is meant for the server that a device knows by this address and epoch. Devices
    /// may reach one server by several addresses; its epoch is the same for all of them, until it
    /// is restored from a backup.
    pub fn is_for(&self, server: &str, epoch: Option<&str>) -> bool {
        self.server == server || (epoch.is_some() && self.epoch.as_deref() == epoch)
    }

    /// The command, and what is signed. Nothing is signed that this build cannot show: fields that
    /// it does not know would be signed unread.
    ///
    /// # Errors
    /// [`TextError::NotShowable`], [`TextError::Damaged`].
    pub fn open(&self) -> Result<(Command, Statement), TextError> {
        let not_showable = |error: PayloadError| TextError::NotShowable(error.to_string());
        let kind = ActionKind::from_name(&self.kind).ok_or_else(|| {
            let named = self.kind.chars().take(64).collect();
            not_showable(PayloadError::UnknownKind(named))
        })?;
        if !kind.knows_version(self.version) {
            return Err(not_showable(PayloadError::UnknownVersion {
                kind: kind.as_str(),
                version: self.version,
            }));
        }
        let damaged = |error: &dyn std::fmt::Display| TextError::Damaged(error.to_string());
        check_well_formed(&self.fields.0, DEPTH).map_err(|e| damaged(&e))?;
        let action = Action::decode_fields(kind, &self.fields.0).map_err(|e| damaged(&e))?;
        let command = Command::new(self.subject_id, action);
        let statement = Statement::of(&command);
        if statement.fields != self.fields.0 || statement.version != self.version {
            let why = "it has fields of a newer version".to_owned();
            return Err(TextError::NotShowable(why));
        }
        Ok((command, statement))
    }
}

impl SigningAnswer {
    /// As text.
    pub fn to_text(&self) -> String {
        write(ANSWER_PREFIX, self)
    }

    /// From text.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn from_text(text: &str) -> Result<Self, TextError> {
        read(ANSWER_PREFIX, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;
    use hazardloop_domain::command::Note;
    use hazardloop_domain::ids::{HazardId, KeyId};
    use hazardloop_domain::time::Timestamp;
    use uuid::Uuid;

    const AUTHOR: PersonId = PersonId(Uuid::from_u128(2));

    fn request() -> SigningRequest {
        let text = "两人到场".to_owned();
        let action = Action::Note(Note { text });
        let command = Command::new(HazardId(Uuid::from_u128(1)), action);
        SigningRequest::of("https://hz.example", Some("e1"), AUTHOR, &command)
    }

    #[test]
    fn a_request_travels_as_text_and_says_what_is_signed() {
        let mut text = request().to_text().unwrap();
        assert!(text.starts_with("hlq1."), "{text}");
        text.insert_str(20, "\r\n  ");
        let read = SigningRequest::from_text(&text).unwrap();
        assert_eq!(read, request());
        let (command, statement) = read.open().unwrap();
        assert_eq!(statement, Statement::of(&command));
    }

    #[test]
    fn a_request_is_for_one_server_by_its_address_or_its_epoch() {
        let request = request();
        assert!(request.is_for("https://hz.example", None));
        assert!(request.is_for("http://10.0.0.1", Some("e1")));
        assert!(!request.is_for("http://10.0.0.1", Some("e2")));
        assert!(!request.is_for("http://10.0.0.1", None));
    }

    #[test]
    fn what_is_too_long_of_another_kind_or_damaged_is_refused() {
        let good = request().to_text().unwrap();
        let of = |text: &str| SigningRequest::from_text(text).unwrap_err();
        let long = format!("{good}{}", "A".repeat(MOST_CHARACTERS));
        assert!(matches!(of(&long), TextError::TooLong { .. }));
        for other in ["", "hlq2.AAAA", "hla1.AAAA", "https://example.org"] {
            assert_eq!(of(other), TextError::NotThis(REQUEST_PREFIX), "{other}");
        }
        for damaged in ["hlq1.", "hlq1.%%%", "hlq1.oA", &good[..good.len() - 3]] {
            assert!(matches!(of(damaged), TextError::Damaged(_)), "{damaged}");
        }
        assert!(SigningAnswer::from_text(&good).is_err());
    }

    #[test]
    fn what_this_build_cannot_show_is_not_signed() {
        let unknown = SigningRequest {
            kind: "teleport".to_owned(),
            ..request()
        };
        assert!(matches!(unknown.open(), Err(TextError::NotShowable(_))));
        let newer = SigningRequest {
            version: 9,
            ..request()
        };
        assert!(matches!(newer.open(), Err(TextError::NotShowable(_))));
        // {0: "好", 9: 1}
        let more = SigningRequest {
            fields: Bytes(vec![0xa2, 0, 0x63, 0xe5, 0xa5, 0xbd, 9, 1]),
            ..request()
        };
        assert!(matches!(more.open(), Err(TextError::NotShowable(_))));
        let hostile = SigningRequest {
            fields: Bytes(vec![0xbf, 0, 0x61, 0x61, 0xff]),
            ..request()
        };
        assert!(matches!(hostile.open(), Err(TextError::Damaged(_))));
    }

    #[test]
    fn an_answer_travels_as_text() {
        let (_, statement) = request().open().unwrap();
        let key = SigningKey::from_bytes(&[3; 32]);
        let at = Timestamp::from_millis(1_795_309_200_000);
        let key_id = KeyId(Uuid::from_u128(4));
        let answer = SigningAnswer {
            co_signature: statement.sign(&key, AUTHOR, key_id, at),
            public_key: Bytes(key.verifying_key().to_bytes().to_vec()),
            head: None,
        };
        let read = SigningAnswer::from_text(&answer.to_text()).unwrap();
        assert_eq!(read, answer);
        assert!(statement.fits(&read.public_key.0, &read.co_signature));
    }
}
