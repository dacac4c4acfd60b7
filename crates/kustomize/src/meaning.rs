//! What a text means, as each of two independent parsers sees it.
//!
//! The first meaning comes from the [`Tree`] that the edit was made from. The second comes from libyaml, which shares
//! no code with the first parser and follows YAML 1.1 in places; between them they found every disagreement with
//! Kustomize's own parser that 11,000 public kustomizations hold.

use std::fmt;

use serde::de::{Deserialize, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

use crate::{
    scalar,
    tree::{Kind, Node, Style, Tree},
};

/// A value without its place and without its form.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Meaning {
    pub(crate) anchor: Option<String>,
    pub(crate) tag: Option<String>,
    pub(crate) data: Data,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Data {
    #[default]
    Nothing,
    /// Unquoted, and some reader takes it for something else than text; the spelling is kept.
    Untyped(String),
    Boolean(bool),
    Integer(i128),
    /// The bits of a floating-point number, so that it equals itself.
    Float(u64),
    Text(String),
    List(Vec<Meaning>),
    /// In the order of the text; a key may stand twice.
    Map(Vec<(Meaning, Meaning)>),
    Alias(String),
}

impl Meaning {
    /// What the first parser sees.
    pub(crate) fn of_tree(tree: &Tree<'_>) -> Self {
        Self::of_node(&tree.root)
    }

    /// What the second parser sees.
    ///
    /// # Errors
    ///
    /// It does not take the text; the error is its own sentence.
    pub(crate) fn of_text(text: &str) -> Result<Self, serde_yaml::Error> {
        serde_yaml::from_str(text)
    }

    pub(crate) fn text(text: &str) -> Self {
        Self { data: Data::Text(text.to_owned()), ..Self::default() }
    }

    /// The value under a key of a mapping; of two, the last one, as Kustomize does.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let Data::Map(pairs) = &self.data else { return None };
        pairs.iter().rfind(|(found, _)| found.is_text(key)).map(|(_, value)| value)
    }

    /// The value under a key of a mapping, to be changed; of two, the last one, as Kustomize does.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let Data::Map(pairs) = &mut self.data else {
            return None;
        };
        pairs.iter_mut().rfind(|(found, _)| found.is_text(key)).map(|(_, value)| value)
    }

    pub(crate) fn is_text(&self, text: &str) -> bool {
        matches!(&self.data, Data::Text(found) if found == text)
    }

    fn of_node(node: &Node<'_>) -> Self {
        let data = match &node.kind {
            Kind::Empty => Data::Nothing,
            Kind::Scalar { value, style: Style::Plain } if !scalar::is_text_unquoted(value) => {
                Data::Untyped(value.clone().into_owned())
            }
            Kind::Scalar { value, .. } => Data::Text(value.clone().into_owned()),
            Kind::List { items, .. } => Data::List(items.iter().map(Self::of_node).collect()),
            Kind::Map { pairs, .. } => {
                Data::Map(pairs.iter().map(|pair| (Self::of_node(&pair.key), Self::of_node(&pair.value))).collect())
            }
            Kind::Alias { name, .. } => Data::Alias((*name).to_owned()),
        };
        let anchor = node.anchor.as_ref().map(|anchor| anchor.name.clone().into_owned());
        Self { anchor, tag: node.tag.clone(), data }
    }
}

impl<'de> Deserialize<'de> for Meaning {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

/// Takes whatever the second parser reports; unlike that parser's own value, it keeps a key that stands twice.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Meaning;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Meaning, E> {
        Ok(of(Data::Boolean(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Meaning, E> {
        Ok(of(Data::Integer(value.into())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Meaning, E> {
        Ok(of(Data::Integer(value.into())))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Meaning, E> {
        Ok(of(Data::Integer(value)))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Meaning, E> {
        Ok(of(i128::try_from(value).map_or_else(|_| Data::Untyped(value.to_string()), Data::Integer)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Meaning, E> {
        Ok(of(Data::Float(value.to_bits())))
    }

    fn visit_str<E>(self, value: &str) -> Result<Meaning, E> {
        Ok(Meaning::text(value))
    }

    fn visit_unit<E>(self) -> Result<Meaning, E> {
        Ok(Meaning::default())
    }

    fn visit_none<E>(self) -> Result<Meaning, E> {
        Ok(Meaning::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Meaning, D::Error> {
        Meaning::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Meaning, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(of(Data::List(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Meaning, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(of(Data::Map(pairs)))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Meaning, A::Error> {
        let (tag, content) = tagged.variant::<String>()?;
        let meaning: Meaning = content.newtype_variant()?;
        Ok(Meaning { tag: Some(tag), ..meaning })
    }
}

fn of(data: Data) -> Meaning {
    Meaning { data, ..Meaning::default() }
}
