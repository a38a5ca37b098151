//! A reverse proxy that takes a prefix away and says by headers how the client came.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// Forwards each connection, which holds one request, to a server. Returns the address.
pub async fn start(to: SocketAddr, prefix: &'static str, headers: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(forward(
                client,
                to,
                prefix,
                format!("{headers}X-Forwarded-Host: {address}\r\n"),
            ));
        }
    });
    address
}

async fn forward(mut client: TcpStream, to: SocketAddr, prefix: &str, headers: String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = client.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let (line, rest) = head.split_once("\r\n").unwrap();
    let (method, target) = line.split_once(' ').unwrap();
    let Some(target) = target.strip_prefix(prefix) else {
        let answer = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        client.write_all(answer).await.unwrap();
        return;
    };
    let mut server = TcpStream::connect(to).await.unwrap();
    let head = format!("{method} {target}\r\n{headers}Connection: close\r\n{rest}");
    server.write_all(head.as_bytes()).await.unwrap();
    drop(copy_bidirectional(&mut client, &mut server).await);
}
