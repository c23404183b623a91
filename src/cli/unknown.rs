//! A name on the command line that nothing has: a slip of whoever typed it, with what was probably meant.

/// How alike a name must be to be offered instead, by Jaro and Winkler.
const LIKENESS_MIN: f64 = 0.7;

/// Nothing of that kind has that name.
#[derive(Debug, thiserror::Error)]
#[error("no {kind} is named `{name}`")]
pub(super) struct Unknown {
    kind: &'static str,
    name: String,
    nearest: Option<String>,
}

impl Unknown {
    /// Nothing of `kind` is named `name`; what there is, is named `known`.
    pub(super) fn new<'a>(kind: &'static str, name: &str, known: impl Iterator<Item = &'a str>) -> Self {
        Self { kind, name: name.to_owned(), nearest: nearest(known, name).map(str::to_owned) }
    }

    /// What was probably meant.
    pub(super) fn hint(&self) -> Option<String> {
        self.nearest.as_ref().map(|nearest| format!("did you mean `{nearest}`?"))
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
