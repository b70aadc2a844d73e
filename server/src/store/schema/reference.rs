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

diesel::table! {
    /// Which department answers for which sector of a jurisdiction and all below it.
    responsibilities (jurisdiction_id, sector) {
        jurisdiction_id -> Binary,
        sector -> Text,
        department -> Text,
    }
}

diesel::table! {
    /// Counts the changes of what a jurisdiction says of that.
    responsibility_versions (jurisdiction_id) {
        jurisdiction_id -> Binary,
        version -> BigInt,
    }
}

diesel::table! {
    /// Open hazards that no department answers for, by each jurisdiction that they are in.
    unclaimed_hazards (jurisdiction_id, received_at, hazard_id) {
        jurisdiction_id -> Binary,
        received_at -> BigInt,
        hazard_id -> Binary,
        sector -> Text,
    }
}

diesel::table! {
    /// The limits that devices were told of.
    rule_limits (id) {
        id -> Binary,
        version -> BigInt,
        record -> Binary,
    }
}
