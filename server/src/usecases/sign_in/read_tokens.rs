//! Access tokens whose signature was found good: a phone sends the same one for minutes, and
//! checking a signature costs more than all else that a small request needs to be let in.
//!
//! Only that the signature fits is remembered. Times, the key's own end and ended sessions are
//! checked every time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hazardloop_domain::hash::Digest;

use super::access_token::Claims;

/// Tokens of one generation (about 300 bytes each); two are kept.
const GENERATION: usize = 8_192;

/// What a good token said.
#[derive(Clone, Debug)]
pub struct Read {
    /// The name of the key that signed it.
    pub kid: String,
    /// What it says.
    pub claims: Claims,
}

/// Tokens that were read, by their hash: the newest ones, at most two generations.
#[derive(Debug, Default)]
pub struct ReadTokens {
    kept: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Digest, Read>,
    /// Whoever is not asked for again while a generation grows up is forgotten with it.
    old: HashMap<Digest, Read>,
}

impl ReadTokens {
    /// What this very token said when its signature was checked.
    pub fn get(&self, token: &Digest) -> Option<Read> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = kept.young.get(token) {
            return Some(read.clone());
        }
        let read = kept.old.remove(token)?;
        kept.put(*token, read.clone());
        Some(read)
    }

    /// Remembers a token whose signature fits.
    pub fn put(&self, token: Digest, read: Read) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.put(token, read);
    }
}

impl Generations {
    fn put(&mut self, token: Digest, read: Read) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(token, read);
    }
}

#[cfg(test)]
mod tests {
    use hazardloop_domain::ids::PersonId;
    use uuid::Uuid;

    use super::super::access_token::Bearer;
    use super::*;
    use crate::settings::SignIn;
    use crate::test_support::NOW;

    fn read(number: u128) -> Read {
        let bearer = Bearer {
            person_id: PersonId(Uuid::from_u128(number)),
            session_id: Uuid::nil(),
            install_id: None,
        };
        Read {
            kid: "k".to_owned(),
            claims: Claims::new(bearer, &SignIn::default(), NOW, Uuid::nil()),
        }
    }

    fn token(number: u128) -> Digest {
        Digest::sha256(&number.to_be_bytes())
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_is_bounded() {
        let tokens = ReadTokens::default();
        let most = u128::try_from(GENERATION).unwrap() * 5;
        for number in 0..most {
            tokens.put(token(number), read(number));
            // This one is in use all the time.
            let kept = tokens.get(&token(0)).unwrap();
            assert_eq!(kept.claims.sub.0.as_u128(), 0);
        }
        let kept = (0..most).filter(|number| tokens.get(&token(*number)).is_some());
        assert!(kept.count() <= 3 * GENERATION);
        assert!(tokens.get(&token(1)).is_none());
        assert!(tokens.get(&token(most)).is_none());
    }
}
