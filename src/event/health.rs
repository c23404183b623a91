//! The health of a source: what a poll changes of it, and which changes are told.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::gap::{Gap, Gapping};
use super::host::{HostTrouble, Incident, Member};
use super::network::{Network, is_public};
use super::observed::{News, Observed, Reach, Trouble};
use super::silence::{Arrivals, Quiet, patience};
use super::{Event, EventKind, minute};

/// A failure is told after so many failed polls in a row, and not before [`FAILING_FOR`].
const FAILED_POLLS_MIN: u32 = 3;

/// See [`FAILED_POLLS_MIN`].
const FAILING_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Classes that pass seldom: a second poll that finds the same confirms them.
const CONFIRMED: [&str; 4] = ["gone", RENAMED, "layout", "preview-off"];

/// The class of a channel that is called otherwise now, or whose name another one has. Its words say which change it is:
/// one may follow another before the first has passed.
pub(super) const RENAMED: &str = "renamed";

/// How a source has fared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The run of bad polls, while there is one.
    pub run: Option<Run>,
    /// What is wrong with the last document that could be read: the same document again is wrong again.
    pub complaint: Option<Complaint>,
    /// The failure that was told and has not passed.
    pub told: Option<Told>,
    /// The host whose trouble the failure may be, among whose members the source counts.
    pub host: Option<String>,
    /// Since when it is silent, once that was told.
    pub silent: Option<Timestamp>,
    /// For how long it has been without news; rows of earlier versions do not say.
    pub quiet: Option<Quiet>,
    /// How often it has news.
    pub arrivals: Arrivals,
    /// Times for which items may have been missed, the newest last.
    pub gaps: Vec<Gap>,
    /// What is told of them, while poll after poll finds one.
    pub gapping: Option<Gapping>,
}

/// Bad polls in a row; once one was told, either those that read the document all the same, or those that did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// When the first was.
    pub since: Timestamp,
    /// How many there were.
    pub polls: u32,
    /// How many of the last had the class of the last.
    pub repeated: u32,
    /// Class of the last.
    pub reason: String,
    /// The last in words.
    pub detail: String,
    /// Whether the document could be read and is wrong in itself: the same document again is wrong again.
    pub of_document: bool,
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Its class.
    pub reason: String,
    /// In words.
    pub detail: String,
}

/// A failure that was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its class.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// Whether an event of the host told it.
    pub by_host: bool,
    /// In words, where the document can be read all the same; in rows of earlier versions of a change of name alone.
    pub detail: Option<String>,
}

/// What a poll may change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Of the source.
    pub health: Health,
    /// Of the hosts that [`Observed::hosts_of`] names.
    pub hosts: BTreeMap<String, HostTrouble>,
    /// Of the network.
    pub network: Network,
}

/// What is known after a poll, and what is to be told of it.
pub fn judge(mut known: Known, poll: &Observed<'_>) -> (Known, Vec<Event>) {
    let mut events = Vec::new();
    surroundings(&mut known, poll, &mut events);
    let Known { health, hosts, network } = &mut known;
    let mut host = poll.host.and_then(|name| hosts.remove(name)).unwrap_or_default();
    let of_document = poll.trouble.filter(|trouble| trouble.of_document);
    match poll.news {
        News::Same | News::Unread => {}
        News::Baseline | News::Read { .. } => health.complaint = of_document.map(Complaint::from),
    }
    let again = health.complaint.clone().filter(|_| poll.news == News::Same);
    match poll.trouble.or(again.as_ref().map(Trouble::from)) {
        None => events.extend(health.recover(poll)),
        Some(_) if network.offline.is_some() && poll.reach == Reach::Cut => {}
        Some(trouble) => {
            health.forget_outage(trouble, (&mut host, network), poll);
            events.extend(health.worsen(trouble, (&mut host, network), poll));
        }
    }
    hosts.extend(poll.host.map(|name| (name.to_owned(), host)));
    events.extend(health.hear(poll));
    events.extend(health.miss(poll).and_then(|event| network.gather(event, poll)));
    events.extend(network.tell_gaps(poll.machine, poll.now));
    events.extend(hosts.iter_mut().filter_map(|(name, host)| host.end_deserted(name, poll.now)));
    (known, events)
}

/// What the poll tells of the hosts and the network.
fn surroundings(known: &mut Known, poll: &Observed<'_>, events: &mut Vec<Event>) {
    let Known { health, hosts, network } = known;
    let answered = poll.host.filter(|_| poll.reach == Reach::Answered);
    for name in poll.passed.into_iter().chain(answered) {
        if is_public(name) {
            events.extend(network.heard(poll.machine, poll.now));
        }
        let host = hosts.entry(name.to_owned()).or_default();
        events.extend(host.heard(name, poll.source, poll.trouble.is_none(), poll.now));
    }
    if let Some(host) = poll.host.filter(|host| poll.reach == Reach::Cut && is_public(host)) {
        // A source whose failure is known already is no witness against the network.
        let is_known = health.told.is_some() || hosts.get(host).is_some_and(|host| host.told.is_some());
        // Hosts that stand in for each other are one witness, unless there is no other.
        let others = poll.others.iter().filter(|other| poll.hosts == 1 && is_public(other));
        let missed: Vec<&str> = [host].into_iter().chain(others.map(String::as_str)).collect();
        let hosts = poll.hosts.max(missed.len());
        if !is_known {
            events.extend(network.missed(missed, hosts, poll.machine, poll.now));
        }
    }
    let says_nothing = poll.reach == Reach::Untried || poll.reach == Reach::Cut && network.offline.is_some();
    if let Some(before) = health.host.take_if(|_| !says_nothing)
        && poll.host != Some(&before)
    {
        hosts.entry(before).or_default().leave(poll.source);
    }
}

impl Health {
    /// A run that began before the machine came back, or that an incident of the host stood for, begins anew; but not
    /// where the incident ended because another source is well, or where this one has a trouble of its own now.
    fn forget_outage(
        &mut self,
        trouble: Trouble<'_>,
        (host, network): (&mut HostTrouble, &Network),
        poll: &Observed<'_>,
    ) {
        let own = poll.reach != Reach::Untried && !poll.may_be_of_host(trouble);
        // A mirror's page that is read without asking the host does not tell how its incident ended.
        let untried = poll.reach == Reach::Untried && trouble.of_document;
        let over = |told: &mut Told| told.by_host && (own || host.told.is_none() && !untried);
        if self.told.take_if(over).is_some() && !own {
            self.run.take_if(|run| !host.spared(run.since));
        }
        // A return that is still to come was dated by a clock that ran ahead: every run would begin anew until then.
        let Some(returned) = network.returned.filter(|returned| *returned <= poll.now) else { return };
        host.members.retain(|member| member.at > returned);
        // What is still to be told, if only that a document cannot be read any more.
        if self.told.as_ref().is_none_or(|told| told.is_lost(trouble)) {
            self.run.take_if(|run| run.since <= returned);
        }
    }

    /// The source has the document of `other`, which could be read: what was wrong with it is over.
    pub fn stand_aside(&mut self, source: &str, other: &str, now: Timestamp) -> Option<Event> {
        (self.run, self.complaint) = (None, None);
        let told = self.told.take().filter(|told| !told.by_host)?;
        let detail = format!("it has the same document as `{other}`, which has its items");
        Some(Event::new(EventKind::SourceRecovered, source, Some(&told.reason), now, detail, now))
    }

    /// A poll that went well ends a run.
    fn recover(&mut self, poll: &Observed<'_>) -> Option<Event> {
        self.run = None;
        let told = self.told.take().filter(|told| !told.by_host)?;
        let detail = if told.reason == RENAMED {
            format!(
                "what is shown under the name is read from now on; that it was renamed or replaced was told at {}",
                minute(told.since)
            )
        } else {
            format!("polls succeed again, after failing since {}", minute(told.since))
        };
        Some(poll.event(EventKind::SourceRecovered, Some(&told.reason), poll.now, detail))
    }

    /// A poll that went wrong, and the event when that is to be told.
    fn worsen(
        &mut self,
        trouble: Trouble<'_>,
        (host, network): (&mut HostTrouble, &Network),
        poll: &Observed<'_>,
    ) -> Option<Event> {
        let next = Run::after(self.run.take(), self.told.as_ref(), trouble, poll.now);
        let run = self.run.insert(next);
        let host_name = poll.host.filter(|_| poll.may_be_of_host(trouble));
        if let Some(name) = host_name {
            self.host = Some(name.to_owned());
            let (source, reason) = (poll.source.to_owned(), trouble.reason.to_owned());
            host.note(Member { source, reason, since: run.since, at: poll.now });
        }
        if !run.is_due(self.told.as_ref(), trouble, poll.now) {
            // It can be read again for so long that it is told once more when that ends.
            if trouble.of_document
                && run.is_persistent(poll.now)
                && let Some(told) = &mut self.told
            {
                told.detail.get_or_insert_with(|| trouble.detail.to_owned());
            }
            return None;
        }
        let since = run.since;
        let lost = self.told.as_ref().filter(|told| told.is_lost(trouble));
        // What was told of the source itself goes on, and ends, as its own.
        let host_name = host_name.filter(|_| lost.is_none_or(|told| told.by_host));
        let covers = |incident: &Incident| lost.is_none_or(|told| told.since < incident.since);
        let by_host = host_name.is_some() && host.told.as_ref().is_some_and(covers);
        let answers = poll.reach == Reach::Answered;
        let of_host = host_name
            .filter(|_| !by_host)
            .and_then(|name| host.incident(name, answers, (trouble.reason, trouble.detail), poll.now));
        let is_cut = poll.reach == Reach::Cut && poll.host.is_some_and(is_public);
        if !by_host && of_host.is_none() && is_cut && network.is_unsure(since, poll.hosts, poll.now) {
            return None;
        }
        let reason = trouble.reason.to_owned();
        let detail = trouble.of_document.then(|| trouble.detail.to_owned());
        self.told = Some(Told { reason, since, by_host: by_host || of_host.is_some(), detail });
        if by_host {
            return None;
        }
        let own =
            || poll.event(EventKind::SourceFailing, Some(trouble.reason), since, trouble.detail.to_owned());
        Some(of_host.unwrap_or_else(own))
    }

    /// What the news of the poll, or their absence, mean.
    fn hear(&mut self, poll: &Observed<'_>) -> Option<Event> {
        if poll.news == News::Unread {
            return None;
        }
        // What was new before a source changed its address says nothing of it since.
        let last = poll.last_new.max(poll.baseline);
        let quiet = self.quiet_at(poll, last);
        let has_news = matches!(poll.news, News::Baseline | News::Read { new: 1.. });
        match poll.news {
            News::Baseline => self.arrivals = Arrivals::default(),
            News::Read { new: 1.. } if last.is_some() => self.arrivals.note(quiet.time, poll.now),
            News::Read { .. } | News::Same | News::Unread => {}
        }
        self.quiet = Some(if has_news { Quiet { time: Duration::ZERO, ..quiet } } else { quiet });
        match (self.silent, last) {
            (Some(since), _) if has_news => {
                self.silent = None;
                let detail = format!("it has news again, after none since {}", minute(since));
                Some(poll.event(EventKind::SourceRecovered, None, poll.now, detail))
            }
            (None, Some(last)) if !has_news => {
                let patience = patience(poll.silent_after, &self.arrivals, poll.baseline, poll.now);
                if quiet.time < patience {
                    return None;
                }
                let last = last.min(poll.now);
                self.silent = Some(last);
                let detail = format!(
                    "it can be read, and nothing was new for {} hours; expected at least every {} hours",
                    quiet.time.as_secs() / 3600,
                    patience.as_secs().div_ceil(3600),
                );
                Some(poll.event(EventKind::SourceSilent, None, last, detail))
            }
            _ => None,
        }
    }

    /// For how long it has been without news now, the last having come at `last`. Its readings are counted together: the
    /// clock that dated the news may have been wrong.
    fn quiet_at(&self, poll: &Observed<'_>, last: Option<Timestamp>) -> Quiet {
        let between =
            |from: Timestamp, to: Timestamp| Duration::try_from(to.duration_since(from)).unwrap_or_default();
        let Some(read) = poll.last_read.or(last) else { return Quiet::default() };
        let before =
            || Quiet { time: last.map_or(Duration::ZERO, |last| between(last, read)), seldom: false };
        let mut quiet = self.quiet.unwrap_or_else(before);
        quiet.look(between(read, poll.now));
        quiet
    }
}

impl Told {
    /// Whether it told of this trouble.
    fn is_of(&self, trouble: Trouble<'_>) -> bool {
        self.reason == trouble.reason && !trouble.follows(&self.reason, self.detail.as_deref())
    }

    /// Whether it told of a document that could be read all the same.
    fn is_read(&self) -> bool {
        self.detail.is_some()
    }

    /// Whether what could be read all the same, as it told, cannot be read any more.
    fn is_lost(&self, trouble: Trouble<'_>) -> bool {
        self.is_read() && !trouble.of_document
    }
}

impl Run {
    /// The run of a bad poll, after that of the poll before.
    fn after(before: Option<Self>, told: Option<&Told>, trouble: Trouble<'_>, now: Timestamp) -> Self {
        // What was told goes on when something else came in between.
        let again = before.as_ref().and(told);
        let again = again.filter(|told| told.is_of(trouble) && told.is_read() == trouble.of_document);
        let is_other = |run: &Self| told.is_some() && run.of_document != trouble.of_document;
        let before = before.filter(|run| !trouble.follows(&run.reason, Some(&run.detail)) && !is_other(run));
        let alike = before.as_ref().filter(|run| run.reason == trouble.reason);
        let begun = before.as_ref().map(|run| run.since);
        Self {
            since: begun.or(again.map(|told| told.since)).unwrap_or(now),
            repeated: alike.map_or(0, |run| run.repeated).saturating_add(1),
            polls: before.map_or(0, |run| run.polls).saturating_add(1),
            reason: trouble.reason.to_owned(),
            detail: trouble.detail.to_owned(),
            of_document: trouble.of_document,
        }
    }

    /// Whether its last poll, which found this trouble, is to be told after what was told before.
    fn is_due(&self, told: Option<&Told>, trouble: Trouble<'_>, now: Timestamp) -> bool {
        let is_confirmed = CONFIRMED.contains(&trouble.reason) && self.repeated >= 2;
        match told {
            None => is_confirmed || self.is_persistent(now),
            // Classes that take turns are told once; so is a document that can be read now and then.
            Some(told) => {
                is_confirmed && !told.is_of(trouble) || told.is_lost(trouble) && self.is_persistent(now)
            }
        }
    }

    fn is_persistent(&self, now: Timestamp) -> bool {
        // One that is to begin yet was dated by a clock that ran ahead.
        let lasted = now.duration_since(self.since).abs();
        self.polls >= FAILED_POLLS_MIN && lasted >= FAILING_FOR
    }
}

impl From<Trouble<'_>> for Complaint {
    fn from(trouble: Trouble<'_>) -> Self {
        Self { reason: trouble.reason.to_owned(), detail: trouble.detail.to_owned() }
    }
}
