//! Random numbers that are the same for ever: a schedule kept with a bug must replay in years, whatever
//! library versions come (SplitMix64; Steele, Lea and Flood 2014).

/// A stream of numbers.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The numbers of one step: of the schedule's seed and the step's own number.
    pub fn of(seed: u64, step: u64) -> Self {
        let mut dice = Self(seed ^ step.wrapping_mul(0xd6e8_feb8_6659_fd93));
        dice.roll();
        dice
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 when that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.roll() % end).unwrap_or(0)
    }

    /// Whether one of `of` came up.
    pub fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }
}
