//! The resolver that hands out no address a source may not reach.
//!
//! It is asked when a connection is made, so a name that was public a minute ago and points at us now
//! (DNS rebinding) is refused as well. The client connects to what this returns and to nothing else.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::Networks;

/// Addresses of one name that are tried; a name with a thousand of them is no reason to try them all.
const ADDRESSES_MAX: usize = 16;

/// Answers a name with its addresses.
type LookUp = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// Where host names are looked up.
#[derive(Clone, Default)]
pub enum Names {
    /// The system's resolver.
    #[default]
    System,
    /// Whoever answers so, in its place; asked anew for every connection.
    Of(Arc<LookUp>),
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Of(_) => "Of(…)",
        })
    }
}

impl Names {
    async fn look_up(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        match self {
            Self::System => Ok(tokio::net::lookup_host((name, 0)).await?.collect()),
            Self::Of(answer) => Ok(answer(name)?.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect()),
        }
    }
}

/// Filters what the resolver answers.
pub(super) struct Guard {
    /// Who is asked.
    pub(super) names: Names,
    /// Ranges that are open all the same.
    pub(super) networks: Networks,
    /// The host of the configured proxy: the operator's own address, wherever it lies.
    pub(super) exempt: Option<String>,
}

/// All addresses of a name are refused.
#[derive(Debug, thiserror::Error)]
#[error("`{host}` leads to an address that is {why}")]
pub(super) struct RefusedName {
    pub(super) host: String,
    pub(super) why: &'static str,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, networks) = (self.names.clone(), self.networks.clone());
        let exempt = self.exempt.as_deref().is_some_and(|host| host.eq_ignore_ascii_case(name.as_str()));
        Box::pin(async move {
            let found = names.look_up(name.as_str()).await?;
            if found.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address").into());
            }
            if exempt {
                return Ok(Box::new(found.into_iter()) as Addrs);
            }
            let open = admitted(name.as_str(), found.into_iter(), &networks)?;
            Ok(Box::new(open.into_iter()) as Addrs)
        })
    }
}

/// The addresses that may be connected to; an error when there were only others.
fn admitted(
    host: &str,
    found: impl Iterator<Item = SocketAddr>,
    networks: &Networks,
) -> Result<Vec<SocketAddr>, RefusedName> {
    let mut open = Vec::new();
    let mut refused = None;
    for address in found {
        match networks.refuse(address.ip()) {
            Some(why) => refused = Some(why),
            None if open.len() < ADDRESSES_MAX => open.push(address),
            None => {}
        }
    }
    match refused {
        Some(why) if open.is_empty() => Err(RefusedName { host: host.to_owned(), why }),
        Some(_) | None => Ok(open),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(addresses: &[&str]) -> Result<Vec<String>, &'static str> {
        let found = addresses.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 0));
        admitted("h", found, &Networks::default())
            .map(|open| open.iter().map(|address| address.ip().to_string()).collect())
            .map_err(|refused| refused.why)
    }

    #[test]
    fn only_public_addresses_of_a_name_are_handed_out() {
        assert_eq!(admit(&["10.0.0.1", "1.1.1.1"]), Ok(vec!["1.1.1.1".to_owned()]));
        assert_eq!(admit(&["127.0.0.1", "::1"]), Err("loopback"));
        assert_eq!(admit(&[]), Ok(vec![]), "an empty answer is a matter of DNS, not of refusal");
    }

    #[test]
    fn a_name_with_a_thousand_addresses_is_cut() {
        assert_eq!(admit(&["1.1.1.1"; 1000]).unwrap().len(), ADDRESSES_MAX);
    }
}
