//! Writes who judged whom, and what inspectors said of the same bags.

use super::changes::Changes;
use crate::db;
use crate::rows::Rows;

/// The prepared shapes of its statements.
#[derive(Debug)]
pub(super) struct Inspectors {
    shared: Rows,
    no_shared: Rows,
    inspected: Rows,
    no_inspected: Rows,
}

impl Inspectors {
    pub(super) fn new() -> Self {
        Self {
            shared: Rows::new(
                "insert into shared (day, inspector, colleague, n, apart)",
                5,
                "on conflict (day, inspector, colleague) do update set n = shared.n + excluded.n,
                   apart = shared.apart + excluded.apart",
            ),
            no_shared: Rows::new(
                "with less (day, inspector, colleague) as (",
                3,
                ") delete from shared where n = 0 and (day, inspector, colleague) in (select * from less)",
            ),
            inspected: Rows::new(
                "insert into inspected (inspector, day, household, n)",
                4,
                "on conflict (inspector, day, household) do update set n = inspected.n + excluded.n",
            ),
            no_inspected: Rows::new(
                "with less (inspector, day, household) as (",
                3,
                ") delete from inspected where n = 0 and (inspector, day, household) in (select * from less)",
            ),
        }
    }

    /// Adds a stretch's sums. What comes to nothing has no row, as if it had never been.
    pub(super) async fn write(
        &self,
        connection: &mut db::Link<'_>,
        changes: &Changes<'_>,
    ) -> Result<(), sqlx::Error> {
        let shared: Vec<_> = changes
            .shared
            .iter()
            .filter(|(_, sums)| !sums.is_zero())
            .collect();
        self.shared
            .write(connection, &shared, |b, ((day, inspector, colleague), sums)| {
                b.add(i64::from(day.get())).add(*inspector).add(*colleague);
                b.add(sums.n).add(sums.apart);
            })
            .await?;
        let less: Vec<_> = shared.iter().filter(|(_, sums)| sums.n < 0).collect();
        self.no_shared
            .write(connection, &less, |b, ((day, inspector, colleague), _)| {
                b.add(i64::from(day.get())).add(*inspector).add(*colleague);
            })
            .await?;
        let inspected: Vec<_> = changes.inspected.iter().filter(|(_, n)| **n != 0).collect();
        self.inspected
            .write(connection, &inspected, |b, ((inspector, day, household), n)| {
                b.add(*inspector)
                    .add(i64::from(day.get()))
                    .add(*household)
                    .add(**n);
            })
            .await?;
        let less: Vec<_> = inspected.iter().filter(|(_, n)| **n < 0).collect();
        self.no_inspected
            .write(connection, &less, |b, ((inspector, day, household), _)| {
                b.add(*inspector).add(i64::from(day.get())).add(*household);
            })
            .await
    }
}
