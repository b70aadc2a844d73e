//! What happens at the hub, and to whom it gives what.

use super::World;
use crate::cast;
use crate::dice::Dice;
use crate::schedule::Step;

impl World {
    /// Hours pass. Now and then the hub brings its scopes to what the window says then.
    pub(super) fn pass_hours(&mut self, hours: i64) {
        self.hub.now = self.hub.now.plus_millis(hours * 3_600_000);
        self.hub.keep_windows();
    }

    /// A step that is the hub's; any other does nothing.
    pub(super) fn hub_step(&mut self, number: u64, step: Step, dice: &mut Dice) {
        match step {
            Step::MoveFirm(firm) => {
                self.count("enterprise moved");
                self.hub.move_firm(cast::firm(firm));
            }
            Step::MoveInspector(device) => {
                self.count("inspector moved");
                let person = self.devices[device].person_id();
                let step = usize::try_from(number).unwrap_or(0);
                self.hub.move_inspector(person, step);
            }
            Step::EndRole(device) => {
                let person = self.devices[device].person_id();
                let step = usize::try_from(number).unwrap_or(0);
                if self.hub.end_role(person, step, dice) {
                    self.count("role ended");
                    self.revoked.insert(person);
                }
            }
            Step::MergeInto(town) => {
                let begins = self.hub.merge_into(cast::town(town));
                if begins {
                    self.count("towns merged");
                }
            }
            Step::ChangeCatalog => {
                self.count("catalog changed");
                self.hub.change_catalog(dice);
            }
            Step::BackUpHub => self.hub.back_up(),
            Step::RestoreHub if self.hub.has_backup() => {
                self.count("hub restored");
                self.hub.restore();
                self.forget_handed_over();
            }
            Step::UpgradeHub => {
                self.count("hub upgraded");
                self.hub.memory.rules.newer = true;
            }
            Step::ForgetRemovals => {
                self.count("removals forgotten");
                self.hub.forget_removals();
            }
            _ => {}
        }
    }
}
