//! When groups of errors were first seen, whatever range somebody looks at.
//!
//! Everything that is stored before the range has to be read for that, so what was found is remembered: a group that was
//! seen stays seen. Only groups that are new to everybody cost a look.

use super::columns::{Columns, merge_damaged};
use crate::QueryError;
use crate::query::Reader;
use base::{TimeRange, Timestamp};
use datafusion::dataframe::DataFrame;
use datafusion::functions_aggregate::expr_fn::min;
use datafusion::logical_expr::{col, lit};
use parking_lot::Mutex;
use signal::Table;
use std::collections::{BTreeSet, HashMap};

/// Groups that are remembered; beyond that all are forgotten and looked for again.
const MAX_REMEMBERED: usize = 50_000;

/// A group in a service.
pub type Place = (String, String);

/// What was found of groups before.
#[derive(Debug, Default)]
pub struct FirstErrors {
    known: Mutex<HashMap<Place, Timestamp>>,
}

impl FirstErrors {
    /// Moves the first error of each group back to the first one that is stored, also before `from`. `seen` are groups
    /// with their first errors from then on.
    pub async fn find(
        &self,
        reader: &Reader,
        from: Timestamp,
        seen: &mut [(Place, Timestamp)],
        damaged_files: &mut Vec<String>,
    ) -> Result<(), QueryError> {
        let unknown: BTreeSet<&str> = {
            let known = self.known.lock();
            seen.iter().filter(|(place, _)| !known.contains_key(place)).map(|((group, _), _)| group.as_str()).collect()
        };
        let mut before = HashMap::new();
        if let Some(range) = TimeRange::new(Timestamp::from_micros(0), from).filter(|_| !unknown.is_empty()) {
            let wanted = col("group_id").in_list(unknown.into_iter().map(lit).collect(), false);
            let build = move |frame: DataFrame| {
                let by = vec![col("group_id"), col("service")];
                frame.filter(wanted)?.aggregate(by, vec![min(col("ts")).alias("first")])
            };
            let answer = reader.frame(Table::Errors, range, MAX_REMEMBERED, build).await?;
            merge_damaged(damaged_files, &answer);
            for batch in Columns::of(&answer) {
                let places = batch.names("group_id")?.into_iter().zip(batch.names("service")?);
                before.extend(places.zip(batch.times("first")?));
            }
        }
        let mut known = self.known.lock();
        if known.len() + seen.len() > MAX_REMEMBERED {
            known.clear();
        }
        for (place, first) in seen {
            let earlier = [known.get(place), before.get(place)].into_iter().flatten().min();
            *first = earlier.map_or(*first, |earlier| (*earlier).min(*first));
            // With a damaged file the look was not a whole one, and has to be taken again.
            if damaged_files.is_empty() {
                known.insert(place.clone(), *first);
            }
        }
        Ok(())
    }
}
