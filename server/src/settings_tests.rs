//! What is set reaches the store, in the unit that its name says.

use std::time::Duration;

use hazardloop_domain::hazard::Limits;

use super::{Database, HazardLimits, ImportLimits, PhotoLimits, Settings};
use crate::store::DbOptions;

#[test]
fn the_store_is_opened_as_the_settings_say() {
    let settings = Database {
        readers: 1,
        writers: 2,
        queue_length: 3,
        group_limit: 4,
        acquire_timeout_ms: 5,
        lock_timeout_ms: 6,
        statement_timeout_ms: 7,
    };
    let options = settings.options();
    assert_eq!((options.readers, options.writers), (1, 2));
    assert_eq!((options.queue_length, options.group_limit), (3, 4));
    let ms = Duration::from_millis;
    assert_eq!(options.acquire_timeout, ms(5));
    // What SQLite calls a lock that another process holds.
    assert_eq!((options.lock_timeout, options.busy_timeout), (ms(6), ms(6)));
    assert_eq!(options.statement_timeout, ms(7));
    assert_eq!(Database::default().options(), DbOptions::default());
}

#[test]
fn the_rules_get_the_limits_that_are_set() {
    assert_eq!(Settings::default().rule_limits(), Limits::default());
    let settings = Settings {
        hazards: HazardLimits {
            photos: 1,
            notes: 2,
            due_days: 3,
            milestones: 4,
            extensions: 5,
            extension_days_without_expert: 6,
            penalties: 7,
            items: 8,
            spot_checks: 9,
            recurrence_months: 13,
            category_required: false,
            finder_may_not_reinspect: true,
            ..HazardLimits::default()
        },
        photos: PhotoLimits {
            bytes: 10,
            document_bytes: 11,
            clip_bytes: 12,
            ..PhotoLimits::default()
        },
        ..Settings::default()
    };
    let limits = settings.rule_limits();
    assert_eq!((limits.photos, limits.notes, limits.due_days), (1, 2, 3));
    assert_eq!((limits.milestones, limits.extensions), (4, 5));
    assert_eq!(limits.extension_days_without_expert, 6);
    assert_eq!((limits.penalties, limits.items), (7, 8));
    assert_eq!((limits.spot_checks, limits.recurrence_months), (9, 13));
    assert!(!limits.category_required && limits.finder_may_not_reinspect);
    let bytes = (limits.photo_bytes, limits.document_bytes, limits.clip_bytes);
    assert_eq!(bytes, (10, 11, 12));
    assert_eq!(settings.photos.largest(), 12);
}

#[test]
fn tables_are_read_within_what_the_settings_say() {
    let settings = ImportLimits {
        file_bytes: 1,
        unpacked_bytes: 2,
        rows: 3,
        columns: 4,
        cell_chars: 5,
        problems: 6,
    };
    let limits = settings.of_table();
    assert_eq!((limits.unpacked_bytes, limits.rows), (2, 3));
    assert_eq!((limits.columns, limits.cell_chars), (4, 5));
}
