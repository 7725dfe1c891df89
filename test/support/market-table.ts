/** A table of the day made by hand, with counts of all that a market can have, and slots of a field of each type. */
import type { FieldSlot } from '../../src/core/domain/metadata.ts';
import { hourShares, TAIL_BUCKETS } from '../../src/core/score/scorecard/day-evidence.ts';
import type { DayTable } from '../../src/core/score/scorecard/day-table.ts';
import { dayTable } from './day-tables.ts';

export const SLOTS: readonly FieldSlot[] = [
  { field: 'segment', type: 'text', kind: 'lift' },
  { field: 'distance', type: 'number', kind: 'tail' },
  { field: 'distance', type: 'number', kind: 'to_account', declaredAtMs: 1 },
  { field: 'known', type: 'boolean', kind: 'lift' },
];

export const MARKET_TABLE: DayTable = dayTable({
  group: 'metadata.segment',
  slots: SLOTS,
  hours: hourShares(Array.from({ length: 24 }, (_, hour) => (hour * hour * 7) % 100)),
  lifts: new Map([
    ['type', { byValue: new Map([['transfer', 0.5]]), others: -0.25 }],
    ['channel', { byValue: new Map([['app', -1.5]]), others: 0.125 }],
    ['metadata.segment', { byValue: new Map([['gold', 2.5]]), others: -0.75 }],
    ['metadata.known', { byValue: new Map([['true', -2]]), others: 1 }],
  ]),
  cells: {
    byValue: new Map([
      ['30 gold', 3],
      ['29 gold', 2],
      ['31 basic', 1],
    ]),
    others: 0.0625,
  },
  tails: new Map([
    [
      'metadata.distance',
      {
        above: Uint32Array.from({ length: TAIL_BUCKETS }, (_, at) => Math.max(0, 4000 - 25 * at)),
        numbers: 4000,
      },
    ],
  ]),
  amounts: {
    percentiles: new Map([
      ['US-EG', 2000],
      ['US-MX', 500],
    ]),
    rates: new Map([
      ['USD', 1],
      ['JPY', 0.0078125],
    ]),
  },
});
