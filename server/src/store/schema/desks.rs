//! Tables of who acts by what, and what goes along when somebody takes over.

diesel::table! {
    /// Who is on the teams of planned inspections.
    planned_members (person_id, inspection_id) {
        person_id -> Binary,
        inspection_id -> Binary,
    }
}

diesel::table! {
    /// What became of planned inspections when a desk was handed over.
    hand_over_inspections (hand_over_id, inspection_id) {
        hand_over_id -> Binary,
        inspection_id -> Binary,
        outcome -> Text,
    }
}

diesel::table! {
    /// Whose certificate each number is.
    certificates (number) {
        number -> Text,
        person_id -> Binary,
    }
}
