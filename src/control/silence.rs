//! Silences, as commands begin, list and end them.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::answer::{Context, refused};
use super::api::{Mistake, Reply};
use crate::daemon::clock;
use crate::desk::Desk;
use crate::silence::{self, About, SilenceId};
use crate::store::StoreError;
use crate::story::{AlertId, StoryId};

/// The longest silence: what is to be quiet for longer belongs into the rules.
const LONGEST: Duration = Duration::from_hours(24 * 90);

/// A silence in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// Its id.
    pub id: String,
    /// `rule`, `entity`, `source` or `story`.
    pub about: String,
    /// Its name or id.
    pub name: String,
    /// Whether it is in force.
    pub active: bool,
    /// When it began.
    pub since: Timestamp,
    /// Its end.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// Alerts that it held back.
    pub held: u32,
    /// Ids of the newest of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<String>,
}

fn listed(silences: &[silence::Silence], now: Timestamp) -> Reply {
    let row = |silence: &silence::Silence| Silence {
        id: silence.id.to_string(),
        about: silence.about.word().to_owned(),
        name: silence.about.name(),
        active: silence.is_active(now),
        since: silence.since,
        until: silence.until,
        reason: silence.reason.clone(),
        held: silence.held,
        alerts: silence.alerts.iter().map(ToString::to_string).collect(),
    };
    Reply::Silences(silences.iter().rev().map(row).collect())
}

/// All of them.
pub(super) async fn list(context: &Context) -> Result<Reply, StoreError> {
    let silences = context.station.read(|store| store.silences()).await?;
    Ok(listed(&silences, clock::now()))
}

/// Begins one; the reply is that one alone.
pub(super) async fn begin(
    context: &Context,
    about: &str,
    name: String,
    seconds: u64,
    reason: String,
) -> Result<Reply, StoreError> {
    let desk = Arc::clone(&context.desk.borrow());
    let known = match about {
        "story" => story(context, &name).await?.map(About::Story).ok_or_else(|| {
            let hint = "`harmattan alerts list` shows the ids of alerts";
            Mistake::new(format!("no story and no alert has the id `{name}`"), hint)
        }),
        _ => subject(&desk, about, name),
    };
    let about = match known {
        Ok(about) => about,
        Err(mistake) => return Ok(mistake.into()),
    };
    let now = clock::now();
    let length = Duration::from_secs(seconds);
    let until = now.checked_add(length).ok().filter(|_| length <= LONGEST && !length.is_zero());
    let Some(until) = until else {
        let hint = "what is to be quiet for longer belongs into the rules";
        return Ok(Mistake::new("a silence lasts for some time, and at most 90 days", hint).into());
    };
    let silence = silence::Silence::new(about, now, until, reason);
    let begun = silence.clone();
    let add = move |tx: &dyn crate::store::Transaction| {
        let mut silences = tx.silences()?;
        silence::add(&mut silences, silence.clone(), now);
        tx.put_silences(&silences)
    };
    context.station.writer.commit(add).await?;
    Ok(listed(&[begun], now))
}

/// What a silence is about but for a story, if there is such a thing.
fn subject(desk: &Desk, about: &str, name: String) -> Result<About, Mistake> {
    let (known, made): (Vec<&str>, fn(String) -> About) = match about {
        "rule" => (desk.engine.rule_names().collect(), About::Rule),
        "entity" => {
            let ids = desk.config.entities.iter().map(|entity| entity.id.value.as_str());
            (ids.collect(), About::Entity)
        }
        _ => (desk.config.sources.iter().map(|source| source.name.as_str()).collect(), About::Source),
    };
    if known.contains(&name.as_str()) { Ok(made(name)) } else { Err(Mistake::unknown(about, &name, known)) }
}

/// The story of that id, or the one of the alert of that id: lists show an alert's own id first.
async fn story(context: &Context, name: &str) -> Result<Option<StoryId>, StoreError> {
    let (Ok(id), Ok(alert)) = (name.parse::<StoryId>(), name.parse::<AlertId>()) else { return Ok(None) };
    if let Some(alert) = context.station.read(move |store| store.alert(alert)).await? {
        return Ok(Some(alert.story.id));
    }
    context.station.writer.commit(move |tx| Ok(tx.story(id)?.map(|story| story.id))).await
}

/// Ends one early; the reply is that one alone.
pub(super) async fn end(context: &Context, id: &str) -> Result<Reply, StoreError> {
    let Ok(wanted) = id.parse::<SilenceId>() else {
        let hint = "`harmattan silence list` tells the ids";
        return Ok(Mistake::new(format!("`{id}` is no id of a silence"), hint).into());
    };
    let now = clock::now();
    let end = move |tx: &dyn crate::store::Transaction| {
        let mut silences = tx.silences()?;
        let Some(silence) =
            silences.iter_mut().find(|silence| silence.id == wanted && silence.is_active(now))
        else {
            return Ok(None);
        };
        silence.until = now;
        let ended = silence.clone();
        tx.put_silences(&silences)?;
        Ok(Some(ended))
    };
    match context.station.writer.commit(end).await? {
        Some(ended) => Ok(listed(&[ended], now)),
        None => Ok(refused(format!("no silence `{id}` is in force"))),
    }
}
