//! What is right passes, and each kind of wrong is found.

mod graphql;
mod rest;
mod sandbox_schema;
mod webhook;
