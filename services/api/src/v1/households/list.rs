//! What a household's own page tells it of the lists.

use hemu_ledger::acts::{EditionId, Listing, ObjectionId, Standing};
use hemu_rules::{Day, Status};
use serde::Serialize;
use utoipa::ToSchema;

use crate::v1::acts::StatusWord;
use crate::v1::editions::words::StateWord;

/// Where a household stands on the lists.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Lists {
    /// In the newest published edition; null while none is published.
    list: Option<Listed>,
    /// In the newest edition that households were told of and people have not decided on; null while there is none. For
    /// the household alone.
    told: Option<Told>,
}

/// A household in a published edition.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listed {
    edition: EditionId,
    #[schema(value_type = String, format = Date)]
    day: Day,
    /// RED or BLACK as it may be shown; null is neither list.
    status: Option<StatusWord>,
    /// The day of the edition from which on it was so without a break; null on neither list.
    #[schema(value_type = Option<String>, format = Date)]
    since: Option<Day>,
    /// The end of the publication, ms since 1970 UTC.
    until: Option<i64>,
    /// An objection of the household that is pending.
    objection: Option<ObjectionId>,
}

/// A household in an edition that is not decided.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Told {
    edition: EditionId,
    #[schema(value_type = String, format = Date)]
    day: Day,
    state: StateWord,
    /// RED or BLACK as the rule proposes it and nobody took it off; null is neither.
    proposed: Option<StatusWord>,
    /// Warned: the same at the next edition is the black list.
    warned: bool,
    /// Until when the household may object, ms since 1970 UTC; null while an objection of it is pending, for then the
    /// window stands still.
    deadline: Option<i64>,
    /// An objection of the household that is pending.
    objection: Option<ObjectionId>,
}

impl Lists {
    pub(super) fn of(listing: &Listing) -> Self {
        Self {
            list: listing.published.as_ref().map(|standing| Listed {
                edition: standing.edition.id,
                day: standing.edition.day,
                status: standing.shown().map(Into::into),
                since: listing.since,
                until: standing.edition.expires_at,
                objection: pending(standing),
            }),
            told: listing.told.as_ref().map(|standing| Told {
                edition: standing.edition.id,
                day: standing.edition.day,
                state: standing.edition.state.into(),
                proposed: proposed(standing).map(Into::into),
                warned: warned(standing),
                deadline: standing.deadline,
                objection: pending(standing),
            }),
        }
    }
}

fn pending(standing: &Standing) -> Option<ObjectionId> {
    let open = standing
        .objections
        .iter()
        .find(|objection| objection.upheld.is_none());
    open.map(|objection| objection.id)
}

/// What the rule proposes to list it as, unless a person took it off.
pub(super) fn proposed(standing: &Standing) -> Option<Status> {
    let place = standing.place.as_ref().filter(|place| place.lifted.is_none())?;
    Some(place.status).filter(|status| matches!(status, Status::Red | Status::Black))
}

pub(super) fn warned(standing: &Standing) -> bool {
    let place = standing.place.as_ref();
    place.is_some_and(|place| place.notice && place.lifted.is_none())
}
