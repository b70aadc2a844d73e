//! A phone that several people use: nobody's work is to be open to whoever holds it next.

use std::path::Path;

use super::args::{Arguments, Language};
use super::exit;
use super::trouble::Trouble;
use crate::home::{Owner, Profile, people_in};
use crate::vault::{self, Lock};

/// Refuses to enrol somebody beside people whose work no PIN guards.
pub(super) fn require_guarded(home: &Path, owner: &Owner) -> Result<(), Trouble> {
    let open = vault::people_without_pin(home, owner).join(", ");
    if open.is_empty() {
        return Ok(());
    }
    Err(Trouble::Told(
        exit::ATTENTION,
        format!(
            "本机有他人（{open}）的工作，没有口令，谁用本机都能打开：请其先运行 lock pin，或换一个 --home；\
             确知无妨可加 --unguarded"
        ),
        format!(
            "the work of {open} is on this device without a PIN, so that whoever uses it can open it: they run \
             `lock pin` first, or take another --home; where that does not matter, add --unguarded"
        ),
    ))
}

/// What a newcomer is told on a phone that others use too.
pub(super) fn notice(profile: &Profile, arguments: &Arguments) -> Result<Option<String>, Trouble> {
    let others = people_in(&arguments.home)
        .into_iter()
        .any(|(_, other)| other != profile.owner);
    if !others || matches!(vault::lock_of(profile)?, Some(Lock::Pin(_))) {
        return Ok(None);
    }
    let text = match arguments.lang {
        Language::Zh => "他人也使用本机：请运行 lock pin 设置口令，否则其可打开您的工作",
        Language::En => {
            "others use this device too: set a PIN with `lock pin`, or they can open your work"
        }
    };
    Ok(Some(text.to_owned()))
}
