//! Bind: opens listening sockets, and takes over the paths of Unix sockets whose owner is dead.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use socket2::{Domain, Protocol, Socket, Type};

use super::address::is_localhost;

/// How many connections the kernel keeps until they are accepted; it may cap this further.
const BACKLOG: i32 = 4_096;

/// Opens a TCP socket that listens on the first address of `host` that can be had.
pub(super) fn tcp(host: &str, port: u16) -> io::Result<std::net::TcpListener> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, format!("`{host}` has no address"));
    for address in addresses(host, port)? {
        match listening(address) {
            Ok(socket) => return Ok(socket.into()),
            Err(error) => last = io::Error::new(error.kind(), format!("{address}: {error}")),
        }
    }
    Err(last)
}

fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let with_port = |ip: IpAddr| SocketAddr::new(ip, port);
    if host.is_empty() {
        // The IPv6 socket takes IPv4 too; without IPv6 in the kernel the second is the one.
        return Ok(vec![
            with_port(Ipv6Addr::UNSPECIFIED.into()),
            with_port(Ipv4Addr::UNSPECIFIED.into()),
        ]);
    }
    if is_localhost(host) {
        return Ok(vec![
            with_port(Ipv4Addr::LOCALHOST.into()),
            with_port(Ipv6Addr::LOCALHOST.into()),
        ]);
    }
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![with_port(ip)]);
    }
    Ok((host, port).to_socket_addrs()?.collect())
}

fn listening(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Connections of an earlier process that linger do not keep the port.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(address.ip() != IpAddr::V6(Ipv6Addr::UNSPECIFIED))?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

/// Opens a Unix socket at `path`. One that a dead process left there is replaced; one that
/// somebody serves, and any other file, is not.
pub(super) fn unix(path: &Path) -> io::Result<std::os::unix::net::UnixListener> {
    remove_stale(path)?;
    let listener = std::os::unix::net::UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn remove_stale(path: &Path) -> io::Result<()> {
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return Ok(()) };
    let taken = |what: &str| {
        Err(io::Error::new(io::ErrorKind::AddrInUse, format!("{}: {what}", path.display())))
    };
    if !metadata.file_type().is_socket() {
        return taken("a file that is no socket is in the way");
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        _ => taken("another process serves this socket"),
    }
}
