//! How the place of a secret is read. Whatever stands there instead may be the secret itself, and is never repeated.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, EnumAccess, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::{SecretSource, SecretSources};

/// How many places may stand there, and all that is said when something else does.
#[derive(Clone, Copy, Debug)]
enum Wanted {
    One,
    OneOrList,
}

impl Wanted {
    const fn as_str(self) -> &'static str {
        match self {
            Self::One => "a secret is never written here: say where it is, as { env: NAME } or { file: PATH }",
            Self::OneOrList => {
                "a secret is never written here: say where it is, as { env: NAME } or { file: PATH }, or a list of those"
            }
        }
    }

    fn refuse<T, E: de::Error>(self) -> Result<T, E> {
        Err(E::custom(self.as_str()))
    }
}

/// What the library says by itself repeats what it found; so every kind of value is answered here.
impl<'de> Visitor<'de> for Wanted {
    type Value = Vec<SecretSource>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the place of a secret")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let Ok(Some((key, value))) = entries.next_entry::<String, String>() else { return self.refuse() };
        let Ok(None) = entries.next_key::<IgnoredAny>() else { return self.refuse() };
        match key.as_str() {
            "env" if is_variable(&value) => Ok(vec![SecretSource::Environment(value)]),
            "file" if is_path(&value) => Ok(vec![SecretSource::File(value.into())]),
            _ => self.refuse(),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        match self {
            Self::One => self.refuse(),
            Self::OneOrList => {
                let mut places = Vec::new();
                while let Some(place) = elements.next_element()? {
                    places.push(place);
                }
                Ok(places)
            }
        }
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Self::Value, E> {
        self.refuse()
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
        self.refuse()
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
        self.refuse()
    }

    fn visit_i128<E: de::Error>(self, _: i128) -> Result<Self::Value, E> {
        self.refuse()
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self::Value, E> {
        self.refuse()
    }

    fn visit_u128<E: de::Error>(self, _: u128) -> Result<Self::Value, E> {
        self.refuse()
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
        self.refuse()
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        self.refuse()
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
        self.refuse()
    }
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let places = deserializer.deserialize_any(Wanted::One)?;
        places.into_iter().next().map_or_else(|| Wanted::One.refuse(), Ok)
    }
}

impl<'de> Deserialize<'de> for SecretSources {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Wanted::OneOrList).map(Self)
    }
}

/// Whether it can be a variable's name as shells write it; most secrets can not.
fn is_variable(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether it can be a path that somebody means; a key in PEM form has more than one line.
fn is_path(path: &str) -> bool {
    !path.is_empty() && !path.contains(char::is_control)
}
