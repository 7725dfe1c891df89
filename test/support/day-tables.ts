/** Made tables of the day. */
import { BUCKETS, createCuts } from '../../src/core/score/scorecard/cuts.ts';
import { hourShares } from '../../src/core/score/scorecard/day-evidence.ts';
import { type DayTable, LABEL_DAYS } from '../../src/core/score/scorecard/day-table.ts';
import { measureNames } from '../../src/core/score/scorecard/measures.ts';
import { unlearnt } from '../../src/core/score/scorecard/scorecard.ts';
import { encodeTable } from '../../src/core/score/scorecard/table-bytes.ts';
import type { NewTable } from '../../src/core/store/scorecards/scorecards.ts';

/** Learnt of no rows and no labels. */
export const NOTHING_LEARNT = {
  all: { payments: 0, frauds: 0 },
  rules: new Map(),
  labelled: new Float64Array(LABEL_DAYS.length + 1),
};

/** A table without slots that has learnt nothing, but for what is given. */
export function dayTable(more: Partial<DayTable> = {}): DayTable {
  const measures = measureNames([]);
  const numbers = () => new Float64Array(measures.length * BUCKETS);
  return {
    ...{ day: 20_000, ruleSet: 'default@3', group: 'type', slots: [], measures },
    scorecard: { ...unlearnt(measures.length), cuts: createCuts(measures.length) },
    learnt: { knownFrauds: 0, payments: numbers(), frauds: numbers(), ...NOTHING_LEARNT },
    ...{ weeks: [], hours: hourShares([]), lifts: new Map(), tails: new Map(), currency: 'USD' },
    ...{ leftOut: [], leftOutLabels: [] },
    tops: { scorecard: new Float64Array(), rules: new Map(), models: new Map() },
    golden: { inputs: new Float64Array(), margins: new Float64Array() },
    cells: { byValue: new Map(), others: Number.NaN },
    amounts: { percentiles: new Map(), rates: new Map([['USD', 1]]) },
    crowded: { device: new Set(), address: new Set() },
    ...more,
  };
}

/** A table as a night stores it that nothing bounds. */
export const newTable = (table: DayTable, more: Partial<NewTable> = {}): NewTable => ({
  ...{ table, bytes: encodeTable(table), payments: 0, readTo: '1', isTaken: true, differs: null },
  ...more,
});
