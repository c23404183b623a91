//! Whose page it is: the channel that most of its messages are of. One of another among them is none of its own, and
//! neither its number nor that of its channel says anything of the page's.

use std::collections::HashMap;

use super::ChannelName;
use super::message::Message;

/// The channel of a message: Telegram's own number of it, where that is told, and its name in lower case.
type Whose = (Option<i64>, String);

/// The messages of the channel that most of them are of, and how many are not. Of two that have as many, the one that was
/// `asked` for is meant, else the first.
pub(super) fn own(messages: Vec<Message>, asked: &ChannelName) -> (Vec<Message>, usize) {
    let found = messages.len();
    let Some(owner) = owner(&messages, asked) else { return (messages, 0) };
    let own: Vec<Message> = messages.into_iter().filter(|message| is_one(&owner, &whose(message))).collect();
    let others = found - own.len();
    (own, others)
}

fn owner(messages: &[Message], asked: &ChannelName) -> Option<Whose> {
    let mut counts: HashMap<Whose, (usize, bool)> = HashMap::new();
    for message in messages {
        let whose = whose(message);
        let is_asked = whose.1.eq_ignore_ascii_case(asked.as_str());
        let (count, _) = counts.entry(whose).or_insert((0, is_asked));
        *count += 1;
    }
    let most = counts.values().max().copied()?;
    messages.iter().map(whose).find(|whose| counts.get(whose) == Some(&most))
}

fn whose(message: &Message) -> Whose {
    let name = message.draft.telegram.as_ref().map(|post| post.channel.to_lowercase());
    (message.channel, name.unwrap_or_default())
}

/// Whether both are one channel: by its number, which outlives its name; by that where a message tells none.
fn is_one((one, its_name): &Whose, (other, other_name): &Whose) -> bool {
    one.zip(*other).map_or(its_name == other_name, |(one, other)| one == other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::TelegramPost;
    use crate::source::candidate::Draft;

    fn message((channel, id, number): (&str, Option<i64>, u64)) -> Message {
        let post = TelegramPost { channel: channel.into(), message: number, ..TelegramPost::default() };
        let draft = Draft { telegram: Some(post), ..Draft::default() };
        Message { draft, channel: id, rendered: None }
    }

    #[test]
    fn a_page_is_of_the_channel_that_most_of_its_messages_are_of() {
        let (ours, theirs) = (Some(-1), Some(-7));
        for (messages, own_ones) in [
            (vec![("other", theirs, 8), ("post", ours, 1), ("post", ours, 2)], vec![1, 2]),
            (vec![("post", ours, 1), ("post", ours, 2), ("other", theirs, 8)], vec![1, 2]),
            (vec![("other", theirs, 8), ("post", ours, 1)], vec![1]),
            (vec![("one", ours, 1), ("two", theirs, 8)], vec![1]),
            // A name says something where no number does.
            (vec![("post", ours, 1), ("Poste", ours, 2)], vec![1, 2]),
            (
                vec![("post", None, 1), ("POST", ours, 2), ("post", None, 3), ("other", None, 8)],
                vec![1, 2, 3],
            ),
            (vec![("other", None, 8), ("other", None, 9), ("post", None, 1)], vec![8, 9]),
            (vec![], vec![]),
        ] {
            let all = messages.len();
            let (own, others) =
                own(messages.iter().copied().map(message).collect(), &"post".parse().unwrap());
            let numbers: Vec<u64> =
                own.iter().filter_map(|message| Some(message.draft.telegram.as_ref()?.message)).collect();
            assert_eq!((numbers, others), (own_ones.clone(), all - own_ones.len()), "{messages:?}");
        }
    }
}
