//! The sentence in Chinese.

use super::{Plot, Story, WINDOW, points, sure, tenths};
use crate::day::Day;
use crate::reason::{Proposed, Reason};
use crate::status::Status;

pub(super) fn sentence(story: &Story<'_>) -> String {
    let also = if story.also_appealed() {
        "；您的申诉正在处理"
    } else {
        ""
    };
    let doubted = if story.also_doubted() {
        "；查看过您家的督导员与同事的评分不一致，查清之前不据此列入黑榜"
    } else {
        ""
    };
    let proposed = story.it.proposed.map(|notice| proposed(story, notice));
    let proposed = proposed.unwrap_or_default();
    format!("{}，{}{proposed}{doubted}{also}。", seen(story), place(story))
}

fn proposed(story: &Story<'_>, notice: Proposed) -> String {
    let list = match notice.list {
        Status::Red => "红榜，您家同意才会公开",
        _ => "黑榜",
    };
    let then = match notice.until {
        Some(day) => format!("，有异议最晚可在{}提出", date(story, day)),
        None if story.also_appealed() => String::new(),
        None => "，异议期已过，由工作人员决定".to_owned(),
    };
    format!("；正在告知的一期拟将您家列入{list}{then}")
}

fn seen(story: &Story<'_>) -> String {
    match (story.it.judged_days, story.it.inspected_days) {
        (0, _) => format!("近{WINDOW}天您家没有可用于评分的投放"),
        (days, 0) => format!("近{WINDOW}天您家有{days}天有效投放，督导员没有现场查看过"),
        (days, seen) => format!("近{WINDOW}天您家有{days}天有效投放，其中{seen}天由督导员现场查看"),
    }
}

fn place(story: &Story<'_>) -> String {
    let (it, rule) = (story.it, story.rule);
    let score = format!("综合得分{}分", it.score);
    match story.plot {
        Plot::Unrated => unrated(story),
        Plot::Red => format!(
            "{score}；{red}分以上为分类良好，我们有{}%以上把握您家达到{red}分，故列入红榜",
            sure(it.p_red),
            red = points(rule.theta_red),
        ),
        Plot::Black => {
            let told = story
                .notice_on()
                .map(|on| format!("，且已于{}提醒", date(story, on)));
            let told = told.unwrap_or_default();
            format!("{}{told}，故列入黑榜；{}，下期即移出", low(story), heal(story))
        }
        Plot::Appealed => format!("{score}；您的申诉正在处理，有结果之前您家不上黑榜"),
        Plot::Proposed => format!("{score}，您家现在不在红榜，也不在黑榜"),
        Plot::Notice => format!(
            "{}；这是只给您家的提醒，本期不上榜，{}仍然如此才会列入黑榜；{}，就不会列入",
            low(story),
            next(rule.black_editions),
            heal(story)
        ),
        Plot::Redeemed(days, mean) => format!(
            "{score}；但最近{}天有{days}天投放，平均{}分，达到了{}分，所以不列入黑榜",
            rule.redemption_window,
            mean.get() / 100,
            points(rule.redemption_quality)
        ),
        Plot::Short(reason) => format!("{score}；{}", short(reason)),
        Plot::Grey => format!("{score}，本期不在红榜，也不在黑榜"),
    }
}

fn unrated(story: &Story<'_>) -> String {
    let silent = story
        .silent_days()
        .map(|days| format!("；另有{days}天只有尚未校准的摄像头，不作依据"));
    let silent = silent.unwrap_or_default();
    if story.it.judged_days == 0 {
        return format!("所以本期不评分{silent}");
    }
    let worth = tenths(story.it.evidence_tenths);
    format!(
        "折合{worth}天的现场查看，满{}天才评分，所以本期不评分{silent}",
        story.rule.rated_days
    )
}

fn low(story: &Story<'_>) -> String {
    let (it, black) = (story.it, points(story.rule.theta_black));
    let sure = sure(it.p_black);
    format!(
        "综合得分{}分；{black}分相当于没有分类，我们有{sure}%以上把握您家低于{black}分",
        it.score
    )
}

fn heal(story: &Story<'_>) -> String {
    let rule = story.rule;
    let (window, days) = (rule.redemption_window, rule.redemption_days_least);
    format!(
        "{window}天内至少{days}天有投放且这{window}天平均达{}分",
        points(rule.redemption_quality)
    )
}

fn next(black_editions: u16) -> String {
    match black_editions {
        0..=2 => "下期".to_owned(),
        n => format!("接下来连续{}期", n - 1),
    }
}

fn short(reason: &Reason) -> String {
    match reason {
        Reason::FewDays { days, needed, window } => {
            format!("近{window}天有{days}天投放，满{needed}天才可能上榜")
        }
        Reason::NoFood { days, needed, window } => {
            format!("近{window}天有{days}天投放了易腐垃圾，满{needed}天才可能列入红榜")
        }
        Reason::LowAmount { window } => format!("近{window}天投放的重量偏少，所以没有列入红榜"),
        _ => String::new(),
    }
}

fn date(story: &Story<'_>, day: Day) -> String {
    let year = story
        .other_year(day)
        .map_or_else(String::new, |year| format!("{year}年"));
    let (_, month, day) = day.civil();
    format!("{year}{month}月{day}日")
}
