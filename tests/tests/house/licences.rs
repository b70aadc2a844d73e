//! Fails when a dependency is under a licence that Hazardloop cannot be given on with.

use super::spdx::permits;
use super::tree;

/// Licences that allow an Apache-2.0 work to contain theirs, in source and in binaries, on no other condition than
/// to keep a notice. A licence that asks for more (GPL, LGPL, MPL, SSPL …) is a decision, not an addition here.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BlueOak-1.0.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Exceptions that take conditions away.
const EXCEPTIONS: &[&str] = &["LLVM-exception"];

#[test]
fn every_dependency_may_be_given_on() {
    let refused = refused_packages(&tree::cargo_metadata());
    assert!(
        refused.is_empty(),
        "licences that are not on the list:\n{}",
        refused.join("\n")
    );
}

/// Names each package of `cargo metadata` whose licence is not on the list.
fn refused_packages(metadata: &serde_json::Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().expect("packages");
    assert!(!packages.is_empty(), "cargo names no packages");
    packages
        .iter()
        .filter_map(|package| {
            let (name, version) = (package["name"].as_str()?, package["version"].as_str()?);
            let fault = match package["license"].as_str() {
                None => "states no licence".to_owned(),
                Some(stated) => match permits(stated, ALLOWED, EXCEPTIONS) {
                    Ok(true) => return None,
                    Ok(false) => format!("is under {stated}"),
                    Err(fault) => format!("states {stated}, which cannot be read: {fault}"),
                },
            };
            Some(format!("{name} {version} {fault}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{ALLOWED, EXCEPTIONS, permits, refused_packages};

    #[test]
    fn expressions_mean_what_they_say() {
        let cases = [
            ("MIT", true),
            ("GPL-3.0", false),
            ("GPL-3.0-only OR MIT", true),
            ("GPL-3.0-only AND MIT", false),
            ("MIT/Apache-2.0", true),
            ("GPL-2.0/GPL-3.0", false),
            ("(MIT OR GPL-3.0-only) AND Unicode-3.0", true),
            ("MIT OR GPL-3.0-only AND SSPL-1.0", true),
            ("(MIT OR GPL-3.0-only) AND SSPL-1.0", false),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("GPL-2.0-only WITH Classpath-exception-2.0", false),
            ("mit", false),
        ];
        for (expression, expected) in cases {
            assert_eq!(
                permits(expression, ALLOWED, EXCEPTIONS),
                Ok(expected),
                "{expression}"
            );
        }
    }

    #[test]
    fn an_expression_that_cannot_be_read_is_an_error() {
        for expression in [
            "",
            "MIT OR",
            "MIT Apache-2.0",
            "(MIT",
            "MIT)",
            "OR MIT",
            "MIT WITH",
            "MIT OR AND ISC",
        ] {
            assert!(
                permits(expression, ALLOWED, EXCEPTIONS).is_err(),
                "{expression}"
            );
        }
    }

    #[test]
    fn a_package_that_may_not_be_given_on_is_named() {
        let package = |name: &str, licence: Option<&str>| serde_json::json!({ "name": name, "version": "1.2.3", "license": licence });
        let packages = [
            package("good", Some("MIT")),
            package("copyleft", Some("GPL-3.0-or-later")),
            package("silent", None),
            package("garbled", Some("MIT AND")),
        ];
        let refused = refused_packages(&serde_json::json!({ "packages": packages }));
        assert_eq!(refused.len(), 3);
        assert_eq!(refused[0], "copyleft 1.2.3 is under GPL-3.0-or-later");
        assert_eq!(refused[1], "silent 1.2.3 states no licence");
        assert!(
            refused[2].starts_with("garbled 1.2.3 states MIT AND, which cannot be read"),
            "{}",
            refused[2]
        );
    }
}
