//! The clients: one for each way to the servers, made when it is first taken.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::Client;
use url::Url;

use super::authority::Authorities;
use super::error::{Failure, FetchError};
use super::resolve::{Guard, Names};
use super::{Networks, Pace};

/// How long an unused connection is kept: long enough for a redirect on the same host, short enough that a thousand
/// sources leave no thousand sockets.
const IDLE_MAX: Duration = Duration::from_secs(20);

/// Most headers of an answer: some set a hundred cookies.
const HEADERS_MAX: usize = 512;

/// What all clients have in common.
pub(super) struct Common<'a> {
    pub(super) pace: &'a Pace,
    pub(super) names: &'a Names,
    pub(super) networks: &'a Networks,
}

/// The way to a server: through a proxy or through none, and whom to trust at its end; `None` for those whom the machine
/// trusts.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) proxy: Option<&'a Url>,
    pub(super) authorities: Option<&'a Authorities>,
    /// The server's host, in lower case.
    pub(super) host: &'a str,
}

impl<'a> Way<'a> {
    /// The host of a proxy with TLS whose certificate is not for the source's authorities to judge. At the server's own
    /// host nobody could tell whose certificate it is: there they alone count.
    fn proxy_apart(&self) -> Option<&'a str> {
        let proxy = self.proxy.filter(|proxy| self.authorities.is_some() && proxy.scheme() == "https")?;
        proxy.host_str().filter(|proxy| *proxy != self.host)
    }
}

/// The proxy and whether it is judged apart, and what tells the authorities from others.
type Key = (Option<Url>, bool, Option<[u8; 32]>);

/// One client for each way. Held for a look-up only, never over an await.
#[derive(Default)]
pub(super) struct Clients(Mutex<HashMap<Key, Client>>);

impl Clients {
    /// The client for a way.
    pub(super) fn get(&self, way: Way<'_>, common: &Common<'_>) -> Result<Client, FetchError> {
        let apart = way.proxy_apart().is_some();
        let key = (way.proxy.cloned(), apart, way.authorities.map(Authorities::digest));
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let client = build(way, common)?;
        clients.insert(key, client.clone());
        Ok(client)
    }
}

fn build(way: Way<'_>, common: &Common<'_>) -> Result<Client, Failure> {
    let Way { proxy, authorities, .. } = way;
    let guard = Guard {
        names: common.names.clone(),
        networks: common.networks.clone(),
        exempt: proxy.and_then(|proxy| proxy.host_str().map(str::to_owned)),
    };
    let builder = Client::builder()
        .no_proxy()
        .dns_resolver(guard)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(common.pace.connect_max)
        .read_timeout(common.pace.silence_max)
        // Servers of small papers send odd headers; a browser reads them all the same.
        .http1_ignore_invalid_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_max_headers(HEADERS_MAX)
        .pool_max_idle_per_host(1)
        .pool_idle_timeout(IDLE_MAX);
    let builder = match authorities {
        Some(authorities) => builder.tls_backend_preconfigured(authorities.config(way.proxy_apart())?),
        None => builder,
    };
    let proxied = match proxy {
        Some(proxy) => reqwest::Proxy::all(proxy.clone()).map(|proxy| builder.proxy(proxy)),
        None => Ok(builder),
    };
    proxied.and_then(reqwest::ClientBuilder::build).map_err(|error| Failure::setup(&error))
}
