//! The dead man's switch: an address outside is called while polling and delivering make progress, and only then, so
//! that whoever watches that address notices what this machine cannot tell itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};
use url::Url;

use super::clock;
use super::live::Live;
use super::station::Station;
use crate::desk::Desk;
use crate::notify::{Notifier, beat};
use crate::outbox::DeliveryState;
use crate::outbox::circuit::Circuit;
use crate::route::Recipient;
use crate::store::{Deliveries, Store, StoreError};

/// How long the daemon's tasks may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A delivery that could leave and has not for so long is stuck, and so is polling when everything is overdue by it.
const STUCK: SignedDuration = SignedDuration::from_mins(15);

/// Calls the address of the config again and again, until `stop`.
pub(super) async fn run(
    station: Station,
    mut desk: watch::Receiver<Arc<Desk>>,
    live: Live,
    stop: CancellationToken,
) {
    // A reload does not have it wait anew.
    let mut waits_since = Instant::now();
    loop {
        let in_force = Arc::clone(&desk.borrow_and_update());
        let settings = &in_force.config.heartbeat;
        // All branches are cancel-safe. It waits first: a daemon that starts again and again must not seem alive.
        tokio::select! {
            () = stop.cancelled() => return,
            changed = desk.changed() => if changed.is_err() { return },
            () = sleep_until(waits_since + settings.every) => {
                waits_since = Instant::now();
                if let Some(url) = &settings.url {
                    call(&station, &in_force, &live, url).await;
                }
            }
        }
    }
}

async fn call(station: &Station, desk: &Arc<Desk>, live: &Live, url: &Url) {
    if let Some(amiss) = amiss(station, desk, live).await {
        warn!("no heartbeat: {amiss}");
        return;
    }
    match beat::beat(url).await {
        Ok(()) => debug!("heartbeat"),
        Err(reason) => warn!("the heartbeat was not taken: {reason}"),
    }
}

/// Why there is no progress; `None` when there is.
async fn amiss(station: &Station, desk: &Arc<Desk>, live: &Live) -> Option<String> {
    let proof = async { live.is_alive().await && station.writer.commit(|_| Ok(())).await.is_ok() };
    if !matches!(timeout(PATIENCE, proof).await, Ok(true)) {
        return Some("a task or the store does not answer".to_owned());
    }
    let (names, now) =
        (desk.sources.iter().map(|source| source.name().clone()).collect::<Vec<_>>(), clock::now());
    let told = told(&desk.notifiers);
    let looked = station.read(move |store| look(store, &names, &told, now)).await;
    looked.unwrap_or_else(|fault| Some(format!("the store: {fault:#}")))
}

/// Whom the notifiers tell. Lines on the standard output always arrive, whoever reads them: where there is another
/// notifier, they are no proof that anybody is told.
fn told(notifiers: &[Arc<Notifier>]) -> Vec<Recipient> {
    let (lines, others): (Vec<_>, Vec<_>) =
        notifiers.iter().partition(|notifier| matches!(notifier.as_ref(), Notifier::Stdout(_)));
    let told = |notifier: &Notifier| {
        let name = notifier.name().to_owned();
        notifier.recipients().into_iter().map(move |to| (name.clone(), to))
    };
    let counted = if others.is_empty() { lines } else { others };
    counted.into_iter().flat_map(|notifier| told(notifier)).collect()
}

/// What the store tells of progress.
fn look(
    store: &dyn Store,
    sources: &[crate::item::SourceName],
    told: &[Recipient],
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    if let Some(since) = store.network()?.offline {
        return Ok(Some(format!("no source can be reached since {since:.0}")));
    }
    let states = store.sources()?;
    let polled: Vec<_> = states.iter().filter(|state| sources.contains(&state.name)).collect();
    if !polled.is_empty() && polled.iter().all(|state| state.unread_polls() > 0) {
        return Ok(Some("every source fails".to_owned()));
    }
    let overdue = |due: Option<Timestamp>| due.is_some_and(|due| now.duration_since(due) > STUCK);
    if !polled.is_empty() && polled.iter().all(|state| overdue(state.due)) {
        return Ok(Some("no source is polled when it is due".to_owned()));
    }
    let circuits: BTreeMap<String, Circuit> = store.circuits()?.into_iter().collect();
    let fails = |name: &str| circuits.get(name).is_some_and(|circuit| circuit.fault.is_some());
    if !told.is_empty() && told.iter().all(|(name, _)| fails(name)) {
        return Ok(Some("every notifier fails".to_owned()));
    }
    let refuses = |(name, to): &&Recipient| {
        circuits.get(name).and_then(|circuit| circuit.refusals.get(to)).is_some_and(|run| run.told)
    };
    if let Some((name, _)) = told.iter().find(refuses) {
        return Ok(Some(format!("what `{name}` is sent is refused")));
    }
    let mut stuck = 0;
    store.visit_deliveries(Deliveries::Open, &mut |delivery| {
        let since = match delivery.state {
            DeliveryState::Ready => Some(delivery.ready),
            DeliveryState::Attempted { at } => Some(at),
            DeliveryState::Held(_)
            | DeliveryState::Retrying { .. }
            | DeliveryState::Delivered { .. }
            | DeliveryState::Bundled { .. }
            | DeliveryState::Dead { .. }
            | DeliveryState::Dropped { .. } => None,
        };
        let waits = since.is_some_and(|since| now.duration_since(since) > STUCK);
        stuck += usize::from(waits && !fails(&delivery.notifier));
        std::ops::ControlFlow::Continue(())
    })?;
    Ok((stuck > 0).then(|| format!("{stuck} deliveries are stuck")))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use futures_util::FutureExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;
    use tokio::task::JoinSet;

    use super::super::station::OpenStation;
    use super::super::{poller, sender};
    use super::*;
    use crate::config::{Environment, HeartbeatSettings};
    use crate::daemon::unrecorded::Unrecorded;
    use crate::event::Network;
    use crate::item::SourceName;
    use crate::outbox::{Delivery, Failure, Subject};
    use crate::store::{Failing, SledStore, SourceState, Transaction};
    use crate::story::AlertId;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
    }

    fn name(name: &str) -> SourceName {
        SourceName::new(name).unwrap()
    }

    type Change = fn(&dyn Transaction) -> Result<(), StoreError>;

    fn fail(tx: &dyn Transaction, notifier: &str) -> Result<(), StoreError> {
        let mut circuit = tx.circuit(notifier)?;
        circuit.failed(notifier, ("refused", None), (at(0), at(0)), false);
        tx.put_circuit(notifier, &circuit)
    }

    fn refuse(tx: &dyn Transaction, recipient: &str, times: usize) -> Result<(), StoreError> {
        let mut circuit = tx.circuit("mail")?;
        for _ in 0..times {
            let refused = Failure::Refused { reason: "550".into() };
            circuit.learn(("mail", recipient), Err(&refused), (at(0), at(0)), false);
        }
        tx.put_circuit("mail", &circuit)
    }

    fn owe(tx: &dyn Transaction, notifier: &str, state: DeliveryState) -> Result<(), StoreError> {
        let subject = Subject::Alert(AlertId::from_bytes([7; 16]));
        tx.put_delivery(&Delivery::owed((notifier.to_owned(), String::new()), subject, at(0), state))
    }

    fn poll(tx: &dyn Transaction, source: &str, fails: bool) -> Result<(), StoreError> {
        let failing =
            fails.then(|| Failing { since: at(0), polls: 1, reason: "dns".into(), detail: String::new() });
        let last_poll = fails.then(|| at(0));
        tx.put_source(&SourceState { last_poll, failing, ..SourceState::blank(&name(source)) })
    }

    /// A poll that read its document, and had something to say against it.
    fn complain(tx: &dyn Transaction, source: &str) -> Result<(), StoreError> {
        poll(tx, source, true)?;
        let state = tx.source(&name(source))?.unwrap();
        tx.put_source(&SourceState { last_success: state.last_poll, ..state })
    }

    /// A poller and a sender that answer, and a store.
    async fn running(folder: &Path) -> (OpenStation, Live, JoinSet<()>, watch::Receiver<u32>) {
        let (poller, mut to_poller) = mpsc::channel(1);
        let (sender, mut to_sender) = mpsc::channel(1);
        let (reloader, _) = mpsc::channel(1);
        let (asked, times) = watch::channel(0);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            while let Some(poller::Order::Ping(reply)) = to_poller.recv().await {
                reply.send(()).unwrap();
            }
        });
        tasks.spawn(async move {
            while let Some(sender::Order::Ping(reply)) = to_sender.recv().await {
                asked.send_modify(|times| *times += 1);
                reply.send(()).unwrap();
            }
        });
        let opened = OpenStation::create(folder.join("store")).await.unwrap();
        (
            opened,
            Live {
                unrecorded: Unrecorded::default(),
                started: at(0),
                poller,
                sender,
                reloader,
                reload_error: Arc::default(),
            },
            tasks,
            times,
        )
    }

    #[tokio::test]
    async fn the_address_is_called_in_spite_of_reloads_and_not_while_nothing_gets_through() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("harmattan.toml");
        // What is printed always arrives, and is no proof that anybody is told.
        let notifiers = "[[notifier]]\nname = \"screen\"\ntype = \"stdout\"\n\
                         [[notifier]]\nname = \"mail\"\ntype = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n";
        std::fs::write(&config, notifiers).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let load = || {
            let environment = Environment::bare(folder.path().to_owned());
            let mut desk = Desk::load(&config, &environment, at(0), None).unwrap();
            let every = Duration::from_millis(300);
            desk.config.heartbeat = HeartbeatSettings { url: Some(url.clone()), every };
            Arc::new(desk)
        };
        let (opened, live, mut tasks, mut times) = running(folder.path()).await;
        let (reload, desk) = watch::channel(load());
        tasks.spawn(run(opened.station.clone(), desk, live, CancellationToken::new()));

        // A reload comes before every beat is due.
        let mut reloads = tokio::time::interval(Duration::from_millis(100));
        let again = load();
        for _ in 0..2 {
            loop {
                tokio::select! {
                    called = listener.accept() => {
                        let (mut call, _) = called.unwrap();
                        let mut request = [0; 5];
                        call.read_exact(&mut request).await.unwrap();
                        assert_eq!(request, *b"GET /");
                        call.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
                        break;
                    }
                    _ = reloads.tick() => drop(reload.send_replace(Arc::clone(&again))),
                }
            }
        }

        // Nothing gets through: it is judged again and again, and not called.
        opened.station.writer.commit(|tx| fail(tx, "mail")).await.unwrap();
        let begun = *times.borrow();
        times.wait_for(|times| *times >= begun + 3).await.unwrap();
        let mut calls = 0;
        while let Some(called) = listener.accept().now_or_never() {
            called.unwrap();
            calls += 1;
        }
        assert!(calls <= 1, "{calls} calls, one of which may have been under way");
    }

    #[test]
    fn what_is_printed_counts_only_where_nothing_else_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("harmattan.toml");
        let screen = |name: &str| format!("[[notifier]]\nname = \"{name}\"\ntype = \"stdout\"\n");
        let hook = "[[notifier]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n";
        for (notifiers, expected) in [
            (screen("a") + &screen("b"), &["a", "b"][..]),
            (screen("a") + hook, &["hook"]),
            (hook.to_owned(), &["hook"]),
        ] {
            std::fs::write(&config, &notifiers).unwrap();
            let environment = Environment::bare(folder.path().to_owned());
            let desk = Desk::load(&config, &environment, at(0), None).unwrap();
            let names: Vec<String> = told(&desk.notifiers).into_iter().map(|(name, _)| name).collect();
            assert_eq!(names, expected, "{notifiers}");
        }
    }

    #[test]
    fn it_stops_when_polling_or_delivering_does() {
        let cases: [(&str, Change); 15] = [
            ("", |tx| poll(tx, "a", true).and_then(|()| complain(tx, "b"))),
            ("", |tx| poll(tx, "a", true).and_then(|()| poll(tx, "b", false))),
            ("every source fails", |tx| poll(tx, "a", true).and_then(|()| poll(tx, "b", true))),
            ("", |tx| fail(tx, "mail")),
            ("every notifier fails", |tx| fail(tx, "mail").and_then(|()| fail(tx, "hook"))),
            ("", |tx| refuse(tx, "", 2)),
            ("what `mail` is sent is refused", |tx| refuse(tx, "", 3)),
            // One who is no longer told anything.
            ("", |tx| refuse(tx, "gone@example.org", 3)),
            ("no source can be reached", |tx| {
                tx.put_network(&Network { offline: Some(at(0)), ..Network::default() })
            }),
            ("no source is polled", |tx| {
                tx.put_source(&SourceState { due: Some(at(0)), ..SourceState::blank(&name("a")) })
            }),
            ("1 deliveries are stuck", |tx| owe(tx, "mail", DeliveryState::Ready)),
            ("1 deliveries are stuck", |tx| owe(tx, "mail", DeliveryState::Attempted { at: at(0) })),
            ("", |tx| owe(tx, "mail", DeliveryState::Attempted { at: at(15) })),
            ("", |tx| {
                let (failed, due) = (at(1), at(90));
                owe(tx, "mail", DeliveryState::Retrying { failed, due, reason: "451".into() })
            }),
            ("", |tx| fail(tx, "mail").and_then(|()| owe(tx, "mail", DeliveryState::Ready))),
        ];
        for (expected, change) in cases {
            let folder = tempfile::tempdir().unwrap();
            let store = SledStore::create(folder.path()).unwrap();
            store.transact(&mut |tx| change(tx)).unwrap();
            let told = ["mail", "hook"].map(|name| (name.to_owned(), String::new()));
            let amiss = look(&store, &[name("a"), name("b")], &told, at(16)).unwrap();
            let amiss = amiss.unwrap_or_default();
            assert!(amiss.starts_with(expected) && amiss.is_empty() == expected.is_empty(), "{amiss}");
        }
    }
}
