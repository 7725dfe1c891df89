/** Processes that made labelled payments: the files of each, and what a market of its payments declares. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../src/kit/command/command.ts';

export type Process = {
  readonly name: string;
  readonly payments: string;
  readonly labels: string;
  /** Metadata fields of the market, which are columns of the file. */
  readonly fields: Readonly<Record<string, 'text' | 'number'>>;
  /** The text by which amounts are told apart. */
  readonly group: string;
  /** Number of the first day that begins a week, chosen so that the published test week is one. */
  readonly weeksFrom: number;
};

const HANDBOOK = 'handbook_tx_dev.csv.gz';

const PROCESSES: readonly Process[] = [
  {
    ...{ name: 'handbook', payments: HANDBOOK, labels: HANDBOOK },
    ...{ fields: {}, group: 'type', weeksFrom: 3 },
  },
  {
    ...{ name: 'cardsim', payments: 'cardsim.transactions.csv.gz' },
    labels: 'cardsim.labels.csv.gz',
    fields: { credit_card: 'text', remote: 'text', distance: 'number' },
    ...{ group: 'metadata.credit_card', weeksFrom: 0 },
  },
  {
    ...{ name: 'rings', payments: 'rings.transactions.csv.gz', labels: 'rings.labels.csv.gz' },
    ...{ fields: { category: 'text' }, group: 'metadata.category', weeksFrom: 0 },
  },
];

/** @param name needed where the folder has files of several */
export function findProcess(folder: string, name: string | undefined): Process {
  const there = PROCESSES.filter(({ payments }) => existsSync(join(folder, payments)));
  const chosen = there.filter((process) => name === undefined || process.name === name);
  const [process] = chosen;
  if (process !== undefined && chosen.length === 1) return process;
  const names = there.map((found) => found.name).join(', ') || 'none';
  throw new UsageError(`${folder} has payments of ${names}: --data and --process name one process`);
}
