//! Tables that lists and searches of hazards are read off.

diesel::table! {
    /// The hazards of each enterprise and jurisdiction subtree by state and grade, in two orders.
    hazard_lists (scope, sorted_by, status, grade, at, hazard_id) {
        scope -> Binary,
        sorted_by -> Integer,
        status -> Text,
        grade -> Text,
        at -> BigInt,
        hazard_id -> Binary,
    }
}

diesel::table! {
    /// Hazards that are yet to be made documents of the text index.
    search_pending (hazard_id) {
        hazard_id -> Binary,
        received_at -> BigInt,
        stamp -> BigInt,
    }
}

diesel::table! {
    /// Documents of the text index, numbered as they come.
    search_documents (document) {
        document -> BigInt,
        hazard_id -> Binary,
        received_at -> BigInt,
        bound_at -> BigInt,
    }
}

diesel::table! {
    /// Which documents of a segment hold a term.
    search_terms (term, segment) {
        term -> BigInt,
        segment -> BigInt,
        documents -> Binary,
    }
}

diesel::table! {
    /// When the oldest hazard of a segment was received.
    search_segments (segment) {
        segment -> BigInt,
        oldest_at -> BigInt,
    }
}
