//! Tables of a database from before everything was sealed, see `migrations/`.

diesel::table! {
    account (id) {
        id -> Integer,
        server -> Text,
        login -> Text,
        person_id -> Binary,
        install_id -> Binary,
        person -> Binary,
        access_token -> Text,
        refresh_token -> Text,
    }
}
diesel::table! {
    meta (id) {
        id -> Integer,
        epoch -> Nullable<Text>,
        digest_key -> Nullable<Binary>,
        server_time -> Nullable<BigInt>,
        contact_at -> Nullable<BigInt>,
        must_rekey -> Bool,
        too_large -> Nullable<BigInt>,
    }
}
diesel::table! {
    commands (seq) {
        seq -> BigInt,
        envelope -> Binary,
        subject_id -> Binary,
        queued_at -> BigInt,
        receipt -> Nullable<Binary>,
        awaiting_pull -> Bool,
        oversize -> Nullable<Integer>,
        original -> Nullable<Binary>,
    }
}
diesel::table! {
    scopes (scope) {
        scope -> Text,
        cursor -> Nullable<Binary>,
        held_count -> Nullable<BigInt>,
        held_digest -> Nullable<BigInt>,
        complete -> Bool,
        staging_reset -> Bool,
        last_mismatch -> Nullable<BigInt>,
    }
}
diesel::table! {
    records (kind, id) {
        kind -> Integer,
        id -> Binary,
        version -> BigInt,
        body -> Binary,
    }
}
diesel::table! {
    members (scope, kind, id) {
        scope -> Text,
        kind -> Integer,
        id -> Binary,
        version -> BigInt,
        digest -> BigInt,
    }
}
diesel::table! {
    staged (scope, kind, id) {
        scope -> Text,
        kind -> Integer,
        id -> Binary,
        version -> Nullable<BigInt>,
        body -> Nullable<Binary>,
    }
}
diesel::table! {
    photos (sha256) {
        sha256 -> Binary,
        size -> BigInt,
        media_type -> Text,
        seq -> BigInt,
        subject_id -> Binary,
        upload -> Nullable<Text>,
        stage -> Integer,
        given_up_at -> Nullable<BigInt>,
        given_up_reason -> Nullable<Text>,
    }
}
