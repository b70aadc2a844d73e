//! What a person decides about a photo on this device: give it up, try again, let it go for good.

use hazardloop_domain::hash::Digest;
use hazardloop_domain::time::Timestamp;

use super::engine::Engine;
use super::jobs::{Job, Writing};
use super::output::{Failure, Notice};
use super::{GivenUp, PhotoStage, StoreOp, StoredPhoto};

/// A decision, on its way to the store.
pub(super) enum PhotoDecision {
    GiveUp(Digest, GivenUp),
    Retry(Digest),
    Forget(Digest),
}

impl Engine {
    /// This device stops trying to deliver a photo; its bytes stay. The hazard goes on awaiting
    /// it: until another device brings it, or an administrator records it as lost. `false`: there
    /// is no such photo here. Told by [`Notice::PhotoDecided`] once it is stored.
    pub fn handle_photo_given_up(&mut self, sha256: Digest, given_up: GivenUp) -> bool {
        self.decide(sha256, PhotoDecision::GiveUp(sha256, given_up))
    }

    /// Takes up again what was given up; also when nothing was, the next try is now. `false`:
    /// there is no such photo here.
    pub fn handle_photo_retry(&mut self, sha256: Digest) -> bool {
        self.photos.progress.remove(&sha256);
        self.decide(sha256, PhotoDecision::Retry(sha256))
    }

    /// A person lets a photo's bytes go although the server has not verified them. It cannot be
    /// undone. `false`: there is no such photo here.
    pub fn handle_photo_forgotten(&mut self, sha256: Digest) -> bool {
        self.decide(sha256, PhotoDecision::Forget(sha256))
    }

    /// The server never takes this photo: it is given up in its name, and a person told.
    pub(super) fn refused_photo(&mut self, sha256: Digest, now: Timestamp, failure: &Failure) {
        let reason = match failure {
            Failure::Refused { code, detail } => format!("{code}: {detail}"),
            _ => "PAYLOAD_TOO_LARGE".to_owned(),
        };
        self.notices.push_back(Notice::PhotoRefused {
            sha256,
            reason: reason.clone(),
        });
        self.decide(
            sha256,
            PhotoDecision::GiveUp(sha256, GivenUp { reason, at: now }),
        );
    }

    fn decide(&mut self, sha256: Digest, decision: PhotoDecision) -> bool {
        let known = self.state.photos.contains_key(&sha256);
        if known {
            self.inbox.push_back(Job::Decide(decision));
        }
        known
    }

    pub(super) fn decide_job(&self, decision: &PhotoDecision) -> Writing {
        let sha256 = match decision {
            PhotoDecision::GiveUp(sha256, _)
            | PhotoDecision::Retry(sha256)
            | PhotoDecision::Forget(sha256) => *sha256,
        };
        let Some(photo) = self.state.photos.get(&sha256).cloned() else {
            return Writing::default();
        };
        let op = match decision {
            PhotoDecision::GiveUp(_, given_up) => StoreOp::PutPhoto(StoredPhoto {
                given_up: Some(given_up.clone()),
                ..photo
            }),
            PhotoDecision::Retry(_) => {
                // What waits for its command goes on waiting for it.
                let waits = photo.stage == PhotoStage::Waiting;
                StoreOp::PutPhoto(StoredPhoto {
                    given_up: None,
                    upload: None,
                    stage: if waits {
                        photo.stage
                    } else {
                        PhotoStage::Asked
                    },
                    ..photo
                })
            }
            PhotoDecision::Forget(_) => StoreOp::DeletePhoto(sha256),
        };
        let mut writing = Writing::of(vec![op]);
        writing.notices.push(Notice::PhotoDecided { sha256 });
        writing
    }
}
