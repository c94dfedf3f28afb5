use sqlx::{Executor, Row};

use super::*;

async fn stores() -> Vec<Store> {
    let mut stores = vec![Store::open("sqlite::memory:").await.unwrap()];
    stores.extend(crate::testing::postgres().await);
    stores
}

#[tokio::test]
async fn every_statement_is_prepared_on_both_databases() {
    for store in stores().await {
        let mut taken = store.take().await.unwrap();
        for (name, statement) in sql::ALL.into_iter().flatten() {
            run!(taken.link(), statement, |q, c| {
                c.prepare(q.into_sql_str()).await.unwrap_or_else(|e| panic!("{name}: {e}"));
            });
        }
    }
}

#[tokio::test]
async fn the_databases_have_the_same_tables_and_columns() {
    let stores = stores().await;
    let mut all = Vec::new();
    for store in &stores {
        let mut taken = store.take().await.unwrap();
        let columns = sql::Sql {
            lite: "SELECT m.name || '.' || p.name FROM sqlite_master m, pragma_table_info(m.name) p
                   WHERE m.type = 'table' AND m.name NOT LIKE '_sqlx%' ORDER BY 1",
            pg: "SELECT (table_name || '.' || column_name)::text FROM information_schema.columns
                 WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%' ORDER BY 1",
        };
        let found: Vec<String> = run!(taken.link(), columns, |q, c| {
            sqlx::query(q).fetch_all(c).await.unwrap().iter().map(|r| r.get(0)).collect()
        });
        assert!(found.contains(&"state.valid_from".to_owned()));
        all.push(found.into_iter().collect::<std::collections::BTreeSet<_>>());
    }
    assert!(all.windows(2).all(|w| w[0] == w[1]), "{all:?}");
}
