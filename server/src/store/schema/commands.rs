//! Tables of what follows from commands of devices.

diesel::table! {
    /// What became of commands that took no full effect; a record of the author's own scope.
    command_fates (id) {
        id -> Binary,
        person_id -> Binary,
        install_id -> Binary,
        seq -> BigInt,
        version -> BigInt,
        changed_at -> BigInt,
        record -> Binary,
    }
}

diesel::table! {
    /// How far devices have seen the chains of others to be: the command that says so, what it is about, how it
    /// stands, and the record by which the owner of that chain is told.
    witness_statements (by_install, by_seq) {
        by_install -> Binary,
        by_seq -> BigInt,
        id -> Binary,
        about_install -> Binary,
        about_seq -> BigInt,
        head -> Binary,
        received_at -> BigInt,
        proven_at -> BigInt,
        standing -> Text,
        version -> BigInt,
        record -> Binary,
    }
}

diesel::table! {
    /// Installs of whose statements some are still to be weighed, and after which of its commands to go on.
    chains_to_weigh (install_id) {
        install_id -> Binary,
        after_seq -> BigInt,
    }
}
