//! The feed, as diesel knows it.

diesel::table! {
    /// Which records a scope holds, one row per (scope, record): a change moves its row to the end of
    /// the feed, so the feed needs no compaction and a reset is the same read from the beginning.
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
