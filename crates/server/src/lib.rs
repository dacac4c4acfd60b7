//! HTTP, configuration, telemetry, shutdown.
//!
//! Puts the parts together and opens the door. Read the modules in this order:
//!
//! - [`config`]: the configuration file, and the one place that reads the environment.
//! - `connections`: who may talk to us at once, and for how long.
//! - `http`: the routes; the one place where errors become status codes.
//! - [`reading`]: what a sender's body says, whether it comes in now or was kept.
//! - `service`: starts everything, and stops it in order.
//! - [`telemetry`]: what is logged, and how.

pub mod config;
mod connections;
mod http;
pub mod reading;
mod service;
pub mod telemetry;

pub use config::Config;
pub use service::{Error, Service, planner};
