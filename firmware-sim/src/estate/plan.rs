//! Where buildings and stations stand. Must not: change how many households there are.

use super::{Building, Station};
use crate::draw::Dice;

/// The site of 0.32 square kilometres, metres.
const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 570.0;
/// Staircase bays are about this long; blocks this deep.
const BAY: f64 = 14.0;
const DEPTH: f64 = 12.0;

/// Lines the buildings up in rows, facing south, each inside its own cell so that roads stay free.
pub(super) fn place(buildings: &mut [Building], dice: &mut Dice) -> (f64, f64) {
    let count = buildings.len().max(1);
    let columns = columns(count);
    let rows = count.div_ceil(columns);
    let (cell_w, cell_h) = (WIDTH / columns as f64, HEIGHT / rows as f64);
    for (index, building) in buildings.iter_mut().enumerate() {
        let (row, column) = (index / columns, index % columns);
        building.w = (f64::from(building.units) * BAY).min(cell_w - 14.0);
        building.h = DEPTH.min(cell_h - 14.0);
        let slack = (cell_w - building.w - 10.0).max(0.0);
        building.x = decimetre(column as f64 * cell_w + 5.0 + slack * dice.unit());
        building.y =
            decimetre(row as f64 * cell_h + 14.0 + (cell_h - building.h - 34.0).max(0.0) * dice.unit());
    }
    (WIDTH, HEIGHT)
}

/// Cells about one and a half times as long as deep: slab blocks are long.
fn columns(count: usize) -> usize {
    (1..=count).find(|c| c * c * 3 >= count * 2).unwrap_or(1)
}

/// Places `timed` + 2 stations at the centres of groups of near buildings and tells each building its own.
pub(super) fn stations(buildings: &mut [Building], width: f64, height: f64, timed: usize) -> Vec<Station> {
    let mut centres = seeds(timed + 2, width, height);
    for _ in 0..8 {
        assign(buildings, &centres);
        centre(buildings, &mut centres);
    }
    assign(buildings, &centres);
    // The two groups nearest the middle of the estate get the stations that never close.
    let mut order: Vec<usize> = (0..centres.len()).collect();
    let middle = (width / 2.0, height / 2.0);
    let from_middle = |i: &usize| centres.get(*i).map_or(f64::MAX, |c| distance(*c, middle));
    order.sort_by(|a, b| from_middle(b).total_cmp(&from_middle(a)));
    let rank = |group: usize| order.iter().position(|&g| g == group).unwrap_or(0);
    for building in buildings.iter_mut() {
        building.station = rank(building.station);
    }
    let place = |index: usize| {
        order
            .get(index)
            .and_then(|&g| centres.get(g))
            .copied()
            .unwrap_or(middle)
    };
    (0..order.len())
        .map(|index| station(index, place(index), index >= timed, buildings))
        .collect()
}

fn station(index: usize, (x, y): (f64, f64), open: bool, buildings: &[Building]) -> Station {
    let number = index + 1;
    let kind = if open { "号常开点" } else { "号集置点" };
    Station {
        id: format!("s{number:02}"),
        name: format!("{number}{kind}"),
        open,
        x: decimetre(x),
        y: decimetre(beside_the_road(x, y, buildings)),
        device: format!("st{number:02}"),
        handset: format!("insp{number:02}"),
    }
}

/// A regular grid of starting points, three to a row as far as they go.
fn seeds(count: usize, width: f64, height: f64) -> Vec<(f64, f64)> {
    let rows = count.div_ceil(3);
    let place = |i: usize| {
        let (row, column) = (i / 3, i % 3);
        (
            width * (column as f64 + 0.5) / 3.0,
            height * (row as f64 + 0.5) / rows as f64,
        )
    };
    (0..count).map(place).collect()
}

fn assign(buildings: &mut [Building], centres: &[(f64, f64)]) {
    for building in buildings {
        let here = middle(building);
        let near = |i: &usize| centres.get(*i).map_or(f64::MAX, |c| distance(*c, here));
        building.station = (0..centres.len())
            .min_by(|a, b| near(a).total_cmp(&near(b)))
            .unwrap_or(0);
    }
}

/// Moves every centre to the mean of its buildings, weighted by households.
fn centre(buildings: &[Building], centres: &mut [(f64, f64)]) {
    for (index, place) in centres.iter_mut().enumerate() {
        let mut sum = (0.0, 0.0, 0.0);
        for building in buildings.iter().filter(|b| b.station == index) {
            let (weight, (x, y)) = (f64::from(building.households()), middle(building));
            sum = (sum.0 + x * weight, sum.1 + y * weight, sum.2 + weight);
        }
        if sum.2 > 0.0 {
            *place = (sum.0 / sum.2, sum.1 / sum.2);
        }
    }
}

/// The given northing, or just south of the building that stands there.
fn beside_the_road(x: f64, y: f64, buildings: &[Building]) -> f64 {
    let blocked =
        |b: &&Building| x >= b.x - 2.0 && x <= b.x + b.w + 2.0 && y >= b.y - 2.0 && y <= b.y + b.h + 2.0;
    buildings.iter().find(blocked).map_or(y, |b| b.y + b.h + 4.0)
}

fn middle(building: &Building) -> (f64, f64) {
    (building.x + building.w / 2.0, building.y + building.h / 2.0)
}

fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    libm::hypot(a.0 - b.0, a.1 - b.1)
}

fn decimetre(metres: f64) -> f64 {
    libm::round(metres * 10.0) / 10.0
}
