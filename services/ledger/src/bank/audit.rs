//! Whether the books are sound, asked of the tables themselves: `hemu verify` does.

use crate::db;

/// What cannot be, each with the question that finds it.
const NEVER: [(&str, &str); 4] = [
    (
        "the accounts of a currency do not add up to nothing",
        "select currency from bank_account group by currency having sum(balance) <> 0 limit 1",
    ),
    (
        "an account other than the issuer's is below zero",
        "select currency from bank_account where balance < 0 and id <> 'issued' limit 1",
    ),
    (
        "an account's balance is not what its entries add up to",
        "select currency from bank_account where balance <>
            (select coalesce(sum(amount), 0) from bank_entry
                where bank_entry.currency = bank_account.currency and credit = id)
            - (select coalesce(sum(amount), 0) from bank_entry
                where bank_entry.currency = bank_account.currency and debit = id) limit 1",
    ),
    (
        "an entry gives to whom it takes from",
        "select currency from bank_entry where debit = credit limit 1",
    ),
];

/// What is wrong with the books; nothing, if they are sound.
pub(crate) async fn unsound(link: &mut db::Link<'_>) -> db::Outcome<Option<String>> {
    for (what, sql) in NEVER {
        let found: Option<String> = db::query_scalar(sql).fetch_optional(&mut *link).await?;
        if let Some(currency) = found {
            return Ok(Some(format!(
                "the books of {currency}: {what}; run `hemu rebuild`"
            )));
        }
    }
    Ok(None)
}
