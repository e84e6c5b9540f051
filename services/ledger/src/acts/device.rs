//! A person's word on a device whose records came with two contents under one number.

use hemu_rules::Day;

use super::act::Act;
use super::command::Deed;
use super::refused::{Why, must};
use crate::db;
use crate::entry::Body;
use crate::error::{InFile, Result};

impl Deed<'_> {
    pub(super) async fn on_device(&mut self, act: Act) -> Result<Vec<Body<'static>>> {
        self.person()?;
        if let Act::DeviceChecked { device, boot } = &act
            && let Some((from, to)) = self.frozen_days(device, *boot).await?
        {
            return self.reopening(act, from..=to).await;
        }
        Ok(vec![Body::Act(Box::new(act))])
    }

    /// The first and last day of what counts again; `None` where no reading waits.
    async fn frozen_days(&self, device: &str, boot: u64) -> Result<Option<(Day, Day)>> {
        let path = self.ledger.folder().projections();
        let row = db::query(
            "select min(reading.day) as first, max(reading.day) as last from conflicting
             join device on device.no = conflicting.device
             left join tally on tally.device = conflicting.device
             left join reading on reading.day = tally.day and reading.device = conflicting.device and reading.boot = conflicting.boot
                 and reading.reading_id is null
             where device.name = ? and conflicting.boot = ? and open > 0 group by conflicting.device",
        )
        .bind(device)
        .bind(boot.cast_signed())
        .fetch_optional(&self.ledger.projections)
        .await
        .of(&path)?;
        must(row.is_some(), Why::WrongState, || {
            format!("no conflict of {device} with boot {boot} waits for a person")
        })?;
        let day = |name| match &row {
            Some(row) => row.try_get::<Option<i64>, _>(name).of(&path),
            None => Ok(None),
        };
        let (first, last) = (day("first")?, day("last")?);
        Ok(first.map(Day::clamped).zip(last.map(Day::clamped)))
    }
}
