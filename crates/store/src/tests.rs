//! One suite for both databases: SQLite always, PostgreSQL when `KOSHU_TEST_POSTGRES` holds its URL.

mod access;
mod crashes;
mod firings;
mod hosts;
mod many;
mod opening;
mod outbox;
mod quiet;
mod rows;

use crate::{Store, StoreError, StoreOptions, User};
use base::{Clock, Id, Secret, Timestamp};
use tempfile::TempDir;

/// A fresh store, its clock (at second 1,000,000), and what it takes to open it once more.
pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) options: StoreOptions,
    pub(crate) folder: TempDir,
}

impl Fixture {
    pub(crate) async fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let options = StoreOptions::Folder(folder.path().to_owned());
        Self::open(options, folder).await
    }

    /// One store of each kind that can be reached.
    pub(crate) async fn all() -> Vec<Self> {
        let mut all = vec![Self::sqlite().await];
        match std::env::var("KOSHU_TEST_POSTGRES") {
            Ok(url) => all.push(Self::postgres(&url).await),
            Err(_) => eprintln!("PostgreSQL is skipped: KOSHU_TEST_POSTGRES holds no URL"),
        }
        all
    }

    /// A schema of its own in the given database, so that tests run side by side.
    async fn postgres(url: &str) -> Self {
        let schema = format!("t{}", Id::<User>::generate()).replace('-', "");
        let pool = sqlx::PgPool::connect(url).await.unwrap();
        let sql = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
        sqlx::raw_sql(sql).execute(&pool).await.unwrap();
        pool.close().await;
        let sign = if url.contains('?') { '&' } else { '?' };
        let options = StoreOptions::Url(Secret::new(format!("{url}{sign}options[search_path]={schema}")));
        Self::open(options, TempDir::new().unwrap()).await
    }

    async fn open(options: StoreOptions, folder: TempDir) -> Self {
        let clock = Clock::manual(Timestamp::from_seconds(1_000_000));
        let store = Store::open(options.clone(), clock.clone()).await.unwrap();
        Self { store, clock, options, folder }
    }

    /// Closes the store and opens it again, as a restart does.
    pub(crate) async fn reopen(self) -> Self {
        self.store.close().await;
        Self::open_at(self.options, self.clock, self.folder).await
    }

    async fn open_at(options: StoreOptions, clock: Clock, folder: TempDir) -> Self {
        let store = Store::open(options.clone(), clock.clone()).await.unwrap();
        Self { store, clock, options, folder }
    }

    pub(crate) fn pass_seconds(&self, seconds: i64) {
        self.clock.set(self.clock.now().plus_seconds(seconds));
    }

    pub(crate) async fn user(&self, name: &str, password: &str) -> User {
        let user = self.store.users().create(name).await.unwrap();
        self.store.users().set_password(user.id, &Secret::new(password), None).await.unwrap();
        self.store.users().get(user.id).await.unwrap().unwrap()
    }

    /// Lets the SQLite file grow no further: every write that needs a new page fails as on a full disk.
    pub(crate) async fn fill_disk(&self) {
        let crate::db::Db::Sqlite { write, .. } = &self.store.db else { panic!("only for SQLite") };
        sqlx::raw_sql("PRAGMA max_page_count = 1").execute(write).await.unwrap();
        // Use up the free room in the existing pages.
        let filler = "x".repeat(300);
        for number in 0..2000 {
            match self.store.settings().set(&format!("filler{number}"), &filler).await {
                Ok(()) => {}
                Err(StoreError::Full) => return,
                Err(other) => panic!("{other:?}"),
            }
        }
        panic!("the file still grows");
    }

    pub(crate) async fn free_disk(&self) {
        let crate::db::Db::Sqlite { write, .. } = &self.store.db else { panic!("only for SQLite") };
        sqlx::raw_sql("PRAGMA max_page_count = 1000000").execute(write).await.unwrap();
    }
}
