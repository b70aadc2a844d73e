//! What happens, in order: drawn from a seed, kept as a list, so that it can be replayed and cut down.

use hazardloop_domain::command_fate::ChoiceKind;

use crate::dice::Dice;
use crate::network::NetFault;

/// Which device.
pub type DeviceNo = usize;

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Somebody reports a hazard.
    Report(DeviceNo),
    /// Somebody reports a hazard with a photo.
    Photograph(DeviceNo),
    /// The next of a phone's people signs in.
    SignIn(DeviceNo),
    /// The phone is handed on while its requests are under way: the next of its people signs in and syncs.
    HandOn(DeviceNo),
    /// A photo's file on a phone changes by itself.
    SpoilPhoto(DeviceNo),
    /// The phone gets a newer build than the hub's.
    UpgradePhone(DeviceNo),
    /// The hub gets a newer build than the phones'.
    UpgradeHub,
    /// Somebody writes a note on a hazard that they see.
    Note(DeviceNo),
    /// Somebody changes the description of a hazard that they see.
    Amend(DeviceNo),
    /// Somebody confirms a hazard that they see.
    Confirm(DeviceNo),
    /// Somebody takes a report back that they see: it comes to its end.
    Withdraw(DeviceNo),
    /// Somebody chooses what is to become of a command of theirs that took no effect.
    Choose(DeviceNo, ChoiceKind),
    /// A device takes the head of another one's chain.
    Witness(DeviceNo),
    /// The device finds a network and syncs.
    Sync(DeviceNo),
    /// This befalls the next requests of a device.
    Net(DeviceNo, NetFault, usize),
    /// This befalls the chunk of a photo that is the one of this number from now.
    Chunk(DeviceNo, usize, NetFault),
    /// So many of a device's next requests with something to keep are too large for the hub, which says so itself.
    TooLarge(DeviceNo, usize),
    /// So is the next photo that a device begins to send.
    PhotoTooLarge(DeviceNo),
    /// Something on the way finds what somebody reports too large; they choose at once what is to become of it.
    HeldUp(DeviceNo, ChoiceKind),
    /// Time passes, milliseconds.
    Wait(i64),
    /// Hours pass, and the hub leaves out what came to its end too long ago, or is too much.
    Hours(i64),
    /// The app is killed at one of its next writes: before or after it is durable.
    Crash(DeviceNo, usize, bool),
    /// So many of the next writes find the disk full.
    DiskFull(DeviceNo, usize),
    /// The device's clock jumps to so many milliseconds beside the true time.
    Clock(DeviceNo, i64),
    /// An enterprise moves to the other town.
    MoveFirm(usize),
    /// The other town is merged into this one.
    MergeInto(usize),
    /// An inspector is moved to the other town: the old role ends, a new one begins.
    MoveInspector(DeviceNo),
    /// The role of whoever is signed in has an end some hours ahead, and begins again some hours after: nobody is told
    /// when either comes.
    EndRole(DeviceNo),
    /// The hub's reference data changes: criteria come, change and go.
    ChangeCatalog,
    /// The hub is backed up.
    BackUpHub,
    /// The hub is restored from its last backup, and what was on its way to it arrives afterwards, as by a courier.
    RestoreHub,
    /// The hub forgets what its scopes held once and hold no longer.
    ForgetRemovals,
    /// A phone is revoked for whoever is signed in; `true`: as one that was stolen.
    Revoke(DeviceNo, bool),
    /// The phone is backed up.
    BackUpPhone(DeviceNo),
    /// The phone is restored from its last backup.
    RestorePhone(DeviceNo),
}

/// A schedule. The number of a step stays its own when others are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// What everything within the steps is drawn from.
    pub seed: u64,
    /// The steps.
    pub steps: Vec<(u64, Step)>,
}

/// How many phones there are; see [`crate::cast`].
pub const DEVICES: usize = 5;

impl Schedule {
    /// The schedule of a seed. Restoring the hub and restoring phones come in different schedules: who loses
    /// both sides' memory has nothing left to compare.
    pub fn of(seed: u64, length: usize) -> Self {
        let mut dice = Dice::of(seed, 0);
        let restores_phones = dice.one_in(2);
        let numbers = 1..=u64::try_from(length).unwrap_or(u64::MAX);
        let steps = numbers.map(|number| (number, step(&mut dice, restores_phones)));
        Self {
            seed,
            steps: steps.collect(),
        }
    }
}

fn some_fault(dice: &mut Dice) -> NetFault {
    let fault = NetFault::ALL.get(dice.below(NetFault::ALL.len()));
    fault.copied().unwrap_or(NetFault::RequestLost)
}

fn some_choice(dice: &mut Dice) -> ChoiceKind {
    match dice.below(4) {
        0 | 1 => ChoiceKind::Retried,
        2 => ChoiceKind::Amended,
        _ => ChoiceKind::GivenUp,
    }
}

fn step(dice: &mut Dice, restores_phones: bool) -> Step {
    let device = dice.below(DEVICES);
    match dice.below(142) {
        0..14 => Step::Report(device),
        14..30 => Step::Note(device),
        30..32 => Step::Witness(device),
        32..37 => Step::Amend(device),
        37..39 => Step::Confirm(device),
        39..42 => Step::Withdraw(device),
        42..66 => Step::Sync(device),
        66..78 => Step::Net(device, some_fault(dice), 1 + dice.below(3)),
        78..79 => Step::Wait(1_000 + dice.below(600_000) as i64),
        79..80 => Step::ForgetRemovals,
        80..82 => Step::Hours(1 + dice.below(20) as i64),
        82..87 => Step::Crash(device, 1 + dice.below(4), dice.one_in(2)),
        87..89 => Step::DiskFull(device, 1 + dice.below(3)),
        89..92 => Step::Clock(device, (dice.below(40) as i64 - 20) * 86_400_000),
        92..94 => Step::MoveFirm(dice.below(crate::cast::FIRMS)),
        94..96 => Step::MoveInspector(device),
        96..101 => Step::Photograph(device),
        101..104 => Step::SignIn(device),
        104..105 => Step::HandOn(device),
        105..106 => Step::SpoilPhoto(device),
        106..107 => Step::UpgradePhone(device),
        107..108 => Step::UpgradeHub,
        108..112 => Step::Chunk(device, 1 + dice.below(6), some_fault(dice)),
        112..116 => Step::ChangeCatalog,
        116..119 => Step::TooLarge(device, 1 + dice.below(6)),
        119..120 => Step::PhotoTooLarge(device),
        128..136 => Step::Choose(device, some_choice(dice)),
        120..124 if restores_phones => Step::BackUpPhone(device),
        120..124 => Step::BackUpHub,
        124..128 if restores_phones => Step::RestorePhone(device),
        124..128 => Step::RestoreHub,
        136..137 => Step::Revoke(device, dice.one_in(3)),
        137..139 => Step::EndRole(device),
        139..141 => Step::HeldUp(device, some_choice(dice)),
        // Once in a schedule is all that it may do.
        141..142 if dice.one_in(3) => Step::MergeInto(dice.below(2)),
        _ => Step::Sync(device),
    }
}
