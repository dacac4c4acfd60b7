//! Statements whose length depends on what they are about.

use sqlx::{Any, Arguments as _, AssertSqlSafe, Encode, Type, any::AnyArguments, query::Query};

/// A statement that is put together with its values, which are numbered as both databases understand it.
#[derive(Default)]
pub(crate) struct Statement {
    text: String,
    arguments: AnyArguments,
}

impl Statement {
    /// Begins with these words.
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    /// Adds words; never any that come from outside.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a value.
    pub(crate) fn bind<'t>(&mut self, value: impl Encode<'t, Any> + Type<Any>) -> Result<&mut Self, sqlx::Error> {
        self.arguments.add(value).map_err(sqlx::Error::Encode)?;
        self.text.push('$');
        self.text.push_str(&self.arguments.len().to_string());
        Ok(self)
    }

    /// Adds the keys with commas between; there must be at least one.
    pub(crate) fn bind_all(&mut self, keys: impl IntoIterator<Item = i64>) -> Result<&mut Self, sqlx::Error> {
        for (position, key) in keys.into_iter().enumerate() {
            if position > 0 {
                self.push(", ");
            }
            self.bind(key)?;
        }
        Ok(self)
    }

    /// The statement, which is not kept for later: there is one for each number of values, and they are large.
    pub(crate) fn build(self) -> Query<'static, Any, AnyArguments> {
        sqlx::query_with(AssertSqlSafe(self.text), self.arguments).persistent(false)
    }
}
