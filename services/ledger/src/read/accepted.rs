//! With which content numbers of a boot were accepted: what came under one of them with another is a conflict.

use std::collections::HashMap;

use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;

impl Ledger {
    /// The content hashes of some numbers of a boot, as far as the journal is folded. One that is not in it was not accepted
    /// yet, or was declared lost.
    pub async fn accepted(&self, device: &str, boot: u64, seqs: &[u64]) -> Result<HashMap<u64, u64>> {
        let path = self.folder().projections();
        let mut connection = self.projections.acquire().await.of(&path)?;
        let mut known = HashMap::with_capacity(seqs.len());
        for &seq in seqs {
            let row = db::query(
                "select first_seq, hashes from seen join device on device.no = seen.device
                 where device.name = ? and seen.boot = ? and first_seq <= ? order by first_seq desc limit 1",
            )
            .bind(device)
            .bind(boot.cast_signed())
            .bind(seq.cast_signed())
            .fetch_optional(&mut connection.link())
            .await
            .of(&path)?;
            let Some(row) = row else { continue };
            let first = row.try_get::<i64, _>("first_seq").of(&path)?.cast_unsigned();
            let hashes: Vec<u8> = row.try_get("hashes").of(&path)?;
            let offset = usize::try_from(seq.saturating_sub(first)).unwrap_or(usize::MAX);
            if let Some(hash) = hashes.as_chunks::<8>().0.get(offset) {
                known.insert(seq, u64::from_le_bytes(*hash));
            }
        }
        Ok(known)
    }
}
