//! How many bytes of a photo go at once.
//!
//! What a cut destroys is the chunk under way. On a link of 9,600 bits a second that is cut every 20 seconds, 24 kB pass
//! at most: a fixed chunk of 128 KiB would be begun for ever. So the first is small, chunks grow while they go quickly,
//! and shrink when one was slow or did not arrive. A time that makes no sense (a clock was set) changes nothing.

use hazardloop_domain::time::Timestamp;

use super::config::EngineConfig;

#[derive(Debug, Default)]
pub(super) struct ChunkLen {
    /// What was learnt; `None` before the first chunk.
    learnt: Option<u32>,
    sent_at: Option<Timestamp>,
}

impl ChunkLen {
    /// The most that the next chunk holds.
    pub fn most(&self, config: &EngineConfig) -> u32 {
        let first = config.photo_chunk_first_bytes;
        bounded(self.learnt.unwrap_or(first), config)
    }

    /// A chunk goes.
    pub fn sent(&mut self, now: Timestamp) {
        self.sent_at = Some(now);
    }

    /// It arrived, `bytes` long.
    pub fn arrived(&mut self, now: Timestamp, bytes: u32, config: &EngineConfig) {
        let Some(sent_at) = self.sent_at.take() else {
            return;
        };
        let (took, most) = (
            now.as_millis().saturating_sub(sent_at.as_millis()),
            self.most(config),
        );
        let next = match took {
            ..0 => return,
            // The end of a photo says little about chunks.
            _ if bytes < most => return,
            _ if took <= config.photo_chunk_quick_ms => most.saturating_mul(2),
            _ if took > config.photo_chunk_slow_ms => most / 2,
            _ => return,
        };
        self.learnt = Some(bounded(next, config));
    }

    /// It did not arrive, for whatever reason.
    pub fn failed(&mut self, config: &EngineConfig) {
        if self.sent_at.take().is_some() {
            self.learnt = Some(bounded(self.most(config) / 2, config));
        }
    }
}

fn bounded(bytes: u32, config: &EngineConfig) -> u32 {
    let most = config.photo_chunk_bytes.max(1);
    bytes.clamp(config.photo_chunk_least_bytes.clamp(1, most), most)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_795_309_200_000);

    /// What the next chunk holds after full ones that took so many seconds.
    fn after(seconds: &[i64]) -> u32 {
        let config = EngineConfig::default();
        let mut len = ChunkLen::default();
        for took in seconds {
            len.sent(START);
            let full = len.most(&config);
            len.arrived(START.plus_millis(took * 1_000), full, &config);
        }
        len.most(&config)
    }

    #[test]
    fn chunks_grow_on_a_quick_link_and_shrink_on_a_slow_one_within_their_bounds() {
        let kib = |chunks: &[i64]| after(chunks) / 1_024;
        assert_eq!(kib(&[]), 16);
        assert_eq!(kib(&[1]), 32);
        assert_eq!(kib(&[1, 1, 8]), 64, "neither quick nor slow");
        assert_eq!(kib(&[0; 9]), 256);
        assert_eq!(kib(&[21]), 8);
        assert_eq!(kib(&[100; 9]), 4);
        assert_eq!(kib(&[-50]), 16, "the clock was set back");
    }

    #[test]
    fn one_that_does_not_arrive_is_followed_by_one_half_as_long() {
        let config = EngineConfig::default();
        let mut len = ChunkLen::default();
        for expected in [8, 4, 4] {
            len.sent(START);
            len.failed(&config);
            assert_eq!(len.most(&config), expected * 1_024);
        }
        len.failed(&config);
        assert_eq!(len.most(&config), 4 * 1_024, "nothing was under way");
    }

    #[test]
    fn the_rest_of_a_photo_says_nothing_about_chunks() {
        let config = EngineConfig::default();
        let mut len = ChunkLen::default();
        len.sent(START);
        len.arrived(START, 100, &config);
        assert_eq!(len.most(&config), 16 * 1_024);
    }
}
