//! Witness statements, as a hub weighs them.
//!
//! Device B says, in a command of its own chain: the chain of A was H at place n. The hub receives that at T. Once it
//! has A's chain, and its hash at n is H, all of A's commands up to n were there at T: no other commands have that
//! hash. Who B is, and whether it is honest, does not matter; neither does A's clock. Where B's own command was
//! witnessed by C at an earlier time, that time counts.
//!
//! That holds as far down as each command names the hash of the one before. A device may send a command that does not:
//! it is kept, as not of its chain, and others go on from it. Of what lies before such a break, a hash behind it says
//! nothing, so statements that reach a break prove nothing (see [`Statements::broken_at`]).
//!
//! What is kept are the statements. Which of them proves most about a command is found along one index: of the
//! statements about one chain only those *lead* that no other one outdoes, by reaching as far and proving an
//! earlier time. Of these, the first that reaches a command is the best there is about it.

use std::collections::{BTreeSet, VecDeque};

use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::InstallId;
use hazardloop_domain::time::Timestamp;

/// Statements that one push may have looked at, its own and those that follow from it, where nothing else is said. Honest
/// devices never come near it, and work for others must end; what is left over is weighed later ([`weigh_more`]).
pub const WEIGHED_AT_ONCE: usize = 1_000;

/// How a statement stands against the chain that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// That chain has not come so far.
    Open,
    /// It fits, and proves more about some command than any other statement.
    Leads,
    /// It fits; others, or the receipts themselves, prove as much.
    Fits,
    /// The chain has another hash there: its device had two chains, or gave up the one that it had shown.
    Differs,
}

impl Standing {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Leads => "leads",
            Self::Fits => "fits",
            Self::Differs => "differs",
        }
    }

    /// The one with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Open, Self::Leads, Self::Fits, Self::Differs]
            .into_iter()
            .find(|standing| standing.as_str() == name)
    }
}

/// A statement, with what it is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The command that makes it.
    pub by: SentCommand,
    /// Up to which command of which chain.
    pub about: SentCommand,
    /// The hash there.
    pub head: Digest,
    /// When the hub received it.
    pub received_at: Timestamp,
    /// When it was there, for certain: then, or earlier where it was witnessed itself.
    pub proven_at: Timestamp,
    /// How it stands.
    pub standing: Standing,
}

/// What the weighing asks of a store. All within the transaction of the push.
pub trait Statements {
    /// Why the store does not answer.
    type Error;

    /// Waits for pushes of this install that are under way, and has later ones wait for this: what is read of its chain
    /// from here on is what will be there. A store with one writer need do nothing.
    ///
    /// # Errors
    /// The store's.
    fn wait_for(&mut self, install_id: InstallId) -> Result<(), Self::Error>;

    /// A statement as it stands; `None`: it is not kept yet.
    ///
    /// # Errors
    /// The store's.
    fn statement(&mut self, by: SentCommand) -> Result<Option<Statement>, Self::Error>;

    /// The first command of a chain that does not name the hash of the one before; `None`: all do.
    ///
    /// # Errors
    /// The store's.
    fn broken_at(&mut self, install_id: InstallId) -> Result<Option<i64>, Self::Error>;

    /// The link hash of a command, and when it was received; `None`: it was not.
    ///
    /// # Errors
    /// The store's.
    fn link(&mut self, command: SentCommand) -> Result<Option<(Digest, Timestamp)>, Self::Error>;

    /// Open statements about a chain, up to this place, at most so many: those that reach farthest first, of
    /// which one outdoes the others.
    ///
    /// # Errors
    /// The store's.
    fn open(
        &mut self,
        about: InstallId,
        up_to: i64,
        most: usize,
    ) -> Result<Vec<Statement>, Self::Error>;

    /// Of the leading statements that reach this command, the one that reaches least far.
    ///
    /// # Errors
    /// The store's.
    fn leading(&mut self, command: SentCommand) -> Result<Option<Statement>, Self::Error>;

    /// Statements that an install made up to this place of its chain, and that are proven only for later than
    /// this, at most so many.
    ///
    /// # Errors
    /// The store's.
    fn made_by(
        &mut self,
        by: InstallId,
        up_to: i64,
        later_than: Timestamp,
        most: usize,
    ) -> Result<Vec<Statement>, Self::Error>;

    /// Leading statements about the same chain that reach no farther than this one and prove no earlier time fit
    /// from now on, and do not lead.
    ///
    /// # Errors
    /// The store's.
    fn outdo(&mut self, by: &Statement) -> Result<(), Self::Error>;

    /// Keeps a statement, new or as it stands now.
    ///
    /// # Errors
    /// The store's.
    fn keep(&mut self, statement: &Statement) -> Result<(), Self::Error>;
}

/// What the weighing has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weighed {
    /// Statements that turn out to differ from the chain that they are about.
    pub differing: Vec<Statement>,
    /// Statements that prove more, from now on, than all that was known.
    pub leading: Vec<Statement>,
    /// Installs of which something was left over, about their chains or in them: to be weighed by [`weigh_more`] from
    /// the beginning.
    pub left_over: BTreeSet<InstallId>,
}

/// Weighs what a push has brought: statements that it makes, and those about its own chain, which has come to
/// `last`; `most` in all. Its commands are stored by then.
///
/// # Errors
/// The store's.
pub fn weigh<S: Statements>(
    store: &mut S,
    (install_id, last): (InstallId, i64),
    made: Vec<Statement>,
    most: usize,
) -> Result<Weighed, S::Error> {
    let (mut waiting, mut left_over) = (Waiting::default(), BTreeSet::new());
    for statement in made {
        waiting.push(statement);
    }
    let open = store.open(install_id, last, most)?;
    if open.len() >= most {
        left_over.insert(install_id);
    }
    for statement in open {
        waiting.push(statement);
    }
    all_of(store, waiting, left_over, most)
}

/// Weighs what was left over of an install, `most` statements: those about its chain, which has come to `last`, and those
/// that it made and that what leads about its chain proves for earlier. Goes on after the command `after`, and answers
/// after which one to go on; `None`: unless it is among what is left over, nothing is.
///
/// # Errors
/// The store's.
pub fn weigh_more<S: Statements>(
    store: &mut S,
    (install_id, last): (InstallId, i64),
    after: i64,
    most: usize,
) -> Result<(Weighed, Option<i64>), S::Error> {
    let (mut waiting, mut left_over) = (Waiting::default(), BTreeSet::new());
    store.wait_for(install_id)?;
    let open = store.open(install_id, last, most)?;
    if open.len() >= most {
        left_over.insert(install_id);
    }
    for statement in open {
        waiting.push(statement);
    }
    let (mut reached, mut next) = (after, None);
    for looked_at in 0_usize.. {
        let seq = reached.saturating_add(1);
        let Some(lead) = store.leading(SentCommand { install_id, seq })? else {
            break;
        };
        let room = most.saturating_sub(waiting.queue.len());
        let its = match room {
            0 => Vec::new(),
            room => store.made_by(install_id, lead.about.seq, lead.proven_at, room)?,
        };
        if its.len() >= room || looked_at >= most {
            next = Some(reached);
        }
        for statement in its {
            waiting.push(statement);
        }
        if next.is_some() {
            break;
        }
        reached = lead.about.seq;
    }
    Ok((all_of(store, waiting, left_over, most)?, next))
}

fn all_of<S: Statements>(
    store: &mut S,
    mut waiting: Waiting,
    mut left_over: BTreeSet<InstallId>,
    most: usize,
) -> Result<Weighed, S::Error> {
    let mut left = most;
    let (mut differing, mut led) = (Vec::new(), BTreeSet::new());
    while let Some(queued) = waiting.pop() {
        let Some(fewer) = left.checked_sub(1) else {
            left_over.extend([queued.about.install_id, queued.by.install_id]);
            // A new one is kept as open. Of others what was read may be out of date.
            if store.statement(queued.by)?.is_none() {
                store.keep(&queued)?;
            }
            continue;
        };
        left = fewer;
        store.wait_for(queued.about.install_id)?;
        let mut statement = store.statement(queued.by)?.unwrap_or(queued);
        let was = statement.standing;
        if let Some(witness) = store.leading(statement.by)? {
            statement.proven_at = statement.proven_at.min(witness.proven_at);
        }
        let Some((hash, received_at)) = store.link(statement.about)? else {
            store.keep(&statement)?;
            continue;
        };
        if hash != statement.head {
            statement.standing = Standing::Differs;
            store.keep(&statement)?;
            if was != Standing::Differs {
                differing.push(statement);
            }
            continue;
        }
        let best = store.leading(statement.about)?;
        if best
            .as_ref()
            .is_some_and(|best| best.by == statement.by && best.proven_at <= statement.proven_at)
        {
            // Weighed already: two others have lifted it in this very push.
            continue;
        }
        let broken = store.broken_at(statement.about.install_id)?;
        let reaches_break = broken.is_some_and(|broken| broken <= statement.about.seq);
        let proven = best.map_or(received_at, |best| best.proven_at.min(received_at));
        if reaches_break || proven <= statement.proven_at {
            statement.standing = Standing::Fits;
            store.keep(&statement)?;
            continue;
        }
        store.outdo(&statement)?;
        statement.standing = Standing::Leads;
        store.keep(&statement)?;
        // What that chain had stated up to there is proven for earlier too.
        let SentCommand { install_id, seq } = statement.about;
        let its = store.made_by(install_id, seq, statement.proven_at, left)?;
        if its.len() >= left {
            left_over.insert(install_id);
        }
        for one in its {
            waiting.push(one);
        }
        led.insert(statement.by);
    }
    let mut leading = Vec::new();
    for by in led {
        // Others of this push may have outdone it.
        let now = store.statement(by)?;
        leading.extend(now.filter(|now| now.standing == Standing::Leads));
    }
    Ok(Weighed {
        differing,
        leading,
        left_over,
    })
}

/// Statements that are still to be looked at, each once.
#[derive(Default)]
struct Waiting {
    queue: VecDeque<Statement>,
    queued: BTreeSet<SentCommand>,
}

impl Waiting {
    fn push(&mut self, statement: Statement) {
        if self.queued.insert(statement.by) {
            self.queue.push_back(statement);
        }
    }

    fn pop(&mut self) -> Option<Statement> {
        let next = self.queue.pop_front()?;
        self.queued.remove(&next.by);
        Some(next)
    }
}
