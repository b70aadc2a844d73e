//! A whole hub in memory: the smallest complete store behind the two machines of the hub half.
//!
//! It is the shortest answer to what a store has to do: keep installs, receipts, records and feed rows
//! ([`Tables`]), and drive [`Push`] and [`Pull`] over them. Tests of the device half and the simulator run against
//! it, and the conformance suite holds the server's databases against it. Time comes in; nothing is durable, and
//! photos, which have a lane of their own, are not its business.
//!
//! The rules are the domain's ([`DomainRules`]). A simulator that wants a hub broken in a known way, or a test that
//! wants another world, puts [`Rules`] of its own in their place, or alters [`MemoryHub::tables`] and the answers.

mod choices;
mod mergers;
mod offers;
mod rows;
mod rules;
mod tables;
mod witnesses;

use std::collections::BTreeSet;

use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::ids::{InstallId, PersonId};
use hazardloop_domain::time::Timestamp;

use super::Became;
use super::anchors::{AnchorKey, follow_clocks};
use super::outcome::{Decision, Responsibility};
use super::pull::Pull;
use super::pull_steps::{PullStep, Reader};
use super::push::Push;
use super::push_steps::{PushStep, Writes};
use super::refused::{OutOfStep, RequestRefused, check_pull, check_push};
use crate::digest::DigestKey;
use crate::wire::{
    Checkpoint, Opened, PullRequest, PullResponse, PushRequest, PushResponse, Scope, WireLimits,
};

pub use rows::{FeedRow, ScopeRows, Window};
pub use rules::{Author, DomainRules, decided};
pub use tables::{Install, Place, Tables, record_of};

/// Who sends a command, by which door, and when it is received.
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    /// Who.
    pub person_id: PersonId,
    /// From which install.
    pub install_id: InstallId,
    /// As which of its commands.
    pub seq: i64,
    /// When.
    pub now: Timestamp,
}

/// What a hub in memory asks beside what its tables hold.
pub trait Rules {
    /// Decides on one command. What takes effect is in the tables afterwards; what does not has left nothing there.
    fn decide(&mut self, tables: &mut Tables, sender: &Sender, opened: &Opened) -> Decision;

    /// The scopes that a person may hold now.
    fn granted(&self, tables: &Tables, person_id: PersonId, now: Timestamp) -> BTreeSet<Scope> {
        tables.granted(person_id, now)
    }

    /// What became of an earlier command of a person.
    fn what_became(
        &self,
        tables: &Tables,
        person_id: PersonId,
        about: SentCommand,
    ) -> Option<Became> {
        tables.what_became(person_id, about)
    }

    /// Whether a person was responsible for a subject once.
    fn was_responsible(&self, tables: &Tables, asked: &Responsibility, now: Timestamp) -> bool {
        tables.was_responsible(asked, now)
    }
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnswered {
    /// The request as a whole.
    #[error(transparent)]
    Refused(#[from] RequestRefused),
    /// No such install, or none of this person's.
    #[error("device not found")]
    UnknownInstall,
    /// The install was revoked.
    #[error("this device was revoked")]
    Revoked,
    /// The install offers, and was not revoked: it pushes.
    #[error("this device is not revoked")]
    NotRevoked,
    /// This driver is at fault.
    #[error(transparent)]
    OutOfStep(#[from] OutOfStep),
}

/// How many commands are kept of a revoked install where nothing else is said.
const OFFERED_COMMANDS: usize = 1_000;

/// See the top of this file.
#[derive(Clone, Debug)]
pub struct MemoryHub<R = DomainRules> {
    /// All that it stores.
    pub tables: Tables,
    /// How large messages may be.
    pub limits: WireLimits,
    /// How many commands it keeps of a revoked install.
    pub offered_commands: usize,
    /// Its epoch: another one whenever its tables are set back.
    pub epoch: String,
    /// Key of the record digests of this epoch.
    pub key: DigestKey,
    /// Key of the anchors that it gives out.
    pub anchors: AnchorKey,
    /// By what it decides.
    pub rules: R,
}

impl<R: Rules> MemoryHub<R> {
    /// An empty hub.
    pub fn new(epoch: &str, key: DigestKey, rules: R) -> Self {
        Self {
            tables: Tables::default(),
            limits: WireLimits::default(),
            offered_commands: OFFERED_COMMANDS,
            epoch: epoch.to_owned(),
            key,
            anchors: AnchorKey([0x41; 32]),
            rules,
        }
    }

    /// What a scope holds and adds up to, counted anew.
    pub fn sum(&self, scope: Scope) -> Checkpoint {
        self.tables.sum(&self.key, scope)
    }

    /// The scopes that a person may hold now.
    pub fn granted(&self, person_id: PersonId, now: Timestamp) -> BTreeSet<Scope> {
        self.rules.granted(&self.tables, person_id, now)
    }

    /// Takes a push by `person_id`.
    ///
    /// # Errors
    /// [`NotAnswered`]: nothing was taken.
    pub fn push(
        &mut self,
        person_id: PersonId,
        request: &PushRequest,
        now: Timestamp,
    ) -> Result<PushResponse, NotAnswered> {
        check_push(request, &self.limits)?;
        let install = self.own_install(request.install_id, person_id)?;
        let stream = install.stream.clone();
        let mut push = Push::begin(stream, person_id, &request.commands, &self.limits, now)
            .settled(&request.settled);
        let install_id = request.install_id;
        loop {
            match push.step() {
                // All is in memory already.
                PushStep::Expect(_) => push.handle_expected()?,
                PushStep::Receipts { first, last } => {
                    let stored = self.tables.receipts(install_id, first, last);
                    push.handle_receipts(stored)?;
                }
                PushStep::Recall(about) => {
                    let became = self.rules.what_became(&self.tables, person_id, about);
                    push.handle_recalled(became.as_ref())?;
                }
                PushStep::Witness(said) => {
                    let what = self.tables.witnessing(install_id, said);
                    push.handle_witness(what)?;
                }
                PushStep::Decide { seq, opened, .. } => {
                    let sender = Sender {
                        person_id,
                        install_id,
                        seq,
                        now,
                    };
                    let decision = self.rules.decide(&mut self.tables, &sender, opened);
                    push.handle_decision(decision)?;
                }
                PushStep::FailedBeginning(subject) => {
                    let failed = self.tables.failed_beginning(install_id, subject);
                    push.handle_failed_beginning(failed)?;
                }
                PushStep::Version(subject) => {
                    let version = self.tables.version(subject);
                    push.handle_version(version)?;
                }
                PushStep::WasResponsible(asked) => {
                    let was = self.rules.was_responsible(&self.tables, asked, now);
                    push.handle_was_responsible(was)?;
                }
                PushStep::Store(writes) => {
                    let (key, depth) = (&self.anchors, self.limits.depth);
                    keep(&mut self.tables, install_id, &writes, key, depth);
                    store(&mut self.tables, (person_id, install_id), &writes, now);
                    push.handle_stored()?;
                }
                PushStep::Done => {
                    let mut answer = push.response(self.epoch.clone(), Vec::new());
                    answer.anchor = self.anchors.token(now);
                    return Ok(answer);
                }
            }
        }
    }

    /// Answers a pull by `person_id`.
    ///
    /// # Errors
    /// [`NotAnswered`].
    pub fn pull(
        &self,
        person_id: PersonId,
        request: &PullRequest,
        now: Timestamp,
    ) -> Result<PullResponse, NotAnswered> {
        check_pull(request, &self.limits)?;
        let install = self.own_install(request.install_id, person_id)?;
        let last = install.stream.last_seq;
        let reader = Reader {
            granted: self.granted(person_id, now),
            epoch: &self.epoch,
            // One writer: what is visible is safe to deliver.
            reached: self.tables.last,
            unreached: self.tables.unreached(),
            limits: &self.limits,
        };
        let mut pull = Pull::begin(request, reader);
        loop {
            match pull.step() {
                PullStep::Changes { scope, after, most } => {
                    let (floor, changes) = self.tables.changes(scope, after, most);
                    pull.handle_changes(floor, changes)?;
                }
                PullStep::First {
                    scope,
                    upto,
                    after,
                    most,
                } => {
                    let rows = self.tables.first(scope, upto, after, most);
                    pull.handle_first(rows)?;
                }
                PullStep::Bodies { scope, changes } => {
                    let bodies = self.tables.bodies(scope, changes);
                    pull.handle_bodies(bodies)?;
                }
                // One writer: what is visible is safe to deliver.
                PullStep::Sum(scope) => {
                    if let Some(window) = self.tables.window_of(scope) {
                        pull.handle_window(window)?;
                    }
                    pull.handle_sum(Some(self.sum(scope)))?;
                }
                PullStep::Done => {
                    let mut answer = pull.response(&self.key, now, last, Vec::new());
                    answer.anchor = self.anchors.token(now);
                    return Ok(answer);
                }
            }
        }
    }

    fn own_install(
        &self,
        install_id: InstallId,
        person_id: PersonId,
    ) -> Result<&Install, NotAnswered> {
        let install = self.tables.installs.get(&install_id);
        let own = install.filter(|install| install.person_id == person_id);
        let install = own.ok_or(NotAnswered::UnknownInstall)?;
        match install.revoked {
            true => Err(NotAnswered::Revoked),
            false => Ok(install),
        }
    }
}

/// Keeps the receipts of a push, with what the clocks of each command are worth.
fn keep(
    tables: &mut Tables,
    install_id: InstallId,
    writes: &Writes<'_>,
    key: &AnchorKey,
    depth: usize,
) {
    let Some(install) = tables.installs.get_mut(&install_id) else {
        return;
    };
    for kept in writes.commands() {
        let facts = follow_clocks(key, &mut install.anchored, &kept, depth);
        install.clocks.insert(kept.envelope.seq, facts);
        install.keep(&kept);
    }
}

/// Keeps how far the stream of a push has come, and what it says of earlier commands and of others' chains.
fn store(
    tables: &mut Tables,
    (author, install_id): (PersonId, InstallId),
    writes: &Writes<'_>,
    now: Timestamp,
) {
    let Some(install) = tables.installs.get_mut(&install_id) else {
        return;
    };
    if writes.advances() {
        install.stream = writes.stream.clone();
    }
    for (choice, seq) in writes.choices {
        let by = SentCommand {
            install_id,
            seq: *seq,
        };
        tables.note(author, choice, by, now);
    }
    tables.weigh(install_id, writes.stream.last_seq, writes.stated, now);
}
