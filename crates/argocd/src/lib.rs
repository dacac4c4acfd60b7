//! Reads what is live: sync, health, images, paused rollouts.
