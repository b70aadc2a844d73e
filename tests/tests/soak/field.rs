//! A server and three devices over a network that can be cut, and what their people have said and been told.

use std::collections::BTreeMap;
use std::process::Output;

use hazardloop_tests::TestDatabase;
use hazardloop_tests::device::Device;
use hazardloop_tests::link::{Link, Place, Planned};
use hazardloop_tests::photo::write_photo;
use hazardloop_tests::process::{PATIENCE, Running, described};
use hazardloop_tests::server::{Server, ServerOptions};
use serde_json::Value;

use super::{Chance, PLACES};

/// Notes that are made about one hazard: it has room for only so many.
const NOTES_A_HAZARD: usize = 300;

/// What a person was told about something that they said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// It was acknowledged: it must be there, once.
    Acknowledged,
    /// The device died before it answered: it is there once, or not at all.
    Cut,
}

/// See the module.
pub struct Field {
    pub server: Server,
    pub link: Link,
    /// Employee, principal, inspector.
    pub devices: Vec<Device>,
    photos: tempfile::TempDir,
    /// By text: reports and notes.
    reports: BTreeMap<String, Said>,
    notes: BTreeMap<String, Said>,
    /// The hazard that everybody knows and speaks of, and how many notes it was given.
    spoken_of: Option<(String, usize)>,
    /// The last hazard that was acknowledged.
    last: Option<String>,
    _database: TestDatabase,
}

impl std::fmt::Display for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cut = |said: &BTreeMap<String, Said>| {
            let cut = said.values().filter(|said| **said == Said::Cut).count();
            format!("{} ({cut} cut off)", said.len())
        };
        let (reports, notes) = (cut(&self.reports), cut(&self.notes));
        write!(f, "{reports} reports, {notes} notes")
    }
}

impl Field {
    /// Server and devices, enrolled.
    pub fn set(database: TestDatabase) -> Self {
        let server = Server::start(database.url(), ServerOptions::default());
        let link = Link::to(server.address());
        let devices = ["employee", "principal", "inspector1"].map(|user| {
            let device = Device::new(&link.url(), user);
            device.ok(&["enroll"]);
            device.ok(&["pull"]);
            device
        });
        Self {
            server,
            link,
            devices: devices.into(),
            photos: tempfile::tempdir().unwrap(),
            reports: BTreeMap::new(),
            notes: BTreeMap::new(),
            spoken_of: None,
            last: None,
            _database: database,
        }
    }

    /// The employee begins to report, with a photo.
    pub fn start_report(&mut self, chance: Chance) -> Running {
        let number = chance.seed << 32 | chance.round;
        let photo = write_photo(self.photos.path(), "photo.jpg", number, 40_000);
        let photo = photo.to_str().unwrap();
        let text = report_text(chance);
        let line = [
            "report", "--photo", photo, "--place", "车间", "--text", &text,
        ];
        self.devices[0].start(&[line.as_slice(), &["--json"]].concat())
    }

    /// What the device said to it.
    pub fn heard_report(&mut self, chance: Chance, output: &Output) {
        let said = match output.status.success() {
            true => Said::Acknowledged,
            false => Said::Cut,
        };
        if said == Said::Acknowledged {
            let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
            self.last = Some(printed["hazard_id"].as_str().unwrap().to_owned());
        }
        self.reports.insert(report_text(chance), said);
    }

    /// The employee reports, and nothing comes between.
    pub fn report(&mut self, chance: Chance) {
        let output = self.start_report(chance).finish(PATIENCE);
        assert!(output.status.success(), "{}", described(&output));
        self.heard_report(chance, &output);
    }

    /// Somebody begins to note something about the hazard that all know, and what; `None` before there is one.
    pub fn start_note(&mut self, device: usize) -> Option<(Running, String)> {
        let (hazard, notes) = self.spoken_of.as_mut()?;
        *notes += 1;
        let text = format!("note {}", self.notes.len());
        let running = self.devices[device].start(&["note", hazard, "--text", &text]);
        Some((running, text))
    }

    /// What the device said to it.
    pub fn heard_note(&mut self, text: String, said: Said) {
        self.notes.insert(text, said);
    }

    /// Somebody notes something, and nothing comes between.
    pub fn note(&mut self, device: usize) {
        if let Some((running, text)) = self.start_note(device) {
            let output = running.finish(PATIENCE);
            assert!(output.status.success(), "{}", described(&output));
            self.heard_note(text, Said::Acknowledged);
        }
    }

    /// Plans that the network stops at some byte of some request.
    pub fn stop_somewhere(&self, chance: Chance) -> Planned {
        // In turn: a few rounds see them all.
        let turn = usize::try_from(chance.round).unwrap() % PLACES.len();
        let (request, way, most) = PLACES[turn];
        let place = Place {
            request,
            way,
            bytes: chance.below("bytes", most),
        };
        println!("round {}: {place:?}", chance.round);
        self.link.stop_at(place)
    }

    /// Where there is no hazard yet that everybody knows, or it has notes enough: everybody gets to know the last.
    pub fn agree_on_what_to_speak_of(&mut self) {
        let enough = |(_, notes): &(String, usize)| *notes >= NOTES_A_HAZARD;
        if self.spoken_of.as_ref().is_none_or(enough)
            && let Some(last) = self.last.clone()
        {
            self.sync_all();
            self.spoken_of = Some((last, 0));
        }
    }

    fn sync_all(&self) {
        for device in &self.devices {
            device.ok(&["sync"]);
        }
    }

    /// The network is well again: everything that was acknowledged arrives, once; what was cut off, once or not at
    /// all; nothing else; and replicas and record hold.
    pub fn settle(&mut self) {
        self.sync_all();
        self.sync_all();
        for device in &self.devices {
            let status = device.json(&["status"]);
            for nothing in ["on_device", "photos_on_device", "needs_attention"] {
                assert_eq!(status[nothing], 0, "{nothing}: {status}");
            }
        }
        let hazards = self.hazards();
        for hazard in &hazards {
            assert_eq!(hazard["photos"][0]["state"]["name"], "verified", "{hazard}");
            let id = hazard["id"].as_str().unwrap();
            for device in &self.devices {
                let shown = &device.json(&["show", id])["hazard"];
                assert_eq!(shown, &hazard_of(hazard), "a replica differs");
            }
        }
        let texts = hazards.iter().map(|hazard| text_of(&hazard["description"]));
        once_each(&self.reports, texts.collect());
        let notes = hazards
            .iter()
            .flat_map(|hazard| hazard["notes"].as_array().unwrap());
        once_each(
            &self.notes,
            notes.map(|note| text_of(&note["text"])).collect(),
        );
        assert!(self.server.stop().success());
        let verified = self.server.task(&["audit", "verify"]);
        assert!(verified.status.success(), "{}", described(&verified));
    }

    /// All that were reported here, as the server shows them.
    fn hazards(&self) -> Vec<Value> {
        let inspector = self.server.rest().signed_in("inspector1");
        let (mut all, mut path) = (Vec::new(), "/api/v1/hazards?limit=200".to_owned());
        loop {
            let page = inspector.get(&path).expect_status(&[200]).json();
            for item in page["items"].as_array().unwrap() {
                let one = format!("/api/v1/hazards/{}", item["id"].as_str().unwrap());
                all.push(inspector.get(&one).expect_status(&[200]).json());
            }
            match page["next"].as_str() {
                Some(next) => path = format!("/api/v1/hazards?limit=200&after={next}"),
                None => break,
            }
        }
        all
    }
}

/// Every acknowledged text is there once, every other at most once, and nothing else is.
fn once_each(said: &BTreeMap<String, Said>, there: Vec<String>) {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for text in there {
        *times.entry(text).or_default() += 1;
    }
    for (text, count) in &times {
        assert_eq!(*count, 1, "{text} is there {count} times");
        assert!(said.contains_key(text), "nobody said {text}");
    }
    for (text, _) in said.iter().filter(|(_, said)| **said == Said::Acknowledged) {
        assert!(
            times.contains_key(text),
            "{text} was acknowledged, and is lost"
        );
    }
}

fn report_text(chance: Chance) -> String {
    format!("第 {} 轮", chance.round)
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The record alone, without what the answer adds for its reader.
fn hazard_of(view: &Value) -> Value {
    let mut record = view.clone();
    for added in ["allowed_actions", "overdue"] {
        record.as_object_mut().unwrap().remove(added);
    }
    record
}
