//! The command line's help in the person's language, and what is wrong with a line.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, CommandFactory as _, FromArgMatches as _};

use super::args::{Arguments, Language};
use super::cosign_args::goes_with;
use super::exit;
use super::help_words::{frame, words};
use super::parse::Unreadable;

/// Most columns of a line of help.
pub const COLUMNS: usize = 100;
/// Where the words beside an argument begin.
const INDENT: usize = 30;

/// What is said instead of doing a task: help, the version, or what is wrong with the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// In the person's language.
    pub text: String,
    /// The exit code.
    pub code: u8,
}

/// Reads a command line (with the program's name first).
///
/// # Errors
/// [`Said`], when there is something to say instead.
pub fn read(line: &[OsString]) -> Result<Arguments, Said> {
    let lang = language(line);
    let matches = command(lang).try_get_matches_from(line);
    matches
        .and_then(|matches| Arguments::from_arg_matches(&matches))
        .map_err(|error| said(lang, &error))
}

/// The language of a line that may be wrong elsewhere: `--lang`, else the environment.
fn language(line: &[OsString]) -> Language {
    let texts: Vec<&str> = line
        .iter()
        .map(|word| word.to_str().unwrap_or(""))
        .collect();
    let ended = texts.iter().position(|text| *text == "--");
    let texts = texts
        .get(..ended.unwrap_or(texts.len()))
        .unwrap_or_default();
    let pairs = texts.windows(2).filter_map(|pair| match pair {
        ["--lang", value] => Some(*value),
        _ => None,
    });
    let joined = texts.iter().filter_map(|text| text.strip_prefix("--lang="));
    if let Some(value) = pairs.chain(joined).last() {
        return Language::of(value);
    }
    let lang = Arguments::command()
        .get_arguments()
        .find(|arg| arg.get_id() == "lang")
        .cloned();
    let alone = Command::new("lang").args(lang);
    let matches = alone.try_get_matches_from(["lang"]);
    let found = matches.ok().and_then(|m| m.get_one("lang").copied());
    found.unwrap_or(Language::En)
}

/// The form of the command line, with its help in one language.
pub fn command(lang: Language) -> Command {
    let mut command = Arguments::command();
    command.build();
    worded(command, lang, "")
}

fn worded(mut command: Command, lang: Language, path: &str) -> Command {
    let text = help(&mut command, lang, path);
    let command = command.override_help(text);
    command.mut_subcommands(|inner| {
        let path = format!("{path} {}", inner.get_name());
        match inner.get_name() {
            // It shows the help of others.
            "help" => inner.override_help(words(lang, "help", "").unwrap_or_default().to_owned()),
            _ => worded(inner, lang, path.trim_start()),
        }
    })
}

fn help(command: &mut Command, lang: Language, path: &str) -> String {
    let frame = frame(lang);
    let mut lines = wrap(words(lang, path, "").unwrap_or_default(), COLUMNS);
    lines.push(String::new());
    lines.extend(usage(lang, &command.render_usage().to_string()));
    let shown = |arg: &&Arg| !arg.is_hide_set() && goes_with(path, arg.get_id().as_str());
    let positional: Vec<&Arg> = command.get_positionals().filter(shown).collect();
    let options: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| !arg.is_positional())
        .filter(shown)
        .collect();
    for (title, args) in [(frame.arguments, positional), (frame.options, options)] {
        if !args.is_empty() {
            lines.extend([String::new(), title.to_owned()]);
        }
        for arg in args {
            lines.extend(entry(&label(arg), &beside(arg, lang, path)));
        }
    }
    if command.has_subcommands() {
        lines.extend([String::new(), frame.commands.to_owned()]);
        for inner in command.get_subcommands() {
            let path = format!("{path} {}", inner.get_name());
            let path = match inner.get_name() {
                "help" => "help",
                _ => path.trim_start(),
            };
            let about = words(lang, path, "").unwrap_or_default();
            lines.extend(entry(inner.get_name(), about));
        }
    }
    lines.join("\n") + "\n"
}

/// The usage line of clap in our words. An option and its value stay on one line.
fn usage(lang: Language, text: &str) -> Vec<String> {
    const TIED: &str = "\u{a0}";
    let frame = frame(lang);
    let text = text
        .trim()
        .replacen("Usage: ", frame.usage, 1)
        .replace("[OPTIONS]", frame.option)
        .replace("<COMMAND>", frame.command)
        .replace("[COMMAND]", frame.command);
    let mut tied = String::new();
    let mut before = "";
    for word in text.split(' ') {
        let space = match before.starts_with("--") && word.starts_with('<') {
            true => TIED,
            false => " ",
        };
        tied += &format!("{space}{word}");
        before = word;
    }
    let lines = wrap(tied.trim_start(), COLUMNS);
    lines.iter().map(|line| line.replace(TIED, " ")).collect()
}

/// How an argument is written.
fn label(arg: &Arg) -> String {
    let value = || {
        let names = arg.get_value_names().unwrap_or_default();
        let name = names.first().map_or("VALUE", |name| name.as_str());
        let several = arg.get_num_args().is_some_and(|n| n.max_values() > 1);
        format!("<{name}>{}", if several { "..." } else { "" })
    };
    let Some(long) = arg.get_long() else {
        return value();
    };
    let short = arg.get_short();
    let short = short.map_or_else(|| "    ".to_owned(), |short| format!("-{short}, "));
    match takes_value(arg) {
        true => format!("{short}--{long} {}", value()),
        false => format!("{short}--{long}"),
    }
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

/// The key of an argument's words.
pub(super) fn key(arg: &Arg) -> String {
    let named = arg.get_long().map(|long| format!("--{long}"));
    named.unwrap_or_else(|| arg.get_id().as_str().to_ascii_uppercase())
}

/// The words beside an argument.
fn beside(arg: &Arg, lang: Language, path: &str) -> String {
    let frame = frame(lang);
    let mut text = words(lang, path, &key(arg)).unwrap_or_default().to_owned();
    let mut add = |what: &str, values: &[String]| {
        if !values.is_empty() {
            text += &format!(" [{what}: {}]", values.join(", "));
        }
    };
    if takes_value(arg) {
        let values = arg.get_possible_values();
        let values: Vec<_> = values.iter().map(|v| v.get_name().to_owned()).collect();
        add(frame.one_of, &values);
        let defaults = arg.get_default_values().iter();
        let defaults: Vec<_> = defaults.map(|v| v.to_string_lossy().into_owned()).collect();
        add(frame.default, &defaults);
        let environment = arg
            .get_env()
            .map(|name| name.to_string_lossy().into_owned());
        add(frame.environment, environment.as_slice());
    }
    let aliases = arg.get_visible_aliases().unwrap_or_default();
    let aliases: Vec<_> = aliases.iter().map(|alias| format!("--{alias}")).collect();
    match aliases.as_slice() {
        [] => text,
        aliases => format!("{text} [= {}]", aliases.join(", ")),
    }
}

/// A label and the words beside it, or below it where the label is long.
fn entry(label: &str, text: &str) -> Vec<String> {
    let mut words = wrap(text, COLUMNS - INDENT).into_iter();
    let label = format!("  {label}");
    let mut lines = Vec::new();
    if width(&label) + 2 > INDENT {
        lines.push(label);
    } else {
        let space = " ".repeat(INDENT - width(&label));
        lines.push(format!(
            "{label}{space}{}",
            words.next().unwrap_or_default()
        ));
    }
    lines.extend(words.map(|line| format!("{}{line}", " ".repeat(INDENT))));
    lines
}

/// Columns of a text on a terminal: Chinese characters and full-width signs take two.
pub fn width(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

fn is_wide(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}' | '\u{20000}'..='\u{3fffd}')
}

/// Lines of at most so many columns. Lines break at spaces and beside wide characters, but not
/// before a closing sign.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for piece in pieces(paragraph) {
            if width(&line) + width(piece.trim_end()) > columns && !line.is_empty() {
                lines.push(line.trim_end().to_owned());
                line.clear();
            }
            line += &piece;
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// What a line must not break within.
fn pieces(text: &str) -> Vec<String> {
    let closes = |c: char| "，。；：、）？！”,.;:)]".contains(c);
    let mut pieces: Vec<String> = Vec::new();
    let mut before = ' ';
    for c in text.chars() {
        let breaks = (before == ' ' || is_wide(c) || is_wide(before)) && c != ' ' && !closes(c);
        match pieces.last_mut().filter(|_| !breaks || before == '（') {
            Some(last) => last.push(c),
            None => pieces.push(c.to_string()),
        }
        before = c;
    }
    pieces
}

fn said(lang: Language, error: &clap::Error) -> Said {
    let code = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => exit::DONE,
        _ => exit::USAGE,
    };
    let as_it_is = matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    let text = match lang {
        Language::Zh if !as_it_is => wrong_in_chinese(error),
        _ => error.render().to_string(),
    };
    let text = format!("{}\n", text.trim_end());
    Said { text, code }
}

fn context(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join("、"),
        Some(ContextValue::StyledStr(text)) => text.to_string(),
        Some(ContextValue::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn wrong_in_chinese(error: &clap::Error) -> String {
    let get = |kind| context(error, kind);
    let (arg, value) = (get(ContextKind::InvalidArg), get(ContextKind::InvalidValue));
    let what = match error.kind() {
        ErrorKind::MissingRequiredArgument => format!("缺少必需的参数：{arg}"),
        ErrorKind::UnknownArgument => format!("没有这个参数：{arg}"),
        ErrorKind::InvalidSubcommand => {
            format!("没有这个命令：{}", get(ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingSubcommand => "请指定要执行的命令".to_owned(),
        ErrorKind::ArgumentConflict => {
            let other = get(ContextKind::PriorArg);
            match other == arg {
                true => format!("{arg} 只能给一次"),
                false => format!("{arg} 不能与 {other} 同时使用"),
            }
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("{arg} 需要一个值"),
        ErrorKind::InvalidValue => {
            let valid = get(ContextKind::ValidValue);
            format!("{arg} 的值“{value}”无效，可选：{valid}")
        }
        ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error);
            let why = why.and_then(|why| why.downcast_ref::<Unreadable>());
            let why = why.map_or("", |why| why.zh.as_str());
            format!("{arg} 的值“{value}”无效：{why}")
        }
        ErrorKind::TooManyValues => format!("{arg} 不接受多余的值“{value}”"),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues | ErrorKind::NoEquals => {
            format!("{arg} 的值的个数不对")
        }
        ErrorKind::InvalidUtf8 => "参数不是有效的 UTF-8 文本".to_owned(),
        _ => format!("命令行有误（{}）", error.kind()),
    };
    let mut text = format!("错误：{what}\n");
    let hints = [
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedValue,
    ];
    let hints = hints.map(get);
    if let Some(hint) = hints.iter().find(|hint| !hint.is_empty()) {
        text += &format!("\n是否想用：{hint}\n");
    }
    let shown = get(ContextKind::Usage);
    if !shown.is_empty() {
        text += &format!("\n{}\n", usage(Language::Zh, &shown).join("\n"));
    }
    text + "\n详细说明请加 --help。\n"
}

#[cfg(test)]
#[path = "help_tests.rs"]
mod tests;
