//! The code, broken on purpose in one known way. A check that finds none of these is worth nothing.

/// What is broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variant {
    /// Nothing: the code as it is.
    #[default]
    Sound,
    /// The device tells its person that a command is kept before it is on the disk.
    AcknowledgesBeforeTheDisk,
    /// The hub carries a command out again when it is pushed again.
    ExecutesReplays,
    /// The hub makes a new receipt when a command is pushed again.
    NewReceiptForReplays,
    /// The hub takes a batch from behind.
    TakesBatchesBackwards,
    /// The hub never gives a receipt to a command that the rules refuse.
    StuckOnRefusals,
    /// The hub's cursor passes a change that it did not deliver.
    CursorPassesAChange,
    /// A hazard whose enterprise moves stays in the scope of the town that it left.
    ForgetsRemovals,
    /// A hazard whose enterprise moves does not come to the scope of the town that it moves to.
    ForgetsArrivals,
    /// A hazard is put into the scope of the other town too.
    LeaksToTheOtherTown,
    /// The hub sums its scopes up wrongly.
    SumsWrongly,
    /// The hub sends a removed record again, later.
    Resurrects,
    /// The hub judges by the device's clock.
    BelievesClocks,
    /// The hub forgets what left a scope, and lets devices that had not heard of it go on.
    ForgetsSilently,
    /// The hub never leaves out what is outside of its window.
    NeverClosesTheWindow,
    /// The hub takes a statement to speak of more commands than were seen.
    ProvesMoreThanWasSeen,
    /// The device loses what it has not sent when credentials run out.
    ForgetsAtUnauthorized,
    /// The hub takes commands to be those of whoever is signed in where they come from.
    TakesTheBearersWord,
    /// The phone keeps one queue, whoever is signed in.
    SharesTheQueue,
    /// The phone deletes what somebody has not sent when the next one signs in.
    ForgetsAtSignIn,
    /// The hub takes a photo whatever its bytes are.
    TakesDamagedPhotos,
    /// The phone deletes a photo once the command that names it has a receipt.
    DeletesPhotosTooEarly,
    /// The hub forgets how far a photo got whenever it is asked.
    ForgetsHowFarPhotosGot,
    /// The phone has forgotten what it has read whenever it starts.
    ReadsAnewAtEveryStart,
    /// The hub keeps of a command what it understands.
    DropsUnknownFields,
    /// The hub does not say that a criterion was withdrawn.
    KeepsWithdrawnCriteria,
    /// The hub does not say that there is a new criterion.
    ForgetsNewCriteria,
    /// The phone goes on as if a write had been kept that found the disk full.
    GoesOnFromMemory,
    /// The hub never takes the last command of what is pushed.
    HoldsTheLast,
    /// The hub carries out what is sent again, although it was sent again before and took effect.
    JudgesRetriesAnew,
    /// The hub judges what a push says to be settled.
    JudgesWhatWasSettled,
    /// The hub forgets what people choose to do about commands of theirs.
    ForgetsChoices,
    /// The hub tells no device of it.
    TellsNobodyOfChoices,
    /// The hub forgets it where it is about what a placeholder stands for.
    ForgetsChoicesAboutPlaceholders,
    /// The hub has commands that took no effect given up, though nobody chose that.
    SettlesByItself,
    /// The hub carries commands out that were given up, once the rules allow them.
    CarriesOutWhatWasGivenUp,
    /// The hub carries out what a revoked phone offers.
    CarriesOutOffers,
    /// The hub says that it keeps what a revoked phone offers, and does not.
    LosesOffers,
    /// The hub says that it keeps no more of a revoked phone than it has, and would have kept more.
    TakesLessThanItMay,
    /// The hub answers pulls of revoked phones.
    GivesToRevoked,
    /// A phone that is told that it is revoked is wiped at once.
    WipesBeforeOffering,
    /// A phone that is told that it is revoked goes on showing what it holds.
    KeepsWhatItMayNotRead,
    /// The hub goes on giving out what a role showed that has ended.
    GivesAfterTheEnd,
    /// The phone goes on showing what a role showed that has ended, until the hub says so.
    ShowsAfterTheEnd,
    /// The hub moves roles to the successor of a town before the successor is told of what was filed there.
    MovesRolesBeforeRecords,
    /// The hub merges towns and leaves the roles over the dissolved one as they were.
    LeavesRolesBehind,
    /// The phone reads an answer that was cut as if it were whole.
    ReadsWhatWasCut,
    /// The hub unpacks pushes after another command than they were packed after, and takes them though the signature does
    /// not fit.
    TakesWhatDoesNotFit,
    /// A second hub that hears the same says something else once.
    AltersOneReceipt,
}

impl Variant {
    /// Every broken one, with the invariant that must be found broken.
    pub const BROKEN: &'static [(Self, u8)] = &[
        (Self::AcknowledgesBeforeTheDisk, 1),
        (Self::ExecutesReplays, 2),
        (Self::NewReceiptForReplays, 3),
        (Self::TakesBatchesBackwards, 4),
        (Self::StuckOnRefusals, 6),
        (Self::CursorPassesAChange, 10),
        (Self::ForgetsRemovals, 8),
        (Self::ForgetsArrivals, 9),
        (Self::LeaksToTheOtherTown, 8),
        (Self::SumsWrongly, 13),
        (Self::Resurrects, 14),
        (Self::BelievesClocks, 15),
        (Self::ForgetsSilently, 12),
        (Self::NeverClosesTheWindow, 7),
        (Self::ProvesMoreThanWasSeen, 21),
        (Self::ForgetsAtUnauthorized, 1),
        (Self::TakesTheBearersWord, 16),
        (Self::SharesTheQueue, 16),
        (Self::ForgetsAtSignIn, 1),
        (Self::TakesDamagedPhotos, 17),
        (Self::DeletesPhotosTooEarly, 17),
        (Self::ForgetsHowFarPhotosGot, 19),
        (Self::ReadsAnewAtEveryStart, 19),
        (Self::DropsUnknownFields, 18),
        (Self::KeepsWithdrawnCriteria, 7),
        (Self::ForgetsNewCriteria, 9),
        (Self::GoesOnFromMemory, 11),
        (Self::HoldsTheLast, 5),
        (Self::ForgetsChoices, 22),
        (Self::TellsNobodyOfChoices, 22),
        (Self::ForgetsChoicesAboutPlaceholders, 22),
        (Self::SettlesByItself, 22),
        (Self::CarriesOutWhatWasGivenUp, 22),
        (Self::CarriesOutOffers, 23),
        (Self::LosesOffers, 1),
        (Self::TakesLessThanItMay, 1),
        (Self::GivesToRevoked, 23),
        (Self::WipesBeforeOffering, 1),
        (Self::KeepsWhatItMayNotRead, 23),
        (Self::GivesAfterTheEnd, 8),
        (Self::ShowsAfterTheEnd, 8),
        (Self::MovesRolesBeforeRecords, 9),
        (Self::LeavesRolesBehind, 9),
        (Self::ReadsWhatWasCut, 11),
        (Self::TakesWhatDoesNotFit, 18),
        (Self::AltersOneReceipt, 20),
    ];

    /// Those that few schedules show; some that do are in `tests/found.rs`.
    pub const BROKEN_RARELY: &'static [(Self, u8)] = &[
        (Self::JudgesRetriesAnew, 2),
        (Self::JudgesWhatWasSettled, 22),
    ];
}
