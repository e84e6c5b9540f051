//! What is bound to a question.

use sqlx::Arguments;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;

use super::Outcome;

/// A parameter; a null keeps its type, which PostgreSQL must know.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Int(Option<i64>),
    Real(Option<f64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

/// Whatever can be bound.
pub(crate) trait Bind {
    fn value(self) -> Value;
    /// The null of this type.
    fn null() -> Value;
}

impl Bind for Value {
    fn value(self) -> Value {
        self
    }

    fn null() -> Value {
        Value::Int(None)
    }
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Bind for $type {
            fn value(self) -> Value {
                Value::Int(Some(i64::from(self)))
            }
            fn null() -> Value {
                Value::Int(None)
            }
        }
        impl Bind for &$type {
            fn value(self) -> Value {
                (*self).value()
            }
            fn null() -> Value {
                Value::Int(None)
            }
        }
    )*};
}
integers!(i64, i32, i16, u32, u16, u8, bool);

macro_rules! others {
    ($($type:ty => $variant:ident |$it:ident| $make:expr;)*) => {$(
        impl Bind for $type {
            fn value(self) -> Value {
                let $it = self;
                Value::$variant(Some($make))
            }
            fn null() -> Value {
                Value::$variant(None)
            }
        }
    )*};
}
others! {
    f64 => Real |it| it;
    &str => Text |it| it.to_owned();
    String => Text |it| it;
    &String => Text |it| it.clone();
    &&str => Text |it| (*it).to_owned();
    &[u8] => Bytes |it| it.to_vec();
    Vec<u8> => Bytes |it| it;
    &Vec<u8> => Bytes |it| it.clone();
}

impl<T: Bind> Bind for Option<T> {
    fn value(self) -> Value {
        self.map_or_else(T::null, T::value)
    }

    fn null() -> Value {
        T::null()
    }
}

impl<'o, T> Bind for &'o Option<T>
where
    &'o T: Bind,
{
    fn value(self) -> Value {
        self.as_ref().value()
    }

    fn null() -> Value {
        <&T>::null()
    }
}

/// PostgreSQL's texts hold no NUL; what a device put there is shown as what it is, unreadable.
fn without_nul(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', "\u{fffd}")
    } else {
        text
    }
}

pub(super) fn for_sqlite(values: Vec<Value>) -> Outcome<SqliteArguments> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        match value {
            Value::Int(value) => arguments.add(value),
            Value::Real(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Bytes(value) => arguments.add(value),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

pub(super) fn for_postgres(values: Vec<Value>) -> Outcome<PgArguments> {
    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            Value::Int(value) => arguments.add(value),
            Value::Real(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value.map(without_nul)),
            Value::Bytes(value) => arguments.add(value),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// Rows of values as one array a column, for `unnest`.
pub(super) fn by_column(values: Vec<Value>, width: usize) -> Outcome<PgArguments> {
    let mut columns: Vec<Vec<Value>> = (0..width).map(|_| Vec::new()).collect();
    for (place, value) in values.into_iter().enumerate() {
        if let Some(column) = columns.get_mut(place % width) {
            column.push(value);
        }
    }
    let mut arguments = PgArguments::default();
    for column in columns {
        add_array(&mut arguments, column)?;
    }
    Ok(arguments)
}

fn add_array(arguments: &mut PgArguments, column: Vec<Value>) -> Outcome {
    let mixed = || sqlx::Error::Protocol("a column of two types".into());
    macro_rules! array {
        ($variant:ident, $change:expr) => {{
            let cells = column.into_iter().map(|value| match value {
                Value::$variant(cell) => Ok(cell.map($change)),
                _ => Err(mixed()),
            });
            arguments.add(cells.collect::<Outcome<Vec<_>>>()?)
        }};
    }
    match column.first() {
        None => return Ok(()),
        Some(Value::Int(_)) => array!(Int, |it| it),
        Some(Value::Real(_)) => array!(Real, |it| it),
        Some(Value::Text(_)) => array!(Text, without_nul),
        Some(Value::Bytes(_)) => array!(Bytes, |it| it),
    }
    .map_err(sqlx::Error::Encode)
}
