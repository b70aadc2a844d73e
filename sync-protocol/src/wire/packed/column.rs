//! What the writer and the reader of columns both remember, and what a number is the difference to.

use super::super::ColumnsError;

/// Numbers from here on are times, in milliseconds.
const FIRST_TIME: i128 = 1 << 40;

/// What a number in a column is the difference to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// The one before in the column.
    Before,
    /// The first time of the same item.
    FirstTime,
    /// The last time of the same item.
    LastTime,
    /// The one before in the column and what the item's last number was more than the one before in its own.
    Step,
    /// Of the item's last three numbers: the second and the third without the first.
    Cross,
    /// The first one in the column.
    First,
}

impl Relation {
    pub(super) const ALL: [Self; 6] = [
        Self::Before,
        Self::FirstTime,
        Self::LastTime,
        Self::Step,
        Self::Cross,
        Self::First,
    ];

    pub(super) const fn number(self) -> u64 {
        match self {
            Self::Before => 0,
            Self::FirstTime => 1,
            Self::LastTime => 2,
            Self::Step => 3,
            Self::Cross => 4,
            Self::First => 5,
        }
    }
}

/// How a column is written: the relation, and how many of the lowest bits of each number are noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mode {
    pub relation: Relation,
    pub noise: u32,
}

/// Bits of a number that may be noise, at most.
const MOST_NOISE: u64 = 48;

impl Mode {
    /// As it stands in the plan.
    pub(super) fn number(self) -> u64 {
        self.relation.number() + 8 * u64::from(self.noise)
    }

    pub(super) fn from_number(number: u64) -> Result<Self, ColumnsError> {
        let mut relations = Relation::ALL.into_iter();
        let relation = relations.find(|relation| relation.number() == number % 8);
        let noise = Some(number / 8).filter(|noise| *noise <= MOST_NOISE);
        let noise = noise.and_then(|noise| u32::try_from(noise).ok());
        let (Some(relation), Some(noise)) = (relation, noise) else {
            return Err(ColumnsError::Damaged);
        };
        Ok(Self { relation, noise })
    }
}

/// What is remembered of a column while it is gone through.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Memory {
    before: i128,
    first: Option<i128>,
}

impl Memory {
    /// A number of an item that both ends have already.
    pub(super) fn prime(&mut self, number: i128) {
        self.before = number;
        self.first = self.first.or(Some(number));
    }
}

/// What is remembered of an item: its numbers so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbers {
    last: [i128; 3],
    step: i128,
    first_time: Option<i128>,
    last_time: i128,
}

impl Numbers {
    /// Of an item of which one time is known.
    pub(super) fn at(time: i128) -> Self {
        Self {
            first_time: Some(time),
            last_time: time,
            ..Self::default()
        }
    }

    /// What the next number is the difference to. All numbers have at most 65 bits with their sign, so the sums fit.
    pub(super) fn base(&self, relation: Relation, memory: &Memory) -> i128 {
        let [one, two, three] = self.last;
        match relation {
            Relation::Before => memory.before,
            Relation::FirstTime => self.first_time.unwrap_or(self.last_time),
            Relation::LastTime => self.last_time,
            Relation::Step => memory.before + self.step,
            Relation::Cross => two + three - one,
            Relation::First => memory.first.unwrap_or(memory.before),
        }
    }

    /// Remembers a number of a body.
    pub(super) fn note(&mut self, number: i128, memory: &mut Memory) {
        let [_, two, three] = self.last;
        self.last = [two, three, number];
        self.step = number - memory.before;
        if number >= FIRST_TIME {
            self.first_time = self.first_time.or(Some(number));
            self.last_time = number;
        }
        memory.prime(number);
    }
}

/// A difference without its sign: twice its amount, one less where it is negative.
pub(super) const fn unsigned(number: i128) -> u128 {
    let twice = number.unsigned_abs() << 1;
    if number < 0 { twice - 1 } else { twice }
}

/// A difference again.
pub(super) fn signed(number: u128) -> Result<i128, ColumnsError> {
    let amount = i128::try_from(number.div_ceil(2)).map_err(|_| ColumnsError::Damaged)?;
    Ok(if number & 1 == 1 { -amount } else { amount })
}
