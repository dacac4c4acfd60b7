//! Ports that must be known before the program that listens on them is started.
//!
//! Port 0 is no help there: what the kernel gives out and takes back, it gives to the next connection of any test.

use std::{
    net::{Ipv4Addr, TcpListener, UdpSocket},
    ops::Range,
    sync::Mutex,
};

use anyhow::{Result, anyhow, bail};

/// Below every range that Linux, macOS and the BSDs take the near end of a connection and port 0 from by default.
///
/// Linux: `net.ipv4.ip_local_port_range` starts at 32768; the others start at 49152.
const RANGE: Range<u16> = 20_000..32_000;

/// The reservations of this process. They last as long as it does, so that a program that is killed and started
/// again gets its port back.
static HELD: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());

/// A TCP port of loopback that is free, and that no other call gives out while this process lives.
///
/// # Errors
///
/// None is free.
pub fn reserve() -> Result<u16> {
    let mut held = HELD.lock().map_err(|_poisoned| anyhow!("another test failed while it reserved a port"))?;
    // Processes start in different places, so that they seldom meet.
    let mut ports: Vec<u16> = RANGE.collect();
    let start = usize::try_from(std::process::id())? * 97 % ports.len();
    ports.rotate_left(start);
    for port in ports {
        // The UDP port of the same number is what tells other test processes that this one is taken.
        let Ok(reservation) = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)) else { continue };
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            held.push(reservation);
            return Ok(port);
        }
    }
    bail!("no port of {RANGE:?} is free")
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, net::TcpListener};

    use super::{RANGE, reserve};

    #[test]
    fn a_reserved_port_can_be_bound_and_is_given_out_once() {
        let ports: Vec<u16> = (0..20).map(|_| reserve().unwrap()).collect();
        assert_eq!(ports.iter().collect::<HashSet<_>>().len(), ports.len(), "{ports:?}");
        for port in ports {
            assert!(RANGE.contains(&port));
            drop(TcpListener::bind(("127.0.0.1", port)).unwrap());
        }
    }
}
