//! What a revoked install offers, as the hub in memory keeps it.

use hazardloop_domain::time::Timestamp;

use super::{MemoryHub, NotAnswered, Rules, keep, store};
use crate::hub::push::Push;
use crate::hub::push_steps::PushStep;
use crate::hub::refused::{OutOfStep, check_commands};
use crate::wire::{OfferRequest, OfferResponse};

impl<R: Rules> MemoryHub<R> {
    /// Takes the offer of a revoked install. Nothing of it is carried out, and no photo of it is noted as lost.
    ///
    /// # Errors
    /// [`NotAnswered`]: nothing was taken.
    pub fn offer(
        &mut self,
        request: &OfferRequest,
        now: Timestamp,
    ) -> Result<OfferResponse, NotAnswered> {
        check_commands(&request.commands, &self.limits)?;
        let install_id = request.install_id;
        let install = self.tables.installs.get(&install_id);
        let own = install.filter(|install| request.is_signed_by(&install.stream.public_key));
        let install = own.ok_or(NotAnswered::UnknownInstall)?;
        if !install.revoked {
            return Err(NotAnswered::NotRevoked);
        }
        let (author, stream) = (install.person_id, install.stream.clone());
        let begun_at = stream.last_seq;
        let room = self.offered_commands.saturating_sub(install.offered);
        // Those that were kept before get their receipts again; of new ones, as many as there is room for.
        let commands = request.commands.as_slice();
        let known = commands.partition_point(|envelope| envelope.seq <= begun_at);
        let end = known.saturating_add(room).min(commands.len());
        let (taken, left) = commands.split_at(end);
        let mut push = Push::begin_offered(stream, author, taken, &self.limits, now);
        loop {
            match push.step() {
                PushStep::Receipts { first, last } => {
                    let stored = self.tables.receipts(install_id, first, last);
                    push.handle_receipts(stored)?;
                }
                PushStep::Store(writes) => {
                    let (key, depth) = (&self.anchors, self.limits.depth);
                    keep(&mut self.tables, install_id, &writes, key, depth);
                    store(&mut self.tables, (author, install_id), &writes, now);
                    push.handle_stored()?;
                }
                PushStep::Done => break,
                _ => {
                    let (asked, given) = ("a decision", "an offer");
                    return Err(OutOfStep { asked, given }.into());
                }
            }
        }
        let answer = push.response(self.epoch.clone(), Vec::new());
        if let Some(install) = self.tables.installs.get_mut(&install_id) {
            let kept = answer.last.saturating_sub(begun_at);
            let kept = usize::try_from(kept).unwrap_or(0);
            install.offered = install.offered.saturating_add(kept);
        }
        Ok(OfferResponse {
            protocol: answer.protocol,
            server_time: now,
            last: answer.last,
            results: answer.results,
            expected: answer.expected,
            full: answer.expected.is_none() && !left.is_empty(),
        })
    }
}
