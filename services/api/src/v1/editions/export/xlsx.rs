//! The table as a sheet to sign and hand in: what it is and what it rests on, the households, the signatures.

use hemu_ledger::acts::{Audience, EditionRow};
use hemu_rules::{Day, Millis, Zone};
use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use super::{COLUMNS, Cell, state};
use crate::api::Api;

const WIDTHS: [f64; COLUMNS.len()] = [
    8.0, 6.0, 12.0, 18.0, 6.0, 10.0, 10.0, 8.0, 10.0, 12.0, 6.0, 8.0, 12.0, 12.0, 12.0, 10.0, 12.0, 8.0,
];
const DAY_MS: i64 = 86_400_000;
/// Who signs.
const SIGNATURES: [&str; 4] = [
    "制表人（签字）",
    "经办人（签字）",
    "审核人（签字）",
    "社区（盖章）",
];

/// What stands above the households.
pub(super) struct Heading {
    pub(super) title: String,
    pub(super) lines: Vec<(&'static str, String)>,
}

impl Heading {
    pub(super) fn of(api: &Api, edition: &EditionRow, basis: Option<String>, by: &str) -> Self {
        let zone = api.ledger.zone();
        let when = |ms: Option<i64>| ms.map_or_else(String::new, |ms| instant(ms, zone));
        let [red, black, grey, unrated] = edition.counts;
        let (day, revision) = (edition.day, edition.revision);
        Self {
            title: format!("{}生活垃圾分类红黑榜 {day}期 第{revision}版", api.site.name),
            lines: vec![
                ("状态", state(edition.state).to_owned()),
                ("证据截止", format!("{day}之前")),
                (
                    "规则",
                    format!("第{}版 {}", edition.rule_version, edition.rule_hash.as_str()),
                ),
                ("计算时间", instant(edition.proposed_at, zone)),
                ("账本位置", edition.position.to_string()),
                ("摘要", edition.digest.as_str().to_owned()),
                (
                    "户数",
                    format!(
                        "红榜{red} 黑榜{black} 不在榜{grey} 未评分{unrated} 提醒{}",
                        edition.notices
                    ),
                ),
                ("告知时间", when(edition.noticed_at)),
                ("异议期至", when(edition.deadline)),
                ("法律依据", basis.unwrap_or_default()),
                ("公示对象", edition.audience.map_or("", audience).to_owned()),
                ("公示时间", when(edition.published_at)),
                ("公示至", when(edition.expires_at)),
                (
                    "公示提议/公示",
                    [&edition.publication_by, &edition.published_by]
                        .map(|name| name.clone().unwrap_or_default())
                        .join(" / "),
                ),
                ("导出", format!("{by} {}", instant(api.clock.now(), zone))),
            ],
        }
    }
}

const fn audience(audience: Audience) -> &'static str {
    match audience {
        Audience::Private => "仅各户自己",
        Audience::Building => "本楼居民",
        Audience::Masked => "所有人（住户码遮掩）",
    }
}

pub(super) fn workbook(heading: &Heading, rows: &[[Cell; COLUMNS.len()]]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.set_name("红黑榜")?;
    sheet
        .set_landscape()
        .set_paper_size(9)
        .set_print_fit_to_pages(1, 0);
    for (column, width) in (0..).zip(WIDTHS) {
        sheet.set_column_width(column, width)?;
    }
    let title = Format::new().set_bold().set_font_size(16.0);
    sheet.write_string_with_format(0, 0, &heading.title, &title)?;
    let mut line = 1;
    for (name, value) in &heading.lines {
        sheet.write_string(line, 0, *name)?;
        text(sheet, (line, 2), value, &Format::new())?;
        line += 1;
    }
    line = table(sheet, line + 1, rows)?;
    for name in SIGNATURES {
        line += 2;
        sheet.write_string(
            line,
            0,
            format!("{name}：________________    日期：____年__月__日"),
        )?;
    }
    workbook.save_to_buffer()
}

/// The households under their columns, which every printed page repeats; the line after the last.
fn table(sheet: &mut Worksheet, first: u32, rows: &[[Cell; COLUMNS.len()]]) -> Result<u32, XlsxError> {
    let head = Format::new()
        .set_bold()
        .set_border(FormatBorder::Thin)
        .set_align(FormatAlign::Center)
        .set_text_wrap();
    let plain = Format::new().set_border(FormatBorder::Thin);
    for (column, name) in (0..).zip(COLUMNS) {
        sheet.write_string_with_format(first, column, name, &head)?;
    }
    sheet.set_repeat_rows(first, first)?;
    let mut line = first;
    for row in rows {
        line += 1;
        for (column, cell) in (0..).zip(row) {
            match cell {
                Cell::Text(words) => text(sheet, (line, column), words, &plain)?,
                Cell::Number(number) => {
                    sheet.write_number_with_format(line, column, *number, &plain)?;
                }
            }
        }
    }
    Ok(line)
}

/// What begins like a formula is marked as a text, so that it stays one when somebody edits the cell.
fn text(
    sheet: &mut Worksheet,
    (line, column): (u32, u16),
    words: &str,
    style: &Format,
) -> Result<(), XlsxError> {
    let quoted = hemu_ledger::cell::guarded(words) != words;
    let format = if quoted {
        style.clone().set_quote_prefix()
    } else {
        style.clone()
    };
    sheet.write_string_with_format(line, column, words, &format)?;
    Ok(())
}

/// An instant as the site's clocks show it.
fn instant(ms: i64, zone: Zone) -> String {
    let minutes = ms.saturating_add(zone.offset_ms()).rem_euclid(DAY_MS) / 60_000;
    let day = Day::of(Millis::clamped(ms), zone);
    format!("{day} {:02}:{:02}", minutes / 60, minutes % 60)
}
