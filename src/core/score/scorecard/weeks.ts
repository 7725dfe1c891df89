/**
 * How well scores have ranked the matured payments of past weeks: the margins by the tables of then beside the risks that decided.
 * Payments that no table judged take no part.
 */
import type { Verdict } from '../../domain/score-record.ts';
import { logOddsOf } from './measures.ts';

/** A stored score. */
export type Judged = {
  readonly verdict: Verdict;
  readonly risk: number;
  /** Null: no table judged the payment. */
  readonly scorecard: number | null;
  readonly margin: number | null;
};

/** Payments by log-odds: by the table of then, and of the risk that decided. */
export type Ranks = {
  /** Payments that were not approved. */
  alerts: number;
  readonly margins: Uint32Array;
  readonly risks: Uint32Array;
};

/** Fewer: more payments tie. More: 8 bytes each a day. */
const BINS_A_UNIT = 20;
const [LEAST, MOST] = [-15, 15];
const BINS = (MOST - LEAST) * BINS_A_UNIT;

const binOf = (logOdds: number) =>
  Math.min(BINS - 1, Math.max(0, Math.floor((logOdds - LEAST) * BINS_A_UNIT)));

export const noRanks = (): Ranks => ({
  alerts: 0,
  margins: new Uint32Array(BINS),
  risks: new Uint32Array(BINS),
});

export function addRank(ranks: Ranks, { verdict, risk, scorecard, margin }: Judged): void {
  if (scorecard === null || margin === null) return;
  if (verdict !== 'approve') ranks.alerts++;
  addTo(ranks.margins, binOf(margin), 1);
  addTo(ranks.risks, binOf(logOddsOf(risk)), 1);
}

function addTo(counts: Uint32Array, bin: number, count: number): void {
  counts[bin] = (counts[bin] as number) + count;
}

export type Ranking = {
  /** NaN without frauds. */
  readonly averagePrecision: number;
  /** Frauds among the alerts, or among as many payments with the greatest margins. */
  readonly caught: number;
};

export type Week = {
  /** First day, in days since 1970. */
  readonly day: number;
  readonly payments: number;
  readonly frauds: number;
  readonly alerts: number;
  readonly decided: Ranking;
  readonly scorecard: Ranking;
};

const WEEK_DAYS = 7;
const WEEKS = 8;

/** @param before the first day that is not matured */
export function collectWeeks(before: number) {
  const weeks = Array.from({ length: WEEKS }, () => ({ all: noRanks(), frauds: noRanks() }));
  const weekOf = (day: number) => weeks[Math.floor((before - 1 - day) / WEEK_DAYS)];
  return {
    add(day: number, ranks: Ranks): void {
      const all = weekOf(day)?.all;
      if (all === undefined) return;
      all.alerts += ranks.alerts;
      ranks.margins.forEach((count, bin) => void addTo(all.margins, bin, count));
      ranks.risks.forEach((count, bin) => void addTo(all.risks, bin, count));
    },
    addFraud(day: number, fraud: Judged): void {
      const frauds = weekOf(day)?.frauds;
      if (frauds !== undefined) addRank(frauds, fraud);
    },
    /** Weeks with payments, the first one first. */
    end: (): readonly Week[] =>
      weeks
        .map((week, ago) => ({ day: before - (ago + 1) * WEEK_DAYS, ...compare(week) }))
        .filter(({ payments }) => payments > 0)
        .reverse(),
  };
}

export type Weeks = ReturnType<typeof collectWeeks>;

type Ranked = { readonly all: Ranks; readonly frauds: Ranks };

const sumOf = (counts: Uint32Array) => counts.reduce((sum, count) => sum + count, 0);

function compare({ all, frauds }: Ranked): Omit<Week, 'day'> {
  return {
    payments: sumOf(all.margins),
    frauds: sumOf(frauds.margins),
    alerts: all.alerts,
    decided: {
      averagePrecision: averagePrecision(all.risks, frauds.risks),
      caught: frauds.alerts,
    },
    scorecard: {
      averagePrecision: averagePrecision(all.margins, frauds.margins),
      caught: caughtAt(all.alerts, all.margins, frauds.margins),
    },
  };
}

/** Σ (Rₙ − Rₙ₋₁)·Pₙ from the riskiest bin down. */
function averagePrecision(all: Uint32Array, frauds: Uint32Array): number {
  let [flagged, caught, sum] = [0, 0, 0];
  for (let bin = BINS - 1; bin >= 0; bin--) {
    const own = frauds[bin] as number;
    flagged += all[bin] as number;
    caught += own;
    if (own > 0) sum += (own * caught) / flagged;
  }
  return sum / caught;
}

/** Frauds among so many of the riskiest payments; of a bin that is taken in part, as large a part of its frauds. */
function caughtAt(alerts: number, all: Uint32Array, frauds: Uint32Array): number {
  let [left, caught] = [alerts, 0];
  for (let bin = BINS - 1; bin >= 0 && left > 0; bin--) {
    const [payments, own] = [all[bin] as number, frauds[bin] as number];
    if (own > 0) caught += own * Math.min(1, left / payments);
    left -= payments;
  }
  return Math.round(caught);
}
