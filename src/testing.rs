//! What tests share: databases of their own.

use sqlx::{Connection, Executor, PgConnection};

use crate::store::Store;

/// A new, empty PostgreSQL database, when `BEGREB_TEST_POSTGRES` names a server (`tests/run` starts one).
///
/// # Panics
/// When the server is named and cannot be used, and in CI when none is named.
pub async fn postgres() -> Option<Store> {
    Some(Store::open(&postgres_address().await?).await.expect("a new PostgreSQL database opens"))
}

/// The address of a new, empty PostgreSQL database. See [`postgres`].
///
/// # Panics
/// As there.
pub async fn postgres_address() -> Option<String> {
    let Ok(server) = std::env::var("BEGREB_TEST_POSTGRES") else {
        assert!(std::env::var("CI").is_err(), "BEGREB_TEST_POSTGRES must name a server in CI; tests/run starts one");
        return None;
    };
    let mut connection = PgConnection::connect(&server).await.expect("the test server answers");
    let name = format!("begreb_{}", uuid::Uuid::from_u128(fresh()).simple());
    let create = format!("CREATE DATABASE {name} ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0");
    connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(create))).await.expect("a database is created");
    let (base, _) = server.rsplit_once('/').expect("the address names a database");
    Some(format!("{base}/{name}"))
}

/// A number that no other test of this machine has.
fn fresh() -> u128 {
    use std::hash::{BuildHasher, RandomState};
    (u128::from(RandomState::new().hash_one(1)) << 64) | u128::from(RandomState::new().hash_one(2))
}
