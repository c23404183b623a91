//! The way back through older pages, from a newest page that does not reach what was read before. Pure: pages are
//! fetched elsewhere, and told here.

use std::collections::HashSet;

use url::Url;

/// Most older pages read in one walk; what lies behind them is told as missed.
pub const PAGES_MAX: u32 = 25;

/// A way back.
#[derive(Clone, Debug)]
pub enum Trail {
    /// Through a Telegram channel, by message numbers.
    Numbers(Numbers),
    /// Along the links that the pages of a feed or a site give.
    Links(Links),
}

/// What comes next on a way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To read what is older than this: a message number, or an address.
    Ask(String),
    /// Nothing: it leads to what was read before.
    Reached,
    /// Nothing: it ends before that.
    Ended,
}

/// A way back by message numbers.
#[derive(Clone, Debug)]
pub struct Numbers {
    /// Lowest number read without a gap from the newest page on.
    low: u64,
    /// Highest number below the newest page: what is set aside reaches up to there.
    top: u64,
    /// Highest number read before the gap; 0 where none was, so that the way leads to the beginning.
    floor: u64,
    /// What an earlier walk that was cut off has read: its lowest and highest number.
    before: Option<(u64, u64)>,
    /// Whether the last page led no further.
    stuck: bool,
}

impl Numbers {
    /// Begins at a page whose lowest number is `low`; `before` is what an earlier walk has read.
    pub fn new(low: u64, floor: u64, before: Option<(u64, u64)>) -> Self {
        let mut trail = Self { low, top: low.saturating_sub(1), floor, before, stuck: false };
        trail.join();
        trail
    }

    /// A page was read whose lowest number this is. A page need not name its older one although there is one, and may
    /// name itself: only the numbers count.
    fn read(&mut self, page: &Passed) {
        let is_beginning = page.begun || (self.floor == 0 && page.oldest.is_none());
        match page.oldest.filter(|oldest| *oldest < self.low) {
            _ if is_beginning => self.low = 0,
            Some(oldest) => self.low = oldest,
            None => self.stuck = true,
        }
        self.join();
    }

    /// Leaps over what the earlier walk has read, once it is touched.
    fn join(&mut self) {
        if let Some((low, top)) = self.before.take_if(|(_, top)| self.low <= top.saturating_add(1)) {
            self.low = self.low.min(low);
            self.top = self.top.max(top);
        }
    }

    fn next(&self) -> Step {
        if self.low <= self.floor.saturating_add(1) {
            Step::Reached
        } else if self.stuck {
            Step::Ended
        } else {
            Step::Ask(self.low.to_string())
        }
    }
}

/// A way back by links.
#[derive(Clone, Debug)]
pub struct Links {
    next: Option<Url>,
    host: Option<String>,
    /// Where an earlier walk that was cut off goes on.
    before: Option<Url>,
    reached: bool,
    asked: HashSet<Url>,
}

impl Links {
    /// Begins at the page at `url`, which names `older`; `before` is where an earlier walk goes on.
    pub fn new(url: &Url, older: Option<Url>, before: Option<Url>) -> Self {
        let host = url.host_str().map(str::to_owned);
        let mut trail =
            Self { next: None, host, before, reached: false, asked: HashSet::from([url.clone()]) };
        trail.follow(older);
        trail
    }

    /// Takes a link that stays on the host and was not followed yet: archives that lead elsewhere or in circles end.
    fn follow(&mut self, older: Option<Url>) {
        let host = self.host.as_deref();
        self.next = older.filter(|url| url.host_str() == host && !self.asked.contains(url));
    }

    fn next(&self) -> Step {
        match &self.next {
            _ if self.reached => Step::Reached,
            Some(url) => Step::Ask(url.to_string()),
            None => Step::Ended,
        }
    }
}

/// What of an older page matters to the way.
#[derive(Clone, Debug, Default)]
pub struct Passed {
    /// Lowest message number.
    pub oldest: Option<u64>,
    /// Whether it shows messages that are older than all that is wanted.
    pub begun: bool,
    /// The older page that it names.
    pub older: Option<Url>,
    /// Whether an item of it was read before the gap.
    pub known: bool,
    /// Whether an item of it was set aside by an earlier walk.
    pub held: bool,
}

impl Trail {
    /// What comes next.
    pub fn next(&self) -> Step {
        match self {
            Self::Numbers(numbers) => numbers.next(),
            Self::Links(links) => links.next(),
        }
    }

    /// A page was read.
    pub fn pass(&mut self, page: Passed) {
        match self {
            Self::Numbers(numbers) => numbers.read(&page),
            Self::Links(links) => {
                links.reached |= page.known;
                links.asked.extend(links.next.take());
                let before = links.before.take_if(|_| page.held);
                links.follow(before.or(page.older));
            }
        }
    }

    /// The page that comes next, whatever an earlier walk has read: where to go on once all that was read is told.
    pub fn here(&self) -> String {
        match self {
            Self::Numbers(numbers) => numbers.low.to_string(),
            Self::Links(links) => links.next.as_ref().map(Url::to_string).unwrap_or_default(),
        }
    }

    /// Where to go on after a kill, and the highest number from which all was read down to there. While an earlier
    /// walk is not touched, its place stands.
    pub fn place(&self) -> (String, Option<u64>) {
        match self {
            Self::Numbers(Numbers { before: Some((low, top)), .. }) => (low.to_string(), Some(*top)),
            Self::Numbers(numbers) => (numbers.low.to_string(), Some(numbers.top)),
            Self::Links(links) => {
                let url = links.before.as_ref().or(links.next.as_ref());
                (url.map(Url::to_string).unwrap_or_default(), None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn ask(cursor: &str) -> Step {
        Step::Ask(cursor.to_owned())
    }

    fn to(oldest: u64) -> Passed {
        Passed { oldest: Some(oldest), ..Passed::default() }
    }

    #[test]
    fn numbers_lead_down_to_what_was_read_and_stop_where_they_do_not_fall() {
        let mut trail = Trail::Numbers(Numbers::new(81, 40, None));
        assert_eq!(trail.next(), ask("81"));
        trail.pass(to(61));
        assert_eq!((trail.next(), trail.place()), (ask("61"), ("61".to_owned(), Some(80))));
        trail.pass(to(41));
        assert_eq!(trail.next(), Step::Reached, "the next number is the one read before");
        for stuck in [Some(81), Some(90), None] {
            let mut trail = Trail::Numbers(Numbers::new(81, 40, None));
            trail.pass(Passed { oldest: stuck, ..Passed::default() });
            assert_eq!(trail.next(), Step::Ended, "{stuck:?}");
        }
        assert_eq!(Trail::Numbers(Numbers::new(41, 40, None)).next(), Step::Reached);
    }

    #[test]
    fn where_no_number_was_read_the_way_leads_to_the_beginning() {
        for (page, next) in [
            (to(5), ask("5")),
            (to(1), Step::Reached),
            (Passed { begun: true, ..to(5) }, Step::Reached),
            (Passed::default(), Step::Reached),
            (to(31), Step::Ended),
        ] {
            let mut trail = Trail::Numbers(Numbers::new(31, 0, None));
            trail.pass(page.clone());
            assert_eq!(trail.next(), next, "{page:?}");
        }
    }

    #[test]
    fn a_walk_cut_off_is_leapt_over_once_it_is_touched() {
        let touched = Trail::Numbers(Numbers::new(101, 40, Some((61, 100))));
        assert_eq!((touched.next(), touched.place()), (ask("61"), ("61".to_owned(), Some(100))));
        let mut apart = Trail::Numbers(Numbers::new(121, 40, Some((61, 100))));
        assert_eq!((apart.next(), apart.place()), (ask("121"), ("61".to_owned(), Some(100))));
        apart.pass(to(101));
        assert_eq!((apart.next(), apart.place()), (ask("61"), ("61".to_owned(), Some(120))));

        let (front, older) = (url("https://a.example/"), url("https://a.example/2"));
        let mut links = Trail::Links(Links::new(&front, Some(older), Some(url("https://a.example/7"))));
        assert_eq!(links.next(), ask("https://a.example/2"));
        let third = Some(url("https://a.example/3"));
        links.pass(Passed { older: third, held: true, ..Passed::default() });
        assert_eq!(links.next(), ask("https://a.example/7"));
    }

    #[test]
    fn links_stay_on_their_host_and_go_in_no_circle() {
        let front = url("https://a.example/1");
        for (older, expected) in [
            (None, Step::Ended),
            (Some("https://b.example/2"), Step::Ended),
            (Some("https://a.example/1"), Step::Ended),
            (Some("https://a.example/2"), ask("https://a.example/2")),
        ] {
            assert_eq!(Trail::Links(Links::new(&front, older.map(url), None)).next(), expected, "{older:?}");
        }
        let mut trail = Trail::Links(Links::new(&front, Some(url("https://a.example/2")), None));
        trail.pass(Passed { older: Some(url("https://a.example/2")), ..Passed::default() });
        assert_eq!(trail.next(), Step::Ended);
        trail.pass(Passed { known: true, ..Passed::default() });
        assert_eq!(trail.next(), Step::Reached);
    }
}
