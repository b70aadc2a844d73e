//! What comes to its end, and time in which the hub's window closes on it.

use crate::cast;
use crate::dice::Dice;
use crate::world::World;

impl World {
    /// Somebody takes a report back.
    pub(crate) fn withdraw(&mut self, number: usize, dice: &mut Dice) {
        if let Some((id, ..)) = self.pick(number, dice) {
            self.act(number, id, cast::withdraw(), None, dice);
        }
    }

    /// Hours pass. Now and then the hub brings its scopes to what the window says then.
    pub(crate) fn pass_hours(&mut self, hours: i64) {
        self.hub.now = self.hub.now.plus_millis(hours * 3_600_000);
        self.hub.keep_windows();
    }
}
