//! Many devices sync at the same moment: none sees an error, all hold the same in the end, and the server's memory
//! does not grow from wave to wave.

use hazardloop_tests::crowd::{Crowd, Wave, percentile};
use hazardloop_tests::{each_database, setting};

use super::SECONDS;

/// Devices in a test, and in an endurance run. The server is a debug build here; `make bench` has 500.
const FEW: usize = 40;
const MANY: usize = 120;

/// How often all of them sync.
const WAVES: usize = 4;

/// Memory that the waves after the first may add for all of them together: caches that fill, not what a wave leaves
/// behind.
const GROWTH: u64 = 24 << 20;

#[test]
fn many_devices_at_once_see_no_error_and_the_servers_memory_stays_flat() {
    each_database(|url| {
        let devices = setting(SECONDS).map_or(FEW, |_| MANY);
        let mut crowd = Crowd::enrol(url, devices);
        let waves: Vec<Wave> = (0..WAVES).map(|_| crowd.wave(2)).collect();
        for wave in &waves {
            println!(
                "{devices} devices on {}: push p50 {:?} p99 {:?}, pull p50 {:?} p99 {:?}, {} records in {:?}, {} MiB resident, peak {} MiB",
                url.split(':').next().unwrap(),
                percentile(&wave.pushes, 50),
                percentile(&wave.pushes, 99),
                percentile(&wave.pulls, 50),
                percentile(&wave.pulls, 99),
                wave.records,
                wave.took,
                wave.resident >> 20,
                wave.peak >> 20,
            );
        }
        crowd.compare();
        assert!(crowd.stop().success());
        let (second, last) = (&waves[1], &waves[WAVES - 1]);
        assert!(
            last.resident <= second.resident + GROWTH,
            "from {} to {} bytes",
            second.resident,
            last.resident
        );
    });
}
