//! A mistake of whoever asks: a name that nothing has, with what was probably meant, or a value out of bounds.

use serde::{Deserialize, Serialize};

use super::api::Reply;

/// How alike a name must be to be offered instead, by Jaro and Winkler.
const LIKENESS_MIN: f64 = 0.7;

/// What is wrong with what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct Mistake {
    /// What is wrong.
    pub message: String,
    /// What was probably meant, or where it is told what there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Mistake {
    /// Something is wrong, and this helps.
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: Some(hint.into()) }
    }

    /// Nothing of `kind` is named `name`; what there is, is named `known`.
    pub(crate) fn unknown<'a>(kind: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let hint = nearest(known.into_iter(), name).map(|nearest| format!("did you mean `{nearest}`?"));
        Self { message: format!("no {kind} is named `{name}`"), hint }
    }
}

impl From<Mistake> for Reply {
    fn from(mistake: Mistake) -> Self {
        Self::Mistaken(mistake)
    }
}

/// The name that is most like `name`, when one is.
fn nearest<'a>(known: impl Iterator<Item = &'a str>, name: &str) -> Option<&'a str> {
    let scored = known.map(|known| (strsim::jaro_winkler(known, name), known));
    let alike = scored.filter(|(likeness, _)| *likeness >= LIKENESS_MIN);
    alike.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_when_one_is_near() {
        let known = ["wagner-group", "africa-corps", "ml-timbuktu"];
        for (name, expected) in
            [("wagner", Some("wagner-group")), ("ml-timbuctu", Some("ml-timbuktu")), ("zzz", None)]
        {
            assert_eq!(nearest(known.into_iter(), name), expected, "{name}");
        }
    }
}
