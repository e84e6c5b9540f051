/** What the server is still catching up with, by its totals: the ledger counts what is stored, the charts follow, and so
 * does the engine that keeps them, where there is one. */
import type { Overview } from '../lib/api';
import { CHARTS, ENGINE, Follower, PROJECTIONS, type Behind } from '../lib/progress';

export class CatchingUp {
  /** Each is null when it is not behind. */
  ledger = $state.raw<Behind | null>(null);
  charts = $state.raw<Behind | null>(null);
  engine = $state.raw<Behind | null>(null);
  /** The engine that did not take what it was sent: charts cannot be read until it is back. */
  away = $state.raw<{ name: string; waiting: number } | null>(null);

  readonly #ledger = new Follower(PROJECTIONS);
  readonly #charts = new Follower(CHARTS);
  readonly #engine = new Follower(ENGINE);

  /** Looks at totals that came at `at` by our own clock, ms. */
  look({ ledger, charts }: Overview, at: number): void {
    const { engine } = charts;
    this.ledger = this.#ledger.look({ at, position: ledger.position, applied: ledger.applied });
    this.charts = this.#charts.look({ at, position: ledger.applied, applied: charts.applied });
    this.away = engine && !engine.answers ? engine : null;
    // Nothing else tells how far it is but what is left.
    const sent = this.#engine.look({ at, position: 0, applied: -(engine?.waiting ?? 0) });
    this.engine = this.away ? null : sent;
  }
}
