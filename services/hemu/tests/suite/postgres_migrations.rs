//! PostgreSQL's migrations, whose connection is ended after every statement of each: the schema is as it was before, to the
//! row, and the next start migrates it whole.
//!
//! sqlx's migrator runs the real migrations, as the ledger does; one is cut after a statement and goes on with the end of
//! its own connection.
#![expect(
    clippy::unwrap_used,
    reason = "a test whose data cannot be prepared has failed"
)]

use hemu_ledger::entry::Body;
use hemu_ledger::segment::Segment;
use hemu_ledger::{Folder, Ledger};
use hemu_rules::{Millis, Zone};
use sqlx::migrate::{Migration, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Row, SqlSafeStr};
use tokio::time::Instant;

use crate::fixtures::migrations;
use crate::migrations_of_sizes::{A_FIXTURES, factors};
use crate::postgres_server::{self, Server, programs};

const SCHEMAS: [&str; 2] = ["truth", "projections"];
const THE_END: &str = "select pg_terminate_backend(pg_backend_pid());";

/// A row of ones for a table, of any of the types there are: it fits all that tables ask of each other.
const A_ROW: &str = "select format('insert into %I select %s on conflict do nothing', table_name,
        string_agg(case data_type when 'bigint' then '1' when 'text' then quote_literal('a')
                   when 'bytea' then 'decode(repeat(''00'', 32), ''hex'')' else '0' end, ', ' order by ordinal_position))
    from information_schema.columns
    where table_schema = current_schema and table_name <> '_sqlx_migrations'
    group by table_name order by (quote_ident(table_name)::regclass)::oid";

/// Columns, indexes, constraints, triggers and functions of a schema, each as text.
const SHAPES: [&str; 5] = [
    "select format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default)
     from information_schema.columns where table_schema = current_schema order by 1",
    "select indexdef from pg_indexes where schemaname = current_schema order by 1",
    "select format('%s %s', conname, pg_get_constraintdef(oid)) from pg_constraint
     where connamespace = current_schema::regnamespace order by 1",
    "select pg_get_triggerdef(t.oid) from pg_trigger t join pg_class c on c.oid = t.tgrelid
     where c.relnamespace = current_schema::regnamespace and not t.tgisinternal order by 1",
    "select prosrc from pg_proc where pronamespace = current_schema::regnamespace order by 1",
];

/// A schema of a database, which is made if it is not there.
async fn connect(url: &str, schema: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().unwrap();
    let options = options.options([("search_path", schema)]);
    let mut connection = options.disable_statement_logging().connect().await.unwrap();
    let make = AssertSqlSafe(format!("create schema if not exists {schema}"));
    sqlx::query(make).execute(&mut connection).await.unwrap();
    connection
}

async fn migrator(schema: &str) -> Migrator {
    Migrator::new(migrations(&format!("postgres/{schema}")))
        .await
        .unwrap()
}

/// The statements of a migration, each whole. A function's end with its body.
fn statements(sql: &str) -> Vec<String> {
    let (mut statements, mut open) = (Vec::new(), String::new());
    for line in sql.lines().filter(|line| !line.trim_start().starts_with("--")) {
        open.push_str(line);
        open.push('\n');
        let ends = line.split("--").next().unwrap().trim_end().ends_with(';');
        if ends && open.matches("$$").count() % 2 == 0 {
            statements.push(std::mem::take(&mut open));
        }
    }
    assert_eq!(open.trim(), "", "a statement does not end");
    statements
}

/// The migrations with one of them cut.
fn cut(whole: &Migrator, version: i64, after: usize) -> Migrator {
    let cut = |migration: &Migration| {
        let mut migration = migration.clone();
        if migration.version == version {
            let mut kept = statements(migration.sql.as_str());
            kept.truncate(after);
            kept.push(THE_END.to_owned());
            migration.sql = AssertSqlSafe(kept.concat()).into_sql_str();
        }
        migration
    };
    Migrator::with_migrations(whole.iter().map(cut).collect())
}

async fn texts(connection: &mut PgConnection, sql: &str) -> Vec<String> {
    let rows = sqlx::query(AssertSqlSafe(sql.to_owned()))
        .fetch_all(connection)
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Everything in a schema but when it was migrated: what its tables are, and their rows as text.
async fn everything(connection: &mut PgConnection) -> Vec<String> {
    let mut all = Vec::new();
    for shape in SHAPES {
        all.extend(texts(connection, shape).await);
    }
    let tables = "select table_name::text from information_schema.tables where table_schema = current_schema order by 1";
    for table in texts(connection, tables).await {
        let columns = if table == "_sqlx_migrations" {
            "(version, description, success, checksum)"
        } else {
            "t"
        };
        let rows = format!("select {columns}::text from {table} t order by 1");
        let rows = texts(connection, &rows).await;
        all.extend(rows.into_iter().map(|row| format!("{table}: {row}")));
    }
    all
}

/// Migrates a schema to its newest version with a row in every table, one step after the other; the connection of each step
/// is ended first after each of its statements, if that is asked for. What there is afterwards, and how many were ended.
async fn migrated(url: &str, schema: &str, with_kills: bool) -> (Vec<String>, usize) {
    let (whole, mut kills) = (migrator(schema).await, 0);
    let mut connection = connect(url, schema).await;
    for migration in whole.iter() {
        // The list of migrations is made beside them.
        whole
            .run_to(migration.version - 1, &mut connection)
            .await
            .unwrap();
        let before = everything(&mut connection).await;
        let count = statements(migration.sql.as_str()).len();
        for after in (0..=count).take_while(|_| with_kills) {
            let mut dying = connect(url, schema).await;
            let died = cut(&whole, migration.version, after).run(&mut dying).await;
            assert!(died.is_err(), "it was to be ended");
            let (found, version) = (everything(&mut connection).await, migration.version);
            assert!(
                found == before,
                "{schema} {version} after statement {after}: it is not as it was before"
            );
            kills += 1;
        }
        whole.run_to(migration.version, &mut connection).await.unwrap();
        fill(&mut connection).await;
        if schema == "projections" {
            run(
                &mut connection,
                "update quarantine set reason = 'conflict'".to_owned(),
            )
            .await;
        }
    }
    (everything(&mut connection).await, kills)
}

#[tokio::test]
async fn a_connection_that_ends_at_any_statement_of_any_migration_leaves_the_schema_as_it_was_before_it() {
    let Some(programs) = programs() else { return };
    let server = Server::start(&programs, false);
    let (killed, whole) = (
        postgres_server::database(&server.url(), "killed").await,
        postgres_server::database(&server.url(), "whole").await,
    );
    let mut kills = 0;
    for schema in SCHEMAS {
        let (found, of_schema) = migrated(&killed, schema, true).await;
        let (expected, _) = migrated(&whole, schema, false).await;
        assert!(
            found == expected,
            "{schema}: what came of it is not what comes of migrations that nobody ended"
        );
        kills += of_schema;
    }
    println!("{kills} connections ended");
    assert!(kills > 100, "{kills} are not every statement");
}

/// Runs SQL that must be done.
async fn run(connection: &mut PgConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .unwrap();
}

/// A row in every table.
async fn fill(connection: &mut PgConnection) {
    for row in texts(connection, A_ROW).await {
        run(connection, row).await;
    }
}

#[tokio::test]
async fn schemas_of_any_size_are_migrated_whole() {
    let Some(programs) = programs() else { return };
    let server = Server::start(&programs, false);
    for factor in factors() {
        let (url, rows) = (
            postgres_server::database(&server.url(), &format!("of_{factor}")).await,
            factor * A_FIXTURES,
        );
        let mut truth = connect(&url, "truth").await;
        let whole = migrator("truth").await;
        whole.run_to(2, &mut truth).await.unwrap();
        let more = format!("generate_series(1, {rows}) more");
        run(
            &mut truth,
            format!(
                "insert into household (token, door, residents, created_at) select 'H' || more, '101', 3, 1 from {more};
                 insert into words select 'W' || more, 'because', 1 from {more};"
            ),
        )
        .await;
        let mut projections = connect(&url, "projections").await;
        let of_projections = migrator("projections").await;
        of_projections.run_to(1, &mut projections).await.unwrap();
        fill(&mut projections).await;
        let moved =
            "day + more, household, bag, position, idx, at, device, boot, seq, stream, inspector, weight_g,
             quality_bp, confidence_pm, clock_ahead, reading_id, held";
        run(
            &mut projections,
            format!("insert into reading select {moved} from reading, {more}"),
        )
        .await;

        let count = async |connection: &mut PgConnection, table: &str| {
            texts(connection, &format!("select count(*)::text from {table}")).await
        };
        let began = Instant::now();
        whole.run(&mut truth).await.unwrap();
        of_projections.run_to(3, &mut projections).await.unwrap();
        assert_eq!(count(&mut projections, "reading").await, [(rows + 1).to_string()]);
        of_projections.run(&mut projections).await.unwrap();
        println!("PostgreSQL with {rows} rows: migrated in {:?}", began.elapsed());
        for table in ["household", "unsealed_household", "unsealed_words"] {
            assert_eq!(count(&mut truth, table).await, [rows.to_string()], "{table}");
        }
        // From the fourth on what was accepted is kept otherwise: everything is folded again, from the first batch on.
        assert_eq!(count(&mut projections, "reading").await, ["0"]);
        assert_eq!(
            texts(&mut projections, "select applied::text from progress").await,
            ["0"]
        );
    }
}

/// A ledger opens there, takes a batch, folds and verifies it.
async fn starts(url: &str) {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::open(dir.path()).unwrap().with_postgres(url).unwrap();
    let ledger = Ledger::open(&folder, Zone::SHANGHAI).await.unwrap();
    let mut segment = Segment::of_device("C1", 1, 1);
    let (at, from, to) = (Millis::clamped(0), 1, 3);
    segment.push(4, &Body::Lost { at, from, to });
    let mut body = Vec::new();
    let records = segment.write(&mut body, |_| true);
    let mut journal = ledger.journal().await.unwrap();
    let head = journal.append(1, records, &body).await.unwrap();
    hemu_ingest::fold::settle(&ledger, head.position).await.unwrap();
    assert_eq!(ledger.verify_chain(|_| ()).await.unwrap(), head);
    assert_eq!(ledger.verify_projections(|_| ()).await.unwrap(), None);
    ledger.close().await;
}

#[tokio::test]
async fn a_start_after_a_migration_that_was_ended_migrates_it_whole() {
    let Some(programs) = programs() else { return };
    let server = Server::start(&programs, false);
    for schema in SCHEMAS {
        let whole = migrator(schema).await;
        for migration in whole.iter() {
            let name = format!("{schema}_{}", migration.version);
            let url = postgres_server::database(&server.url(), &name).await;
            let mut dying = connect(&url, schema).await;
            whole.run_to(migration.version - 1, &mut dying).await.unwrap();
            let last = statements(migration.sql.as_str()).len();
            let died = cut(&whole, migration.version, last).run(&mut dying).await;
            assert!(died.is_err(), "it was to be ended");
            starts(&url).await;
        }
    }
}
