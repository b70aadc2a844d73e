//! Where a request comes from, for limits: the peer, or what a trusted proxy says of it.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpRequest;

use crate::settings::Settings;
use crate::usecases::sign_in::attempts::SourceNetwork;

/// Entries of `X-Forwarded-For` that are looked at, from the end.
const HOPS: usize = 16;

/// The network that a request comes from: the peer's; when the peer is a trusted proxy, that of
/// the last address in `X-Forwarded-For` which is not one. What stands before that address was
/// written by whoever sent it, and is not believed.
pub fn source(request: &HttpRequest, settings: &Settings) -> SourceNetwork {
    // There is no peer only where there is no network, as in tests.
    let peer = request
        .peer_addr()
        .map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.ip());
    let forwarded = request
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok());
    SourceNetwork::from(believed(peer, forwarded, &settings.trusted_proxies))
}

fn believed<'a>(
    peer: IpAddr,
    forwarded: impl Iterator<Item = &'a str>,
    trusted: &[IpAddr],
) -> IpAddr {
    let is_trusted = |address: IpAddr| {
        let address = address.to_canonical();
        trusted.iter().any(|proxy| proxy.to_canonical() == address)
    };
    let mut nearest = peer;
    let hops: Vec<&str> = forwarded.flat_map(|line| line.split(',')).collect();
    for hop in hops.iter().rev().take(HOPS) {
        if !is_trusted(nearest) {
            break;
        }
        // A proxy that writes something else is not understood further back either.
        let Ok(address) = hop.trim().parse() else {
            break;
        };
        nearest = address;
    }
    nearest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn ask(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let read = |text: &&str| text.parse().unwrap();
        let trusted: Vec<IpAddr> = trusted.iter().map(read).collect();
        believed(read(&peer), forwarded.iter().copied(), &trusted).to_string()
    }

    #[test]
    fn nobody_but_a_trusted_proxy_is_believed() {
        assert_eq!(ask("192.0.2.1", &["10.0.0.9"], &[]), "192.0.2.1");
        assert_eq!(ask("192.0.2.1", &["10.0.0.9"], &["192.0.2.2"]), "192.0.2.1");
        assert_eq!(ask("192.0.2.2", &["10.0.0.9"], &["192.0.2.2"]), "10.0.0.9");
    }

    #[test]
    fn what_the_client_wrote_itself_is_passed_over() {
        let forged = ["203.0.113.5, 198.51.100.1", "192.0.2.3"];
        assert_eq!(
            ask("192.0.2.2", &forged, &["192.0.2.2", "192.0.2.3"]),
            "198.51.100.1"
        );
        assert_eq!(
            ask("192.0.2.2", &["1.1.1.1, nonsense"], &["192.0.2.2"]),
            "192.0.2.2"
        );
        assert_eq!(
            ask("::ffff:192.0.2.2", &["10.0.0.9"], &["192.0.2.2"]),
            "10.0.0.9"
        );
    }
}
