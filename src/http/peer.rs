//! Who is at the other end of a connection, for those who count by caller.

use std::net::IpAddr;

use axum::http::{Extensions, HeaderMap};

/// The address that a request came from, as the server saw it.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// Whether a proxy before the server is believed when it tells who asks.
#[derive(Clone, Copy, Debug)]
pub struct TrustForwarded(pub bool);

/// Who asks: the peer, or whom the proxy before us names last, if it is trusted.
pub fn client(extensions: &Extensions, headers: &HeaderMap, trust: TrustForwarded) -> Option<IpAddr> {
    let told = || {
        let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
        last.rsplit(',').next()?.trim().parse().ok()
    };
    let peer = extensions.get::<Peer>().map(|peer| peer.0);
    if trust.0 { told().or(peer) } else { peer }
}
