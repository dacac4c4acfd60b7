//! The keys of what is remembered: numbers that are never given twice, each kind a type of its own.

use std::{fmt, marker::PhantomData, str::FromStr};

/// The key of one kind of row, from 1; a later row has a higher one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id<Of>(i64, PhantomData<Of>);

/// Names a delivery.
pub type DeliveryId = Id<OfDelivery>;

/// Names an announcement.
pub type AnnouncementId = Id<OfAnnouncement>;

/// Names a release.
pub type ReleaseId = Id<OfRelease>;

/// Names a promotion.
pub type PromotionId = Id<OfPromotion>;

/// Marks the key of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OfDelivery {}

/// Marks the key of an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OfAnnouncement {}

/// Marks the key of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OfRelease {}

/// Marks the key of a promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OfPromotion {}

/// The text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is a whole number from 1, without a sign")]
pub struct InvalidId;

impl<Of> Id<Of> {
    /// The key in a column.
    pub(crate) const fn new(key: i64) -> Self {
        Self(key, PhantomData)
    }

    /// The key for a column.
    pub(crate) const fn key(&self) -> i64 {
        self.0
    }
}

impl<Of> FromStr for Id<Of> {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.parse::<i64>() {
            Ok(key) if key > 0 && !text.starts_with(['+', '0']) => Ok(Self::new(key)),
            Ok(_) | Err(_) => Err(InvalidId),
        }
    }
}

impl<Of> fmt::Display for Id<Of> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_in_one_way() {
        assert_eq!("12".parse::<DeliveryId>().unwrap().to_string(), "12");
        for bad in ["", "0", "-1", "+1", "01", "1.0", "x", "9223372036854775808"] {
            assert_eq!(bad.parse::<DeliveryId>(), Err(InvalidId), "{bad}");
        }
    }
}
