//! With which content numbers of a boot were accepted: what came under one of them with another is a conflict.

use std::collections::HashMap;

use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;
use crate::seen::block_of;

impl Ledger {
    /// The content hashes of some numbers of a boot, as far as the journal is folded. One that is not in it was not accepted
    /// yet, or was declared lost.
    pub async fn accepted(&self, device: &str, boot: u64, seqs: &[u64]) -> Result<HashMap<u64, u64>> {
        let path = self.folder().projections();
        let mut connection = self.projections.acquire().await.of(&path)?;
        let mut known = HashMap::with_capacity(seqs.len());
        for &seq in seqs {
            let row = db::query(
                "select seen.* from seen join device on device.no = seen.device
                 where device.name = ? and seen.boot = ? and block = ?",
            )
            .bind(device)
            .bind(boot.cast_signed())
            .bind(block_of(seq).cast_signed())
            .fetch_optional(&mut connection.link())
            .await
            .of(&path)?;
            let Some(row) = row else { continue };
            if let Some(hash) = super::seen_block(&row).of(&path)?.get(seq) {
                known.insert(seq, hash);
            }
        }
        Ok(known)
    }
}
