//! Proof of time, as the hub in memory keeps and tells it.

use std::convert::Infallible;

use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{InstallId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_domain::time_proof::{ChainWitnessed, ClockCheck, TimeProof, WitnessedBy};

use super::tables::{Tables, record_of};
use crate::hub::anchors::breaks_chain;
use crate::hub::push_steps::Stated;
use crate::hub::push_witness::Witnessing;
use crate::hub::witnesses::{Standing, Statement, Statements, WEIGHED_AT_ONCE, weigh};
use crate::wire::{RecordKind, Scope, Witness};
use crate::witness::head_fits;

impl Statements for Tables {
    type Error = Infallible;

    fn wait_for(&mut self, _: InstallId) -> Result<(), Infallible> {
        Ok(())
    }

    fn statement(&mut self, by: SentCommand) -> Result<Option<Statement>, Infallible> {
        Ok(self.statements.get(&by).cloned())
    }

    fn broken_at(&mut self, install_id: InstallId) -> Result<Option<i64>, Infallible> {
        let install = self.installs.get(&install_id);
        let receipts = install.into_iter().flat_map(|install| &install.receipts);
        let mut broken = receipts.filter(|(_, stored)| breaks_chain(&stored.receipt.outcome));
        Ok(broken.next().map(|(seq, _)| *seq))
    }

    fn link(&mut self, command: SentCommand) -> Result<Option<(Digest, Timestamp)>, Infallible> {
        let install = self.installs.get(&command.install_id);
        let stored = install.and_then(|install| install.receipts.get(&command.seq));
        Ok(stored.map(|stored| (stored.link_hash, stored.receipt.received_at)))
    }

    fn open(
        &mut self,
        about: InstallId,
        up_to: i64,
        most: usize,
    ) -> Result<Vec<Statement>, Infallible> {
        let open = self.statements.values().filter(|statement| {
            let SentCommand { install_id, seq } = statement.about;
            statement.standing == Standing::Open && install_id == about && seq <= up_to
        });
        let mut open: Vec<Statement> = open.cloned().collect();
        open.sort_by_key(|statement| (std::cmp::Reverse(statement.about.seq), statement.by));
        open.truncate(most);
        Ok(open)
    }

    fn leading(&mut self, command: SentCommand) -> Result<Option<Statement>, Infallible> {
        Ok(self.witness_of(command).cloned())
    }

    fn made_by(
        &mut self,
        by: InstallId,
        up_to: i64,
        later_than: Timestamp,
        most: usize,
    ) -> Result<Vec<Statement>, Infallible> {
        let first = SentCommand {
            install_id: by,
            seq: i64::MIN,
        };
        let last = SentCommand {
            install_id: by,
            seq: up_to,
        };
        let made = self.statements.range(first..=last);
        let made = made.filter(|(_, statement)| statement.proven_at > later_than);
        Ok(made
            .map(|(_, statement)| statement.clone())
            .take(most)
            .collect())
    }

    fn outdo(&mut self, by: &Statement) -> Result<(), Infallible> {
        for statement in self.statements.values_mut() {
            if statement.standing == Standing::Leads
                && statement.about.install_id == by.about.install_id
                && statement.about.seq <= by.about.seq
                && statement.proven_at >= by.proven_at
            {
                statement.standing = Standing::Fits;
            }
        }
        Ok(())
    }

    fn keep(&mut self, statement: &Statement) -> Result<(), Infallible> {
        self.statements.insert(statement.by, statement.clone());
        Ok(())
    }
}

impl Tables {
    /// Of the leading statements that reach a command, the one that reaches least far.
    fn witness_of(&self, command: SentCommand) -> Option<&Statement> {
        let leading = self.statements.values().filter(|statement| {
            let SentCommand { install_id, seq } = statement.about;
            statement.standing == Standing::Leads
                && install_id == command.install_id
                && seq >= command.seq
        });
        leading.min_by_key(|statement| statement.about.seq)
    }

    /// Whether a statement of this install is to be weighed.
    pub(super) fn witnessing(&self, by: InstallId, said: &Witness) -> Witnessing {
        let about = self.installs.get(&said.install_id);
        let signed = about
            .is_some_and(|about| head_fits(&about.stream.public_key, said.install_id, &said.head));
        match signed && by != said.install_id {
            true => Witnessing::Counts,
            false => Witnessing::IsPassedOver,
        }
    }

    /// Weighs what a push has brought; its commands are stored.
    pub(super) fn weigh(&mut self, by: InstallId, last: i64, stated: &[Stated], now: Timestamp) {
        let made = stated.iter().map(|stated| Statement {
            by: SentCommand {
                install_id: by,
                seq: stated.seq,
            },
            about: SentCommand {
                install_id: stated.install_id,
                seq: stated.head.seq,
            },
            head: stated.head.head,
            received_at: now,
            proven_at: now,
            standing: Standing::Open,
        });
        let Ok(weighed) = weigh(self, (by, last), made.collect(), WEIGHED_AT_ONCE);
        for statement in weighed.leading {
            self.tell(&statement);
        }
    }

    /// Tells the owner of a chain that it was witnessed.
    fn tell(&mut self, statement: &Statement) {
        let owner = self.installs.get(&statement.about.install_id);
        let witness = self.installs.get(&statement.by.install_id);
        let (Some(owner), Some(witness)) = (owner, witness) else {
            return;
        };
        let person_id = owner.person_id;
        let told = ChainWitnessed {
            about: statement.about,
            by: WitnessedBy {
                install_id: statement.by.install_id,
                person_id: witness.person_id,
                seq: statement.by.seq,
                up_to_seq: statement.about.seq,
                at: statement.proven_at,
            },
            by_name: self
                .people
                .get(&witness.person_id)
                .map_or_else(String::new, |person| person.name.clone()),
        };
        let id = statement.by.witness_id();
        // What is told again is told of an earlier time.
        let version = statement
            .received_at
            .as_millis()
            .saturating_sub(statement.proven_at.as_millis())
            .saturating_add(1);
        if let Some(record) = record_of(RecordKind::ChainWitnessed, id, version, &told) {
            self.put(Scope::Person(person_id), record);
        }
    }

    /// When a command was made, and what proves it; `None`: it was not received.
    pub fn time_proof(&self, command: SentCommand) -> Option<TimeProof> {
        let install = self.installs.get(&command.install_id)?;
        let stored = install.receipts.get(&command.seq)?;
        let clocks = install.clocks.get(&command.seq).copied();
        let clocks = clocks.unwrap_or_default();
        let by = self.witness_of(command).map(|statement| WitnessedBy {
            install_id: statement.by.install_id,
            person_id: self
                .installs
                .get(&statement.by.install_id)
                .map_or(PersonId(uuid::Uuid::nil()), |install| install.person_id),
            seq: statement.by.seq,
            up_to_seq: statement.about.seq,
            at: statement.proven_at,
        });
        let received = TimeProof {
            not_before: clocks.not_before,
            clock: clocks.check,
            ..TimeProof::received(stored.receipt.received_at)
        };
        Some(received.with_witness(by))
    }

    /// What the clocks of a command are worth.
    pub fn clock_check(&self, command: SentCommand) -> Option<ClockCheck> {
        self.time_proof(command)?.clock
    }
}
