//! A hub under test, and a phone that holds what the hub tells it.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;
use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::command::{Action, ClockReading, Command};
use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{EnterpriseId, HazardId, InstallId, JurisdictionId, KeyId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_domain::time_proof::TimeProof;
use uuid::Uuid;

use crate::chain::{link_hash, seal};
use crate::cosign::Statement;
use crate::digest::DigestKey;
use crate::wire::{
    Bytes, Checkpoint, ClosedWindow, CoSignature, CommandPayload, Envelope, OfferRequest,
    OfferResponse, PROTOCOL_MAX, Page, PullRequest, PullResponse, PushRequest, PushResponse,
    PushResult, Record, RecordKind, Scope, ScopeCursor, ScopeUpdate, WITNESS_KIND, WITNESS_VERSION,
    Witness,
};
use crate::witness::ChainHead;

/// Why a hub does not answer, as far as every hub says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// No such install, or none of this person's; an offer that its key did not sign.
    UnknownDevice,
    /// The install was revoked.
    Revoked,
    /// It offers, and was not revoked.
    NotRevoked,
    /// Too many or too large.
    TooLarge,
    /// The request is none.
    Invalid,
    /// A protocol version that it does not speak.
    UpgradeRequired,
    /// Anything else, which no case expects.
    Other,
}

/// The sector that most enterprises of the cases are of.
pub const TRADE: &str = "工贸";

/// A hub over some store, new and empty, and what a case needs to set its scene.
pub trait HubUnderTest {
    /// The time until it is set: when everything else happens.
    fn now(&self) -> Timestamp;
    /// Sets the hub's clock.
    fn set_now(&mut self, now: Timestamp);
    /// A town, beside all others.
    fn add_town(&mut self, id: JurisdictionId);
    /// An enterprise in a town, of a sector.
    fn add_enterprise_of(&mut self, sector: &str, id: EnterpriseId, town: JurisdictionId);
    /// An enterprise of the sector that most are of.
    fn add_enterprise(&mut self, id: EnterpriseId, town: JurisdictionId) {
        self.add_enterprise_of(TRADE, id, town);
    }
    /// A person with one role, for ever, within some sectors (none: within all); inspectors with a certificate of their
    /// own.
    fn add_person_for(&mut self, sectors: &[&str], id: PersonId, role: Role, over: GrantScope);
    /// A person with one role, for ever.
    fn add_person(&mut self, id: PersonId, role: Role, over: GrantScope) {
        self.add_person_for(&[], id, role, over);
    }
    /// That role ends now.
    fn end_role(&mut self, id: PersonId);
    /// An enterprise moves to another town.
    fn move_enterprise(&mut self, id: EnterpriseId, to: JurisdictionId);
    /// Which closed records it gives out, in every scope alike: of some days, and of bytes for a few of a worker's
    /// hazards.
    fn window(&self) -> ClosedWindow;
    /// Has it bring all scopes to what the window says now, as it does by itself from time to time.
    fn keep_windows(&mut self);
    /// Time passes, and it forgets what scopes held once and hold no longer, as it does by itself in the end.
    fn forget_removals(&mut self);
    /// A device is enrolled.
    fn enrol(&mut self, install_id: InstallId, person_id: PersonId, public_key: Vec<u8>);
    /// A device is revoked.
    fn revoke(&mut self, install_id: InstallId);
    /// When a command that was received was made, and what proves it, without what its device claims.
    fn time_proof(&mut self, command: SentCommand) -> TimeProof;
    /// A push by a person.
    ///
    /// # Errors
    /// [`NoAnswer`].
    fn push(&mut self, by: PersonId, request: PushRequest) -> Result<PushResponse, NoAnswer>;
    /// A pull by a person.
    ///
    /// # Errors
    /// [`NoAnswer`].
    fn pull(&mut self, by: PersonId, request: PullRequest) -> Result<PullResponse, NoAnswer>;
    /// An offer of a revoked device.
    ///
    /// # Errors
    /// [`NoAnswer`].
    fn offer(&mut self, request: OfferRequest) -> Result<OfferResponse, NoAnswer>;
}

/// A new hazard id, the same for the same number.
pub fn hazard_id(number: u8) -> HazardId {
    HazardId(id_of(1, number))
}

/// A UUIDv7 of a family and a number.
pub(super) fn id_of(family: u8, number: u8) -> Uuid {
    let random = [0xc0, 0, 0, 0, 0, 0, 0, 0, family, number];
    uuid::Builder::from_unix_timestamp_millis(1_795_309_200_000, &random).into_uuid()
}

/// What a phone holds of one scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// How far it got.
    pub cursor: Option<Bytes>,
    /// What the hub says that it holds, where it is complete.
    pub checkpoint: Option<Checkpoint>,
    /// What it holds.
    pub rows: BTreeMap<(RecordKind, Uuid), Record>,
}

/// A phone without storage: a queue to be sealed, and a replica that believes nothing it cannot add up.
pub struct Phone {
    /// Whose.
    pub person_id: PersonId,
    /// Which.
    pub install_id: InstallId,
    /// By scope.
    pub scopes: BTreeMap<Scope, Held>,
    /// The hub's epoch, once it is known.
    pub epoch: Option<String>,
    /// Why scopes began anew, in the order in which they did.
    pub resets: Vec<(Scope, crate::wire::ResetReason)>,
    /// What it was told of the scopes' windows.
    pub windows: BTreeMap<Scope, ClosedWindow>,
    digest_key: Option<DigestKey>,
    key: SigningKey,
    seq: i64,
    last: Digest,
    made_at: Timestamp,
}

impl Phone {
    /// A phone of this number, enrolled.
    pub fn enrolled(hub: &mut dyn HubUnderTest, number: u8, person_id: PersonId) -> Self {
        let phone = Self::new(number, person_id, hub.now());
        let public = phone.key.verifying_key().to_bytes().to_vec();
        hub.enrol(phone.install_id, person_id, public);
        phone
    }

    /// A phone that nobody enrolled; under a number that another has, that one after it was set back.
    pub fn new(number: u8, person_id: PersonId, made_at: Timestamp) -> Self {
        Self {
            person_id,
            install_id: InstallId(id_of(2, number)),
            scopes: BTreeMap::new(),
            epoch: None,
            resets: Vec::new(),
            windows: BTreeMap::new(),
            digest_key: None,
            key: SigningKey::from_bytes(&[number; 32]),
            seq: 0,
            last: Digest::ZERO,
            made_at,
        }
    }

    pub(super) fn clocks(&self) -> ClockReading {
        ClockReading {
            wall: self.made_at,
            monotonic_ms: None,
            boot_id: None,
            server_anchor: None,
            anchor_monotonic_ms: None,
            anchor_token: None,
        }
    }

    /// What it offers once it is revoked.
    pub fn offer(&self, commands: Vec<Envelope>) -> OfferRequest {
        OfferRequest::sign(
            &self.key,
            PROTOCOL_MAX,
            self.install_id,
            commands,
            Vec::new(),
        )
    }

    /// Seals one command on a hazard.
    pub fn seal(&mut self, id: HazardId, action: Action) -> Envelope {
        let kind = action.kind();
        let payload = CommandPayload::pack(self.clocks(), &Command::new(id, action));
        self.seal_raw(kind.as_str(), kind.version(), payload)
    }

    /// Seals one command on a hazard that others have signed too.
    pub(super) fn seal_signed(
        &mut self,
        id: HazardId,
        action: Action,
        by: &[CoSignature],
    ) -> Envelope {
        let kind = action.kind();
        let payload = CommandPayload::pack_signed(self.clocks(), &Command::new(id, action), by);
        self.seal_raw(kind.as_str(), kind.version(), payload)
    }

    /// Its owner's signature, by its key, under what somebody else does.
    pub(super) fn co_sign(&self, id: HazardId, action: &Action) -> CoSignature {
        let statement = Statement::of(&Command::new(id, action.clone()));
        let key_id = KeyId(self.install_id.0);
        statement.sign(&self.key, self.person_id, key_id, self.made_at)
    }

    /// Seals bytes of any kind.
    pub fn seal_raw(&mut self, kind: &str, version: u16, payload: Vec<u8>) -> Envelope {
        self.seq += 1;
        let envelope = seal(
            &self.key,
            self.install_id,
            self.seq,
            kind,
            version,
            self.last,
            payload,
        );
        self.last = link_hash(self.install_id, &envelope);
        envelope
    }

    /// How far its chain is, as it shows it.
    pub fn head(&self) -> ChainHead {
        ChainHead::sign(&self.key, self.install_id, self.seq, self.last)
    }

    /// Seals that it has seen how far another chain is.
    pub fn seal_witness(&mut self, shown: &ChainHead) -> Envelope {
        let payload = Witness {
            made: self.clocks(),
            install_id: shown.install_id,
            head: shown.head.clone(),
        }
        .pack();
        self.seal_raw(WITNESS_KIND, WITNESS_VERSION, payload)
    }

    /// Its command of this place.
    pub fn sent(&self, seq: i64) -> SentCommand {
        SentCommand {
            install_id: self.install_id,
            seq,
        }
    }

    /// Pushes these commands.
    pub fn try_push(
        &self,
        hub: &mut dyn HubUnderTest,
        commands: Vec<Envelope>,
    ) -> Result<PushResponse, NoAnswer> {
        let request = PushRequest {
            protocol: PROTOCOL_MAX,
            install_id: self.install_id,
            commands,
            settled: Vec::new(),
        };
        hub.push(self.person_id, request)
    }

    /// Pushes these commands, which the hub takes.
    pub fn push(&self, hub: &mut dyn HubUnderTest, commands: Vec<Envelope>) -> PushResponse {
        self.try_push(hub, commands).unwrap()
    }

    /// What it would ask now.
    pub fn request(&self, max_records: Option<u32>) -> PullRequest {
        let held = self.scopes.iter().map(|(scope, held)| ScopeCursor {
            scope: *scope,
            cursor: held.cursor.clone(),
            checkpoint: held.checkpoint,
        });
        PullRequest {
            protocol: PROTOCOL_MAX,
            install_id: self.install_id,
            epoch: self.epoch.clone(),
            scopes: held.collect(),
            max_records,
        }
    }

    /// Pulls once, and says whether the hub has more.
    pub fn pull_once(&mut self, hub: &mut dyn HubUnderTest, max_records: Option<u32>) -> bool {
        let answer = hub.pull(self.person_id, self.request(max_records)).unwrap();
        self.take(answer)
    }

    /// Takes an answer: every page whose checkpoint is told has to add up to it.
    pub fn take(&mut self, answer: PullResponse) -> bool {
        self.epoch = Some(answer.epoch);
        if let Some(key) = answer.digest_key {
            self.digest_key = DigestKey::from_slice(&key.0);
        }
        for answer in answer.answers {
            match answer.update {
                ScopeUpdate::Drop { .. } => drop(self.scopes.remove(&answer.scope)),
                ScopeUpdate::Page(page) => self.take_page(answer.scope, page),
            }
        }
        answer.more
    }

    fn take_page(&mut self, scope: Scope, page: Page) {
        let held = self.scopes.entry(scope).or_default();
        if let Some(reason) = page.reset {
            held.rows.clear();
            self.resets.push((scope, reason));
        }
        for record in page.records {
            held.rows.insert((record.kind, record.id), record);
        }
        for key in page.removals {
            held.rows.remove(&(key.kind, key.id));
        }
        held.cursor = Some(page.cursor);
        held.checkpoint = page.checkpoint;
        let told = page.extent.and_then(|extent| extent.window);
        self.windows.extend(told.map(|window| (scope, window)));
        let key = self.digest_key.expect("the key comes before the first sum");
        if let Some(told) = page.checkpoint {
            let own = held.rows.values().fold(Checkpoint::EMPTY, |sum, record| {
                let body = &record.body.0;
                sum.with(key.of_record(record.kind, &record.id, record.version, body))
            });
            assert_eq!(told, own, "{scope} does not add up to what it holds");
        }
    }

    /// Pulls until every scope is complete and `there` holds. On PostgreSQL a change is delivered once no older
    /// transaction of the whole cluster is open, so that it may take a few pulls.
    pub fn pull_until(&mut self, hub: &mut dyn HubUnderTest, there: impl Fn(&Self) -> bool) {
        self.pull_pages_until(hub, None, there);
    }

    /// The same with at most so many records an answer.
    pub fn pull_pages_until(
        &mut self,
        hub: &mut dyn HubUnderTest,
        max_records: Option<u32>,
        there: impl Fn(&Self) -> bool,
    ) {
        for _ in 0..10_000 {
            let more = self.pull_once(hub, max_records);
            let complete = |held: &Held| held.checkpoint.is_some();
            if !more && self.scopes.values().all(complete) && there(self) {
                return;
            }
        }
        panic!("not there after 10,000 pulls: {:?}", self.hazards());
    }

    /// The hazards of a scope, each with its version.
    pub fn hazards_in(&self, scope: Scope) -> BTreeMap<HazardId, i64> {
        let held = self.scopes.get(&scope).into_iter();
        let rows = held.flat_map(|held| held.rows.values());
        let hazards = rows.filter(|record| record.kind == RecordKind::Hazard);
        hazards
            .map(|record| (HazardId(record.id), record.version))
            .collect()
    }

    /// All hazards that it holds, in whichever scope.
    pub fn hazards(&self) -> BTreeSet<HazardId> {
        let scopes = self.scopes.keys();
        let all = scopes.flat_map(|scope| self.hazards_in(*scope).into_keys());
        all.collect()
    }
}

/// The names of the outcomes.
pub fn outcomes(response: &PushResponse) -> Vec<&'static str> {
    let results = response.results.iter();
    let names = results.map(|result| match result {
        PushResult::Receipt(receipt) => receipt.outcome.name(),
        PushResult::IdReused { .. } => "id_reused",
    });
    names.collect()
}
