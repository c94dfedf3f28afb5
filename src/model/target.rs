//! Where webhooks may go, and how they are signed. Pure: who resolves the name of a host asks here about each address
//! that it finds.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use url::{Host, Url};

use super::refusal::{Code, Place, Refusal, Result};
use super::secret::Dice;

/// The longest address, in bytes.
const LONGEST: usize = 2000;

/// What stands before every secret, as the scheme has it.
const PREFIX: &str = "whsec_";

/// An address that webhooks go to. It may hold secrets of its owner, in its path or query: it is not written to logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Target(Url);

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.host())
    }
}

impl Target {
    /// An address by https, of a host that is not plainly of a private network. With `allow_private` any host will do,
    /// also by http: for tests, and inside a network of one's own.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] for what is no address, [`Code::ForbiddenTarget`] for one that nothing is sent to.
    pub fn new(text: &str, allow_private: bool) -> Result<Self> {
        let invalid = || {
            let (da, en) = ("det er ikke adressen på en modtager", "that is not the address of a receiver");
            Refusal::new(Code::InvalidParameter, da, en).at(Place::field("url")).allowed(["https://example.dk/begreb"])
        };
        let url = Some(text).filter(|t| t.len() <= LONGEST).and_then(|t| Url::parse(t).ok()).ok_or_else(invalid)?;
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if !plain || !matches!(url.scheme(), "http" | "https") || url.port() == Some(0) || !is_host(&url) {
            return Err(invalid());
        }
        let secure = url.scheme() == "https" || allow_private;
        if !secure || !(allow_private || may_be_named(&url)) {
            let (da, en) = (
                "dertil sendes intet: kun med https og til offentlige netværk",
                "nothing is sent there: only by https, and to public networks",
            );
            let refusal = Refusal::new(Code::ForbiddenTarget, da, en).at(Place::field("url"));
            return Err(refusal.allowed(["https://example.dk/begreb"]));
        }
        Ok(Self(url))
    }

    /// The address as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it is asked by https.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The host: a name, or an address (of IPv6 without brackets).
    #[must_use]
    pub fn host(&self) -> String {
        match self.0.host() {
            Some(Host::Ipv6(v6)) => v6.to_string(),
            Some(host) => host.to_string(),
            None => String::new(),
        }
    }

    /// Host and port, as the header `Host` names them.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.0.authority()
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(443)
    }

    /// Path and query, as a request names them.
    #[must_use]
    pub fn path(&self) -> String {
        self.0.query().map_or_else(|| self.0.path().to_owned(), |query| format!("{}?{query}", self.0.path()))
    }
}

/// Whether a host is an address, or a name that there may be (RFC 1035; an underscore is taken as well).
fn is_host(url: &Url) -> bool {
    let sign = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let part = |part: &str| (1..=63).contains(&part.len()) && part.bytes().all(sign);
    match url.host() {
        Some(Host::Domain(name)) => name.len() <= 254 && name.strip_suffix('.').unwrap_or(name).split('.').all(part),
        Some(_) => true,
        None => false,
    }
}

/// Whether a host may be on a public network, as far as its name tells. Numbers in any spelling are addresses here:
/// the parser of URLs has read them.
fn may_be_named(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(v4)) => may_be_reached(v4.into()),
        Some(Host::Ipv6(v6)) => may_be_reached(v6.into()),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            let private = ["localhost", "local", "internal", "lan", "intranet", "home", "corp", "arpa", "onion"];
            let last = name.rsplit('.').next().unwrap_or_default();
            name.contains('.') && !private.contains(&last)
        }
        None => false,
    }
}

/// Whether an address is of the public internet: no private, shared, loopback, link-local, multicast or reserved one,
/// and of IPv6 none that stands for another address (mapped, NAT64, 6to4, Teredo), which might be.
#[must_use]
pub fn may_be_reached(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    /// Network and length of its prefix, from the registry of special addresses (RFC 6890 and later).
    const CLOSED: [([u8; 4], u32); 16] = [
        ([0, 0, 0, 0], 8),
        ([10, 0, 0, 0], 8),
        ([100, 64, 0, 0], 10),
        ([127, 0, 0, 0], 8),
        ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12),
        ([192, 0, 0, 0], 24),
        ([192, 0, 2, 0], 24),
        ([192, 31, 196, 0], 24),
        ([192, 52, 193, 0], 24),
        ([192, 88, 99, 0], 24),
        ([192, 168, 0, 0], 16),
        ([198, 18, 0, 0], 15),
        ([198, 51, 100, 0], 24),
        ([203, 0, 113, 0], 24),
        // Multicast, reserved, broadcast.
        ([224, 0, 0, 0], 3),
    ];
    let bits = u32::from(v4);
    !CLOSED.iter().any(|(network, length)| (bits ^ u32::from_be_bytes(*network)) >> (32 - length) == 0)
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    /// What is not public inside of 2000::/3: special uses, documentation, and tunnels to IPv4.
    const CLOSED: [(u128, u32); 4] =
        [(0x2001_0000 << 96, 23), (0x2001_0db8 << 96, 32), (0x2002_0000 << 96, 16), (0x3fff_0000 << 96, 20)];
    let bits = u128::from(v6);
    bits >> 125 == 1 && !CLOSED.iter().any(|(network, length)| (bits ^ network) >> (128 - length) == 0)
}

/// What webhooks are signed with (Standard Webhooks): `whsec_` and 256 bits in base64. Owner and registry both have it.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(String);

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

impl SigningSecret {
    /// A new one.
    ///
    /// # Errors
    /// As [`Dice::throw`].
    pub fn new(dice: &dyn Dice) -> Result<Self> {
        Ok(Self(format!("{PREFIX}{}", STANDARD.encode(dice.throw()?))))
    }

    /// One that was stored.
    ///
    /// # Errors
    /// [`Code::Corrupt`] for what cannot be signed with.
    pub fn stored(text: &str) -> Result<Self> {
        let secret = Self(text.to_owned());
        secret.key().map(|_| secret)
    }

    /// The text, to be shown once, and to be stored.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn key(&self) -> Result<Vec<u8>> {
        let coded = self.0.strip_prefix(PREFIX).unwrap_or_default();
        STANDARD.decode(coded).ok().filter(|key| !key.is_empty()).ok_or_else(|| {
            let (da, en) = ("en hemmelighed kan ikke læses", "a secret cannot be read");
            Refusal::new(Code::Corrupt, da, en)
        })
    }

    /// The signature of a message, as it stands in `webhook-signature`: of its id, the second of this attempt, and its
    /// body.
    ///
    /// # Errors
    /// [`Code::Corrupt`].
    pub fn sign(&self, id: &str, second: i64, body: &[u8]) -> Result<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key()?).map_err(|e| {
            Refusal::new(Code::Corrupt, "en hemmelighed kan ikke bruges", format!("a secret cannot be used: {e}"))
        })?;
        mac.update(format!("{id}.{second}.").as_bytes());
        mac.update(body);
        Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_may_be_reached() {
        let refused = "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 \
            169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.1 192.88.99.1 192.168.0.1 \
            192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 \
            255.255.255.255 \
            :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::a00:1 \
            64:ff9b::808:808 64:ff9b:1::a00:1 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:10::1 \
            2001:20::1 2001:db8::1 2002:a00:1::1 2002:808:808::1 3fff::1 3fff:fff::1 5f00::1 fc00::1 fdff::1 \
            fe80::1 febf::1 fec0::1 ff02::1 ff0e::1";
        for address in refused.split_whitespace() {
            assert!(!may_be_reached(address.parse().unwrap()), "{address}");
        }
        let allowed = "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1 \
            169.253.255.255 172.15.255.255 172.32.0.1 192.0.1.1 192.167.255.255 192.169.0.1 198.17.255.255 \
            198.20.0.1 223.255.255.255 \
            2001:200::1 2001:4860:4860::8888 2003::1 2606:4700::1111 2a00:1450:400f::1 3ffe::1 3fff:1000::1";
        for address in allowed.split_whitespace() {
            assert!(may_be_reached(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn what_is_no_receiver_is_refused_before_anything_is_asked() {
        for forbidden in [
            "http://example.dk/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://begreb/",
            "https://db.internal/",
            "https://printer.local",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://0177.0.0.1/",
            "https://１２７.0.0.1/",
            "https://192.168.0.1:8443/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[64:ff9b::7f00:1]/",
        ] {
            assert_eq!(Target::new(forbidden, false).unwrap_err().code, Code::ForbiddenTarget, "{forbidden}");
            assert!(Target::new(forbidden, true).is_ok(), "{forbidden}");
        }
        let long = format!("https://example.dk/{}", "a".repeat(LONGEST));
        for invalid in [
            "",
            "example.dk",
            "ftp://example.dk/",
            "file:///etc/passwd",
            "https://anne@example.dk/",
            "https://anne:secret@example.dk/",
            "https://example.dk/#here",
            "https://",
            "gopher://127.0.0.1/",
            "https://example.dk:0/",
            "https://example..dk/",
            "https://.dk/",
            "https://*.dk/",
            &format!("https://{}.dk/", "a".repeat(64)),
            &format!("https://{}dk/", "a.".repeat(130)),
            &long,
        ] {
            for allow_private in [false, true] {
                assert_eq!(Target::new(invalid, allow_private).unwrap_err().code, Code::InvalidParameter, "{invalid}");
            }
        }
        let target = Target::new("https://Example.dk:8443/a?k=v", false).unwrap();
        assert_eq!((target.host().as_str(), target.port(), target.path().as_str()), ("example.dk", 8443, "/a?k=v"));
        assert_eq!((target.authority(), target.is_secure()), ("example.dk:8443", true));
        assert_eq!(format!("{target:?}"), "Target(example.dk)", "the path may hold a secret");
        assert_eq!(Target::new("https://[2a00::1]/", false).unwrap().host(), "2a00::1");
    }

    /// Recomputed with `printf … | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707…07 -binary | base64`.
    #[test]
    fn a_signature_is_of_id_second_and_body() {
        struct Sevens;
        impl Dice for Sevens {
            fn throw(&self) -> Result<[u8; 32]> {
                Ok([7; 32])
            }
        }
        let secret = SigningSecret::new(&Sevens).unwrap();
        assert_eq!(secret.expose(), "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
        assert_eq!(format!("{secret:?}"), "SigningSecret(…)");
        let signature = secret.sign("msg_1", 1_700_000_000, b"{\"a\":1}").unwrap();
        assert_eq!(signature, SIGNED);
        assert_ne!(signature, secret.sign("msg_2", 1_700_000_000, b"{\"a\":1}").unwrap());
        assert_ne!(signature, secret.sign("msg_1", 1_700_000_001, b"{\"a\":1}").unwrap());
        assert_ne!(signature, secret.sign("msg_1", 1_700_000_000, b"{\"a\":2}").unwrap());
        for spoiled in ["", "whsec_", "whsec_!", "BwcH"] {
            assert!(SigningSecret::stored(spoiled).is_err(), "{spoiled}");
        }
    }

    const SIGNED: &str = "v1,LInk7lWC3DLGgRP3k/Xpm933fgj/SEGrik4mpkLgnKE=";
}
