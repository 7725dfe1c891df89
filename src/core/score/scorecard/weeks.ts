/**
 * Compares how well the risks that decided ranked the matured payments of past weeks with how well the margins by the tables of then did;
 * payments that no table judged are left out. Where a scorecard decided, the risk is that of the rules alone.
 */
import { SCORE_MAX, type Verdict } from '../../domain/score-record.ts';
import { addTo, inMap } from './day-evidence.ts';
import { logOddsOf } from './measures.ts';

/** A stored score. */
export type Judged = {
  readonly verdict: Verdict;
  readonly risk: number;
  /** Null: no table judged the payment. */
  readonly scorecard: number | null;
  readonly margin: number | null;
  /** Name of the model that decided; null: the rules did. */
  readonly model: string | null;
  /** Points that the rules alone give where a model decided. */
  readonly byRules: number | null;
};

/** Counts of payments by bins of log-odds: of the margin by the table of then, and of the risk. */
export type Bins = {
  /** Payments that were not approved. */
  alerts: number;
  readonly margins: Uint32Array;
  readonly risks: Uint32Array;
};

/** Bins of all payments, and by the name of a policy the bins of payments that the policy decided. */
export type Ranks = ReadonlyMap<string, Bins>;
const ALL = '';
/** Models whose names begin so decide by the table of the day. */
const OF_SCORECARD = 'scorecard-';

/** Fewer: more payments tie. More: 8 bytes each a day. */
const BINS_A_UNIT = 20;
const [LEAST, MOST] = [-15, 15];
const BINS = (MOST - LEAST) * BINS_A_UNIT;

const binOf = (logOdds: number) =>
  Math.min(BINS - 1, Math.max(0, Math.floor((logOdds - LEAST) * BINS_A_UNIT)));

const noBins = (): Bins => ({
  alerts: 0,
  margins: new Uint32Array(BINS),
  risks: new Uint32Array(BINS),
});

export const noRanks = () => new Map<string, Bins>();

export function addRank(ranks: Map<string, Bins>, judged: Judged): void {
  const { verdict, risk, scorecard, margin, model, byRules } = judged;
  if (scorecard === null || margin === null) return;
  const isOfScorecard = byRules !== null && model?.startsWith(OF_SCORECARD);
  const rank = binOf(logOddsOf(isOfScorecard ? byRules / SCORE_MAX : risk));
  for (const name of isOfScorecard && model !== null ? [ALL, model] : [ALL]) {
    const bins = inMap(ranks, name, noBins);
    if (verdict !== 'approve') bins.alerts++;
    addTo(bins.margins, binOf(margin), 1);
    addTo(bins.risks, rank, 1);
  }
}

export type Ranking = {
  /** NaN without frauds. */
  readonly averagePrecision: number;
  /** Frauds among the alerts, or among as many payments with the greatest margins. */
  readonly caught: number;
};

export type Figures = {
  readonly payments: number;
  readonly frauds: number;
  readonly alerts: number;
  /** Ranked by the risk; frauds among the alerts. */
  readonly decided: Ranking;
  readonly scorecard: Ranking;
  /** Frauds among as many payments with the greatest risks. */
  readonly byRisk: number;
};

export type Week = Figures & {
  /** First day, in days since 1970. */
  readonly day: number;
  /** By name of a policy: figures of the payments that the policy decided, whose risks are those of the rules. */
  readonly policies: ReadonlyMap<string, Figures>;
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
      for (const [name, { alerts, margins, risks }] of ranks) {
        const to = inMap(all, name, noBins);
        to.alerts += alerts;
        margins.forEach((count, bin) => void addTo(to.margins, bin, count));
        risks.forEach((count, bin) => void addTo(to.risks, bin, count));
      }
    },
    addFraud(day: number, fraud: Judged): void {
      const frauds = weekOf(day)?.frauds;
      if (frauds !== undefined) addRank(frauds, fraud);
    },
    /** Weeks with payments, the first one first. */
    end: (): readonly Week[] =>
      weeks
        .map(({ all, frauds }, ago) => {
          const figures = (name: string) =>
            compare(all.get(name) ?? noBins(), frauds.get(name) ?? noBins());
          const policies = new Map([...all.keys()].map((name) => [name, figures(name)]));
          policies.delete(ALL);
          return { day: before - (ago + 1) * WEEK_DAYS, ...figures(ALL), policies };
        })
        .filter(({ payments }) => payments > 0)
        .reverse(),
  };
}

export type Weeks = ReturnType<typeof collectWeeks>;

const sumOf = (counts: Uint32Array) => counts.reduce((sum, count) => sum + count, 0);

function compare(all: Bins, frauds: Bins): Figures {
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
    byRisk: caughtAt(all.alerts, all.risks, frauds.risks),
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
