//! JSON, of which only what is wanted is kept.
//!
//! A value of JSON takes a hundred times the bytes that it is written with. So none is made: what is wanted is taken from
//! the text as it comes, and the rest is passed over.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// What is wanted of a value, whichever it is: of another one than expected, nothing.
pub(super) trait Shape: Default {
    /// Takes a string, or a number as it would be written.
    fn text(&mut self, _: &str) {}

    /// Takes the absence of a value.
    fn null(&mut self) {}

    /// Takes the next element of a list; says whether there was one.
    fn element<'de, A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        Ok(list.next_element::<IgnoredAny>()?.is_some())
    }

    /// Takes the value of a member of an object.
    fn member<'de, A: MapAccess<'de>>(&mut self, _: &str, object: &mut A) -> Result<(), A::Error> {
        ignored(object)
    }
}

/// The value of a member.
pub(super) fn value<'de, T: Shape, A: MapAccess<'de>>(object: &mut A) -> Result<T, A::Error> {
    object.next_value::<Shaped<T>>().map(|Shaped(value)| value)
}

/// The next element of a list.
pub(super) fn element<'de, T: Shape, A: SeqAccess<'de>>(list: &mut A) -> Result<Option<T>, A::Error> {
    Ok(list.next_element::<Shaped<T>>()?.map(|Shaped(value)| value))
}

/// Passes over the value of a member.
pub(super) fn ignored<'de, A: MapAccess<'de>>(object: &mut A) -> Result<(), A::Error> {
    object.next_value::<IgnoredAny>().map(|_| ())
}

/// What was wanted of a value.
#[derive(Debug, Default)]
pub(super) struct Shaped<T>(pub(super) T);

impl<'de, T: Shape> Deserialize<'de> for Shaped<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut wanted = T::default();
        Taking(&mut wanted).deserialize(deserializer)?;
        Ok(Self(wanted))
    }
}

struct Taking<'a, T>(&'a mut T);

impl<'de, T: Shape> DeserializeSeed<'de> for Taking<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Shape> Visitor<'de> for Taking<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.0.text(&number.to_string());
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.0.text(&number.to_string());
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        if let Some(number) = Number::from_f64(number) {
            self.0.text(&number.to_string());
        }
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.text(text);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.null();
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while self.0.element(&mut list)? {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(name) = object.next_key::<String>()? {
            self.0.member(&name, &mut object)?;
        }
        Ok(())
    }
}

/// A string or a number without white space at its ends; nothing empty is one.
#[derive(Debug, Default)]
pub(super) struct Word(pub(super) Option<String>);

impl Shape for Word {
    fn text(&mut self, text: &str) {
        let text = text.trim();
        self.0 = (!text.is_empty()).then(|| text.to_owned());
    }
}

/// The first element of a list.
#[derive(Debug, Default)]
pub(super) struct First<T>(pub(super) Option<T>);

impl<T: Shape> Shape for First<T> {
    fn element<'de, A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        if self.0.is_some() {
            return Ok(list.next_element::<IgnoredAny>()?.is_some());
        }
        self.0 = element(list)?;
        Ok(self.0.is_some())
    }
}
