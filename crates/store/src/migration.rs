//! The schema, forward only: a migration that has been released is never edited.
//!
//! The previous version of Tagferry must run on the new schema, so a migration adds and never takes away, and a
//! database with migrations that this version does not know is not refused.

use sqlx::{
    SqlSafeStr as _, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
};

use crate::Error;

/// Number, description and text of each migration, in order.
const MIGRATIONS: [(i64, &str, &str); 5] = [
    (1, "from deliveries to promotions", include_str!("migration/0001_from_deliveries_to_promotions.sql")),
    (2, "repositories in any case", include_str!("migration/0002_repositories_in_any_case.sql")),
    (3, "orders and labels", include_str!("migration/0003_orders_and_labels.sql")),
    (4, "haste of announcements", include_str!("migration/0004_haste_of_announcements.sql")),
    (5, "runs that built", include_str!("migration/0005_runs_that_built.sql")),
];

/// Applies what the database does not have yet, each migration in a transaction of its own. Idempotent.
pub(crate) async fn apply(pool: &SqlitePool) -> Result<(), Error> {
    let migrations = MIGRATIONS.map(|(number, description, text)| {
        Migration::new(number, description.into(), MigrationType::Simple, text.into_sql_str(), false)
    });
    let mut migrator = Migrator::with_migrations(migrations.into());
    migrator.set_ignore_missing(true);
    Ok(migrator.run(pool).await?)
}
