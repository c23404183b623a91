//! The requests themselves: gate, hop, answer.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, USER_AGENT,
};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::answer::{self, Asked, Hop};
use super::authority::Authorities;
use super::body::Limits;
use super::clients::{Clients, Common, Way};
use super::coding;
use super::dark::Door;
use super::error::{Failure, FetchError, bare};
use super::gate::HostGate;
use super::resolve::Names;
use super::robots::{self, Robots, RobotsTxt};
use super::room::Room;
use super::settings::{HttpSettings, user_agent};
use super::unsaved::{Gathered, Order, Unsaved};
use super::walk::{Purpose, Walk, host_of};
use super::{ACCEPT_PAGE, Answer, Fetched, Freshness, Pace, REDIRECTS_MAX, Redirects, Request};

/// Asks for the entries that are new since the `ETag` alone (RFC 3229, with the form `feed` that blogs agreed on).
const A_IM: &str = "a-im";
/// Hosts whose pages are read by some words of English, such as `edited` on Telegram's; what language a site shows
/// others in is its own affair.
const ENGLISH: [&str; 3] = ["t.me", "telegram.me", "telegram.dog"];
/// Longest hold of a whole host after a 429; what servers order beyond it is taken for a mistake.
const HOLD_MAX: Duration = Duration::from_hours(168);

/// Asks servers politely. One for the whole program: it holds the hosts' turns and the connections.
pub struct Fetcher {
    settings: HttpSettings,
    pace: Pace,
    names: Names,
    gate: HostGate,
    /// User agents with and without the contact.
    agents: [HeaderValue; 2],
    clients: Clients,
    robots: Robots,
    unsaved: Arc<Gathered>,
}

impl Fetcher {
    /// Sets up TLS, the gate and the client for the common proxy.
    ///
    /// # Errors
    ///
    /// A contact that cannot stand in a header, a proxy that is none, or a machine without root certificates.
    pub fn new(settings: HttpSettings) -> Result<Self, FetchError> {
        // The program installs it first thing; a second try fails and changes nothing.
        drop(rustls::crypto::ring::default_provider().install_default());
        let agents =
            [user_agent(settings.contact.as_deref(), settings.sources)?, user_agent(None, settings.sources)?];
        let gate = HostGate::new(settings.concurrency, settings.host_gap, settings.body_bytes_max);
        let (pace, names, robots) = (Pace::default(), Names::default(), Robots::default());
        let (clients, unsaved) = Default::default();
        let fetcher = Self { settings, pace, names, gate, agents, clients, robots, unsaved };
        fetcher.client(None, None, "")?;
        Ok(fetcher)
    }

    /// The same with another patience.
    #[must_use]
    pub fn paced(self, pace: Pace) -> Self {
        Self { pace, clients: Clients::default(), ..self }
    }

    /// The same, but names are looked up there.
    #[must_use]
    pub fn asking(self, names: Names) -> Self {
        Self { names, clients: Clients::default(), ..self }
    }

    /// The same, with what the hosts said to `old`: a reload must not forget whose turn it is and who ordered to wait.
    #[must_use]
    pub fn succeed(self, old: &Self) -> Self {
        let HttpSettings { concurrency, host_gap, body_bytes_max, .. } = self.settings;
        let gate = old.gate.successor(concurrency, host_gap, body_bytes_max);
        self.robots.succeed(&old.robots);
        Self { gate, unsaved: Arc::clone(&old.unsaved), ..self }
    }

    /// Asks once, following redirects if the request says so.
    ///
    /// # Errors
    ///
    /// Whatever keeps the answer from being a document, a 304 or a redirect that was asked for; see [`Failure`].
    ///
    /// # Cancel safety
    ///
    /// A dropped fetch closes its connection and gives the host's turn back.
    pub async fn fetch(&self, request: &Request<'_>) -> Result<Fetched, FetchError> {
        self.asked(request, Purpose::Wanted).await
    }

    /// Asks once for a page or an article: where robots.txt allows it, at every address that redirects lead to.
    ///
    /// # Errors
    ///
    /// As [`Fetcher::fetch`], and when a robots.txt forbids it or cannot be had.
    ///
    /// # Cancel safety
    ///
    /// As [`Fetcher::fetch`].
    pub async fn crawl(&self, request: &Request<'_>) -> Result<Fetched, FetchError> {
        self.asked(request, Purpose::Crawled { patience: Duration::MAX }).await
    }

    /// The same for one of many who wait: where the pause that a robots.txt asks for lasts longer than `patience`, another
    /// host may be asked meanwhile.
    ///
    /// # Errors
    ///
    /// As [`Fetcher::crawl`], and [`Failure::Resting`].
    ///
    /// # Cancel safety
    ///
    /// As [`Fetcher::fetch`].
    pub async fn crawl_within(
        &self,
        request: &Request<'_>,
        patience: Duration,
    ) -> Result<Fetched, FetchError> {
        self.asked(request, Purpose::Crawled { patience }).await
    }

    async fn asked(&self, request: &Request<'_>, purpose: Purpose) -> Result<Fetched, FetchError> {
        let (begun, left) = (Instant::now(), self.settings.timeout);
        let (redirected, detour) = (false, false);
        let mut walk = Walk { begun, waited: None, redirected, detour, host: None, left, purpose };
        let walked = self.walk(request, &mut walk).await;
        let waited = walk.waited.unwrap_or_default();
        match walked {
            Ok(fetched) => Ok(Fetched { waited, host: walk.host.unwrap_or_default(), ..fetched }),
            Err(error) => Err(FetchError {
                waited,
                redirected: walk.redirected,
                detour: walk.detour,
                host: walk.host.map(String::into_boxed_str),
                ..error
            }),
        }
    }

    /// What servers said that nobody has stored yet. Whoever stores it says so: [`Fetcher::saved`].
    pub fn unsaved(&self) -> Unsaved {
        self.unsaved.all()
    }

    /// Takes note that this is stored.
    pub fn saved(&self, stored: &Unsaved) {
        self.unsaved.saved(stored);
    }

    /// Keeps everybody away from a host, as a 429 does; for orders that were stored before a restart.
    pub fn hold(&self, host: &str, wait: Duration) {
        let now = Instant::now();
        self.gate.hold(host, now.checked_add(wait.min(HOLD_MAX)).unwrap_or(now));
    }

    /// The same for an order that was given at `at`; it is to be stored.
    pub fn order(&self, host: &str, wait: Duration, at: jiff::Timestamp) {
        self.hold(host, wait);
        let until = at.checked_add(wait.min(HOLD_MAX)).unwrap_or(at);
        self.unsaved.order(host, Order { at, until });
    }

    /// Takes in what was stored of what servers say to crawlers.
    pub fn recall_robots(&self, stored: Vec<(String, RobotsTxt)>) {
        for (origin, said) in stored {
            self.robots.recall(origin, said);
        }
        self.trim_robots();
    }

    fn trim_robots(&self) {
        for origin in self.robots.trim() {
            self.unsaved.robots(origin, None);
        }
    }

    async fn walk(&self, request: &Request<'_>, walk: &mut Walk) -> Result<Fetched, FetchError> {
        let mut url = request.url.clone();
        url.set_fragment(None);
        let mut seen = Vec::new();
        let mut moved = None;
        loop {
            match self.hop(request, &url, walk).await? {
                (Hop::Done(answer), freshness) => {
                    let for_good = !walk.detour && moved.is_some();
                    let (host, waited) = (String::new(), Duration::ZERO);
                    return Ok(Fetched { answer, freshness, moved, for_good, host, waited });
                }
                // How long the redirect itself may be kept is of no interest: only documents are.
                (Hop::Onward { target, for_good }, _) => {
                    walk.detour |= !for_good;
                    if !walk.detour {
                        moved = Some(target.clone());
                    }
                    walk.redirected = true;
                    seen.push(url);
                    if seen.contains(&target) {
                        return Err(Failure::Redirect("it goes round in circles".to_owned()).into());
                    }
                    if seen.len() > REDIRECTS_MAX {
                        return Err(Failure::Redirect(format!("more than {REDIRECTS_MAX} of them")).into());
                    }
                    url = target;
                }
            }
        }
    }

    async fn hop(&self, request: &Request<'_>, url: &Url, walk: &mut Walk) -> Result<Told, FetchError> {
        let host = host_of(url)?;
        walk.host = Some(host.clone());
        if let Some(why) = self.settings.allow_networks.refuse_literal(url) {
            return Err(Failure::Refused { host: host.into(), why }.into());
        }
        let authorities = request.pinned.and_then(|pinned| pinned.at(&host));
        let client = self.client(request.proxy, authorities, &host)?;
        let delay = match walk.purpose {
            Purpose::Wanted => None,
            Purpose::Crawled { patience } => Some((self.permission(request, url, walk).await?, patience)),
        };
        let (arrived, door) = (Instant::now(), Door::of(url, request.proxy));
        let entered = match delay {
            None => self.gate.enter(&host, &door).await,
            Some((delay, patience)) => self.gate.enter_crawling(&host, &door, delay, patience).await,
        };
        walk.waited.get_or_insert_with(|| arrived.elapsed());
        let (turn, mut room) = entered.map_err(|barred| FetchError::barred(&host, barred))?;
        let started = Instant::now();
        let mut told = self.ask(&client, request, url, walk, &mut room).await;
        walk.left = walk.left.saturating_sub(started.elapsed());
        turn.note(door, told.as_ref().err().map(|error| &error.failure), self.pace.connect_max);
        let came = match &mut told {
            Ok((Hop::Done(Answer::Document(document)), _)) => Some(document),
            Ok(_) => None,
            Err(error) => {
                // What nobody reads must not hold room that others wait for.
                error.part.take_if(|_| request.accept == ACCEPT_PAGE);
                error.part.as_deref_mut()
            }
        };
        if let Some(document) = came {
            document.bytes = room.keep(std::mem::take(&mut document.bytes));
        }
        told
    }

    /// The pause that the robots.txt of a server asks for, if it allows the request at all.
    async fn permission(
        &self,
        request: &Request<'_>,
        url: &Url,
        walk: &Walk,
    ) -> Result<Duration, FetchError> {
        let server = self.robots.server(url);
        let mut known = server.lock().await;
        if !known.as_ref().is_some_and(|known| known.holds(walk.time(request.now))) {
            let Some(address) = robots::address(url) else { return Ok(Duration::ZERO) };
            let (redirects, now) = (Redirects::Follow, walk.time(request.now));
            let ask = Request { url: &address, validators: None, redirects, now, ..*request };
            let answer = self.within(&ask).await;
            if let Err(error) = &answer
                && error.failure.is_of_the_network()
                && known.as_ref().is_none_or(|known| known.rules.is_err())
            {
                // Nothing was said, and the page itself would fare the same.
                return Err(error.clone());
            }
            let said = RobotsTxt::of(answer, known.as_ref(), walk.time(request.now))?;
            self.unsaved.robots(url.origin().ascii_serialization(), Some(said.clone()));
            *known = Some(said);
            self.trim_robots();
        }
        let host = walk.host.clone().unwrap_or_default();
        match known.as_ref().map(|known| known.rules.as_ref()) {
            Some(Ok(rules)) if rules.allow(url) => Ok(rules.delay().unwrap_or_default()),
            Some(Ok(_)) => Err(Failure::Robots { host }.into()),
            Some(Err(why)) => Err(Failure::NoRobots { host, why: why.clone() }.into()),
            None => Err(Failure::NoRobots { host, why: "not asked for".into() }.into()),
        }
    }

    /// A request within a request, in a box, since it contains itself.
    fn within<'a>(
        &'a self,
        request: &'a Request<'a>,
    ) -> Pin<Box<dyn Future<Output = FetchResult> + Send + 'a>> {
        Box::pin(self.asked(request, Purpose::Wanted))
    }

    async fn ask(
        &self,
        client: &Client,
        request: &Request<'_>,
        url: &Url,
        walk: &Walk,
        room: &mut Room,
    ) -> Result<Told, FetchError> {
        let whole = self.settings.timeout;
        let until = Instant::now() + walk.left;
        let [full, anonymous] = &self.agents;
        let agent = if request.contact { full } else { anonymous };
        let mut builder = client
            .get(url.clone())
            .header(ACCEPT, request.accept)
            .header(ACCEPT_ENCODING, coding::ACCEPTED)
            .header(USER_AGENT, agent);
        if url.host_str().is_some_and(|host| ENGLISH.contains(&host)) {
            builder = builder.header(ACCEPT_LANGUAGE, "en");
        }
        let validators = request
            .validators
            .filter(|(of, known)| bare(of) == bare(url) && !known.is_empty())
            .map(|(_, known)| known);
        let pairs =
            validators.map(|known| [(IF_NONE_MATCH, &known.etag), (IF_MODIFIED_SINCE, &known.last_modified)]);
        for (name, value) in pairs.into_iter().flatten() {
            // Byte for byte: what came in a header fits into one.
            if let Some(value) = value.as_deref().and_then(|bytes| HeaderValue::from_bytes(bytes).ok()) {
                builder = builder.header(name, value);
            }
        }
        let delta = request.delta && validators.is_some_and(|known| known.etag.is_some());
        if delta {
            builder = builder.header(A_IM, "feed");
        }
        let sent = timeout_at(until, builder.send()).await.map_err(|_elapsed| Failure::late(whole))?;
        let response = sent.map_err(|error| Failure::sorted(&error, &self.pace))?;
        let freshness = Freshness::of(response.headers(), request.now);
        if let Some(wait) = freshness.retry_after.filter(|_| response.status().as_u16() == 429) {
            self.order(&host_of(url)?, wait, walk.time(request.now));
        }
        let asked = Asked {
            url,
            redirects: request.redirects,
            conditional: validators.is_some(),
            delta,
            page: matches!(walk.purpose, Purpose::Crawled { .. }),
        };
        let limits = Limits { bytes_max: self.settings.body_bytes_max, pace: &self.pace, until, whole };
        let hop = answer::read(response, &asked, &limits, room).await;
        hop.map(|hop| (hop, freshness))
            .map_err(|error| FetchError { freshness: Box::new(freshness), ..error })
    }

    /// The client for a source's own proxy, else for the common one, and for those who are trusted at a host.
    fn client(
        &self,
        own: Option<&Url>,
        authorities: Option<&Authorities>,
        host: &str,
    ) -> Result<Client, FetchError> {
        let networks = &self.settings.allow_networks;
        let common = Common { pace: &self.pace, names: &self.names, networks };
        self.clients.get(Way { proxy: own.or(self.settings.proxy.as_ref()), authorities, host }, &common)
    }
}

type FetchResult = Result<Fetched, FetchError>;

/// What one request came to, and what its headers said of coming again.
type Told = (Hop, Freshness);
