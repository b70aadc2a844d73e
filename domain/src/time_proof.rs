//! When a command was made, and what proves it: levels that an officer can weigh, and what a device's own clocks
//! are worth. Nothing here orders anything; see docs/adr on the proof of time.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::command::{BootId, ClockReading};
use crate::command_fate::SentCommand;
use crate::ids::{InstallId, PersonId};
use crate::time::Timestamp;

/// Separates these identifiers from every other use of the same hash function.
const WITNESS_ID_DOMAIN: &[u8] = b"hazardloop chain witnessed v1";

/// What proves that a command was there *by* a time, the strongest first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Encode, Decode,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum ProofLevel {
    /// The server had it by then: its own clock, inside the hash chain.
    #[n(0)]
    Received,
    /// A gateway had received by then what its emergency frame states.
    #[n(1)]
    Gateway,
    /// Another device had told the server by then the hash of a chain that holds it.
    #[n(2)]
    Witnessed,
    /// Its device says so; nobody can tell.
    #[n(3)]
    Claimed,
}

impl ProofLevel {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Gateway => "gateway",
            Self::Witnessed => "witnessed",
            Self::Claimed => "claimed",
        }
    }
}

/// What the time that a device claims is worth, by the server's own times and the device's monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum ClockCheck {
    /// The clock that nobody can set agrees with it, since the last contact and within one boot.
    #[n(0)]
    Consistent,
    /// It cannot be right: before the last contact, after the receipt, or not what the monotonic clock counted.
    #[n(1)]
    Contradicted,
    /// Nothing speaks against it, and nothing for it.
    #[n(2)]
    Unchecked,
    /// Its device showed an anchor that this server has never given out. What it says is worth nothing.
    #[n(3)]
    AnchorForged,
}

impl ClockCheck {
    /// Every one.
    pub const ALL: &'static [Self] = &[
        Self::Consistent,
        Self::Contradicted,
        Self::Unchecked,
        Self::AnchorForged,
    ];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Consistent => "consistent",
            Self::Contradicted => "contradicted",
            Self::Unchecked => "unchecked",
            Self::AnchorForged => "anchor_forged",
        }
    }

    /// The one with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|check| check.as_str() == name)
    }
}

/// The last anchor of a chain that was found to be the server's, with what the device's monotonic clock said when
/// it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchored {
    /// The server's time in it: whatever comes later in the chain was made after that.
    pub at: Timestamp,
    /// The monotonic clock then, milliseconds, and in which boot.
    pub monotonic: Option<(BootId, i64)>,
}

/// How far two clocks may be apart without contradicting each other, beside their drift: the anchor was on its way,
/// and wall clocks are set by networks now and then.
pub const CLOCK_SLACK_MS: i64 = 60_000;

/// Of how many milliseconds a clock may go wrong by one: 200 parts in a million, twice what quartz does in heat.
const DRIFT_DIVISOR: i64 = 5_000;

impl ClockReading {
    /// What the claimed time is worth, for a command of a chain that `anchored` is the last anchor of, its own
    /// included.
    pub fn check(&self, anchored: Option<&Anchored>, received_at: Timestamp) -> ClockCheck {
        let (wall, received) = (self.wall.as_millis(), received_at.as_millis());
        if wall > received.saturating_add(CLOCK_SLACK_MS) {
            return ClockCheck::Contradicted;
        }
        let Some(anchored) = anchored else {
            return ClockCheck::Unchecked;
        };
        let at = anchored.at.as_millis();
        if wall < at.saturating_sub(CLOCK_SLACK_MS) {
            return ClockCheck::Contradicted;
        }
        let (Some((boot, then)), Some(own_boot), Some(now)) =
            (anchored.monotonic, self.boot_id, self.monotonic_ms)
        else {
            return ClockCheck::Unchecked;
        };
        if boot != own_boot {
            return ClockCheck::Unchecked;
        }
        let elapsed = now.saturating_sub(then);
        let slack = CLOCK_SLACK_MS.saturating_add(elapsed.max(0) / DRIFT_DIVISOR);
        let apart = wall.saturating_sub(at.saturating_add(elapsed));
        match elapsed >= 0 && apart.saturating_abs() <= slack {
            true => ClockCheck::Consistent,
            false => ClockCheck::Contradicted,
        }
    }
}

/// By which device a command's chain was witnessed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cbor(map)]
pub struct WitnessedBy {
    /// The install.
    #[n(0)]
    pub install_id: InstallId,
    /// Whose it is.
    #[n(1)]
    pub person_id: PersonId,
    /// The command of that install by which it was said.
    #[n(2)]
    pub seq: i64,
    /// The last command of the witnessed chain that the hash covers.
    #[n(3)]
    pub up_to_seq: i64,
    /// Since when it is proven, by the server's clock.
    #[n(4)]
    pub at: Timestamp,
}

/// Told to the owner of a chain: all of its commands up to this one were there by then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct ChainWitnessed {
    /// Up to which command of which install.
    #[n(0)]
    pub about: SentCommand,
    /// By whom, and since when that is proven.
    #[n(1)]
    pub by: WitnessedBy,
    /// Their name.
    #[n(2)]
    pub by_name: String,
}

impl SentCommand {
    /// The identifier of the record of what this command says of another's chain (UUIDv8, RFC 9562).
    pub fn witness_id(&self) -> Uuid {
        self.derived_id(WITNESS_ID_DOMAIN)
    }
}

/// When a command was made, and what proves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cbor(map)]
pub struct TimeProof {
    /// What proves `proven_at`.
    #[n(0)]
    pub level: ProofLevel,
    /// It was there by then, for certain; absent: nothing proves anything yet.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven_at: Option<Timestamp>,
    /// It was made after that, for certain: the newest anchor of the server in its chain.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// When its device says it was made. It proves nothing by itself.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_at: Option<Timestamp>,
    /// What that is worth; absent: no device says anything.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockCheck>,
    /// When the server received it.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<Timestamp>,
    /// When a gateway received the emergency frame that states it.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_at: Option<Timestamp>,
    /// Who witnessed it before the server received it.
    #[n(7)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witnessed_by: Option<WitnessedBy>,
}

impl TimeProof {
    /// Of what came straight to the server: made and received at once.
    pub const fn received(at: Timestamp) -> Self {
        Self {
            level: ProofLevel::Received,
            proven_at: Some(at),
            not_before: None,
            claimed_at: None,
            clock: None,
            received_at: Some(at),
            gateway_at: None,
            witnessed_by: None,
        }
    }

    /// Of what its device alone speaks of.
    pub const fn claimed(at: Timestamp) -> Self {
        Self {
            level: ProofLevel::Claimed,
            proven_at: None,
            not_before: None,
            claimed_at: Some(at),
            clock: None,
            received_at: None,
            gateway_at: None,
            witnessed_by: None,
        }
    }

    /// With who witnessed it, where that proves an earlier time than anything else does.
    #[must_use]
    pub fn with_witness(mut self, by: Option<WitnessedBy>) -> Self {
        if let Some(by) = by
            && self.proven_at.is_none_or(|proven| by.at < proven)
        {
            (self.level, self.proven_at) = (ProofLevel::Witnessed, Some(by.at));
            self.witnessed_by = Some(by);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const BOOT: BootId = InstallId(Uuid::from_u128(9));
    const HOUR: i64 = 3_600_000;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_millis(1_795_000_000_000 + hours * HOUR)
    }

    fn reading(wall: Timestamp, monotonic_hours: i64) -> ClockReading {
        ClockReading {
            wall,
            monotonic_ms: Some(monotonic_hours * HOUR),
            boot_id: Some(BOOT),
            server_anchor: None,
            anchor_monotonic_ms: None,
            anchor_token: None,
        }
    }

    fn anchored() -> Anchored {
        Anchored {
            at: at(0),
            monotonic: Some((BOOT, 100 * HOUR)),
        }
    }

    #[test]
    fn a_wall_clock_that_goes_with_the_monotonic_one_is_consistent() {
        // A week offline: 200 ppm are two minutes, and one of slack.
        let drifted = at(168).plus_millis(150_000);
        for wall in [at(168), drifted] {
            let check = reading(wall, 268).check(Some(&anchored()), at(200));
            assert_eq!(check, ClockCheck::Consistent, "{wall}");
        }
    }

    #[test]
    fn a_clock_that_was_set_is_contradicted() {
        let anchored = anchored();
        let cases = [
            // Set back a day after the anchor: the monotonic clock went on.
            (reading(at(144), 268), at(200)),
            // Set ahead.
            (reading(at(190), 268), at(200)),
            // Before the server's own time.
            (reading(at(-1), 100), at(200)),
            // After the receipt.
            (reading(at(201), 301), at(200)),
            // A monotonic clock does not go back within a boot.
            (reading(at(0), 99), at(200)),
        ];
        for (reading, received) in cases {
            let check = reading.check(Some(&anchored), received);
            assert_eq!(check, ClockCheck::Contradicted, "{reading:?}");
        }
    }

    #[test]
    fn without_an_anchor_or_after_a_new_start_nothing_is_said() {
        let mut other_boot = reading(at(5), 1);
        other_boot.boot_id = Some(InstallId(Uuid::from_u128(10)));
        let check = other_boot.check(Some(&anchored()), at(200));
        assert_eq!(check, ClockCheck::Unchecked);
        assert_eq!(
            reading(at(5), 1).check(None, at(200)),
            ClockCheck::Unchecked
        );
        let extreme = ClockReading {
            monotonic_ms: Some(i64::MIN),
            ..reading(Timestamp::from_millis(i64::MAX), 0)
        };
        let check = extreme.check(Some(&anchored()), at(200));
        assert_eq!(check, ClockCheck::Contradicted);
    }

    #[test]
    fn a_witness_counts_only_where_it_proves_more() {
        let by = WitnessedBy {
            install_id: BOOT,
            person_id: PersonId(Uuid::from_u128(1)),
            seq: 3,
            up_to_seq: 7,
            at: at(1),
        };
        let proof = TimeProof::received(at(2)).with_witness(Some(by.clone()));
        assert_eq!(proof.level, ProofLevel::Witnessed);
        assert_eq!(proof.proven_at, Some(at(1)));
        assert_eq!(proof.received_at, Some(at(2)));
        let later = TimeProof::received(at(1)).with_witness(Some(by.clone()));
        assert_eq!(later, TimeProof::received(at(1)));
        let alone = TimeProof::claimed(at(0)).with_witness(Some(by));
        assert_eq!(alone.level, ProofLevel::Witnessed);
    }
}
