//! Telling devices the limits of this server's rules, so that what they accept without signal is not refused later for
//! a count or a date. Nothing is told while the settings are the defaults, which every device knows.

use hazardloop_domain::rule_limits::RuleLimits;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};

use super::jurisdictions::encoded;
use crate::app::App;
use crate::failure::Failure;
use crate::store::feed::{self, Announced};
use crate::store::rule_limits;

/// Tells them what the settings say, where that is not what they know. Servers that share a database should have the
/// same settings: whichever starts last is believed.
///
/// # Errors
/// When the database does not answer.
pub async fn announce(app: &App) -> Result<(), Failure> {
    let ours = RuleLimits {
        version: 1,
        hazards: app.settings.rule_limits(),
        inspections: app.settings.inspection_limits(),
    };
    tell(app, ours).await
}

async fn tell(app: &App, ours: RuleLimits) -> Result<(), Failure> {
    let (key, now) = (app.digest_key, app.clock.now());
    app.db
        .write(move |tx| {
            let told = rule_limits::told(tx.conn())?;
            if told.clone().unwrap_or_default().same_as(&ours) {
                return Ok(());
            }
            let before = told.map(|told| told.version);
            let limits = RuleLimits {
                version: before.unwrap_or_default().saturating_add(1),
                ..ours.clone()
            };
            let record = encoded(&limits)?;
            rule_limits::save(tx, &limits, &record, before)?;
            let announced = Announced {
                kind: RecordKind::RuleLimits,
                id: &RuleLimits::ID,
                version: limits.version,
                body: &record,
                created_at: now,
            };
            feed::put(tx, &key, &[Scope::Catalog], announced)?;
            tracing::info!(version = limits.version, "devices are told other limits");
            Ok::<_, Failure>(())
        })
        .await
}

#[cfg(test)]
#[path = "rule_limits_tests.rs"]
mod tests;
