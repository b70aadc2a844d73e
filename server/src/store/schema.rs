//! The tables, as diesel knows them; a test compares this file with both migrated databases.
//!
//! Ids are 16 raw bytes (hashes their own length), times are milliseconds since the Unix epoch,
//! `version` counts from 1, `record` is the CBOR that devices receive.

#![allow(
    missing_docs,
    reason = "columns are described where they are made, in migrations/"
)]

mod commands;
mod desks;
mod feed;
mod reference;
mod search;

pub use commands::{chains_to_weigh, command_fates, witness_statements};
pub use desks::{certificates, hand_over_inspections, planned_members};
pub use feed::{feed_marks, scope_floors, scope_rows};
pub use reference::{
    calendar_years, checklists, criteria, packs, responsibilities, responsibility_versions,
    rule_limits, unclaimed_hazards,
};
pub use search::{hazard_lists, search_documents, search_pending, search_segments, search_terms};

diesel::table! {
    /// Facts of this database that are not rows of anything: its epoch, the salt of its digests.
    server_meta (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    /// The order in which write transactions commit on SQLite (one row). PostgreSQL uses its own
    /// transaction ids instead and leaves this row alone; see docs/adr on the ordered feed.
    commit_order (only_row) {
        only_row -> Integer,
        last -> BigInt,
    }
}

diesel::table! {
    /// Who answers for a place. A tree of its own: development zones have no division code.
    jurisdictions (id) {
        id -> Binary,
        parent_id -> Nullable<Binary>,
        name -> Text,
        level -> Text,
        division_code -> Nullable<Text>,
        path -> Text,
        boundary -> Nullable<Text>,
        boundary_reference -> Nullable<Text>,
        version -> BigInt,
        record -> Binary,
        merged_into -> Nullable<Binary>,
        merge_stage -> Nullable<Integer>,
        merge_after_kind -> Nullable<Integer>,
        merge_after_id -> Nullable<Binary>,
    }
}

diesel::table! {
    enterprises (id) {
        id -> Binary,
        credit_code -> Nullable<Text>,
        name -> Text,
        jurisdiction_id -> Binary,
        district_code -> Text,
        sector -> Text,
        longitude -> Nullable<Double>,
        latitude -> Nullable<Double>,
        cell -> Nullable<BigInt>,
        created_at -> BigInt,
        version -> BigInt,
        record -> Binary,
    }
}

diesel::table! {
    /// What lists of enterprises are narrowed by, once for every scope that holds the enterprise.
    enterprise_rows (scope, enterprise_id) {
        scope -> Text,
        enterprise_id -> Binary,
        created_at -> BigInt,
        sector -> Text,
        status -> Text,
        risk_level -> Text,
        size_class -> Text,
    }
}

diesel::table! {
    /// Tables of enterprises that were taken in, each whole or not at all.
    imports (id) {
        id -> Binary,
        person_id -> Nullable<Binary>,
        request_hash -> Binary,
        received_at -> BigInt,
        answer -> Text,
        undone_at -> Nullable<BigInt>,
        undone_by -> Nullable<Binary>,
    }
}

diesel::table! {
    /// The jurisdictions that hold all of an import: the narrowest, and those above it.
    import_places (jurisdiction_id, received_at, import_id) {
        jurisdiction_id -> Binary,
        received_at -> BigInt,
        import_id -> Binary,
    }
}

diesel::table! {
    /// What each row of an import did.
    import_rows (import_id, row_number) {
        import_id -> Binary,
        row_number -> Integer,
        enterprise_id -> Binary,
        did -> Text,
        version -> BigInt,
        before -> Nullable<Binary>,
    }
}

diesel::table! {
    people (id) {
        id -> Binary,
        login -> Text,
        name -> Text,
        phone -> Nullable<Text>,
        password_hash -> Text,
        created_at -> BigInt,
        disabled_at -> Nullable<BigInt>,
        version -> BigInt,
    }
}

diesel::table! {
    /// A role somebody holds over one enterprise or one jurisdiction subtree, from when until when.
    grants (id) {
        id -> Binary,
        person_id -> Binary,
        role -> Text,
        enterprise_id -> Nullable<Binary>,
        jurisdiction_id -> Nullable<Binary>,
        valid_from -> BigInt,
        valid_until -> Nullable<BigInt>,
        sectors -> Nullable<Text>,
        certificate_number -> Nullable<Text>,
        certificate_valid_to -> Nullable<Text>,
        temporary_reason -> Nullable<Text>,
    }
}

diesel::table! {
    /// Who took over whose roles.
    hand_overs (id) {
        id -> Binary,
        from_person -> Binary,
        to_person -> Binary,
        reason -> Text,
        effective_at -> BigInt,
        made_by -> Binary,
        made_at -> BigInt,
        request_hash -> Binary,
    }
}

diesel::table! {
    /// Which grant was given for which in a hand-over.
    hand_over_grants (hand_over_id, ended_id) {
        hand_over_id -> Binary,
        ended_id -> Binary,
        given_id -> Binary,
    }
}

diesel::table! {
    /// Which sectors of which jurisdictions have a scope of their own, and how far it is filled.
    sector_scopes (jurisdiction_id, sector) {
        jurisdiction_id -> Binary,
        sector -> Text,
        opened_at -> BigInt,
        after_kind -> Integer,
        after_id -> Binary,
        filled_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    /// Keys that sign access tokens. Exactly one is active (newest activated, not retired); retired
    /// ones verify until the last token they signed has expired.
    signing_keys (kid) {
        kid -> Text,
        algorithm -> Text,
        private_key -> Binary,
        public_key -> Binary,
        activated_at -> BigInt,
        retired_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    /// One installation of the app on one device, bound to one person for its whole life.
    installs (id) {
        id -> Binary,
        person_id -> Binary,
        device_name -> Text,
        key_algorithm -> Integer,
        public_key -> Binary,
        enrolled_at -> BigInt,
        last_seen_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        revoked_reason -> Nullable<Text>,
        last_seq -> BigInt,
        last_hash -> Binary,
        stolen -> Bool,
        offered_at -> Nullable<BigInt>,
        broken_at -> Nullable<BigInt>,
        anchored_at -> Nullable<BigInt>,
        anchored_boot -> Nullable<Binary>,
        anchored_monotonic_ms -> Nullable<BigInt>,
    }
}

diesel::table! {
    /// A key of somebody who signs on another person's device, under a PIN.
    person_keys (id) {
        id -> Binary,
        person_id -> Binary,
        host_install -> Binary,
        algorithm -> Integer,
        public_key -> Binary,
        registered_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
        revoked_reason -> Nullable<Text>,
    }
}

diesel::table! {
    /// A sign-in and all tokens that descend from it.
    sessions (id) {
        id -> Binary,
        person_id -> Binary,
        install_id -> Nullable<Binary>,
        created_at -> BigInt,
        last_used_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
        revoked_reason -> Nullable<Text>,
    }
}

diesel::table! {
    refresh_tokens (id) {
        id -> Binary,
        session_id -> Binary,
        token_hash -> Binary,
        parent_id -> Nullable<Binary>,
        issued_at -> BigInt,
        expires_at -> BigInt,
        first_used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    /// The current state of every hazard. `record` is the CBOR that devices receive, byte for byte.
    hazards (id) {
        id -> Binary,
        hazard_no -> Text,
        enterprise_id -> Nullable<Binary>,
        jurisdiction_id -> Binary,
        district_code -> Text,
        grade -> Text,
        status -> Text,
        source -> Text,
        due_at -> Nullable<BigInt>,
        longitude -> Nullable<Double>,
        latitude -> Nullable<Double>,
        cell -> Nullable<BigInt>,
        received_at -> BigInt,
        updated_at -> BigInt,
        version -> BigInt,
        head_hash -> Binary,
        record -> Binary,
        sector -> Nullable<Text>,
        criterion -> Nullable<Text>,
        reported_by -> Nullable<Binary>,
    }
}

diesel::table! {
    /// What happened, append-only, one hash chain a subject. `body` is the hashed CBOR.
    events (tx, ordinal) {
        tx -> BigInt,
        ordinal -> Integer,
        subject_kind -> Text,
        subject_id -> Binary,
        subject_seq -> BigInt,
        kind -> Text,
        actor_id -> Nullable<Binary>,
        recorded_at -> BigInt,
        body -> Binary,
        hash_algorithm -> Integer,
        previous_hash -> Binary,
        hash -> Binary,
    }
}

diesel::table! {
    /// The whole-server chain over all events in commit order; its newest hash is the audit head.
    audit_chain (position) {
        position -> BigInt,
        tx -> BigInt,
        ordinal -> Integer,
        subject_id -> Binary,
        subject_seq -> BigInt,
        event_hash -> Binary,
        hash_algorithm -> Integer,
        chain_hash -> Binary,
    }
}

diesel::table! {
    /// Commands that came over REST, so that a repeated request gets the first answer again.
    rest_commands (command_id) {
        command_id -> Binary,
        person_id -> Binary,
        request_hash -> Binary,
        subject_id -> Binary,
        received_at -> BigInt,
        answer -> Text,
    }
}

diesel::table! {
    /// Every pushed command as it came, with its receipt. A payload that was refused stays here.
    pushed_commands (install_id, seq) {
        install_id -> Binary,
        seq -> BigInt,
        person_id -> Binary,
        kind -> Text,
        kind_version -> Integer,
        subject_id -> Nullable<Binary>,
        payload -> Binary,
        link_hash -> Binary,
        previous_hash -> Binary,
        signature -> Binary,
        received_at -> BigInt,
        outcome -> Text,
        receipt -> Binary,
        settled_at -> Nullable<BigInt>,
        settled_by -> Nullable<Binary>,
        settled_how -> Nullable<Text>,
        settled_note -> Nullable<Text>,
        waiting_since -> Nullable<BigInt>,
        not_before -> Nullable<BigInt>,
        clock_check -> Nullable<Text>,
        packing -> Nullable<Integer>,
    }
}

diesel::table! {
    /// Photos that commands name which could not be judged.
    command_photos (install_id, seq, sha256) {
        install_id -> Binary,
        seq -> BigInt,
        sha256 -> Binary,
        person_id -> Binary,
        named_at -> BigInt,
        arrived_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    /// Originals, immutable, by content. Bytes lie in the object store under `object_key`.
    photos (sha256) {
        sha256 -> Binary,
        size -> BigInt,
        media_type -> Text,
        width -> Integer,
        height -> Integer,
        orientation -> Integer,
        taken_at -> Nullable<BigInt>,
        longitude -> Nullable<Double>,
        latitude -> Nullable<Double>,
        metadata -> Text,
        object_key -> Text,
        stored_at -> BigInt,
        thumbnail_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    /// The current state of every inspection. `record` is the CBOR that devices receive.
    inspections (id) {
        id -> Binary,
        inspection_no -> Text,
        kind -> Text,
        state -> Text,
        enterprise_id -> Nullable<Binary>,
        jurisdiction_id -> Binary,
        departments -> Bool,
        held_at -> BigInt,
        started_at -> Nullable<BigInt>,
        received_at -> BigInt,
        updated_at -> BigInt,
        version -> BigInt,
        head_hash -> Binary,
        record -> Binary,
    }
}

diesel::table! {
    /// A hazard or an inspection names a photo, whether or not its bytes have come.
    photo_references (subject_id, sha256) {
        subject_id -> Binary,
        subject_kind -> Text,
        sha256 -> Binary,
        named_by -> Binary,
        named_at -> BigInt,
        state -> Text,
    }
}

diesel::table! {
    /// tus uploads under way.
    uploads (id) {
        id -> Binary,
        person_id -> Binary,
        total_length -> BigInt,
        received -> BigInt,
        sha256 -> Nullable<Binary>,
        metadata -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
        finished_at -> Nullable<BigInt>,
        begun_by -> Nullable<Binary>,
    }
}

diesel::table! {
    /// Work that follows a change, stored in the change's own transaction, taken by lease.
    jobs (id) {
        id -> Binary,
        kind -> Text,
        dedup_key -> Nullable<Text>,
        payload -> Text,
        run_at -> BigInt,
        attempts -> Integer,
        lease_until -> BigInt,
        last_error -> Nullable<Text>,
        failed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    /// Hazards whose due date is provisional.
    provisional_deadlines (hazard_id) {
        hazard_id -> Binary,
    }
}

diesel::joinable!(enterprises -> jurisdictions (jurisdiction_id));
diesel::joinable!(grants -> people (person_id));
diesel::joinable!(grants -> enterprises (enterprise_id));
diesel::joinable!(grants -> jurisdictions (jurisdiction_id));
diesel::joinable!(installs -> people (person_id));
diesel::joinable!(person_keys -> people (person_id));
diesel::joinable!(person_keys -> installs (host_install));
diesel::joinable!(sessions -> people (person_id));
diesel::joinable!(sessions -> installs (install_id));
diesel::joinable!(refresh_tokens -> sessions (session_id));
diesel::joinable!(hazards -> enterprises (enterprise_id));
diesel::joinable!(hazards -> jurisdictions (jurisdiction_id));
diesel::joinable!(rest_commands -> people (person_id));
diesel::joinable!(pushed_commands -> installs (install_id));
diesel::joinable!(inspections -> enterprises (enterprise_id));
diesel::joinable!(inspections -> jurisdictions (jurisdiction_id));
diesel::joinable!(uploads -> people (person_id));

// In braces, so that a line holds several.
diesel::allow_tables_to_appear_in_same_query! {
    server_meta, commit_order, jurisdictions, sector_scopes, hand_overs, hand_over_grants,
    hand_over_inspections, planned_members, certificates,
    enterprises, enterprise_rows, imports, import_places, import_rows, people, grants, criteria,
    packs, checklists, signing_keys, installs, person_keys, sessions, refresh_tokens, hazards,
    hazard_lists, search_pending, search_documents, search_terms, search_segments,
    witness_statements,
    inspections, events, audit_chain, rest_commands, scope_rows, pushed_commands, command_fates,
    command_photos, photos,
    photo_references, uploads, jobs, calendar_years, provisional_deadlines, responsibilities,
    responsibility_versions, rule_limits, unclaimed_hazards,
}
