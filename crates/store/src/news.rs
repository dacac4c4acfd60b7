//! Replicas tell each other that there may be something to do. What is told carries no data, and may be lost: whoever
//! does not hear of it looks by a timer.

use sqlx::postgres::PgListener;

use crate::{
    Error, Store,
    database::{CHANNEL, Kind, TELL},
};

/// What other replicas tell.
#[derive(Debug)]
pub struct News(PgListener);

impl Store {
    /// Tells the other replicas, where there may be any.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn tell(&self) -> Result<(), Error> {
        match self.kind() {
            Kind::Sqlite => {}
            Kind::Postgres => {
                sqlx::raw_sql(TELL).execute(self.writer()).await?;
            }
        }
        Ok(())
    }

    /// Listens to the other replicas; `None` where there can be none.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn listen(&self) -> Result<Option<News>, Error> {
        match self.kind() {
            Kind::Sqlite => Ok(None),
            Kind::Postgres => {
                let mut listener = PgListener::connect(&self.url()).await?;
                listener.listen(CHANNEL).await?;
                Ok(Some(News(listener)))
            }
        }
    }
}

impl News {
    /// Returns when there are some, or when some may have been lost with the connection, which is there again.
    ///
    /// # Errors
    ///
    /// The connection is lost and no other can be made.
    pub async fn heard(&mut self) -> Result<(), Error> {
        self.0.try_recv().await?;
        Ok(())
    }
}
