//! One table of the lake as DataFusion sees it: sealed files and unsealed rows of one time range.

use crate::file::DataFile;
use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::{Array, ArrayRef, Date32Array, RecordBatch};
use datafusion::arrow::compute::{SortOptions, cast};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimestampMicrosecondType};
use datafusion::arrow::error::ArrowError;
use datafusion::catalog::memory::MemorySourceConfig;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType, col, lit};
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::union::UnionExec;
use object_store::ObjectStore;
use signal::Table;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

/// Columns of a table in SQL: those of its files, then `date`.
pub fn sql_schema(table: Table) -> SchemaRef {
    table_schema(table).table_schema().clone()
}

fn table_schema(table: Table) -> TableSchema {
    static DATE: LazyLock<FieldRef> = LazyLock::new(|| Arc::new(Field::new("date", DataType::Date32, false)));
    TableSchema::builder(table.schema()).with_table_partition_cols(vec![Arc::clone(&DATE)]).build()
}

/// A table restricted to a time range.
#[derive(Debug)]
pub struct RangeTable {
    /// Which table.
    pub table: Table,
    /// Folder of the table, absolute.
    pub folder: PathBuf,
    /// Files that may hold rows of the range, whole ones only.
    pub files: Vec<Arc<DataFile>>,
    /// Rows that are in no file yet.
    pub batches: Vec<RecordBatch>,
    /// The range.
    pub range: base::TimeRange,
    /// Where files are read from.
    pub store: Arc<dyn ObjectStore>,
    /// Read each file for itself and say that it is sorted, so that files are merged instead of sorted.
    pub sorted: bool,
}

impl RangeTable {
    fn parquet(
        &self,
        state: &dyn Session,
        files: &[Arc<DataFile>],
        projection: Option<&Vec<usize>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let cache = state.runtime_env().cache_manager.get_file_metadata_cache();
        let factory = CachedParquetFileReaderFactory::new(Arc::clone(&self.store), cache);
        let source = ParquetSource::new(table_schema(self.table))
            .with_table_parquet_options(state.table_options().parquet.clone())
            .with_parquet_file_reader_factory(Arc::new(factory));
        let partitions = if self.sorted { files.len() } else { state.config().target_partitions() };
        let groups = file_groups(&self.folder, files, partitions);
        let mut config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
            .with_file_groups(groups)
            .with_projection_indices(projection.cloned())?;
        if self.sorted {
            config = config.with_output_ordering(vec![self.file_order()?]);
        }
        Ok(DataSourceExec::from_data_source(config.build()))
    }

    fn file_order(&self) -> Result<LexOrdering> {
        let schema = self.schema();
        let mut order = Vec::new();
        for name in self.table.sort_columns() {
            let column = datafusion::physical_expr::expressions::col(name, &schema)?;
            order.push(PhysicalSortExpr::new(column, SortOptions { descending: false, nulls_first: true }));
        }
        LexOrdering::new(order).ok_or_else(|| datafusion::error::DataFusionError::Internal("no sort column".into()))
    }

    fn range_filter(&self, state: &dyn Session, input: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        let at = |micros: i64| lit(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())));
        let inside = col("ts").gt_eq(at(self.range.from.micros())).and(col("ts").lt(at(self.range.to.micros())));
        let schema = DFSchema::try_from(input.schema().as_ref().clone())?;
        let predicate = state.create_physical_expr(inside, &schema)?;
        Ok(Arc::new(FilterExec::try_new(predicate, input)?))
    }
}

fn file_groups(folder: &std::path::Path, files: &[Arc<DataFile>], partitions: usize) -> Vec<FileGroup> {
    let mut groups: Vec<(u64, Vec<PartitionedFile>)> = vec![(0, Vec::new()); partitions.clamp(1, files.len().max(1))];
    let mut by_size: Vec<&Arc<DataFile>> = files.iter().collect();
    by_size.sort_by_key(|file| std::cmp::Reverse(file.bytes));
    for file in by_size {
        let path = folder.join(&file.path);
        let mut part = PartitionedFile::new(path.to_string_lossy().into_owned(), file.bytes);
        part.partition_values = vec![ScalarValue::Date32(Some(file.date))];
        // The lightest group takes the next largest file.
        if let Some(group) = groups.iter_mut().min_by_key(|group| group.0) {
            group.0 += file.bytes;
            group.1.push(part);
        }
    }
    groups.into_iter().map(|(_, files)| FileGroup::new(files)).collect()
}

/// Unsealed rows as the SQL schema wants them: with `date`, older schemas padded.
pub fn with_date(table: Table, batch: &RecordBatch) -> Result<RecordBatch> {
    let ts = batch.column_by_name("ts").map(AsArray::as_primitive::<TimestampMicrosecondType>);
    let days = |micros: i64| i32::try_from(base::Timestamp::from_micros(micros).utc_days()).unwrap_or(i32::MAX);
    let date: Date32Array = match ts {
        Some(ts) => ts.values().iter().map(|micros| Some(days(*micros))).collect(),
        None => Date32Array::from(vec![0; batch.num_rows()]),
    };
    let mut columns: Vec<ArrayRef> = conform(table, batch)?.columns().to_vec();
    columns.push(Arc::new(date));
    Ok(RecordBatch::try_new(sql_schema(table), columns)?)
}

/// The rows with exactly the columns of the table: others are dropped, missing ones are null.
pub fn conform(table: Table, batch: &RecordBatch) -> std::result::Result<RecordBatch, ArrowError> {
    let mut columns: Vec<ArrayRef> = Vec::new();
    for field in table.schema().fields() {
        columns.push(match batch.column_by_name(field.name()) {
            Some(column) if column.data_type() == field.data_type() => Arc::clone(column),
            Some(column) => cast(column, field.data_type())?,
            None => datafusion::arrow::array::new_null_array(field.data_type(), batch.num_rows()),
        });
    }
    RecordBatch::try_new(table.schema(), columns)
}

/// The projection with `ts` added when it is missing, and where the wanted columns are in it.
fn with_ts(schema: &Schema, projection: Option<&Vec<usize>>) -> Result<(Option<Vec<usize>>, Option<usize>)> {
    let Some(wanted) = projection else { return Ok((None, None)) };
    let ts = schema.index_of("ts")?;
    if wanted.contains(&ts) {
        return Ok((Some(wanted.clone()), None));
    }
    let mut all = wanted.clone();
    all.push(ts);
    Ok((Some(all), Some(wanted.len())))
}

fn first_columns(input: Arc<dyn ExecutionPlan>, keep: Option<usize>) -> Result<Arc<dyn ExecutionPlan>> {
    let Some(keep) = keep else { return Ok(input) };
    let schema = input.schema();
    let columns: Vec<_> = (0..keep)
        .map(|at| {
            let name = schema.field(at).name().clone();
            let column = datafusion::physical_expr::expressions::Column::new(&name, at);
            (Arc::new(column) as Arc<dyn datafusion::physical_expr::PhysicalExpr>, name)
        })
        .collect();
    Ok(Arc::new(ProjectionExec::try_new(columns, input)?))
}

#[async_trait::async_trait]
impl TableProvider for RangeTable {
    fn schema(&self) -> SchemaRef {
        sql_schema(self.table)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        // The filter above the scan is pushed into the Parquet reader by the physical optimizer.
        Ok(vec![TableProviderFilterPushDown::Unsupported; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (inside, edge): (Vec<_>, Vec<_>) = self.files.iter().cloned().partition(|file| file.inside(self.range));
        let mut parts: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
        if !inside.is_empty() {
            parts.push(self.parquet(state, &inside, projection)?);
        }
        let schema = self.schema();
        let (wide, keep) = with_ts(&schema, projection)?;
        if !edge.is_empty() {
            let scan = self.parquet(state, &edge, wide.as_ref())?;
            parts.push(first_columns(self.range_filter(state, scan)?, keep)?);
        }
        if !self.batches.is_empty() || parts.is_empty() {
            let rows = self.batches.iter().map(|batch| with_date(self.table, batch)).collect::<Result<Vec<_>>>()?;
            let scan = MemorySourceConfig::try_new_exec(&[rows], schema, wide)?;
            parts.push(first_columns(self.range_filter(state, scan)?, keep)?);
        }
        if parts.len() == 1 { Ok(parts.remove(0)) } else { UnionExec::try_new(parts) }
    }
}
