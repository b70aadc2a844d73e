//! One push, sans-I/O: a batch of commands of one install, taken in one transaction of the hub's store.
//!
//! # Contract
//! [`Push::begin`] judges the whole batch against the install's stream: what to do with a command follows from
//! the stream alone, whatever becomes of the commands before it. Then the driver asks [`Push::step`] and answers,
//! until it is told [`PushStep::Done`]; a step that was not answered is stated again. The order:
//!
//! 1. [`PushStep::Expect`], at most once: what the commands to be decided on name, so that a store may read all
//!    of it at once.
//! 2. [`PushStep::Receipts`], at most once: the stored receipts of what was pushed before.
//! 3. For each new command, in the install's order: [`PushStep::Recall`] where it says that it takes another's place
//!    or gives it up and that one is not of this batch (also where it cannot be judged itself); [`PushStep::Witness`] where it is a statement about another
//!    install's chain; [`PushStep::Decide`], and where a refusal depends on it one of
//!    [`PushStep::FailedBeginning`], [`PushStep::Version`] and [`PushStep::WasResponsible`].
//! 4. [`PushStep::Store`], always: effects, receipts and how far the stream has come, in this one transaction.
//!    Nothing needs to be written before, and a refused command leaves nothing to undo.
//! 5. [`PushStep::Done`], and then [`Push::response`].
//!
//! A failure of the store ends the push and its transaction: the device pushes again. Everything else is an
//! outcome, and every outcome lets the next command through.

use std::collections::BTreeSet;
use std::vec;

use hazardloop_domain::command::Subject;
use hazardloop_domain::command_fate::Choice;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{PersonId, SubjectId};
use hazardloop_domain::refusal::Refusal;
use hazardloop_domain::time::Timestamp;

use super::outcome::{
    Decision, Question, Verdict, after_revocation, of_decision, of_failed_beginning,
    of_responsibility, of_version, settled_by_author,
};
use super::push_batch::{Judged, replays_of, spoken_of, subjects_of};
use super::push_choices::Choosing;
use super::push_steps::{New, PushStep, Stated, StoredReceipt, Writes};
use super::refused::OutOfStep;
use super::stream::{Judgement, StreamState, forks, judge_in_run};
use crate::chain::signed_by_run;
use crate::wire::{
    Envelope, Opened, Outcome, PROTOCOL_MAX, PushResponse, PushResult, Receipt, WireLimits, Witness,
};

#[derive(Debug)]
pub(super) enum Stage {
    Expecting,
    Loading,
    Recalling(Choosing),
    Witnessing(Box<Witness>),
    Deciding(Box<Opened>),
    Asking(Box<Opened>, Question, Refusal),
    Storing,
    Stored,
}

impl Stage {
    const fn asks_for(&self) -> &'static str {
        match self {
            Self::Expecting => "that subjects are expected",
            Self::Loading => "stored receipts",
            Self::Recalling(_) => "what became of a command",
            Self::Witnessing(_) => "whether a statement counts",
            Self::Deciding(_) => "a decision",
            Self::Asking(_, Question::FailedBeginning(_), _) => "a beginning that failed",
            Self::Asking(_, Question::Version(_), _) => "a version",
            Self::Asking(_, Question::Responsible(_), _) => "who was responsible",
            Self::Storing => "that all is stored",
            Self::Stored => "nothing more",
        }
    }
}

/// One push under way. See the module's contract.
#[derive(Debug)]
pub struct Push<'r> {
    author: PersonId,
    now: Timestamp,
    pub(super) before: i64,
    pub(super) stream: StreamState,
    subjects: Vec<Subject>,
    stored: Vec<StoredReceipt>,
    waiting: vec::IntoIter<Judged<'r>>,
    /// The command under way.
    pub(super) current: Option<(&'r Envelope, Digest)>,
    pub(super) results: Vec<PushResult>,
    expected: Option<i64>,
    pub(super) kept: Vec<New<'r>>,
    /// Beginnings in this batch that did not take effect.
    failed: Vec<(SubjectId, i64)>,
    replays: Option<(i64, i64)>,
    /// What the author chose to do about earlier commands, and by which of these.
    pub(super) choices: Vec<(Choice, i64)>,
    /// How far others' chains were, by which of these.
    pub(super) stated: Vec<Stated>,
    /// Most levels of a payload.
    pub(super) depth: usize,
    /// Nothing is decided on: see [`Self::begin_offered`].
    offered: bool,
    /// What their author has chosen about since: see [`Self::settled`].
    settled: BTreeSet<i64>,
    pub(super) stage: Stage,
}

impl<'r> Push<'r> {
    /// A batch that [`super::check_push`] lets pass, by the person whose stream this is.
    pub fn begin(
        stream: StreamState,
        author: PersonId,
        commands: &'r [Envelope],
        limits: &WireLimits,
        now: Timestamp,
    ) -> Self {
        Self::new(stream, author, commands, limits, now, false)
    }

    /// Of these, as their author says, it is chosen since what is to become of them: what was not judged before is not
    /// carried out. Their own choices about others count.
    #[must_use]
    pub fn settled(mut self, seqs: &[i64]) -> Self {
        self.settled = seqs.iter().copied().collect();
        self
    }

    /// What a revoked install had not sent: judged as a push is, but nothing of it is decided on. What could be
    /// carried out waits for a person. Its steps are [`PushStep::Receipts`] and [`PushStep::Store`] alone.
    pub fn begin_offered(
        stream: StreamState,
        author: PersonId,
        commands: &'r [Envelope],
        limits: &WireLimits,
        now: Timestamp,
    ) -> Self {
        Self::new(stream, author, commands, limits, now, true)
    }

    fn new(
        stream: StreamState,
        author: PersonId,
        commands: &'r [Envelope],
        limits: &WireLimits,
        now: Timestamp,
        offered: bool,
    ) -> Self {
        let before = stream.last_seq;
        let mut ahead = stream.clone();
        let mut judged: Vec<Judged<'r>> = Vec::with_capacity(commands.len());
        let mut expected = None;
        let run = signed_by_run(&stream.public_key, stream.install_id, commands);
        for envelope in commands {
            let newest = judged.last().filter(|_| !offered);
            if newest.is_some_and(|newest| forks(&stream, newest.link_hash, envelope)) {
                break;
            }
            let judgement = judge_in_run(&ahead, envelope, &run, limits);
            let link_hash = match judgement {
                Judgement::Gap(next) => {
                    expected = Some(next);
                    break;
                }
                Judgement::Replay(link_hash) => link_hash,
                _ => {
                    ahead.advance(envelope);
                    ahead.last_hash
                }
            };
            judged.push(Judged {
                envelope,
                link_hash,
                judgement,
            });
        }
        let replays = replays_of(&judged);
        let subjects = match offered {
            true => Vec::new(),
            false => subjects_of(&judged),
        };
        let mut push = Self {
            author,
            now,
            before,
            stream,
            subjects,
            stored: Vec::new(),
            results: Vec::with_capacity(judged.len()),
            waiting: judged.into_iter(),
            current: None,
            expected,
            kept: Vec::new(),
            failed: Vec::new(),
            replays,
            choices: Vec::new(),
            stated: Vec::new(),
            depth: limits.depth,
            offered,
            settled: BTreeSet::new(),
            stage: Stage::Expecting,
        };
        if push.subjects.is_empty() {
            push.after_expecting();
        }
        push
    }

    /// What to do next.
    pub fn step(&self) -> PushStep<'_> {
        match &self.stage {
            Stage::Expecting => PushStep::Expect(&self.subjects),
            Stage::Loading => {
                let (first, last) = self.replays.unwrap_or_default();
                PushStep::Receipts { first, last }
            }
            Stage::Recalling(choosing) => PushStep::Recall(choosing.choice().about),
            Stage::Witnessing(read) => PushStep::Witness(read),
            Stage::Deciding(opened) => PushStep::Decide {
                seq: self.current.map_or(0, |(envelope, _)| envelope.seq),
                opened,
                before: self.writes(),
            },
            Stage::Asking(_, Question::FailedBeginning(subject), _) => {
                PushStep::FailedBeginning(*subject)
            }
            Stage::Asking(_, Question::Version(subject), _) => PushStep::Version(*subject),
            Stage::Asking(_, Question::Responsible(asked), _) => PushStep::WasResponsible(asked),
            Stage::Storing => PushStep::Store(self.writes()),
            Stage::Stored => PushStep::Done,
        }
    }

    fn writes(&self) -> Writes<'_> {
        Writes {
            kept: &self.kept,
            results: &self.results,
            choices: &self.choices,
            stated: &self.stated,
            before: self.before,
            stream: &self.stream,
        }
    }

    /// Answers [`PushStep::Expect`].
    ///
    /// # Errors
    /// [`OutOfStep`] where it was not asked.
    pub fn handle_expected(&mut self) -> Result<(), OutOfStep> {
        match self.stage {
            Stage::Expecting => {
                self.after_expecting();
                Ok(())
            }
            _ => self.out_of_step("that subjects are expected"),
        }
    }

    /// Answers [`PushStep::Receipts`]. A receipt that is not there any more, or of another command, is a sequence
    /// that was used.
    ///
    /// # Errors
    /// [`OutOfStep`] where it was not asked.
    pub fn handle_receipts(&mut self, stored: Vec<StoredReceipt>) -> Result<(), OutOfStep> {
        match self.stage {
            Stage::Loading => {
                self.stored = stored;
                self.go_on();
                Ok(())
            }
            _ => self.out_of_step("stored receipts"),
        }
    }

    /// Answers [`PushStep::Decide`].
    ///
    /// # Errors
    /// [`OutOfStep`] where it was not asked.
    pub fn handle_decision(&mut self, decision: Decision) -> Result<(), OutOfStep> {
        match std::mem::replace(&mut self.stage, Stage::Stored) {
            Stage::Deciding(opened) => {
                match of_decision(decision, &opened, self.author) {
                    Verdict::Is(outcome) => self.settle(outcome, Some(&opened)),
                    Verdict::DependsOn(question, refusal) => {
                        self.stage = Stage::Asking(opened, question, refusal);
                    }
                }
                Ok(())
            }
            other => self.put_back(other, "a decision"),
        }
    }

    /// Answers [`PushStep::FailedBeginning`] from what is stored; the batch itself is looked at here.
    ///
    /// # Errors
    /// [`OutOfStep`] where it was not asked.
    pub fn handle_failed_beginning(&mut self, stored: Option<i64>) -> Result<(), OutOfStep> {
        match std::mem::replace(&mut self.stage, Stage::Stored) {
            Stage::Asking(opened, Question::FailedBeginning(subject), refusal) => {
                let mut here = self.failed.iter();
                let here = here.find(|(failed, _)| *failed == subject);
                let failed = stored.or(here.map(|(_, seq)| *seq));
                self.settle(of_failed_beginning(failed, refusal), Some(&opened));
                Ok(())
            }
            other => self.put_back(other, "a beginning that failed"),
        }
    }

    /// Answers [`PushStep::Version`].
    ///
    /// # Errors
    /// [`OutOfStep`] where it was not asked.
    pub fn handle_version(&mut self, current: Option<i64>) -> Result<(), OutOfStep> {
        match std::mem::replace(&mut self.stage, Stage::Stored) {
            Stage::Asking(opened, Question::Version(_), refusal) => {
                self.settle(of_version(current, refusal), Some(&opened));
                Ok(())
            }
            other => self.put_back(other, "a version"),
        }
    }

    /// Answers [`PushStep::WasResponsible`].
    ///
    /// # Errors
    /// [`OutOfStep`] where it was not asked.
    pub fn handle_was_responsible(&mut self, was: bool) -> Result<(), OutOfStep> {
        match std::mem::replace(&mut self.stage, Stage::Stored) {
            Stage::Asking(opened, Question::Responsible(asked), refusal) => {
                let outcome = of_responsibility(was, &asked, refusal, &opened.command);
                self.settle(outcome, Some(&opened));
                Ok(())
            }
            other => self.put_back(other, "who was responsible"),
        }
    }

    /// Answers [`PushStep::Store`].
    ///
    /// # Errors
    /// [`OutOfStep`] where it was not asked.
    pub fn handle_stored(&mut self) -> Result<(), OutOfStep> {
        match self.stage {
            Stage::Storing => {
                self.stage = Stage::Stored;
                Ok(())
            }
            _ => self.out_of_step("that all is stored"),
        }
    }

    /// The answer to the device, once [`PushStep::Done`] was stated.
    pub fn response(self, epoch: String, missing_photos: Vec<Digest>) -> PushResponse {
        PushResponse {
            protocol: PROTOCOL_MAX,
            epoch,
            server_time: self.now,
            last: self.stream.last_seq,
            results: self.results,
            expected: self.expected,
            missing_photos,
            anchor: None,
        }
    }

    fn after_expecting(&mut self) {
        if self.replays.is_some() {
            self.stage = Stage::Loading;
        } else {
            self.go_on();
        }
    }

    /// Up to the next command that the rules have to decide on.
    pub(super) fn go_on(&mut self) {
        while let Some(judged) = self.waiting.next() {
            let envelope = judged.envelope;
            match judged.judgement {
                Judgement::Replay(link_hash) => {
                    let result = self.replayed(envelope, link_hash);
                    self.results.push(result);
                }
                Judgement::Quarantine(reason, detail) => {
                    self.current = Some((envelope, judged.link_hash));
                    let said = self
                        .said_unjudged(envelope, reason)
                        .filter(|_| !self.offered);
                    let outcome = Outcome::Quarantined { reason, detail };
                    if self.keep_unjudged(outcome, None, said) {
                        return;
                    }
                }
                Judgement::GiveUp(read) if self.offered => {
                    self.current = Some((envelope, judged.link_hash));
                    self.keep(after_revocation(), Some((read.subject_id, false)));
                }
                Judgement::Execute(opened) if self.offered => {
                    self.current = Some((envelope, judged.link_hash));
                    self.keep(after_revocation(), Some(spoken_of(&opened)));
                }
                Judgement::Witness(read) if self.offered => {
                    self.current = Some((envelope, judged.link_hash));
                    let about = SubjectId(read.install_id.0);
                    self.keep(after_revocation(), Some((about, false)));
                }
                Judgement::Witness(read) => {
                    self.current = Some((envelope, judged.link_hash));
                    self.stage = Stage::Witnessing(read);
                    return;
                }
                Judgement::GiveUp(read) => {
                    self.current = Some((envelope, judged.link_hash));
                    let choosing = Choosing::GiveUp(read);
                    match self.recalled_here(choosing.choice().about) {
                        Some(outcome) => self.give_up(choosing, outcome.as_ref()),
                        None => {
                            self.stage = Stage::Recalling(choosing);
                            return;
                        }
                    }
                }
                Judgement::Execute(opened) if self.settled.contains(&envelope.seq) => {
                    self.current = Some((envelope, judged.link_hash));
                    let spoken = Some(spoken_of(&opened));
                    if self.keep_unjudged(settled_by_author(), spoken, opened.choice) {
                        return;
                    }
                }
                Judgement::Execute(opened) => {
                    self.current = Some((envelope, judged.link_hash));
                    self.before_deciding(opened);
                    return;
                }
                // Never kept as judged: the batch breaks off there.
                Judgement::Gap(_) => {}
            }
        }
        self.stage = Stage::Storing;
    }

    fn replayed(&self, envelope: &Envelope, link_hash: Digest) -> PushResult {
        let seq = envelope.seq;
        let stored = self.stored.iter().find(|stored| stored.receipt.seq == seq);
        match stored.filter(|stored| stored.is_of(envelope, link_hash)) {
            Some(stored) => PushResult::Receipt(stored.receipt.clone()),
            None => PushResult::IdReused { seq },
        }
    }

    fn settle(&mut self, outcome: Outcome, opened: Option<&Opened>) {
        self.keep(outcome, opened.map(spoken_of));
        self.go_on();
    }

    /// A receipt for the command under way, and the stream one further.
    /// `spoken`: what the command speaks of, where that could be read, and whether it begins that.
    pub(super) fn keep(&mut self, outcome: Outcome, spoken: Option<(SubjectId, bool)>) {
        let Some((envelope, link_hash)) = self.current.take() else {
            return;
        };
        let (subject, begins) = (
            spoken.map(|(id, _)| id),
            spoken.is_some_and(|(_, begins)| begins),
        );
        if let Some(subject) = subject
            && begins
            && !matches!(outcome, Outcome::Applied { .. })
        {
            self.failed.push((subject, envelope.seq));
        }
        self.kept.push(New {
            envelope,
            link_hash,
            subject,
            begins,
            result: self.results.len(),
        });
        self.results.push(PushResult::Receipt(Receipt {
            seq: envelope.seq,
            received_at: self.now,
            outcome,
        }));
        (self.stream.last_seq, self.stream.last_hash) = (envelope.seq, link_hash);
    }

    pub(super) fn out_of_step(&self, given: &'static str) -> Result<(), OutOfStep> {
        let asked = self.stage.asks_for();
        Err(OutOfStep { asked, given })
    }

    pub(super) fn put_back(&mut self, stage: Stage, given: &'static str) -> Result<(), OutOfStep> {
        self.stage = stage;
        self.out_of_step(given)
    }
}
