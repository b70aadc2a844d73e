//! Devices judge by the limits of their server, without signal too.

use hazardloop_tests::device::Device;
use hazardloop_tests::each_database;
use hazardloop_tests::server::{Server, ServerOptions};

#[test]
fn a_device_without_signal_judges_by_its_servers_limits() {
    each_database(|url| {
        let options = ServerOptions::default().with("HAZARDLOOP_HAZARDS__DUE_DAYS", 10);
        let mut server = Server::start(url, options);
        let device = Device::new(&format!("http://{}", server.address()), "inspector1");
        device.ok(&["enroll"]);
        device.ok(&["sync"]);
        let stopped = server.stop();
        assert!(stopped.success(), "{stopped}");
        let enterprise = device.json(&["enterprises"])[0]["id"].clone();
        let found = device.json(&[
            "report",
            "--text",
            "积尘",
            "--place",
            "2 号线",
            "--no-photo",
            "黑暗",
            "--enterprise",
            enterprise.as_str().unwrap(),
        ]);
        let hazard = found["hazard_id"].as_str().unwrap();
        let confirm = |period: &str| {
            device.run(&[
                "confirm",
                hazard,
                "--responsible",
                "王强",
                "--requirement",
                "清理积尘",
                "--category",
                "粉尘防爆",
                "--within",
                period,
            ])
        };
        let refused = confirm("20d");
        assert!(!refused.status.success());
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains("10"), "names the limit: {said}");
        let taken = confirm("5d");
        assert!(
            taken.status.success(),
            "{}",
            String::from_utf8_lossy(&taken.stderr)
        );
    });
}
