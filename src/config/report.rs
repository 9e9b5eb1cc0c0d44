//! What `roomd check-config` prints.

use std::fmt::Write as _;

use super::{Configuration, table::TABLE};

/// Every setting, its value and its origin, as an aligned table. Secrets are only said to be set.
pub fn report(configuration: &Configuration) -> String {
    let rows = TABLE
        .iter()
        .map(|row| (row.key, row.show(&configuration.settings), configuration.origin(row).to_string()));
    let rows: Vec<_> = rows.collect();
    let width = |of: fn(&(&str, String, String)) -> usize| rows.iter().map(of).max().unwrap_or(0);
    let (keys, values) = (width(|row| row.0.len()), width(|row| row.1.chars().count()).min(VALUE_CHARS_MAX));
    let mut report = String::new();
    for (key, value, origin) in &rows {
        let _ = writeln!(report, "{key:keys$}  {value:values$}  {origin}");
    }
    report
}

/// A longer value pushes its origin out of the column, not everybody's.
const VALUE_CHARS_MAX: usize = 32;
