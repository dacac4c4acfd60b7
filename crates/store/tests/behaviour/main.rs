//! What the store promises, on real SQLite files. Time is an argument, so nothing here sleeps.

mod alone;
mod backup;
mod claim;
mod delivery;
mod evidence;
mod keeping;
mod opening;
mod place;
mod promotion;
mod reading;
mod release;
mod reopening;
mod replay;
mod round;
mod schema;
mod work;
mod world;
