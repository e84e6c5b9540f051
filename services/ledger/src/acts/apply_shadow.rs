//! Folds what is about rules in the shadow into their tables, for `apply` alone.

use super::act::{Act, ShadowPlaced, Shadowed};
use super::apply::{Outcome, Stamp, run};
use super::place::rule_hash;
use crate::db;
use crate::rows::Rows;

impl Stamp<'_> {
    pub(super) async fn of_shadow(&self, connection: &mut db::Link<'_>, act: &Act) -> Outcome {
        match act {
            Act::ShadowRule { rule, from } => run!(
                connection,
                "insert into shadow_rule (id, version, rule, rule_hash, from_day, begun_by, begun_at)
                 values (?, ?, ?, ?, ?, ?, ?)",
                self.id(),
                rule.version,
                serde_json::to_string(rule).unwrap_or_default(),
                rule_hash(rule).as_str(),
                from.get(),
                self.actor,
                self.at
            ),
            Act::EndShadow { shadow } => run!(
                connection,
                "update shadow_rule set ended = ?, ended_by = ?, ended_at = ? where id = ?",
                self.id(),
                self.actor,
                self.at,
                shadow.cast_signed()
            ),
            _ => Ok(()),
        }
    }

    pub(super) async fn shadow(&self, connection: &mut db::Link<'_>, shadowed: &Shadowed) -> Outcome {
        let [red, black, grey, unrated] = shadowed.counts.map(u64::cast_signed);
        run!(
            connection,
            "insert into shadow_edition (id, shadow, day, position, before, red, black, grey, unrated, digest, computed_at)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self.id(),
            shadowed.shadow.cast_signed(),
            shadowed.day.get(),
            shadowed.position.cast_signed(),
            shadowed.before.map(u64::cast_signed),
            red,
            black,
            grey,
            unrated,
            shadowed.digest.as_str(),
            self.at
        )
    }

    pub(super) async fn shadow_places(
        &self,
        connection: &mut db::Link<'_>,
        places: &[ShadowPlaced],
    ) -> Outcome {
        let insert = Rows::new("insert into shadow_place (edition, token, status, hits)", 4, "");
        insert
            .write(connection, places, |b, place| {
                b.bits(self.position)
                    .add(place.token.clone())
                    .add(place.status.code())
                    .add(place.hits);
            })
            .await
    }
}
