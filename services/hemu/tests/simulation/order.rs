//! The same records in any order come to the same lists, to the byte. No fault but disorder.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use firmware_sim::draw::Dice;
use hemu_endpoint::{DeviceId, Up};
use hemu_ingest::Clock;
use hemu_ledger::Ledger;
use hemu_ledger::read::Standing;
use hemu_rules::{Day, Rule};

use crate::disk::Disk;
use crate::oracle::token;
use crate::plan::{HOUSEHOLDS, Sabotage, devices};
use crate::server::Server;
use crate::world::{BEGIN, text};

const RECORDS: u64 = 500;

/// Which device says it, and the payload: cameras and inspectors, bags that several of them saw, late and early days.
pub(crate) fn records() -> Vec<(usize, String)> {
    let mut dice = Dice::new(9, "records", 0);
    let mut seqs = [0_u64; 4];
    (0..RECORDS)
        .map(|_| {
            let who = dice.below(4) as usize;
            seqs[who] += 1;
            let (seq, at) = (seqs[who], BEGIN - i64::from(dice.below(40)) * 43_200_000);
            let household = token(u64::from(dice.below(u32::try_from(HOUSEHOLDS).unwrap_or(1))));
            let stream = ["food", "recyclable", "hazardous", "residual"][dice.below(4) as usize];
            let (bag, weight, quality) = (dice.below(60), dice.below(3_000), dice.below(101));
            let by = if who == 3 { "inspector" } else { "camera" };
            let payload = format!(
                r#"{{"boot":1,"seq":{seq},"at":{at},"household":"{household}","bag":"b{bag}","stream":"{stream}","weight_g":{weight},"quality":{},"by":"{by}"}}"#,
                f64::from(quality) / 100.0
            );
            (who, payload)
        })
        .collect()
}

/// What everybody is worth after the records came in the order of `seed`.
pub(crate) async fn scores(blank: &Disk, records: &[(usize, String)], seed: u64) -> Result<String, String> {
    let disk = Disk::truth_of(blank, blank);
    let clock: Clock = Arc::new(|| BEGIN + 86_400_000);
    let mut server = Server::start(&disk, clock, Sabotage::None).await.map_err(text)?;
    let mut dice = Dice::new(seed, "order", 0);
    let mut order: Vec<usize> = (0..records.len()).collect();
    for last in (1..order.len()).rev() {
        order.swap(last, dice.below(u32::try_from(last + 1).unwrap_or(1)) as usize);
    }
    for (number, &index) in (0..).zip(&order) {
        let (who, payload) = &records[index];
        let device = DeviceId::try_from(devices()[*who].0.as_str()).map_err(text)?;
        server
            .mail(number, &device, Up::Deposit, payload.as_bytes())
            .await;
        if dice.chance(0.02) {
            server.commit().await;
        }
        if dice.chance(0.01) {
            server.fold().await.map_err(text)?;
        }
    }
    server.commit().await;
    while server.fold().await.map_err(text)? {}
    let said = read(&server.ledger).await.map_err(text)?;
    Box::pin(server.die()).await.map_err(text)?;
    Ok(said)
}

/// Scores, and the days behind them, under names: numbers are given in the order of arrival.
async fn read(ledger: &Ledger) -> hemu_ledger::Result<String> {
    let edition = Day::of(hemu_rules::Millis::clamped(BEGIN), ledger.zone()).plus(1);
    let standing = Standing::of(ledger.gather(&Rule::V1, edition).await?);
    let totals: BTreeMap<_, _> = standing.totals.iter().collect();
    let mut said = format!("prior {:?}\n", standing.prior);
    for (household, totals) in totals {
        let _ = writeln!(said, "{household} {totals:?} {:?}", standing.posterior(*totals));
        for (day, sums) in ledger.household_days(household, Day::clamped(0), edition).await? {
            let named = sums.buckets.iter().map(|(source, stream, bucket)| {
                format!("{} {stream} {bucket:?}", standing.source_name(*source))
            });
            let mut named: Vec<String> = named.collect();
            named.sort();
            let _ = writeln!(said, "{day:?} {:?} {named:?}", sums.participation);
        }
    }
    Ok(said)
}
