//! What hosts order and what their servers say to crawlers, as it is stored.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::access::Row;
use super::rows::{from_json, to_json};
use crate::fetch::{Order, RobotsTxt, Rules};
use crate::store::StoreError;

#[derive(Serialize, Deserialize)]
struct OrderRow {
    at: Timestamp,
    until: Timestamp,
}

impl Row for Order {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        let Self { at, until } = *self;
        to_json(&OrderRow { at, until })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let OrderRow { at, until } = from_json(bytes)?;
        Some(Self { at, until })
    }
}

#[derive(Serialize, Deserialize)]
struct RobotsRow {
    at: Timestamp,
    until: Timestamp,
    /// A robots.txt that says the same; absent when it could not be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rules: Option<String>,
    /// Why it could not be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<Box<str>>,
}

impl Row for RobotsTxt {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        let (rules, why) = match &self.rules {
            Ok(rules) => (Some(rules.to_string()), None),
            Err(why) => (None, Some(why.clone())),
        };
        to_json(&RobotsRow { at: self.at, until: self.until, rules, why })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let RobotsRow { at, until, rules, why } = from_json(bytes)?;
        let rules = rules.map(|text| Arc::new(Rules::of_text(&text)));
        Some(Self { at, until, rules: rules.ok_or_else(|| why.unwrap_or_default()) })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::{SledStore, Store as _};

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + hours * 3600).unwrap()
    }

    #[test]
    fn orders_and_rules_come_back_and_go_when_their_time_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let store = SledStore::create(folder.path()).unwrap();
        let order = Order { at: at(0), until: at(2) };
        let rules = Rules::parse(b"User-agent: *\nDisallow: /closed*$\nCrawl-delay: 2.5");
        let read = RobotsTxt { at: at(0), until: at(24), rules: Ok(Arc::new(rules)) };
        let unread = RobotsTxt { rules: Err("the server answered 503".into()), ..read.clone() };
        let written = store.transact(&mut |tx| {
            tx.put_order("a.example", &order)?;
            tx.put_robots("https://a.example", Some(&read))?;
            tx.put_robots("https://c.example", Some(&read))?;
            tx.put_robots("https://c.example", None)?;
            tx.put_robots("https://b.example:8443", Some(&unread))
        });
        written.unwrap();
        let robots = [("https://a.example".into(), read), ("https://b.example:8443".into(), unread)];
        for (hours, orders, servers) in [(1, 1, 2), (3, 0, 2), (29 * 24, 0, 2), (31 * 24, 0, 0)] {
            store.expire(at(hours), Duration::from_hours(24), &|| true).unwrap();
            assert_eq!(store.orders().unwrap().len(), orders, "{hours}");
            assert_eq!(store.robots().unwrap(), robots.get(..servers).unwrap(), "{hours}");
        }
    }
}
