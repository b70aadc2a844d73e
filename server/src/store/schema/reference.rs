//! Tables of reference data: what the rules are applied to.

diesel::table! {
    /// Judgement criteria, versioned: a hazard pins the version it was judged under.
    criteria (id) {
        id -> Binary,
        code -> Text,
        edition -> Integer,
        sector -> Text,
        effective_from -> Nullable<Text>,
        effective_until -> Nullable<Text>,
        version -> BigInt,
        record -> Binary,
        pack -> Text,
    }
}

diesel::table! {
    /// Packs: what a sector's rules are. Every version that was added stays.
    packs (id) {
        id -> Binary,
        name -> Text,
        version -> Integer,
        added_at -> BigInt,
        digest -> Binary,
        document -> Binary,
        record -> Binary,
    }
}

diesel::table! {
    /// Checklists, versioned as criteria are.
    checklists (id) {
        id -> Binary,
        code -> Text,
        edition -> Integer,
        pack -> Text,
        version -> BigInt,
        record -> Binary,
    }
}

diesel::table! {
    /// Imported tables of working days.
    calendar_years (id) {
        id -> Binary,
        year -> Integer,
        version -> BigInt,
        imported_at -> BigInt,
        record -> Binary,
    }
}
