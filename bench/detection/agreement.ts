/** Compares the figures of the published evaluator with those of the protocol. */
import type { BenchTable } from '../support/bench.ts';
import type { Figures } from './protocol.ts';

/**
 * The part of the output of `evaluate.mjs --json` that is read: the week without dropped customers, and the
 * whole week.
 */
export type Published = {
  readonly blocks: readonly Readonly<Record<string, number | string>>[];
  readonly whole: Readonly<Record<string, unknown>>;
};

/** Half of the last digit that docs/detection.md shows. */
const DIFFERENCE_MAX = 0.0005;

/** Returns one sentence for each figure that differs or that the evaluator does not give. */
export function disagreements(figures: Figures, { blocks, whole }: Published): string[] {
  const published: Readonly<Record<string, unknown>> = {
    auc: blocks[0]?.['auc'],
    average_precision: blocks[0]?.['ap'],
    card_precision_100: blocks[0]?.['cp'],
    average_precision_all: whole['ap'],
    recall_at_1_percent_all: whole['recallAtFpr1'],
  };
  return Object.entries(figures).flatMap(([name, { value }]) => {
    const difference = Math.abs(value - Number(published[name]));
    return difference <= DIFFERENCE_MAX
      ? []
      : [`${name} is ${value} here and ${published[name]} by evaluate.mjs`];
  });
}

export const publishedTable = ({ blocks }: Published): BenchTable => ({
  title: 'by evaluate.mjs',
  rows: Object.entries(blocks[0] ?? {}).map(([figure, value]) => ({ figure, value })),
});
