#!/usr/bin/env python3
"""Writes lists_REGIME.json.gz: what 200 simulated households leave in a store, and the lists the oracle makes of them
at every weekly edition. Needs numpy and scipy. Readings come from gen_dev.py, lists from ref_pipeline.py, stored sums
from ref_int.py; nothing else computes here."""
import csv, gzip, json, os, subprocess, sys, tempfile
from collections import defaultdict
import ref_int as R

HERE = os.path.dirname(os.path.abspath(__file__))
# Seeds that show every case: names that come, stay and leave, redemption, a notice, and the guard at work.
WORLDS = [("base", 4), ("few_insp", 4)]
bp = lambda s: int(round(float(s) * 10000))
pm = lambda s: int(round(float(s) * 1000))

def run(script, *args): subprocess.run([sys.executable, os.path.join(HERE, script), *args], check=True)

def stored(path):
    """Day buckets, bags and pairs, keyed as a store keys them; an inspector's source is -1."""
    buckets, pairs, bags, estate = R.Buckets(), R.Pairs(), defaultdict(dict), {}
    part = defaultdict(lambda: [0, 0])
    for r in csv.DictReader(open(path)):
        h, day, g, q, insp = int(r["household"][1:]), int(r["day"]), int(r["weight_g"]), bp(r["quality"]), r["source"] == "insp"
        src = "I" if insp else r["device"]; estate[h] = int(r["estate"][1:])
        buckets.add(h, day, src, r["stream"], g, q, pm(r["confidence"]))
        bag = bags[r["bag_id"]]; bag["I" if insp else "C"] = (src, q)
        if len(bag) == 2: pairs.add(bag["C"][0], day, bag["C"][1], bag["I"][1])
        if not insp: p = part[h, day]; p[0] += g; p[1] |= r["stream"] == "food"
    days = defaultdict(list)
    no = lambda s: -1 if s == "I" else int(s[1:])
    for (h, day, src), (w, g, n) in sorted(buckets.b.items(), key=lambda x: (x[0][0], x[0][1], no(x[0][2]))):
        days[h, day] += [no(src), w, g, n]
    return dict(
        estates=[[h, e] for h, e in sorted(estate.items())],
        pairs=[[int(d[1:]), t, *v] for (d, t), v in sorted(pairs.p.items())],
        days=[[h, t, *part[h, t], *v] for (h, t), v in sorted(days.items())])

for regime, seed in WORLDS:
    with tempfile.TemporaryDirectory() as d:
        run("gen_dev.py", d, "--seed", str(seed), "--households", "200", "--regime", regime)
        run("ref_pipeline.py", f"{d}/deposits.csv", f"{d}/lists.csv")
        world = dict(regime=regime, seed=seed, **stored(f"{d}/deposits.csv"))
        world["lists"] = [",".join(row) for row in list(csv.reader(open(f"{d}/lists.csv")))[1:]]
    with open(os.path.join(HERE, f"lists_{regime}.json.gz"), "wb") as f:
        f.write(gzip.compress(json.dumps(world, separators=(",", ":")).encode(), mtime=0))
