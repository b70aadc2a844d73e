//! Everything on the command line has words in both languages, and no line of them is too long.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use super::*;

fn line(words: &[&str]) -> Vec<OsString> {
    let mut line = vec![OsString::from("hazardloop-device")];
    line.extend(words.iter().map(OsString::from));
    line
}

fn told(words: &[&str]) -> Said {
    read(&line(words)).unwrap_err()
}

/// Every command by its way, with its form.
fn commands(command: &Command, path: &str, all: &mut Vec<(String, Command)>) {
    all.push((path.to_owned(), command.clone()));
    for inner in command.get_subcommands().filter(|c| c.get_name() != "help") {
        let path = format!("{path} {}", inner.get_name());
        commands(inner, path.trim_start(), all);
    }
}

fn all() -> Vec<(String, Command)> {
    let mut all = Vec::new();
    commands(&command(Language::En), "", &mut all);
    all
}

fn is_chinese(text: &str) -> bool {
    text.chars().any(is_wide)
}

#[test]
fn every_command_and_argument_has_words_in_both_languages() {
    assert!(all().len() > 25);
    for (path, command) in all() {
        let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
        let keys: Vec<String> = shown.map(key).chain([String::new()]).collect();
        for key in keys {
            let of = |lang| words(lang, &path, &key).unwrap_or_default();
            assert!(is_chinese(of(Language::Zh)), "{path} {key} in Chinese");
            let english = of(Language::En);
            assert!(
                !english.is_empty() && !is_chinese(english),
                "{path} {key} in English"
            );
        }
    }
}

#[test]
fn no_line_of_help_is_wider_than_the_page() {
    for lang in ["zh", "en"] {
        for (path, _) in all() {
            let mut words: Vec<&str> = path.split_whitespace().collect();
            words.extend(["--help", "--lang", lang]);
            let said = told(&words);
            assert_eq!(said.code, exit::DONE, "{}", said.text);
            assert_eq!(
                is_chinese(&said.text),
                lang == "zh",
                "{path}: {}",
                said.text
            );
            for line in said.text.lines() {
                assert!(width(line) <= COLUMNS, "{} columns: {line}", width(line));
            }
        }
    }
}

#[test]
fn help_is_the_same_by_every_way_to_ask_for_it() {
    let asked = told(&["report", "--help", "--lang", "zh"]);
    assert_eq!(told(&["--lang", "zh", "help", "report"]), asked);
    assert_eq!(told(&["--lang=zh", "report", "-h"]), asked);
    for shown in [
        "用法：",
        "选项：",
        "--no-photo-reason",
        "部位",
        "--no-photo",
    ] {
        assert!(asked.text.contains(shown), "{shown}: {}", asked.text);
    }
    let whole = told(&["--help", "--lang", "zh"]);
    for shown in ["退出码", "命令：", "现场设备", "enroll"] {
        assert!(whole.text.contains(shown), "{shown}: {}", whole.text);
    }
    assert!(
        told(&["photo", "give-up", "--help", "--lang", "zh"])
            .text
            .contains("登记其遗失")
    );
}

#[test]
fn what_is_wrong_with_a_line_is_said_in_the_persons_language() {
    let wrong: &[(&[&str], &str, &str)] = &[
        (
            &["report", "--text", "a"],
            "缺少必需的参数：--place",
            "--place",
        ),
        (&["list", "--colour"], "没有这个参数：--colour", "--colour"),
        (&["lst"], "没有这个命令：lst", "lst"),
        (
            &["report", "--major", "--general"],
            "不能与",
            "cannot be used",
        ),
        (&["report", "--at", "nowhere"], "经度,纬度", "LON,LAT"),
        (
            &["report", "--at", "190,29"],
            "须在 -180 至 180 之间",
            "between -180",
        ),
        (
            &["confirm", "HZ-1", "--due", "soon"],
            "须为日期",
            "expected a date",
        ),
        (&["report", "--found-at", "soon"], "RFC 3339", "RFC 3339"),
        (&["report", "--source", "rumour"], "可选：", "one of"),
        (
            &["report", "--criterion", "GM"],
            "编码@版本",
            "CODE@EDITION",
        ),
        (&["fix", "HZ-1", "--cost-fen", "-5x"], "", ""),
        (&["sync", "--wait", "long"], "整数", "whole number"),
        (
            &["attach", "HZ-1", "--photo", "a", "--kind", "x"],
            "可选：before、after、scene、document、signature",
            "before",
        ),
        (&["report", "--text"], "--text <TEXT> 需要一个值", "--text"),
        (&["show", "a", "b"], "没有这个参数：b", "'b'"),
        (&["photo"], "", ""),
        (&[], "", ""),
    ];
    for (words, zh, en) in wrong {
        let chinese = told(&[&["--lang", "zh"], *words].concat());
        assert_eq!(chinese.code, exit::USAGE, "{words:?}");
        assert!(is_chinese(&chinese.text), "{words:?}: {}", chinese.text);
        assert!(chinese.text.contains(zh), "{words:?}: {}", chinese.text);
        assert!(!chinese.text.contains("error:"), "{}", chinese.text);
        let english = told(&[&["--lang", "en"], *words].concat());
        assert!(!is_chinese(&english.text), "{words:?}: {}", english.text);
        assert!(english.text.contains(en), "{words:?}: {}", english.text);
    }
}

#[test]
fn a_misspelt_word_gets_a_proposal() {
    let told = told(&["--lang", "zh", "staus"]);
    assert!(told.text.contains("是否想用：status"), "{}", told.text);
}

#[test]
fn lines_break_between_chinese_characters_and_not_before_a_closing_sign() {
    let lines = wrap("隐患照片，整改后的照片。", 8);
    assert_eq!(lines.concat(), "隐患照片，整改后的照片。");
    for line in &lines {
        assert!(width(line) <= 10 && !line.starts_with('，'), "{lines:?}");
    }
    assert_eq!(wrap("one two three", 8), ["one two", "three"]);
}

#[test]
fn a_search_for_nothing_is_told_in_both_languages() {
    for (lang, words) in [
        ("zh", "没有可供查找的文字或数字"),
        ("en", "no letter and no digit"),
    ] {
        let said = told(&["--lang", lang, "list", "--search", "，。"]);
        assert_eq!(said.code, exit::USAGE);
        assert!(said.text.contains(words), "{}", said.text);
    }
}
