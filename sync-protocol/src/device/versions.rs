//! In which version of the protocol a device pulls: the highest that it shares with its server.
//!
//! It begins with its own newest. An answer to a push says the server's newest, a refusal of a pull all that the server
//! speaks, so that the next pull is in a version that both speak. Where there is none, a person is told which side has
//! to be renewed, and pulls rest: a server that was renewed, or set back again, is found within the hour. Pushes go on,
//! for they are taken in any version.

use hazardloop_domain::time::Timestamp;

use crate::wire::SpokenVersions;

use super::engine::Engine;
use super::output::{LaneName, Notice};

impl Engine {
    /// The server does not speak the version of a request.
    pub(super) fn version_refused(
        &mut self,
        lane: LaneName,
        now: Timestamp,
        spoken: Option<SpokenVersions>,
    ) {
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
        let (config, jitter) = (&self.config, &mut self.jitter);
        match lane {
            LaneName::Push => {}
            LaneName::Pull => self.pull.lane.rest(now, config, jitter),
            LaneName::Photo => self.photos.lane.rest(now, config, jitter),
        }
        self.notices.push_back(Notice::UpgradeRequired { spoken });
    }

    /// After a rest it begins as at the start: the server may be another by now.
    pub(super) fn end_pull_rest(&mut self) {
        if self.pull.lane.rests_until.take().is_some() {
            self.speaking = self.config.speaks.newest;
        }
    }

    /// The newest version that the server speaks, as it says in every answer to a push.
    pub(super) fn version_heard(&mut self, newest: u16) {
        if newest < self.speaking && self.config.speaks.contains(newest) {
            self.speaking = newest;
        }
    }
}
