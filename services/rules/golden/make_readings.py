#!/usr/bin/env python3
"""Writes readings_REGIME.csv.gz, the readings behind lists_REGIME.json.gz as a file to import, and
truth_REGIME.csv.gz, what is true of those households. Needs numpy."""
import csv, gzip, io, os
import gen_dev as G

HERE = os.path.dirname(os.path.abspath(__file__))
REGIME, SEED, HOUSEHOLDS = "base", 4, 200  # as make_lists.py has it
MIDNIGHT = 20_454 * 86_400 - 8 * 3_600     # 2026-01-01 in Shanghai
COLUMNS = "reading_id bag_id household estate at stream weight_g source device quality confidence".split()

def rows():
    """Household by household, which packs best; a bag that an inspector opened has two."""
    d, _ = G.generate(SEED, HOUSEHOLDS, 90, REGIME)
    no = 0
    for j in d["bag"]:
        at = (MIDNIGHT + int(d["ts"][j])) * 1000
        bag = [f"B{j}", f"H{d['hh'][j]:05d}", f"E{d['est'][j]:03d}", at, G.STREAMS[d["stream"][j]], d["wt"][j]]
        yield [f"R{no}"] + bag + ["cam", f"C{d['dev'][j]:03d}", f"{d['y'][j]:.4f}", f"{d['conf'][j]:.4f}"]
        no += 1
        if d["insp"][j]:
            yield [f"R{no}"] + bag + ["insp", f"I{d['est'][j]:03d}", f"{d['qi'][j]:.4f}", "1.0000"]
            no += 1

def true_rows():
    """As gen_dev.py writes them, to grade lists by."""
    _, truth = G.generate(SEED, HOUSEHOLDS, 90, REGIME)
    for h, estate, archetype, move_in, edition, theta in G.truth_rows(truth, range(28, 91, 7)):
        yield [f"H{h:05d}", f"E{estate:03d}", archetype, move_in, edition, f"{theta:.6f}"]

def write(name, columns, lines):
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(columns)
    out.writerows(lines)
    with open(os.path.join(HERE, f"{name}_{REGIME}.csv.gz"), "wb") as f:
        f.write(gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0))

write("readings", COLUMNS, rows())
write("truth", "household estate archetype move_in_day edition_day theta28".split(), true_rows())
