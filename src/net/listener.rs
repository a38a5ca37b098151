//! Binds the address at which clients connect.

use std::io;
use std::net::{SocketAddr, TcpListener};

use tokio::net::TcpSocket;

/// How many connections may wait to be accepted; one beyond waits for a second until its client tries again.
const BACKLOG: u32 = 4096;
/// The bytes of answers that the system keeps for a client at once; it takes twice as much memory for them.
const SENT_AHEAD: u32 = 256 << 10;

/// Binds an address, without listening there.
///
/// # Errors
/// Why the address cannot be used.
pub(crate) fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restart need not wait until connections of the last process are forgotten.
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SENT_AHEAD)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Listens at an address; port 0 takes a free one.
///
/// # Errors
/// Why the address cannot be used.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    bound(address)?.listen(BACKLOG)?.into_std()
}
