//! How single values of the configuration are read.

use std::{fmt, hash::Hash, marker::PhantomData, ops::Deref, str::FromStr, time::Duration};

use domain::{forge::Branch, glob::Glob};
use indexmap::IndexMap;
use serde::{
    Deserialize, Deserializer,
    de::IntoDeserializer as _,
    de::{self, Error as _, MapAccess, Visitor},
};

/// A map in the order of the file, in which a key may stand only once; keys are parsed from text.
#[derive(Debug)]
pub struct UniqueMap<K, V>(IndexMap<K, V>);

/// Reads text that parses as `T`.
pub(super) fn parsed<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    parse(&String::deserialize(deserializer)?)
}

/// Reads text that parses as `T`, where there is any.
pub(super) fn parsed_option<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    Option::<String>::deserialize(deserializer)?.as_deref().map(parse).transpose()
}

/// Reads a list of branches, each by name or by a pattern that such a name can match.
pub(super) fn branch_patterns<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Glob>, D::Error> {
    let pattern = |text: &String| {
        text.replace('*', "x").parse::<Branch>().map_err(|invalid| {
            D::Error::custom(format_args!("{}: {invalid}, nor a pattern for such names", Shown(text)))
        })?;
        parse(text)
    };
    Vec::<String>::deserialize(deserializer)?.iter().map(pattern).collect()
}

/// Reads a list of texts that each parse as `T`.
pub(super) fn parsed_list<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    Vec::<String>::deserialize(deserializer)?.iter().map(|text| parse(text)).collect()
}

/// Reads text that is more than nothing, where there is any.
pub(super) fn non_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    if text.as_deref().is_some_and(|text| text.trim().is_empty()) {
        return Err(D::Error::custom("a text that is not empty was expected"));
    }
    Ok(text)
}

/// Reads a list of at least one text that is more than nothing.
pub(super) fn non_empty_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    if texts.is_empty() || texts.iter().any(|text| text.trim().is_empty()) {
        return Err(D::Error::custom("a list of at least one text that is not empty was expected"));
    }
    Ok(texts)
}

/// Reads a duration as `30m` or `1h 30m`.
pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    match humantime::parse_duration(&text) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        Ok(_) => Err(D::Error::custom("a duration is longer than nothing")),
        Err(error) => Err(D::Error::custom(format_args!("\"{text}\" is not a duration like 30m: {error}"))),
    }
}

/// Reads a duration, or `off` for none.
pub(super) fn duration_or_off<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == "off" {
        return Ok(None);
    }
    duration(text.into_deserializer()).map(Some)
}

/// Reads text that may be written as a number.
pub(super) fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum NumberOrText {
        Number(u64),
        Text(String),
    }
    Ok(match NumberOrText::deserialize(deserializer)? {
        NumberOrText::Number(number) => number.to_string(),
        NumberOrText::Text(text) => text,
    })
}

/// Reads a map as `T`, or a text that stands for one.
pub(super) fn text_or_map<'de, T, D>(
    deserializer: D,
    from_text: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct TextOrMap<T, F>(F, PhantomData<T>);

    impl<'de, T: Deserialize<'de>, F: FnOnce(&str) -> Result<T, String>> Visitor<'de> for TextOrMap<T, F> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text or a map")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            self.0(text).map_err(E::custom)
        }

        fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<T, A::Error> {
            T::deserialize(de::value::MapAccessDeserializer::new(entries))
        }
    }

    deserializer.deserialize_any(TextOrMap(from_text, PhantomData))
}

/// Reads a SHA-256 in hexadecimal.
pub(super) fn sha256<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    let text = String::deserialize(deserializer)?;
    let mut hash = [0; 32];
    hex::decode_to_slice(&text, &mut hash)
        .map_err(|_unhelpful| D::Error::custom("sha256 is 64 hexadecimal digits, as sha256sum prints them"))?;
    Ok(hash)
}

fn parse<T: FromStr<Err: fmt::Display>, E: de::Error>(text: &str) -> Result<T, E> {
    text.parse().map_err(|error| E::custom(format_args!("{}: {error}", Shown(text))))
}

/// A text that can not be used, as it may be shown: what stands before an `@`, as in the address of a clone, may be a
/// password.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.rsplit_once('@') {
            None => write!(f, "\"{}\"", self.0),
            Some((_, rest)) => write!(f, "\"…@{rest}\""),
        }
    }
}

/// What serde says of a value of the wrong type or form, without the value: it may be a secret that somebody wrote a
/// line too high, as `credentials: user:password`.
pub(super) fn without_value(message: &str) -> String {
    for complaint in ["invalid type: ", "invalid value: "] {
        if let Some((before, rest)) = message.split_once(complaint)
            && let Some((value, expected)) = rest.rsplit_once(", expected ")
        {
            let kind = value.split(['"', '`']).next().unwrap_or_default().trim_end();
            return format!("{before}{complaint}{kind}, expected {expected}");
        }
    }
    message.to_owned()
}

impl<K, V> Default for UniqueMap<K, V> {
    fn default() -> Self {
        Self(IndexMap::new())
    }
}

impl<K, V> Deref for UniqueMap<K, V> {
    type Target = IndexMap<K, V>;

    fn deref(&self) -> &IndexMap<K, V> {
        &self.0
    }
}

impl<'de, K, V> Deserialize<'de> for UniqueMap<K, V>
where
    K: FromStr<Err: fmt::Display> + Hash + Eq,
    V: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueMapVisitor(PhantomData))
    }
}

struct UniqueMapVisitor<K, V>(PhantomData<(K, V)>);

impl<'de, K, V> Visitor<'de> for UniqueMapVisitor<K, V>
where
    K: FromStr<Err: fmt::Display> + Hash + Eq,
    V: Deserialize<'de>,
{
    type Value = UniqueMap<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<UniqueMap<K, V>, A::Error> {
        let mut map = IndexMap::new();
        while let Some(text) = entries.next_key::<String>()? {
            if map.insert(parse(&text)?, entries.next_value()?).is_some() {
                return Err(A::Error::custom(format_args!("\"{text}\" stands here twice")));
            }
        }
        Ok(UniqueMap(map))
    }

    fn visit_unit<E>(self) -> Result<UniqueMap<K, V>, E> {
        Ok(UniqueMap::default())
    }
}
