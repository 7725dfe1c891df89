/** The ledger of a replay: accepted transactions against their outcomes. Programs read its line. */
import type { SettleResult } from './wait-until-settled.ts';

export type Ledger = ReturnType<typeof createLedger>;

type LedgerInput = Omit<SettleResult, 'repeatedAccepted'> & {
  readonly duplicates: number;
  readonly elapsedMs: number;
};

export function createLedger(input: LedgerInput) {
  const { accepted, duplicates, scored, deadLettered, pending, doubled, elapsedMs } = input;
  return {
    accepted,
    duplicates,
    scored,
    dead_lettered: deadLettered,
    pending,
    lost: accepted - scored - deadLettered - pending,
    doubled,
    seconds: Math.round(elapsedMs) / 1000,
    tx_per_second: elapsedMs > 0 ? Math.round((accepted * 1000) / elapsedMs) : 0,
    p50_ms: Math.round(input.latencyP50Ms),
    p99_ms: Math.round(input.latencyP99Ms),
  };
}

/** The ledger of replays one after the other; its latencies are the greatest of theirs. */
export function sumLedgers(ledgers: readonly Ledger[]): Ledger {
  const sum = (field: keyof Ledger) => ledgers.reduce((total, ledger) => total + ledger[field], 0);
  const most = (field: keyof Ledger) => Math.max(...ledgers.map((ledger) => ledger[field]));
  return createLedger({
    ...{ accepted: sum('accepted'), duplicates: sum('duplicates'), scored: sum('scored') },
    ...{ deadLettered: sum('dead_lettered'), pending: sum('pending'), doubled: sum('doubled') },
    ...{ latencyP50Ms: most('p50_ms'), latencyP99Ms: most('p99_ms') },
    elapsedMs: 1000 * sum('seconds'),
  });
}

/** True when every accepted transaction has exactly one outcome. */
export function balances(ledger: Ledger): boolean {
  return ledger.lost === 0 && ledger.doubled === 0 && ledger.pending === 0;
}

export function ledgerLine(ledger: Ledger): string {
  const fields = Object.entries(ledger).map(([name, value]) => `${name}=${value}`);
  return `ledger ${fields.join(' ')}`;
}
