//! Remembers deliveries, builds, releases, promotions; hands out claims.
//!
//! Facts are stored; where something stands is derived from them. Time is an argument everywhere; what it is
//! where replicas must agree says `clock`. No transaction
//! is open when a function returns, so that none ever spans a call to the outside. Read the modules in this order:
//!
//! - `database`: opens a file, alone, or a database that replicas share, and brings its schema up to date (`migration`).
//! - [`Error`]: what can go wrong, by what a caller could do about it.
//! - `delivery`: what senders said, kept as received.
//! - `work`: what is to be looked at and when; a [`Claim`] proves that nobody else looks at it now.
//! - `news`: replicas tell each other that there may be something to do.
//! - `build`: builds become releases, and releases open promotions.
//! - `promotion`, `evidence`, `ledger`: what a pass over a promotion records. `outcome` spells how one ended.
//! - `round`, `past`: what is looked at from time to time, and what is found that nobody told.
//! - `comment`: what was said on pull requests.
//! - `backup`: a copy of a file that somebody works with.
//! - [`reading`]: what people are shown.
//! - `rows`, `statement` and `text`: columns to our nouns and back; long statements; text from outside within bounds.
//!
//! Deliberately not here: deciding anything, and retrying anything.

mod backup;
mod build;
mod clock;
mod comment;
mod database;
mod delivery;
mod error;
mod evidence;
mod id;
mod ledger;
mod migration;
mod news;
mod outcome;
mod past;
mod promotion;
pub mod reading;
mod round;
mod rows;
mod statement;
mod text;
mod work;

pub use backup::Backup;
pub use build::{NewBuild, RecordedBuild};
pub use comment::Said;
pub use database::Store;
pub use delivery::{Announced, AnnouncementVerdict, Element, Kept, NewDelivery, Recorded, Replay};
pub use error::Error;
pub use id::{AnnouncementId, DeliveryId, Id, InvalidId, PromotionId, ReleaseId};
pub use ledger::{Note, WAITING};
pub use news::News;
pub use past::Past;
pub use promotion::{Promotion, PushedHead, Rival};
pub use reading::{
    AnnouncementRow, DeliveryRow, LedgerRow, PromotionDetail, PromotionRow, PullRequestRow, ReleaseDetail, ReleaseRow,
};
pub use round::Drift;
pub use work::{Attempts, Claim, FORGE, LONGEST_LEASE, Subject};
