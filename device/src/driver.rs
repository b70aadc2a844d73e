//! Runs the engine: writes to the store, requests to the server, photos from their files.

use std::collections::BTreeSet;

use hazardloop_domain::command::{Action, ClockReading, Command};
use hazardloop_domain::ids::SubjectId;
use hazardloop_domain::refusal::Refusal;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::{
    ChoiceError, Engine, EngineConfig, Failure, Identity, LaneName, Notice, Output, Request,
    ResponseBody, Standing, StoreOp, Ticket,
};
use hazardloop_sync_protocol::wire::CoSignature;
use rand::Rng as _;

use crate::ambient::Ambient;
use crate::data_key::DataKey;
use crate::home::{DATABASE, HomeError, Profile};
use crate::photos::PhotoDir;
use crate::store::{Account, Store, StoreError};
use crate::transport::Transport;
use crate::vault::VaultError;
use crate::{revoked, sealing, session};

/// Most renewals of the tokens in one run: a server that refuses fresh tokens is not asked again.
const RENEWALS: usize = 2;
/// Most outputs of one run; an engine that goes on for longer is stopped, its work is kept.
pub const MOST_STEPS: usize = 1_000_000;

/// Why the device cannot work at all.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// Its directory.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// Its database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rules refuse the command as things stand on this device.
    #[error("{0}")]
    Refused(Refusal),
    /// Its data key stays locked.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The command could not be stored: it does not exist.
    #[error("the command could not be kept: {0}")]
    NotKept(String),
    /// What a person wants done about an earlier command cannot be.
    #[error(transparent)]
    Choice(ChoiceError),
}

impl From<ChoiceError> for DeviceError {
    fn from(error: ChoiceError) -> Self {
        match error {
            ChoiceError::Refused(refused) => Self::Refused(refused.0),
            other => Self::Choice(other),
        }
    }
}

/// One device, opened.
pub struct Device {
    /// Its directory.
    pub profile: Profile,
    /// Its account.
    pub account: Account,
    /// Its engine.
    pub engine: Engine,
    /// Its photos.
    pub photos: PhotoDir,
    /// The command that took no effect and whose place the next one takes.
    pub instead_of: Option<i64>,
    /// Is told every notice at once, while a run goes on.
    pub watch: Option<fn(&Notice)>,
    /// What unlocks all of it.
    pub key: DataKey,
    /// When it was opened: as of then it says which records are for its owner to see.
    pub opened_at: Timestamp,
    pub(crate) store: Store,
}

/// What a queued command got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queued {
    /// Its place in this install's stream.
    pub seq: i64,
    /// On which hazard.
    pub subject_id: SubjectId,
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunReport {
    /// Requests sent.
    pub requests: usize,
    /// Everything that was told.
    pub notices: Vec<Notice>,
    /// The failure that ended the run, if one did.
    pub failure: Option<Failure>,
}

impl RunReport {
    /// Commands that got their receipt in this run.
    pub fn settled(&self) -> Vec<i64> {
        let settled = self.notices.iter().filter_map(|notice| match notice {
            Notice::Settled { seq } => Some(*seq),
            _ => None,
        });
        settled.collect()
    }
}

impl Device {
    /// Opens an enrolled device and goes on from where it stopped, wherever that was.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub fn open(
        profile: Profile,
        key: DataKey,
        config: EngineConfig,
        ambient: &mut Ambient,
    ) -> Result<Self, DeviceError> {
        sealing::seal(&profile, &key, ambient.generator())?;
        let rng = ambient.generator();
        let mut store = Store::open(&profile.dir.join(DATABASE), &key, rng)?;
        let missing = || HomeError::NotEnrolled(profile.dir.clone());
        let (state, account) = store.load_all()?;
        let account = account.ok_or_else(missing)?;
        let photos = PhotoDir::open(&profile.dir, &key, ambient.generator())?;
        ambient.stir(&account.login, state.highest_seq());
        photos.sweep(&state.photos.keys().copied().collect::<BTreeSet<_>>());
        let signing = profile.key(account.install_id, &key)?;
        let identity = Identity {
            install_id: account.install_id,
            person_id: account.person.id,
            person: Some(account.person.clone()),
        };
        let engine = Engine::new(identity, signing, config, state, ambient.rng.next_u64());
        Ok(Self {
            profile,
            account,
            engine,
            photos,
            instead_of: None,
            watch: None,
            key,
            opened_at: ambient.clock.now(),
            store,
        })
    }

    /// Checks several commands on one subject before any of them is queued.
    ///
    /// # Errors
    /// [`DeviceError::Refused`].
    pub fn check(
        &self,
        ambient: &Ambient,
        subject_id: impl Into<SubjectId>,
        actions: &[Action],
    ) -> Result<(), DeviceError> {
        self.engine
            .check_commands(
                ambient.clock.now(),
                &reading(ambient),
                subject_id.into(),
                actions,
            )
            .map_err(|refused| DeviceError::Refused(refused.0))
    }

    /// Photos that have still to reach the server or to be confirmed by it.
    pub fn photos_awaited(&self) -> usize {
        let photos = self.engine.state().photos.values();
        photos.filter(|p| self.engine.photo_is_awaited(p)).count()
    }

    /// Queues a command; on return it is durable.
    ///
    /// # Errors
    /// [`DeviceError::Refused`], [`DeviceError::NotKept`].
    pub fn queue(
        &mut self,
        ambient: &Ambient,
        subject_id: impl Into<SubjectId>,
        action: Action,
    ) -> Result<Queued, DeviceError> {
        self.queue_signed(ambient, &Command::new(subject_id, action), &[])
    }

    /// Queues a command that others have signed too; on return it is durable.
    ///
    /// # Errors
    /// [`DeviceError::Refused`], [`DeviceError::NotKept`].
    pub fn queue_signed(
        &mut self,
        ambient: &Ambient,
        command: &Command,
        co_signatures: &[CoSignature],
    ) -> Result<Queued, DeviceError> {
        let (now, made) = (ambient.clock.now(), reading(ambient));
        let ticket = match self.instead_of.take() {
            None => self
                .engine
                .handle_signed_command(now, made, command, co_signatures)
                .map_err(|refused| DeviceError::Refused(refused.0))?,
            Some(seq) => {
                let engine = &mut self.engine;
                engine.handle_amended(now, made, seq, command, co_signatures)?
            }
        };
        self.stored(ambient, ticket)?.ok_or_else(|| {
            // Every command that is taken gets a sequence.
            DeviceError::NotKept(String::new())
        })
    }

    /// Waits for the store to have what was just taken.
    pub(crate) fn stored(
        &mut self,
        ambient: &Ambient,
        ticket: Ticket,
    ) -> Result<Option<Queued>, DeviceError> {
        let clock = &ambient.clock;
        let mut trouble = String::new();
        while let Some(output) = self.engine.poll_output_of(clock.now(), &[]) {
            match output {
                Output::Write { id, ops } => {
                    if let Err(error) = self.write(ambient, id, &ops) {
                        trouble = error.to_string();
                    }
                }
                Output::Notice(Notice::Queued {
                    ticket: own,
                    seq,
                    subject_id,
                }) if own == ticket => {
                    return Ok(Some(Queued { seq, subject_id }));
                }
                Output::Notice(Notice::ChoiceNoted { ticket: own }) if own == ticket => {
                    return Ok(None);
                }
                _ => {}
            }
        }
        Err(DeviceError::NotKept(trouble))
    }

    /// Stores what an input led to, without the server.
    ///
    /// # Errors
    /// [`DeviceError::NotKept`].
    pub fn keep(&mut self, ambient: &Ambient) -> Result<(), DeviceError> {
        while let Some(output) = self.engine.poll_output_of(ambient.clock.now(), &[]) {
            if let Output::Write { id, ops } = output {
                self.write(ambient, id, &ops)
                    .map_err(|error| DeviceError::NotKept(error.to_string()))?;
            }
        }
        Ok(())
    }

    fn write(&mut self, ambient: &Ambient, id: u64, ops: &[StoreOp]) -> Result<(), StoreError> {
        let outcome = self.store.apply(ops);
        match &outcome {
            Ok(()) => {
                self.engine.handle_stored(id);
                for op in ops {
                    if let StoreOp::DeletePhoto(sha256) = op {
                        self.photos.remove(sha256);
                    }
                }
            }
            Err(_) => self.engine.handle_store_failed(id, ambient.clock.now()),
        }
        outcome
    }

    /// Runs these lanes until nothing is left to do or a failure asks for more patience than
    /// `patience_ms`. The profile's store is released whenever the server or time is waited for.
    ///
    /// # Errors
    /// [`DeviceError`] when the device's own disk fails; the server's failures are in the report.
    pub fn run(
        &mut self,
        ambient: &Ambient,
        transport: &Transport,
        lanes: &[LaneName],
        patience_ms: i64,
    ) -> Result<RunReport, DeviceError> {
        let mut run = RunReport::default();
        let (mut patience, mut renewals) = (patience_ms, 0);
        for _ in 0..MOST_STEPS {
            let now = ambient.clock.now();
            match self.engine.poll_output_of(now, lanes) {
                Some(Output::Write { id, ops }) => self.write(ambient, id, &ops)?,
                Some(Output::Notice(notice)) => {
                    if notice == Notice::CredentialsNeeded && renewals < RENEWALS {
                        renewals += 1;
                        self.renew(transport, &mut run)?;
                    }
                    self.watch.iter().for_each(|watch| watch(&notice));
                    note(&mut run, notice);
                }
                Some(Output::Send { id, request }) => {
                    run.requests += 1;
                    self.send(ambient, transport, id, &request)?;
                }
                Some(Output::ReadPhoto {
                    id,
                    sha256,
                    offset,
                    len,
                }) => match self.photos.read(&sha256, offset, len) {
                    Ok(bytes) => self.engine.handle_photo_bytes(id, now, bytes),
                    Err(_) => self.engine.handle_photo_unreadable(id, now),
                },
                None => {
                    let Some(wait) = self.wait_for(ambient, lanes, &run, patience) else {
                        break;
                    };
                    patience = patience.saturating_sub(wait);
                    self.profile.away(|| ambient.clock.sleep_ms(wait))?;
                    self.catch_up()?;
                    run.failure = None;
                }
            }
        }
        Ok(run)
    }

    /// How long to wait before the next try; `None`: the run is over.
    fn wait_for(
        &self,
        ambient: &Ambient,
        lanes: &[LaneName],
        run: &RunReport,
        patience_ms: i64,
    ) -> Option<i64> {
        // Without a server, or with one that takes no more, nothing comes of waiting; that is the person's to decide.
        let unreachable = matches!(
            run.failure,
            None | Some(
                Failure::Offline
                    | Failure::NotOurs
                    | Failure::Unauthorized
                    | Failure::PayloadTooLarge { .. }
                    | Failure::UpgradeRequired { .. }
            )
        );
        if unreachable || lanes.is_empty() {
            return None;
        }
        let now = ambient.clock.now().as_millis();
        let wait = self
            .engine
            .next_wake()?
            .as_millis()
            .saturating_sub(now)
            .max(1);
        (wait <= patience_ms).then_some(wait)
    }

    /// What other processes queued while the store was released becomes this engine's too.
    fn catch_up(&mut self) -> Result<(), StoreError> {
        let known = self.engine.state().highest_seq().max(0);
        let (commands, photos) = self.store.queued_after(known)?;
        self.engine.handle_queued_elsewhere(commands, photos);
        Ok(())
    }

    fn send(
        &mut self,
        ambient: &Ambient,
        transport: &Transport,
        id: u64,
        request: &Request,
    ) -> Result<(), DeviceError> {
        let token = &self.account.access_token;
        let before = match request {
            Request::Push(push) => self.engine.before(push),
            _ => None,
        };
        let send = || transport.send_after(token, request, before.as_deref());
        let answer: Result<ResponseBody, Failure> = self.profile.away(send)?;
        self.catch_up()?;
        let now = ambient.clock.now();
        match answer {
            Ok(body) => {
                let clock = &ambient.clock;
                if let (Some(boot), Some(ms)) = (clock.boot_id(), clock.monotonic_ms()) {
                    self.engine.handle_monotonic(now, boot, ms);
                }
                self.engine.handle_response(id, now, body);
            }
            Err(failure) => self.engine.handle_failure(id, now, failure),
        }
        Ok(())
    }

    /// Renews the session; a failure to do so is told in `run`.
    pub(crate) fn renew(
        &mut self,
        transport: &Transport,
        run: &mut RunReport,
    ) -> Result<(), DeviceError> {
        let account = &self.account;
        let renewed = self.profile.away(|| session::refresh(transport, account))?;
        self.catch_up()?;
        match renewed {
            Ok(account) => {
                // Durable first: the old refresh token dies when the new one is first used.
                self.store.apply_with_account(&[], Some(&account))?;
                self.account = account;
                self.engine.handle_credentials_renewed();
            }
            // A device that was away for months has no session that would tell it.
            Err(Failure::Unauthorized) if revoked::is_revoked(self, transport)? => {
                run.failure = Some(Failure::Revoked);
            }
            Err(failure) => run.failure = Some(failure),
        }
        Ok(())
    }

    /// How many commands stand so.
    pub fn count(&self, standing: Standing) -> usize {
        let commands = self.engine.state().commands.values();
        commands
            .filter(|c| self.engine.standing(c) == standing)
            .count()
    }
}

pub(crate) fn reading(ambient: &Ambient) -> ClockReading {
    let clock = &ambient.clock;
    ClockReading {
        wall: clock.now(),
        monotonic_ms: clock.monotonic_ms(),
        boot_id: clock.boot_id(),
        server_anchor: None,
        anchor_monotonic_ms: None,
        anchor_token: None,
    }
}

fn note(run: &mut RunReport, notice: Notice) {
    match &notice {
        Notice::Retrying { failure, .. } => run.failure = Some(failure.clone()),
        Notice::Revoked => run.failure = Some(Failure::Revoked),
        Notice::UpgradeRequired { spoken } => {
            run.failure = Some(Failure::UpgradeRequired { spoken: *spoken });
        }
        _ => {}
    }
    run.notices.push(notice);
}
