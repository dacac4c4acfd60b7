//! What the store promises, on a real PostgreSQL server: the same sentences as on SQLite files.

#[path = "../behaviour/claim.rs"]
mod claim;
#[path = "../behaviour/delivery.rs"]
mod delivery;
#[path = "../behaviour/evidence.rs"]
mod evidence;
#[path = "../behaviour/keeping.rs"]
mod keeping;
#[path = "../behaviour/opening.rs"]
mod opening;
mod place;
#[path = "../behaviour/promotion.rs"]
mod promotion;
#[path = "../behaviour/reading.rs"]
mod reading;
#[path = "../behaviour/release.rs"]
mod release;
#[path = "../behaviour/reopening.rs"]
mod reopening;
#[path = "../behaviour/replay.rs"]
mod replay;
#[path = "../behaviour/round.rs"]
mod round;
#[path = "../behaviour/schema.rs"]
mod schema;
mod shared;
#[path = "../behaviour/work.rs"]
mod work;
#[path = "../behaviour/world.rs"]
mod world;
