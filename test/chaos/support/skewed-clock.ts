/**
 * Loaded by `--import` before a role of the engine: its wall clock is off by CHAOS_CLOCK_SKEW_MS. The
 * monotonic clock and timers stay as they are, as on a machine whose clock was set wrong.
 */
const skewMs = Number(process.env['CHAOS_CLOCK_SKEW_MS'] ?? 0);
const True = globalThis.Date;

class Skewed extends True {
  constructor(...given: [] | [value: number | string | Date]) {
    if (given.length === 0) super(True.now() + skewMs);
    else super(given[0]);
  }

  static override now(): number {
    return True.now() + skewMs;
  }
}

globalThis.Date = Skewed as DateConstructor;
