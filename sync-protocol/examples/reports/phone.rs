//! A phone that makes commands, without chance or clock.

use ed25519_dalek::SigningKey;
use hazardloop_domain::command::{
    Action, AnchorToken, ClockReading, Command, CriterionRef, Grade, Note, Report, Source,
};
use hazardloop_domain::geography::{CoordinateReference, Measurement, Position};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{EnterpriseId, HazardId, InstallId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::chain::{link_hash, seal};
use hazardloop_sync_protocol::wire::{CommandPayload, PushRequest};

use super::{BEGIN, DAY, Numbers, Row, closure, confirmation, cut, reinspection, submission};

/// A phone and whose it is.
#[derive(Debug)]
pub struct Phone {
    numbers: Numbers,
    key: SigningKey,
    /// Its install.
    pub install_id: InstallId,
    boot_id: InstallId,
    booted: i64,
    enterprises: Vec<EnterpriseId>,
    now: i64,
    seq: i64,
    previous: Digest,
    met: Option<Met>,
    /// By how much its two clocks have come apart, milliseconds.
    drift: i64,
    jitter: Numbers,
}

/// What a phone keeps of its last contact with the server.
#[derive(Debug)]
struct Met {
    server_time: Timestamp,
    monotonic: Option<i64>,
    token: Option<AnchorToken>,
}

const SOURCES: [Source; 4] = [
    Source::EnterpriseSelfCheck,
    Source::EmployeeReport,
    Source::DeptInspection,
    Source::Grid,
];
const WHY_NO_PHOTO: [&str; 4] = [
    "现场禁止拍照",
    "防爆区域不得使用手机",
    "光线太暗",
    "设备运行中无法靠近",
];

impl Phone {
    /// A phone that has sent some commands already.
    pub fn new(seed: u64) -> Self {
        let mut numbers = Numbers(seed);
        let now = BEGIN + i64::try_from(numbers.below(120 * DAY)).unwrap_or_default();
        let before = Timestamp::from_millis(now - 40_000_000_000);
        let enterprises = (0..3)
            .map(|_| EnterpriseId(numbers.uuid7(before)))
            .collect();
        Self {
            key: SigningKey::from_bytes(&numbers.bytes32()),
            install_id: InstallId(numbers.uuid4()),
            boot_id: InstallId(numbers.uuid4()),
            booted: now - i64::try_from(numbers.below(20 * DAY)).unwrap_or_default(),
            enterprises,
            now,
            seq: 1 + i64::try_from(numbers.below(400)).unwrap_or_default(),
            previous: Digest(numbers.bytes32()),
            met: None,
            drift: 0,
            jitter: Numbers(seed ^ 0x5bd1_e995),
            numbers,
        }
    }

    /// Time passes: up to a quarter of an hour.
    fn later(&mut self) -> Timestamp {
        self.now += 20_000 + i64::try_from(self.numbers.below(900_000)).unwrap_or_default();
        Timestamp::from_millis(self.now)
    }

    /// A report of this row without a photo, all that a person fills in.
    pub fn report(&mut self, row: &Row, characters: usize) -> Command {
        let now = self.later();
        let degrees = |numbers: &mut Numbers, from: f64| {
            from + f64::from(u32::try_from(numbers.below(2_000_000)).unwrap_or_default()) / 1e7
        };
        let mut measured = Measurement::at(
            degrees(&mut self.numbers, 105.5),
            degrees(&mut self.numbers, 29.4),
            CoordinateReference::Wgs84,
        );
        measured.accuracy_m =
            Some(f64::from(u32::try_from(self.numbers.below(300)).unwrap_or_default()) / 10.0);
        let criterion = row.major.then(|| CriterionRef {
            code: format!(
                "GM-10-{}-{}",
                3 + self.numbers.below(9),
                1 + self.numbers.below(9)
            ),
            edition: 1,
        });
        let found_before = i64::try_from(self.numbers.below(300_000)).unwrap_or_default();
        let report = Report {
            source: self.numbers.pick(&SOURCES).unwrap_or(Source::Grid),
            grade: if row.major {
                Grade::Major
            } else {
                Grade::General
            },
            enterprise_id: self.numbers.pick(&self.enterprises.clone()),
            description: cut(row.description, characters).to_owned(),
            place_text: row.place.to_owned(),
            position: Position::new(measured).ok(),
            found_at: now.plus_millis(-found_before),
            photos: Vec::new(),
            no_photo_reason: self.numbers.pick(&WHY_NO_PHOTO).map(str::to_owned),
            criterion,
            immediate_measure: None,
            fixed_on_spot: None,
            recurrence_of: None,
            nature: None,
        };
        Command::new(HazardId(self.numbers.uuid7(now)), Action::Report(report))
    }

    /// Another command, as they follow a report: with the words of this row.
    pub fn follow_up(&mut self, row: &Row) -> Option<Command> {
        let now = self.later();
        let id = HazardId(self.numbers.uuid7(now.plus_millis(-90_000_000)));
        let action = match self.numbers.below(5) {
            0 => Action::Note(Note {
                text: row.measure.to_owned(),
            }),
            1 => Action::Confirm(confirmation(row, &mut self.numbers)?),
            2 => Action::SubmitRectification(submission(row, now)),
            3 => Action::Reinspect(reinspection(&mut self.numbers)),
            _ => Action::Close(closure()),
        };
        Some(Command::new(id, action))
    }

    /// It meets its server, by whose clock it is up to three seconds earlier or later; then up to a day passes.
    pub fn meets_server(&mut self) {
        self.drifts();
        let apart = i64::try_from(self.jitter.below(6_000)).unwrap_or_default() - 3_000;
        self.met = Some(Met {
            server_time: Timestamp::from_millis(self.now + apart),
            monotonic: Some(self.now - self.booted + self.drift),
            token: AnchorToken::from_slice(self.jitter.bytes32().get(..8).unwrap_or_default()),
        });
        self.now += i64::try_from(self.jitter.below(DAY)).unwrap_or_default();
        self.drifts();
    }

    /// It is switched off and on again.
    pub fn restarts(&mut self) {
        self.boot_id = InstallId(self.jitter.uuid4());
        self.booted = self.now - i64::try_from(self.jitter.below(DAY)).unwrap_or_default();
        self.drift = 0;
        if let Some(met) = &mut self.met {
            met.monotonic = None;
        }
    }

    /// The network sets the wall clock from time to time.
    fn drifts(&mut self) {
        self.drift += i64::try_from(self.jitter.below(400)).unwrap_or_default() - 200;
    }

    /// These commands, sealed and signed one by one, as one push.
    pub fn push(&mut self, commands: &[Command]) -> PushRequest {
        let mut sealed = Vec::with_capacity(commands.len());
        for command in commands {
            let met = self.met.as_mut();
            // The token is told once.
            let token = met.and_then(|met| met.token.take());
            let met = self.met.as_ref();
            let told = met.filter(|_| token.is_some());
            let made = ClockReading {
                wall: Timestamp::from_millis(self.now),
                monotonic_ms: Some(self.now - self.booted + self.drift),
                boot_id: Some(self.boot_id),
                server_anchor: met.map(|met| met.server_time),
                anchor_monotonic_ms: told.and_then(|met| met.monotonic),
                anchor_token: token,
            };
            let kind = command.action.kind();
            let payload = CommandPayload::pack(made, command);
            let envelope = seal(
                &self.key,
                self.install_id,
                self.seq,
                kind.as_str(),
                kind.version(),
                self.previous,
                payload,
            );
            self.previous = link_hash(self.install_id, &envelope);
            self.seq += 1;
            sealed.push(envelope);
        }
        PushRequest {
            protocol: 1,
            install_id: self.install_id,
            commands: sealed,
            settled: Vec::new(),
        }
    }
}
