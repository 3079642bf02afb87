//! SQL over the lake: one session a query, read-only, with a time range and limits that are named when reached.

use crate::error::{Damage, QueryError};
use crate::file::DataFile;
use crate::options::LakeOptions;
use crate::provider::{RangeTable, sql_schema};
use crate::query_memory::QueryMemory;
use crate::state::{Snapshot, State};
use crate::threads::{QueryThreads, Running};
use crate::yielding::JoinsYield;
use base::{ByteSize, TimeRange, Timestamp};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::MemoryCatalogProviderList;
use datafusion::common::config::Dialect;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::FunctionRegistry;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::context::{SQLOptions, SessionContext};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{LogicalPlan, col, lit};
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use futures::StreamExt;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use parking_lot::Mutex;
use signal::Table;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Rows of a batch while files are merged: several batches of every file wait at the same time.
const MERGED_ROWS: usize = 1024;
/// Aggregates that collect whole columns and report too little of what they hold to the memory pool.
const UNBOUNDED_AGGREGATES: [&str; 2] = ["array_agg", "string_agg"];
/// Functions that make gigabytes out of one small value, in one step that no limit can interrupt.
const UNBOUNDED_FUNCTIONS: [&str; 9] = [
    "array_repeat",
    "array_resize",
    "generate_series",
    "list_repeat",
    "list_resize",
    "lpad",
    "range",
    "repeat",
    "rpad",
];
/// Most operators of a statement: a chain of them is walked by recursion.
const MAX_OPERATORS: usize = 500;
/// Queries that run at once for each thread; the others wait for their turn, inside their time limit.
const QUERIES_A_THREAD: usize = 2;
/// How often a query starts anew because files were merged away under it.
const MAX_STARTS: usize = 5;
/// Longest statement.
const MAX_SQL_BYTES: usize = 64 * 1024;
/// Longest run, unless the options say otherwise.
pub const TIME_LIMIT: Duration = Duration::from_secs(30);
/// Largest answer.
const MAX_ANSWER_BYTES: usize = 64 << 20;

const EVERYTHING: TimeRange =
    TimeRange { from: Timestamp::from_micros(i64::MIN), to: Timestamp::from_micros(i64::MAX) };

/// A question in SQL about one time range.
#[derive(Debug, Clone)]
pub struct Query {
    /// One `SELECT` statement.
    pub sql: String,
    /// Rows outside this range do not exist for the query.
    pub range: TimeRange,
    /// At most this many rows are returned.
    pub limit: usize,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Columns of the rows.
    pub schema: SchemaRef,
    /// Rows.
    pub batches: Vec<RecordBatch>,
    /// What it took.
    pub stats: QueryStats,
}

/// What a query read and returned.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct QueryStats {
    /// Wall time, milliseconds.
    pub elapsed_ms: f64,
    /// Rows returned.
    pub rows: usize,
    /// Whether more rows would have followed.
    pub truncated: bool,
    /// Rows of the tables inside the range (before filters).
    pub scanned_rows: u64,
    /// Bytes of the files inside the range.
    pub scanned_bytes: u64,
    /// Files that are damaged and were left out.
    pub damaged_files: Vec<String>,
}

/// Reads the lake.
pub struct Reader {
    pub(crate) state: Arc<State>,
    base: SessionState,
    store: Arc<dyn ObjectStore>,
    lake: PathBuf,
    options: LakeOptions,
    threads: QueryThreads,
    /// For merging files.
    mergers: QueryThreads,
    turns: Semaphore,
    verified: Arc<Verified>,
}

/// Files whose checksum was compared since this process started, by path, with their modification time.
type Verified = Mutex<HashMap<String, std::time::SystemTime>>;

/// Files that a query was to read are gone: their rows are in others now.
struct FilesChanged;

impl Reader {
    /// A reader over `state`.
    pub fn new(state: Arc<State>, options: LakeOptions) -> Result<Self, DataFusionError> {
        let runtime = runtime(&options)?;
        let partitions = std::thread::available_parallelism().map_or(2, std::num::NonZero::get).min(8);
        let mut config = SessionConfig::new()
            .with_target_partitions(partitions)
            .with_information_schema(false)
            .with_default_catalog_and_schema("koshu", "lake")
            .with_create_default_catalog_and_schema(true);
        let execution = &mut config.options_mut().execution;
        execution.parquet.pushdown_filters = true;
        execution.parquet.reorder_filters = true;
        execution.parquet.bloom_filter_on_read = true;
        let mut base = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(Arc::new(runtime))
            .with_default_features()
            .with_physical_optimizer_rule(Arc::new(JoinsYield))
            .build();
        for name in UNBOUNDED_AGGREGATES {
            base.deregister_udaf(name)?;
        }
        for name in UNBOUNDED_FUNCTIONS {
            base.deregister_udf(name)?;
        }
        let lake = options.dir.join("lake");
        let lake = lake.canonicalize().unwrap_or(lake);
        let threads = QueryThreads::start("query", partitions)?;
        let mergers = QueryThreads::start("merge", 1)?;
        let store = Arc::new(LocalFileSystem::new());
        let turns = Semaphore::new(partitions * QUERIES_A_THREAD);
        Ok(Self { state, base, store, lake, options, threads, mergers, turns, verified: Arc::default() })
    }

    /// Runs a query.
    pub async fn sql(&self, query: &Query) -> Result<Answer, QueryError> {
        let started = Instant::now();
        if query.sql.len() > MAX_SQL_BYTES {
            return Err(QueryError::Invalid(format!("the statement is longer than {MAX_SQL_BYTES} bytes")));
        }
        let run = async {
            let tables = self.tables_in(&query.sql)?;
            let _turn = self.turn().await?;
            let (context, mut stats) = self.session(query.range, &tables).await?;
            let frame = context.sql_with_options(&query.sql, read_only()).await.map_err(|error| self.explain(error))?;
            let (schema, batches) = self.collect(frame, query.limit, &mut stats).await?;
            Ok(Answer { schema, batches, stats })
        };
        let mut answer = self.in_time(run).await?;
        answer.stats.elapsed_ms = started.elapsed().as_secs_f64() * 1000.0;
        Ok(answer)
    }

    /// Runs a query built with DataFusion's expressions over one table.
    pub async fn frame(
        &self,
        table: Table,
        range: TimeRange,
        limit: usize,
        build: impl FnOnce(DataFrame) -> Result<DataFrame, DataFusionError> + Send,
    ) -> Result<Answer, QueryError> {
        let run = async {
            let _turn = self.turn().await?;
            let (context, mut stats) = self.session(range, &[table]).await?;
            let frame = context.table(table.name()).await.and_then(build).map_err(|error| self.explain(error))?;
            let (schema, batches) = self.collect(frame, limit, &mut stats).await?;
            Ok(Answer { schema, batches, stats })
        };
        self.in_time(run).await
    }

    /// Runs a query and visits its rows batch by batch, however many there are: none are kept. Sorting and grouping stay
    /// within the memory of queries, and go to disk beyond it.
    pub async fn each(
        &self,
        sql: &str,
        range: TimeRange,
        limit: Duration,
        mut visit: impl FnMut(&RecordBatch) + Send,
    ) -> Result<QueryStats, QueryError> {
        let run = async {
            let tables = self.tables_in(sql)?;
            let _turn = self.turn().await?;
            let (context, mut stats) = self.session(range, &tables).await?;
            let frame = context.sql_with_options(sql, read_only()).await.map_err(|error| self.explain(error))?;
            let mut running = self.threads.run(frame);
            while let Some(batch) = running.next().await {
                let batch = batch.map_err(|error| self.explain(error))?;
                stats.rows += batch.num_rows();
                visit(&batch);
            }
            Ok(stats)
        };
        tokio::time::timeout(limit, run).await.map_err(|_| QueryError::TimeLimit(limit.as_secs_f64()))?
    }

    /// Waits for a place among the queries that run.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, QueryError> {
        self.turns.acquire().await.map_err(|closed| QueryError::Failed(closed.to_string()))
    }

    /// Runs `work` for at most the time limit.
    pub(crate) async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, QueryError>> + Send,
    ) -> Result<T, QueryError> {
        let limit = self.options.query_time;
        tokio::time::timeout(limit, work).await.map_err(|_| QueryError::TimeLimit(limit.as_secs_f64()))?
    }

    /// Visits the rows in the sealed files of a snapshot that the caller took before, batch by batch.
    pub(crate) async fn visit_sealed(
        &self,
        table: Table,
        snapshot: &Snapshot,
        range: TimeRange,
        build: impl FnOnce(DataFrame) -> Result<DataFrame, DataFusionError> + Send,
        mut visit: impl FnMut(&RecordBatch) + Send,
    ) -> Result<QueryStats, QueryError> {
        let mut stats = QueryStats::default();
        let files = self.files_of(table, snapshot, range, &mut stats).await?.map_err(|FilesChanged| changed())?;
        let provider = self.provider(table, files, Vec::new(), range);
        let frame = self.context().read_table(Arc::new(provider)).and_then(build);
        let frame = frame.map_err(|error| self.explain(error))?;
        let mut stream = frame.execute_stream().await.map_err(|error| self.explain(error))?;
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(|error| self.explain(error))?;
            stats.rows += batch.num_rows();
            visit(&batch);
        }
        Ok(stats)
    }

    /// Whether any of the files has rows of the service.
    pub(crate) async fn has_service(
        &self,
        table: Table,
        files: &[Arc<DataFile>],
        service: &str,
    ) -> Result<bool, DataFusionError> {
        self.verify(table, files).await?;
        let provider = self.provider(table, files.to_vec(), Vec::new(), EVERYTHING);
        let frame = self.context().read_table(Arc::new(provider))?;
        Ok(frame.filter(col("service").eq(lit(service)))?.limit(0, Some(1))?.count().await? > 0)
    }

    /// An error that names the first damaged file.
    async fn verify(&self, table: Table, files: &[Arc<DataFile>]) -> Result<(), DataFusionError> {
        for file in files {
            let (folder, checked) = (self.lake.join(table.name()), Arc::clone(file));
            let check = tokio::task::spawn_blocking(move || problem_of(&folder, &checked));
            let problem = check.await.map_err(|error| DataFusionError::External(Box::new(error)))?;
            if let Some(reason) = problem {
                let name = format!("lake/{}/{}", table.name(), file.path);
                // A file that left its table meanwhile is not damaged, it is gone.
                if !self.state.files(table).iter().any(|known| known.path == file.path) {
                    return Err(DataFusionError::Execution(format!("{name} is no longer in its table")));
                }
                let since = self.options.clock.now();
                self.state.add_damage(Damage { file: name.clone(), range: 0..file.bytes, reason, since });
                return Err(DataFusionError::Execution(format!("{name} is damaged")));
            }
        }
        Ok(())
    }

    /// The rows of some files of a table in the order of its files, without `date`.
    pub(crate) async fn sorted_rows(
        &self,
        table: Table,
        files: &[Arc<DataFile>],
        build: impl FnOnce(DataFrame) -> Result<DataFrame, DataFusionError> + Send,
    ) -> Result<Running, DataFusionError> {
        self.verify(table, files).await?;
        Ok(self.mergers.run(self.sorted_frame(table, files, build)?))
    }

    fn sorted_frame(
        &self,
        table: Table,
        files: &[Arc<DataFile>],
        build: impl FnOnce(DataFrame) -> Result<DataFrame, DataFusionError> + Send,
    ) -> Result<DataFrame, DataFusionError> {
        let mut provider = self.provider(table, files.to_vec(), Vec::new(), EVERYTHING);
        provider.sorted = true;
        let order = table.sort_columns().iter().map(|column| col(*column).sort(true, true)).collect();
        let context = self.context_of(self.base.config().clone().with_batch_size(MERGED_ROWS));
        let frame = context.read_table(Arc::new(provider)).and_then(build)?;
        frame.sort(order)?.drop_columns(&["date"])
    }

    /// Tables and columns as SQL sees them.
    pub fn schema() -> Vec<(&'static str, SchemaRef)> {
        Table::ALL.into_iter().map(|table| (table.name(), sql_schema(table))).collect()
    }

    /// The tables that a statement names.
    fn tables_in(&self, sql: &str) -> Result<Vec<Table>, QueryError> {
        check_operators(sql)?;
        let statement = self.base.sql_to_statement(sql, &Dialect::Generic).map_err(|error| self.explain(error))?;
        if !is_select(&statement) {
            return Err(QueryError::Invalid(READ_ONLY.into()));
        }
        let named = self.base.resolve_table_references(&statement).map_err(|error| self.explain(error))?;
        let mut tables = Vec::new();
        for name in named {
            let Some(table) = Table::by_name(name.table()) else {
                let known: Vec<&str> = Table::ALL.into_iter().map(Table::name).collect();
                let text = format!("there is no table {:?}; the tables are {}", name.table(), known.join(", "));
                return Err(QueryError::Invalid(text));
            };
            tables.push(table);
        }
        Ok(tables)
    }

    fn context(&self) -> SessionContext {
        self.context_of(self.base.config().clone())
    }

    fn context_of(&self, config: SessionConfig) -> SessionContext {
        let config = config.with_create_default_catalog_and_schema(true);
        let shared = self.base.runtime_env();
        let memory = Arc::new(QueryMemory::new(Arc::clone(&shared.memory_pool)));
        let runtime = RuntimeEnv { memory_pool: memory, ..shared.as_ref().clone() };
        let state = SessionStateBuilder::new_from_existing(self.base.clone())
            .with_config(config)
            .with_runtime_env(Arc::new(runtime))
            .with_catalog_list(Arc::new(MemoryCatalogProviderList::new()))
            .build();
        SessionContext::new_with_state(state)
    }

    async fn session(&self, range: TimeRange, tables: &[Table]) -> Result<(SessionContext, QueryStats), QueryError> {
        let context = self.context();
        let mut stats = QueryStats::default();
        for &table in tables {
            let (files, batches) = self.rows_of(table, range, &mut stats).await?;
            let provider = self.provider(table, files, batches, range);
            context.register_table(table.name(), Arc::new(provider)).map_err(|error| self.explain(error))?;
        }
        Ok((context, stats))
    }

    /// The files and unsealed rows of a table at one moment.
    async fn rows_of(
        &self,
        table: Table,
        range: TimeRange,
        stats: &mut QueryStats,
    ) -> Result<(Vec<Arc<DataFile>>, Vec<RecordBatch>), QueryError> {
        for _ in 0..MAX_STARTS {
            let snapshot = self.state.snapshot(table, range);
            let Ok(files) = self.files_of(table, &snapshot, range, stats).await? else { continue };
            let batches: Vec<RecordBatch> = snapshot.segments.iter().flat_map(|part| part.batches(table)).collect();
            stats.scanned_rows += batches.iter().map(|batch| batch.num_rows() as u64).sum::<u64>();
            return Ok((files, batches));
        }
        Err(changed())
    }

    fn provider(
        &self,
        table: Table,
        files: Vec<Arc<DataFile>>,
        batches: Vec<RecordBatch>,
        range: TimeRange,
    ) -> RangeTable {
        let folder = self.lake.join(table.name());
        RangeTable { table, folder, files, batches, range, store: Arc::clone(&self.store), sorted: false }
    }

    async fn files_of(
        &self,
        table: Table,
        snapshot: &Snapshot,
        range: TimeRange,
        stats: &mut QueryStats,
    ) -> Result<Result<Vec<Arc<DataFile>>, FilesChanged>, QueryError> {
        let wanted: Vec<Arc<DataFile>> = snapshot.files.iter().filter(|file| file.overlaps(range)).cloned().collect();
        let Ok(files) = self.whole_files(table, &self.lake.join(table.name()), wanted, stats).await? else {
            return Ok(Err(FilesChanged));
        };
        stats.scanned_rows += files.iter().map(|file| file.rows).sum::<u64>();
        stats.scanned_bytes += files.iter().map(|file| file.bytes).sum::<u64>();
        Ok(Ok(files))
    }

    /// Compares each file with its checksum when it is first read, and again when it was touched; damaged ones are
    /// named and left out, because a wrong answer is worse than a partial one that says so.
    async fn whole_files(
        &self,
        table: Table,
        folder: &std::path::Path,
        wanted: Vec<Arc<DataFile>>,
        stats: &mut QueryStats,
    ) -> Result<Result<Vec<Arc<DataFile>>, FilesChanged>, QueryError> {
        let mut whole = Vec::with_capacity(wanted.len());
        let mut unknown = Vec::new();
        {
            let verified = self.verified.lock();
            for file in wanted {
                let modified = std::fs::metadata(folder.join(&file.path)).and_then(|meta| meta.modified()).ok();
                match modified {
                    Some(modified) if verified.get(&file.path) == Some(&modified) => whole.push(file),
                    modified => unknown.push((file, modified)),
                }
            }
        }
        if unknown.is_empty() {
            return Ok(Ok(whole));
        }
        let (folder, verified) = (folder.to_owned(), Arc::clone(&self.verified));
        let asked = Arc::new(());
        let still_asked = Arc::downgrade(&asked);
        let checked = tokio::task::spawn_blocking(move || {
            let check = |(file, modified): (Arc<DataFile>, Option<std::time::SystemTime>)| {
                // Each file is remembered at once, so that the next try of a query that ran out of time goes further.
                still_asked.upgrade()?;
                let problem = problem_of(&folder, &file);
                if problem.is_none()
                    && let Some(modified) = modified
                {
                    verified.lock().insert(file.path.clone(), modified);
                }
                Some((file, problem))
            };
            unknown.into_iter().map_while(check).collect::<Vec<_>>()
        });
        let checked = checked.await.map_err(|error| QueryError::Failed(error.to_string()))?;
        drop(asked);
        for (file, problem) in checked {
            let Some(reason) = problem else {
                whole.push(file);
                continue;
            };
            // A file that was compacted away meanwhile is not damaged: its rows are in the next snapshot.
            if !self.state.files(table).iter().any(|known| known.path == file.path) {
                return Ok(Err(FilesChanged));
            }
            let name = format!("lake/{}/{}", table.name(), file.path);
            stats.damaged_files.push(name.clone());
            let since = self.options.clock.now();
            self.state.add_damage(Damage { file: name, range: 0..file.bytes, reason, since });
        }
        Ok(Ok(whole))
    }

    /// Forgets files that left their table.
    pub(crate) fn forget_gone(&self) {
        let tables: Vec<_> = Table::ALL.into_iter().map(|table| self.state.files(table)).collect();
        let known: HashSet<&str> =
            tables.iter().flat_map(|files| files.iter().map(|file| file.path.as_str())).collect();
        self.verified.lock().retain(|path, _| known.contains(path.as_str()));
    }

    /// Forgets which files were compared, so that damage done since is seen. Returns how many were known.
    pub fn forget_verified(&self) -> usize {
        std::mem::take(&mut *self.verified.lock()).len()
    }

    async fn collect(
        &self,
        frame: DataFrame,
        limit: usize,
        stats: &mut QueryStats,
    ) -> Result<(SchemaRef, Vec<RecordBatch>), QueryError> {
        let schema = Arc::new(frame.schema().as_arrow().clone());
        // A plan that is explained can't be limited from outside.
        let frame = match frame.logical_plan() {
            LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) => frame,
            _ => frame.limit(0, Some(limit.saturating_add(1))).map_err(|error| self.explain(error))?,
        };
        let mut running = self.threads.run(frame);
        let (mut batches, mut rows, mut bytes) = (Vec::new(), 0, 0);
        while let Some(batch) = running.next().await {
            let batch = batch.map_err(|error| self.explain(error))?;
            let take = batch.num_rows().min(limit - rows);
            bytes += batch.get_array_memory_size();
            stats.truncated = take < batch.num_rows() || (bytes > MAX_ANSWER_BYTES && !batches.is_empty());
            if take > 0 && bytes <= MAX_ANSWER_BYTES || batches.is_empty() {
                rows += take;
                batches.push(batch.slice(0, take));
            }
            if stats.truncated {
                break;
            }
        }
        if stats.truncated {
            running.stop().await;
        }
        stats.rows = rows;
        Ok((schema, batches))
    }

    #[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
    fn explain(&self, error: DataFusionError) -> QueryError {
        // What a query may put aside on disk is part of what it may hold; the engine has no error of its own for it.
        if error.to_string().contains("max_temp_directory_size") {
            return QueryError::MemoryLimit(ByteSize(self.options.query_bytes()));
        }
        match error.find_root() {
            DataFusionError::ResourcesExhausted(_) => QueryError::MemoryLimit(ByteSize(self.options.query_bytes())),
            DataFusionError::Plan(text) | DataFusionError::NotImplemented(text) | DataFusionError::Execution(text) => {
                QueryError::Invalid(text.clone())
            }
            DataFusionError::SQL(parse, _) => QueryError::Invalid(parse.to_string()),
            DataFusionError::SchemaError(schema, _) => QueryError::Invalid(schema.to_string()),
            DataFusionError::ArrowError(arrow, _) => QueryError::Invalid(arrow.to_string()),
            _ => {
                tracing::error!(%error, "a query failed");
                QueryError::Failed(error.strip_backtrace())
            }
        }
    }
}

/// What is wrong with a file, if anything is.
fn problem_of(folder: &std::path::Path, file: &DataFile) -> Option<String> {
    crate::file::verify(folder, file).unwrap_or_else(|error| Some(format!("the file can't be read: {error}")))
}

fn changed() -> QueryError {
    QueryError::Failed("files kept changing while the query started; run it again".into())
}

/// Refuses a statement with more operators than the engine can walk.
fn check_operators(sql: &str) -> Result<(), QueryError> {
    // What can't be cut into words is refused by the parser, which also says where.
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, sql).tokenize() else { return Ok(()) };
    let is_operator = |token: &Token| match token {
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::AND
                | Keyword::OR
                | Keyword::NOT
                | Keyword::IS
                | Keyword::LIKE
                | Keyword::ILIKE
                | Keyword::UNION
                | Keyword::EXCEPT
                | Keyword::INTERSECT
                | Keyword::JOIN
                | Keyword::WHEN
        ),
        Token::Whitespace(_) | Token::Comma | Token::Number(..) | Token::LParen | Token::RParen | Token::Period => {
            false
        }
        other => !other.to_string().starts_with(['\'', '"']),
    };
    let operators = tokens.iter().filter(|token| is_operator(token)).count();
    if operators > MAX_OPERATORS {
        return Err(QueryError::Invalid(format!(
            "the statement has {operators} operators, {MAX_OPERATORS} allowed; write IN (...) instead of many ORs"
        )));
    }
    Ok(())
}

const READ_ONLY: &str = "only SELECT (and EXPLAIN of one) is answered here: SQL reads the lake and never changes it";

fn is_select(statement: &Statement) -> bool {
    match statement {
        Statement::Statement(statement) => matches!(statement.as_ref(), ast::Statement::Query(_)),
        Statement::Explain(explain) => is_select(&explain.statement),
        _ => false,
    }
}

fn read_only() -> SQLOptions {
    SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false)
}

fn runtime(options: &LakeOptions) -> Result<RuntimeEnv, DataFusionError> {
    let pool = usize::try_from(options.query_bytes()).unwrap_or(usize::MAX);
    let spill = DiskManagerBuilder::default()
        .with_mode(DiskManagerMode::Directories(vec![options.dir.join("tmp")]))
        .with_max_temp_directory_size(options.disk.0 / 10);
    RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(pool)))
        .with_disk_manager_builder(spill)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::{Effort, FileWriter};
    use datafusion::physical_plan::displayable;
    use signal::{RequestRow, RequestRows};

    fn write(folder: &std::path::Path, service: &str) -> Arc<DataFile> {
        let mut rows = RequestRows::default();
        let ts = Timestamp::from_seconds(86_400);
        rows.push(&RequestRow { ts, service, route: "GET /", status: 200, ..RequestRow::default() }, []);
        let mut writer = FileWriter::create(folder, Table::Requests, 1, Effort::Seal, ts).unwrap();
        writer.write(&rows.finish(), ts, ts).unwrap();
        Arc::new(writer.finish().unwrap())
    }

    #[test]
    fn chains_of_operators_are_bounded_and_lists_are_not() {
        let chain = |count: usize| format!("SELECT 1 FROM requests WHERE {}", vec!["a = 'x'"; count].join(" OR "));
        assert!(check_operators(&chain(200)).is_ok());
        assert!(matches!(check_operators(&chain(20_000)), Err(QueryError::Invalid(text)) if text.contains("IN (...)")));
        let list = vec!["'a-b'"; 10_000].join(", ");
        assert!(check_operators(&format!("SELECT \"a+b\" FROM requests WHERE trace_id IN ({list})")).is_ok());
    }

    #[tokio::test]
    async fn files_are_merged_by_their_order_and_never_sorted_in_memory() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("lake/requests");
        std::fs::create_dir_all(&folder).unwrap();
        let files: Vec<_> = ["c", "a", "b"].map(|service| write(&folder, service)).into();
        let reader = Reader::new(Arc::default(), LakeOptions::new(dir.path())).unwrap();
        let frame = reader.sorted_frame(Table::Requests, &files, Ok).unwrap();
        let plan = frame.create_physical_plan().await.unwrap();
        let text = displayable(plan.as_ref()).indent(false).to_string();
        assert!(text.contains("SortPreservingMergeExec") && !text.contains("SortExec"), "{text}");
        let mut stream = reader.sorted_rows(Table::Requests, &files, Ok).await.unwrap();
        let mut services = Vec::new();
        while let Some(batch) = stream.next().await {
            let batch = batch.unwrap();
            let column = batch.column_by_name("service").unwrap();
            services.extend(
                datafusion::arrow::array::AsArray::as_string_view(column).iter().map(|name| name.unwrap().to_owned()),
            );
        }
        assert_eq!(services, ["a", "b", "c"]);
    }
}
