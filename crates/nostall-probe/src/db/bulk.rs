//! Inserting many rows with few statements.

use std::fmt::Write;

use super::dialect::Dialect;
use super::error::QueryError;
use super::value::Value;

/// More rows per statement gain nothing.
const MAX_ROWS: usize = 1000;
/// About how many bytes of values a statement carries; servers limit the size of a message (MySQL, `max_allowed_packet`).
const MAX_BYTES: usize = 1 << 20;

/// Which table and columns to insert into, as quoted SQL.
#[derive(Debug)]
pub(super) struct Insert {
    head: String,
    columns: usize,
    numbered: bool,
    max_parameters: usize,
}

/// The limits and signs of a database.
pub(super) struct Form {
    pub(super) quote: char,
    pub(super) max_parameters: usize,
    /// Placeholders are `$1`, `$2`, not `?`.
    pub(super) numbered: bool,
}

impl Form {
    pub(super) fn of<D: Dialect>() -> Self {
        Self {
            quote: D::QUOTE,
            max_parameters: D::MAX_PARAMETERS,
            numbered: D::NUMBERED,
        }
    }
}

impl Insert {
    /// `table` may have the name of a schema before it: `schema.table`.
    pub(super) fn new(form: &Form, table: &str, columns: &[&str]) -> Result<Self, QueryError> {
        if columns.is_empty() || columns.len() > form.max_parameters {
            return Err(QueryError::ColumnCount {
                columns: columns.len(),
                max: form.max_parameters,
            });
        }
        let table: Result<Vec<_>, _> = table
            .split('.')
            .map(|part| quoted(part, form.quote))
            .collect();
        let columns: Result<Vec<_>, _> = columns
            .iter()
            .map(|column| quoted(column, form.quote))
            .collect();
        let columns = columns?;
        let (table, names) = (table?.join("."), columns.join(", "));
        Ok(Self {
            head: format!("INSERT INTO {table} ({names}) VALUES "),
            columns: columns.len(),
            numbered: form.numbered,
            max_parameters: form.max_parameters,
        })
    }

    /// Refuses rows that have not one value per column.
    pub(super) fn check(&self, rows: &[Vec<Value>]) -> Result<(), QueryError> {
        let wrong = rows
            .iter()
            .enumerate()
            .find(|(_, row)| row.len() != self.columns);
        match wrong {
            Some((row, values)) => Err(QueryError::RowLength {
                row,
                expected: self.columns,
                found: values.len(),
            }),
            None => Ok(()),
        }
    }

    /// Cuts off as many rows as one statement can take.
    pub(super) fn chunk<'r>(&self, rows: &'r [Vec<Value>]) -> (&'r [Vec<Value>], &'r [Vec<Value>]) {
        let most = (self.max_parameters / self.columns).clamp(1, MAX_ROWS);
        let mut bytes = 0;
        let fitting = rows.iter().take(most).take_while(|row| {
            bytes += row.iter().map(Value::size).sum::<usize>();
            bytes <= MAX_BYTES
        });
        let fitting = fitting.count().max(1).min(rows.len());
        rows.split_at(fitting)
    }

    /// The statement for so many rows.
    pub(super) fn sql(&self, rows: usize) -> String {
        let mut sql = self.head.clone();
        let mut number = 0;
        for row in 0..rows {
            sql.push_str(if row == 0 { "(" } else { ", (" });
            for column in 0..self.columns {
                if column > 0 {
                    sql.push_str(", ");
                }
                if self.numbered {
                    number += 1;
                    write!(sql, "${number}").expect("writing to a string never fails");
                } else {
                    sql.push('?');
                }
            }
            sql.push(')');
        }
        sql
    }
}

fn quoted(name: &str, quote: char) -> Result<String, QueryError> {
    if name.is_empty() || name.contains('\0') {
        return Err(QueryError::Identifier {
            name: name.to_owned(),
        });
    }
    let mut quoted = String::with_capacity(name.len() + 2);
    quoted.push(quote);
    for letter in name.chars() {
        if letter == quote {
            quoted.push(quote);
        }
        quoted.push(letter);
    }
    quoted.push(quote);
    Ok(quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(numbered: bool, quote: char, table: &str, columns: &[&str]) -> Insert {
        let form = Form {
            quote,
            max_parameters: 10,
            numbered,
        };
        Insert::new(&form, table, columns).unwrap()
    }

    #[test]
    fn names_are_quoted_and_quotes_doubled() {
        let sql = insert(true, '"', "app.us\"ers", &["a", "b; DROP"]).sql(2);
        assert_eq!(
            sql,
            r#"INSERT INTO "app"."us""ers" ("a", "b; DROP") VALUES ($1, $2), ($3, $4)"#
        );
        let sql = insert(false, '`', "u`s", &["a"]).sql(1);
        assert_eq!(sql, "INSERT INTO `u``s` (`a`) VALUES (?)");
    }

    #[test]
    fn a_statement_takes_as_many_rows_as_it_can_have_parameters() {
        let insert = insert(true, '"', "t", &["a", "b", "c"]);
        let rows = vec![vec![Value::Null; 3]; 7];
        let (first, rest) = insert.chunk(&rows);
        assert_eq!((first.len(), rest.len()), (3, 4));
        let (second, rest) = insert.chunk(rest);
        assert_eq!((second.len(), rest.len()), (3, 1));
        assert_eq!(insert.chunk(rest).0.len(), 1);
    }

    #[test]
    fn large_rows_go_one_by_one() {
        let insert = insert(true, '"', "t", &["a"]);
        let rows = vec![vec![Value::Text("x".repeat(MAX_BYTES + 1))]; 3];
        assert_eq!(insert.chunk(&rows).0.len(), 1);
    }

    #[test]
    fn names_that_no_table_can_have_are_refused() {
        for name in ["", "a..b", "a\0b", "."] {
            assert!(quoted(name, '"').is_err() || name.contains('.'));
        }
        let form = Form {
            quote: '"',
            max_parameters: 10,
            numbered: true,
        };
        assert!(matches!(
            Insert::new(&form, "a..b", &["c"]),
            Err(QueryError::Identifier { .. })
        ));
        assert!(matches!(
            Insert::new(&form, "a", &[]),
            Err(QueryError::ColumnCount { columns: 0, .. })
        ));
    }
}
