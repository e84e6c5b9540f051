#!/usr/bin/env python3
"""Writes households.json: readings of simulated households, and what the oracle makes of them at two editions.
Needs numpy and scipy. Readings come from gen_dev.py, expectations from ref_int.py; nothing else computes here."""
import json, random
from collections import defaultdict
import gen_dev, ref_int as R

BASE = 20454                      # 2026-01-01: gen_dev's day 0
STREAMS = ["food", "residual", "recyclable", "hazardous"]
EDITIONS = [BASE + 60, BASE + 97]  # the second one has forgotten the first week
d, _ = gen_dev.generate(seed=7, H=40, D=100, regime="base", hh_per_estate=10)
pm = lambda s: int(round(float(s) * 1000))
bp = lambda s: int(round(float(s) * 10000))

rows, pairs_of_5 = [], 0
for j in range(len(d["bag"])):
    dev = int(d["dev"][j])
    insp = bool(d["insp"][j]) and dev != 7               # camera 7 is never paired,
    if insp and dev == 5:
        pairs_of_5 += 1; insp = pairs_of_5 <= 5          # camera 5 too seldom
    head = [int(d["bag"][j]), int(d["hh"][j]), int(d["ts"][j]) // 60, int(d["stream"][j]), int(d["wt"][j])]
    rows.append(head + [f"C{dev:03d}", "camera", bp(f"{d['y'][j]:.4f}"), pm(f"{d['conf'][j]:.4f}")])
    if insp:
        rows.append(head + [f"I{d['est'][j]:03d}", "inspector", bp(f"{d['qi'][j]:.4f}"), 1000])
random.Random(7).shuffle(rows)

bk, pr, bags = R.Buckets(), R.Pairs(), defaultdict(dict)
part = defaultdict(lambda: defaultdict(lambda: [0, 0]))
for bag, hh, minute, stream, grams, device, by, quality, confidence in rows:
    day, insp = BASE + minute // 1440, by == "inspector"
    bk.add(hh, day, "I" if insp else device, STREAMS[stream], grams, quality, confidence)
    b = bags[bag]; b[by] = (device, quality)
    if len(b) == 2: pr.add(b["camera"][0], day, b["camera"][1], b["inspector"][1])
    if not insp: x = part[hh][day]; x[0] += grams; x[1] |= stream == 0

def edition(T):
    slope, cd, ce, rho = cal = R.calibrate(pr, T)
    hs, res, SE, SA = range(40), {}, 0, 0
    for h in hs:
        one = defaultdict(list, {k: v for k, v in bk.b.items() if k[0] == h})
        b = R.Buckets(); b.b = one
        res[h] = R.totals(b, h, T, cal) + R.totals(b, h, T, cal, R.FLAT14)
        if float(res[h][0]) / (1000 * R.WREF * 2**32) >= 3: SE += res[h][0]; SA += res[h][1]
    m0 = max(5000, min(9000, R.rdiv(SA, SE))) if SE else 7500
    out = []
    for h in hs:
        E, A, Ef, Af = res[h]; e, mu, a, b = R.posterior(E, A, m0); pb, pred = R.tails(a, b)
        act = [t for t in part[h] if t < T]; m = [v for t, v in part[h].items() if T - 28 <= t < T]
        out.append(dict(household=h, e=str(E), a=str(A), e14=str(Ef), a14=str(Af), score=round(100 * mu),
            p_black=round(1e9 * round(pb, 9)), p_red=round(1e9 * round(pred, 9)), deposit_days45=sum(t >= T - 45 for t in act),
            grams28=sum(v[0] for v in m), food_days28=sum(v[1] for v in m)))
    return dict(day=T, slope=slope, intercepts=cd, epoch_intercepts={f"{d}@{e}": v for (d, e), v in ce.items()}, reliability=rho, prior=m0, households=out)

with open("households.json", "w") as f:
    out = dict(columns="bag household minute stream grams device by quality confidence".split(), first_day=BASE, streams=STREAMS, editions=[edition(T) for T in EDITIONS])
    body = json.dumps(out, separators=(",", ":"))[:-1]
    f.write(body + ',"readings":[\n' + ",\n".join(json.dumps(r, separators=(",", ":")) for r in rows) + "\n]}\n")
