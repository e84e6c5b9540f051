//! How long a payload takes to parse, beside the least that serde could do with the same fields.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hemu_wire::{Up, parse, samples};
use serde::Deserialize;

/// The same members with no verdict on any of them.
#[derive(Deserialize)]
#[expect(dead_code, reason = "only the work of filling the fields is measured")]
struct Bare<'a> {
    boot: u64,
    seq: u64,
    at: i64,
    household: Option<&'a str>,
    bag: Option<&'a str>,
    stream: &'a str,
    weight_g: u32,
    quality: f64,
    confidence: Option<f64>,
    by: Option<&'a str>,
}

fn one(c: &mut Criterion) {
    let payload = samples::DEPOSIT.trim_end().as_bytes();
    let mut group = c.benchmark_group("deposit");
    group.throughput(Throughput::Bytes(payload.len() as u64));
    group.bench_function("hemu", |b| {
        b.iter(|| parse(Up::Deposit, black_box(payload)));
    });
    group.bench_function("bare", |b| {
        b.iter(|| serde_json::from_slice::<Bare>(black_box(payload)).ok());
    });
    group.finish();
}

fn batch(c: &mut Criterion) {
    let one = samples::DEPOSIT.trim_end();
    let good = format!("[{}]", vec![one; 256].join(","));
    let bad = good.replacen("1250", "\"1250\"", 1);
    let mut group = c.benchmark_group("batch_256");
    group.throughput(Throughput::Elements(256));
    group.bench_function("hemu", |b| {
        b.iter(|| parse(Up::Deposit, black_box(good.as_bytes())));
    });
    group.bench_function("bare", |b| {
        b.iter(|| serde_json::from_slice::<Vec<Bare>>(black_box(good.as_bytes())).ok());
    });
    group.bench_function("hemu_one_bad", |b| {
        b.iter(|| parse(Up::Deposit, black_box(bad.as_bytes())));
    });
    group.finish();
}

criterion_group!(benches, one, batch);
criterion_main!(benches);
