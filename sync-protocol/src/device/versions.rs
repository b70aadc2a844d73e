//! In which version of the protocol a device pulls: the highest that it shares with its server.
//!
//! It begins with its own newest. An answer to a push says the server's newest, a refusal of a pull all that the server
//! speaks, so that the next pull is in a version that both speak. Where there is none, pulls end until the program
//! starts anew, and a person is told which side has to be renewed; pushes go on, for they are taken in any version.

use crate::wire::SpokenVersions;

use super::engine::Engine;
use super::output::{LaneName, Notice};

impl Engine {
    /// The server does not speak the version of a request.
    pub(super) fn version_refused(&mut self, lane: LaneName, spoken: Option<SpokenVersions>) {
        let own = self.config.speaks;
        let next = match spoken {
            Some(theirs) => own.highest_common(theirs),
            // An older server says no more than that.
            None => self.speaking.checked_sub(1).filter(|v| own.contains(*v)),
        };
        // Only ever downwards, or two answers that contradict each other would never end.
        let next = next.filter(|next| *next < self.speaking && lane == LaneName::Pull);
        if let Some(next) = next {
            self.speaking = next;
            return;
        }
        match lane {
            LaneName::Push => {}
            LaneName::Pull => self.pull.lane.stopped = true,
            LaneName::Photo => self.photos.lane.stopped = true,
        }
        self.notices.push_back(Notice::UpgradeRequired { spoken });
    }

    /// The newest version that the server speaks, as it says in every answer to a push.
    pub(super) fn version_heard(&mut self, newest: u16) {
        if newest < self.speaking && self.config.speaks.contains(newest) {
            self.speaking = newest;
        }
    }
}
