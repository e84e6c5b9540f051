//! The sentence in English.

use super::{Plot, Story, WINDOW, points, sure, tenths};
use crate::day::Day;
use crate::reason::{Proposed, Reason};
use crate::status::Status;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) fn sentence(story: &Story<'_>) -> String {
    let also = if story.also_appealed() {
        "; your appeal is being looked at"
    } else {
        ""
    };
    let doubted = if story.also_doubted() {
        "; inspectors who judged your bags disagree with their colleagues, so nobody is put on the black list by their \
         word until that is cleared up"
    } else {
        ""
    };
    let proposed = story.it.proposed.map(|notice| proposed(story, notice));
    let proposed = proposed.unwrap_or_default();
    format!("{}; {}{proposed}{doubted}{also}.", seen(story), place(story))
}

fn proposed(story: &Story<'_>, notice: Proposed) -> String {
    let list = match notice.list {
        Status::Red => "red list, which is shown in public only if you agree",
        _ => "black list",
    };
    let then = match notice.until {
        Some(day) => format!(", and you may object until {}", date(story, day)),
        None if story.also_appealed() => String::new(),
        None => ", objections are over, and members of staff decide".to_owned(),
    };
    format!("; a notice proposes it for the {list}{then}")
}

fn seen(story: &Story<'_>) -> String {
    let judged = format!("In the last {WINDOW} days your bags could be judged on");
    match (story.it.judged_days, story.it.inspected_days) {
        (0, _) => format!("In the last {WINDOW} days you brought no bag that could be judged"),
        (days, 0) => format!("{judged} {}, never by an inspector", count(days, "day")),
        (days, seen) => format!(
            "{judged} {}, on {seen} of them by an inspector",
            count(days, "day")
        ),
    }
}

fn place(story: &Story<'_>) -> String {
    let (it, rule) = (story.it, story.rule);
    let score = format!("your score is {}", it.score);
    match story.plot {
        Plot::Unrated => unrated(story),
        Plot::Red => format!(
            "{score}, {red} and more is sorting well, and we are at least {}% sure that you reach {red}, so your \
             household is on the red list",
            sure(it.p_red),
            red = points(rule.theta_red),
        ),
        Plot::Black => {
            let told = story
                .notice_on()
                .map(|on| format!(", as we told you on {}", date(story, on)));
            let told = told.unwrap_or_default();
            let (low, heal) = (low(story), heal(story));
            format!(
                "{low}{told}, so your household is on the black list; {heal}, takes it off at the next edition"
            )
        }
        Plot::Appealed => {
            format!(
                "{score}; your appeal is being looked at, and until it is decided your household is on no black list"
            )
        }
        Plot::Proposed => format!("{score}, and your household is on neither list now"),
        Plot::Notice => format!(
            "{}; this is a notice for you alone and no list, and only if {} says the same will your household be on \
             the black list; {}, keeps it off",
            low(story),
            next(rule.black_editions),
            heal(story)
        ),
        Plot::Redeemed(days, mean) => format!(
            "{score}, but in the last {} days you brought bags on {} and reached {} on average, where {} is enough, \
             so your household is not on the black list",
            rule.redemption_window,
            count(days, "day"),
            mean.get() / 100,
            points(rule.redemption_quality)
        ),
        Plot::Short(reason) => format!("{score}; {}", short(reason)),
        Plot::Grey => format!("{score}, and your household is on neither list this time"),
    }
}

fn unrated(story: &Story<'_>) -> String {
    let silent = story.silent_days().map(|days| {
        let more = count(days, "more day");
        format!("; {more} had only cameras that are not calibrated yet and do not count")
    });
    let silent = silent.unwrap_or_default();
    if story.it.judged_days == 0 {
        return format!("so there is no score this time{silent}");
    }
    let (worth, needed) = (tenths(story.it.evidence_tenths), story.rule.rated_days);
    format!(
        "that is worth {worth} days of an inspector's judgement, and a score takes {needed}, so there is none this \
         time{silent}"
    )
}

fn low(story: &Story<'_>) -> String {
    let (it, black) = (story.it, points(story.rule.theta_black));
    let sure = sure(it.p_black);
    format!(
        "your score is {}, {black} is no better than not sorting, and we are at least {sure}% sure that you are below \
         {black}",
        it.score
    )
}

fn heal(story: &Story<'_>) -> String {
    let rule = story.rule;
    let (window, days) = (rule.redemption_window, count(rule.redemption_days_least, "day"));
    let enough = points(rule.redemption_quality);
    format!("an average of {enough} in {window} days, with bags on at least {days}")
}

fn next(black_editions: u16) -> String {
    match black_editions {
        0..=2 => "the next edition".to_owned(),
        n => format!("each of the next {} editions", n - 1),
    }
}

fn short(reason: &Reason) -> String {
    match reason {
        Reason::FewDays { days, needed, window } => format!(
            "in the last {window} days you brought bags on {}, and a list takes {needed}",
            count(*days, "day")
        ),
        Reason::NoFood { days, needed, window } => format!(
            "in the last {window} days you brought food waste on {}, and the red list takes {needed}",
            count(*days, "day")
        ),
        Reason::LowAmount { window } => {
            format!("in the last {window} days you brought too little by weight for the red list")
        }
        _ => String::new(),
    }
}

fn count(n: u32, of: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {of}{s}")
}

fn date(story: &Story<'_>, day: Day) -> String {
    let year = story
        .other_year(day)
        .map_or_else(String::new, |year| format!(" {year}"));
    let (_, month, day) = day.civil();
    let month = usize::try_from(month - 1)
        .ok()
        .and_then(|m| MONTHS.get(m))
        .copied();
    format!("{day} {}{year}", month.unwrap_or_default())
}
