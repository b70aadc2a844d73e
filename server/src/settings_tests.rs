//! What is set reaches the store, in the unit that its name says.

use std::time::Duration;

use super::Database;
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
