//! Which way imports run: the rules, as a table to read. `arrows.rs` holds the source against it.

/// What some rooms of the source may not mention.
pub struct Rule {
    /// The folders (or the files, without `.rs`) that the rule is about.
    pub rooms: &'static [&'static str],
    /// Folders or files in them that it is not about.
    pub except: &'static [&'static str],
    /// Paths that may not be mentioned there, nor anything below them; `crate` is the room's own package.
    pub never: &'static [&'static str],
    /// Why.
    pub because: &'static str,
}

/// The composition root: it alone puts the rooms of the server together.
const MAIN: &str = "server/src/main";
const SERVE: &str = "server/src/serve";

/// Everything through which a pure crate could learn something that it was not told.
const OUTSIDE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::time::UNIX_EPOCH",
];

/// The rules on imports.
pub const RULES: &[Rule] = &[
    Rule {
        rooms: &["domain/src", "sync-protocol/src"],
        except: &[],
        never: OUTSIDE,
        because: "rules and protocol are pure: files, network, threads and clocks belong to their callers",
    },
    Rule {
        rooms: &["server/src"],
        except: &["server/src/store", MAIN, SERVE],
        never: &["diesel", "diesel_migrations", "libsqlite3_sys", "r2d2"],
        because: "only the store knows SQL, so that both databases stay one set of queries",
    },
    Rule {
        rooms: &["server/src"],
        except: &["server/src/http", MAIN, SERVE],
        never: &["actix_http", "actix_rt", "actix_web", "utoipa_actix_web"],
        because: "only http knows the web framework: a use case answers any door",
    },
    Rule {
        rooms: &["server/src"],
        except: &["server/src/photos", MAIN, SERVE],
        never: &["exif", "fast_image_resize", "image"],
        because: "only photos decodes images, behind its limits on bytes and pixels",
    },
    Rule {
        rooms: &["server/src"],
        except: &["server/src/tables", MAIN, SERVE],
        never: &["calamine", "csv", "encoding_rs", "zip"],
        because: "only tables reads CSV and XLSX, behind its limits on rows, cells and unpacked bytes",
    },
    Rule {
        rooms: &["server/src/store"],
        except: &[],
        never: &["crate::http", "crate::jobs", "crate::usecases"],
        because: "http -> usecases -> store, jobs -> usecases: the store asks nobody",
    },
    Rule {
        rooms: &["server/src/usecases"],
        except: &[],
        never: &["crate::http", "crate::jobs"],
        because: "http -> usecases, jobs -> usecases: a use case does not know which door was used",
    },
    Rule {
        rooms: &["server/src/jobs", "server/src/photos", "server/src/tables"],
        except: &[],
        never: &["crate::http"],
        because: "only the composition root and http itself know http",
    },
];

/// Which packages a crate may be built from.
pub struct Crate {
    /// Its name.
    pub name: &'static str,
    /// The crates of this workspace that it may depend on.
    pub own: &'static [&'static str],
    /// Those that its own tests may use besides.
    pub own_in_tests: &'static [&'static str],
    /// If it is pure: all foreign crates that it may depend on outside of its tests. None of them does I/O.
    pub foreign: Option<&'static [&'static str]>,
}

const DOMAIN: &str = "hazardloop-domain";
const PROTOCOL: &str = "hazardloop-sync-protocol";
const SIMULATION: &str = "hazardloop-simulation";
const TESTS: &str = "hazardloop-tests";

/// The crates of the workspace: `domain` <- `sync-protocol` <- `device`, `server`.
pub const CRATES: &[Crate] = &[
    Crate {
        name: DOMAIN,
        own: &[],
        own_in_tests: &[],
        foreign: Some(&[
            "hex",
            "jiff",
            "minicbor",
            "serde",
            "sha2",
            "thiserror",
            "utoipa",
            "unicode-normalization",
            "uuid",
        ]),
    },
    Crate {
        name: PROTOCOL,
        own: &[DOMAIN],
        own_in_tests: &[],
        foreign: Some(&[
            "base64",
            "ed25519-dalek",
            "hex",
            "minicbor",
            "serde",
            "serde_json",
            "sha2",
            "siphasher",
            "thiserror",
            "utoipa",
            "uuid",
            "zstd",
        ]),
    },
    Crate {
        name: "hazardloop-device",
        own: &[DOMAIN, PROTOCOL],
        // What simulated devices wrote is written by the real store, with its power cut.
        own_in_tests: &[SIMULATION, TESTS],
        foreign: None,
    },
    Crate {
        name: "hazardloop-server",
        own: &[DOMAIN, PROTOCOL],
        // What simulated devices sent is replayed against both databases.
        own_in_tests: &[SIMULATION, TESTS],
        foreign: None,
    },
    Crate {
        name: SIMULATION,
        own: &[DOMAIN, PROTOCOL],
        own_in_tests: &[],
        foreign: Some(&["clap", "ed25519-dalek", "minicbor", "uuid"]),
    },
    Crate {
        name: "hazardloop-fuzz",
        own: &[DOMAIN, PROTOCOL, SIMULATION],
        own_in_tests: &[],
        // libFuzzer is there in builds of cargo fuzz alone.
        foreign: Some(&["ed25519-dalek", "libfuzzer-sys", "minicbor", "uuid"]),
    },
    // Drives processes, and so needs neither device nor server; both take its harness for their own tests.
    Crate {
        name: TESTS,
        own: &[DOMAIN, PROTOCOL],
        own_in_tests: &[],
        foreign: None,
    },
];
