//! The estate as files other programs read: households as CSV, the plan as JSON.
//! Must not: know about MQTT or days.

use std::io::Write;

use serde::Serialize;

use super::Estate;

#[derive(Serialize)]
struct Plan<'a> {
    id: &'a str,
    name: &'a str,
    width: f64,
    height: f64,
    buildings: Vec<PlanBuilding<'a>>,
    stations: Vec<PlanStation<'a>>,
}

#[derive(Serialize)]
struct PlanBuilding<'a> {
    id: &'a str,
    label: &'a str,
    units: u32,
    floors: u32,
    households: u32,
    x: f64,
    y: f64,
    w: f64,
    h: f64,
}

#[derive(Serialize)]
struct PlanStation<'a> {
    id: &'a str,
    name: &'a str,
    x: f64,
    y: f64,
    devices: [&'a str; 1],
}

/// Writes what `hemu household import` reads:
/// `household,estate,building,unit,door,residents,station`.
pub fn write_households(estate: &Estate, out: impl Write) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record([
        "household",
        "estate",
        "building",
        "unit",
        "door",
        "residents",
        "station",
    ])?;
    for household in &estate.households {
        let building = estate
            .buildings
            .get(household.building)
            .map_or("", |b| b.id.as_str());
        let station = estate
            .stations
            .get(household.station)
            .map_or("", |s| s.id.as_str());
        let unit = household.unit.to_string();
        let door = household.door.to_string();
        let residents = household.residents.to_string();
        let token = household.token.as_str();
        writer.write_record([
            token,
            &estate.facts.id,
            building,
            &unit,
            &door,
            &residents,
            station,
        ])?;
    }
    writer.flush()?;
    Ok(())
}

/// Writes the plan as JSON; lengths in metres from the north-west corner.
pub fn write_plan(estate: &Estate, out: impl Write) -> Result<(), serde_json::Error> {
    let buildings = estate
        .buildings
        .iter()
        .map(|b| PlanBuilding {
            id: &b.id,
            label: &b.label,
            units: b.units,
            floors: b.floors,
            households: b.households(),
            x: b.x,
            y: b.y,
            w: b.w,
            h: b.h,
        })
        .collect();
    let stations = estate
        .stations
        .iter()
        .map(|s| PlanStation {
            id: &s.id,
            name: &s.name,
            x: s.x,
            y: s.y,
            devices: [&s.device],
        })
        .collect();
    let plan = Plan {
        id: &estate.facts.id,
        name: &estate.facts.name,
        width: estate.width,
        height: estate.height,
        buildings,
        stations,
    };
    serde_json::to_writer_pretty(out, &plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn households_file_has_the_header_the_importer_reads_and_a_row_per_door() {
        let estate = Estate::hemu_xincun(1).unwrap();
        let mut out = Vec::new();
        write_households(&estate, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let mut lines = text.lines();
        assert_eq!(
            lines.next(),
            Some("household,estate,building,unit,door,residents,station")
        );
        let first = lines.next().unwrap();
        assert!(
            first.starts_with("hx") && first.contains(",hemu-xincun,1,1,101,"),
            "{first}"
        );
        assert_eq!(lines.count(), 3_565);
    }

    #[test]
    fn plan_names_every_building_and_station() {
        let estate = Estate::hemu_xincun(1).unwrap();
        let mut out = Vec::new();
        write_plan(&estate, &mut out).unwrap();
        let plan: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(plan["id"], "hemu-xincun");
        assert_eq!(plan["buildings"].as_array().unwrap().len(), 54);
        assert_eq!(plan["buildings"][11]["label"], "12幢");
        assert_eq!(plan["stations"].as_array().unwrap().len(), 12);
        assert_eq!(plan["stations"][0]["devices"], serde_json::json!(["st01"]));
    }
}
