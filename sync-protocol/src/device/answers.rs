//! Answers and failures from the server, by lane.

use hazardloop_domain::time::Timestamp;

use super::engine::Engine;
use super::jobs::Job;
use super::output::{Failure, LaneName, Notice, RequestId, ResponseBody};
use super::retry::Lane;

impl Engine {
    pub(super) fn fail_lane(&mut self, name: LaneName, now: Timestamp, failure: Failure) {
        let at_least = match failure {
            Failure::RateLimited { retry_after_ms } => retry_after_ms.max(0),
            // A single command that is too large will hardly get smaller.
            Failure::PayloadTooLarge { .. } if name == LaneName::Push => self.config.retry_cap_ms,
            _ => 0,
        };
        // What was wanted is still wanted.
        self.pull.wanted |= name == LaneName::Pull;
        match name {
            // It arrived: the server has no time now.
            _ if matches!(failure, Failure::RateLimited { .. }) => {}
            LaneName::Pull => self.pull.stride.failed(&self.config.pull_records),
            LaneName::Push => self.push.stride.failed(&self.config.push_bytes),
            LaneName::Photo => {}
        }
        self.keep_strides();
        let lane: &mut Lane = match name {
            LaneName::Push => &mut self.push.lane,
            LaneName::Pull => &mut self.pull.lane,
            LaneName::Photo => &mut self.photos.lane,
        };
        lane.busy = None;
        let at = lane
            .backoff
            .fail(now, at_least, &self.config, &mut self.jitter);
        self.notices.push_back(Notice::Retrying {
            lane: name,
            failure,
            at,
        });
    }

    fn lane_of(&self, id: RequestId) -> Option<LaneName> {
        [
            (LaneName::Push, &self.push.lane),
            (LaneName::Pull, &self.pull.lane),
            (LaneName::Photo, &self.photos.lane),
        ]
        .into_iter()
        .find(|(_, lane)| lane.is_under_way(id))
        .map(|(name, _)| name)
    }

    /// A typed body from our own server. Answers to unknown requests (repeated, too late) are
    /// passed over.
    pub fn handle_response(&mut self, id: RequestId, now: Timestamp, body: ResponseBody) {
        let Some(lane) = self.lane_of(id) else { return };
        match (lane, body) {
            (LaneName::Push, ResponseBody::Push(response)) => {
                self.version_heard(response.protocol);
                if let Some(sent) = self.push.sent.take() {
                    // A rest that went quickly says nothing of how much would.
                    let amount = if sent.full { u32::MAX } else { 0 };
                    let limits = &self.config.push_bytes;
                    self.push.stride.arrived(now, amount, limits);
                    self.keep_strides();
                    self.inbox.push_back(Job::Push {
                        now,
                        response,
                        sent,
                    });
                }
            }
            (LaneName::Pull, ResponseBody::Pull(response)) => self.take_pull(now, response),
            (LaneName::Photo, body) => self.photo_answer(now, body),
            _ => self.handle_failure(id, now, Failure::NotOurs),
        }
    }

    /// No typed body came.
    pub fn handle_failure(&mut self, id: RequestId, now: Timestamp, failure: Failure) {
        let Some(lane) = self.lane_of(id) else { return };
        match failure {
            Failure::Unauthorized => {
                self.release(lane);
                if !std::mem::replace(&mut self.held, true) {
                    self.notices.push_back(Notice::CredentialsNeeded);
                }
            }
            Failure::Revoked => {
                self.release(lane);
                self.revoked = true;
                self.notices.push_back(Notice::Revoked);
            }
            Failure::UpgradeRequired { spoken } if lane != LaneName::Push => {
                self.release(lane);
                self.version_refused(lane, now, spoken);
            }
            Failure::PayloadTooLarge { ours } if lane == LaneName::Push => {
                self.push_too_large(now, ours);
            }
            failure if lane == LaneName::Photo => self.photo_failed(now, failure),
            failure => self.fail_lane(lane, now, failure),
        }
    }

    fn release(&mut self, lane: LaneName) {
        match lane {
            LaneName::Push => self.push.lane.busy = None,
            LaneName::Pull => {
                self.pull.lane.busy = None;
                self.pull.wanted = true;
            }
            LaneName::Photo => self.photos.lane.busy = None,
        }
    }

    /// New credentials are there: go on.
    pub fn handle_credentials_renewed(&mut self) {
        self.held = false;
    }

    /// A person or the platform says that the network is back: the waits end.
    pub fn handle_online(&mut self) {
        self.push.lane.backoff.succeed();
        self.pull.lane.backoff.succeed();
        self.reset_photo_waits();
    }
}
