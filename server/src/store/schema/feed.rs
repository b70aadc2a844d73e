//! The feed, as diesel knows it.

diesel::table! {
    /// Which records a scope holds, one row per (scope, record): a change moves its row to the end of
    /// the feed. Removals stay for so long, and are then forgotten.
    scope_rows (scope, record_kind, record_id) {
        scope -> Text,
        record_kind -> Integer,
        record_id -> Binary,
        present -> Bool,
        version -> BigInt,
        digest_high -> BigInt,
        digest_low -> BigInt,
        created_at -> BigInt,
        tx -> BigInt,
        ordinal -> Integer,
        settled_at -> Nullable<BigInt>,
        bytes -> BigInt,
        window_no -> Integer,
        aside -> Integer,
        to_weigh -> Bool,
    }
}

diesel::table! {
    /// Below which position the removals of a scope are forgotten.
    scope_floors (scope) {
        scope -> Text,
        tx -> BigInt,
        ordinal -> Integer,
    }
}

diesel::table! {
    /// How far the order of changes was at a time.
    feed_marks (marked_at) {
        marked_at -> BigInt,
        tx -> BigInt,
        ordinal -> Integer,
    }
}
