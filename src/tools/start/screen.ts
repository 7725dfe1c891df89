/** Prints the screen of `risk start`: one line for each finished step, then where to look. */
import { relative } from 'node:path';
import type { AskApi } from '../../kit/client/api-client.ts';
import type { FoundTransaction } from '../../kit/client/api-types.ts';
import type { Output } from '../../kit/command/output.ts';
import { sayMoney } from '../../kit/words/money.ts';
import { LINK_MINUTES } from '../../kit/words/session.ts';
import type { Ledger } from '../client/ledger.ts';

/** The screen is in English in every locale. */
const LOCALE = 'en-US';

/** Time after which an unfinished step shows its name. */
const SILENCE_MS = 1_500;

/** Prints that a step is done, how long it took, and the text that `done` returns. */
export async function showStep<T>(
  output: Output,
  name: string,
  work: Promise<T>,
  done: (value: T) => string,
): Promise<T> {
  const startedMs = performance.now();
  const timer = setTimeout(() => output.note(`    ${name} …`), SILENCE_MS);
  const value = await work.finally(() => clearTimeout(timer));
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  output.note(`  ✓ ${name.padEnd(20)} ${`${seconds} s`.padStart(6)}   ${done(value)}`);
  return value;
}

/**
 * The ledger in sentences. The sample is posted as fast as the API takes it, so its latency is that of a backlog, and
 * is named so.
 */
export function ledgerSentence(ledger: Ledger): string {
  const { accepted, duplicates, scored, dead_lettered, pending, lost, doubled, seconds } = ledger;
  const counted = (count: number) => count.toLocaleString(LOCALE);
  if (accepted === 0 && duplicates > 0) {
    return `All ${counted(duplicates)} transactions were known from an earlier start: nothing was scored again.`;
  }
  const dead = dead_lettered > 0 ? `, ${counted(dead_lettered)} set aside as dead letters` : '';
  const fate =
    lost === 0 && doubled === 0 && pending === 0
      ? 'nothing lost, nothing scored twice'
      : `${counted(lost)} lost, ${counted(doubled)} scored twice, ${counted(pending)} still pending`;
  return [
    `${counted(accepted)} transactions accepted and ${counted(scored)} scored in ${seconds.toFixed(1)} s${dead}: ${fate}.`,
    `Accepted to scored: ${counted(ledger.p50_ms)} ms for half, ${counted(ledger.p99_ms)} ms for 99 %, in a backlog: all were posted at once.`,
  ].join('\n');
}

/** Lists the riskiest few transactions. */
const QUERY = { sort: 'score', limit: 5 } as const;

/** Riskiest first; empty where nothing is scored. */
export async function readRiskiest(ask: AskApi): Promise<readonly FoundTransaction[]> {
  return (await ask('GET /v1/transactions', { query: QUERY })).items;
}

/** Names the newest table of the day in a line; undefined without a table. */
export async function sayNewestTable(ask: AskApi, url: string): Promise<string | undefined> {
  const [newest] = (await ask('GET /v1/scorecards', {})).items;
  if (newest === undefined) return undefined;
  const { day, frauds } = newest;
  const { frauds_needed: needed } = await ask('GET /v1/scorecards/{day}', { path: { day } });
  const learnt =
    frauds < needed ? `knows ${frauds} of ${needed} frauds` : `learnt from ${frauds} frauds`;
  return `The scorecard of ${day} ${learnt}: ${url}/console/scorecards`;
}

type Whereabouts = {
  readonly url: string;
  /** Address that logs a browser in once; null where nothing is served afterwards. */
  readonly consoleUrl: string | null;
  /** Line about the newest table of the day. */
  readonly table: string | undefined;
  readonly key: string;
  readonly keyFile: string | null;
};

/** The lines after the ledger: each of the riskiest with its address, and the request that lists them. */
export function whereToLook(
  { url, consoleUrl, table, key, keyFile }: Whereabouts,
  found: readonly FoundTransaction[],
): string[] {
  const opens = `This opens the console, logged in; it works once, within ${LINK_MINUTES} minutes:`;
  const riskiest = found.flatMap((transaction) => [
    describe(transaction),
    `  ${url}/console/transactions/${transaction.transaction_id}`,
  ]);
  return [
    ...(consoleUrl === null ? [] : [opens, '', `  ${consoleUrl}`, '']),
    `The ${found.length} riskiest, each with its address in the console:`,
    '',
    ...riskiest,
    '',
    ...(table === undefined ? [] : [table, '']),
    `Open ${url}/docs and authorize with this key, or paste this for the same list:`,
    '',
    `curl -sH 'Authorization: Bearer ${key}' \\`,
    `  '${url}/v1/transactions?sort=${QUERY.sort}&limit=${QUERY.limit}'`,
    '',
    ...(keyFile === null ? [] : [`The key is kept in ${shortPath(keyFile)}.`]),
    ...(consoleUrl === null ? [] : [OPERATORS]),
  ];
}

const OPERATORS = 'Operators go on with bin/risk status, bin/risk doctor and docs/first-hour.md.';

/** Score, verdict, account and the greatest reason. */
function describe({ score, account_id, amount, currency }: FoundTransaction) {
  const detail = score?.reasons?.[0]?.detail ?? 'no reason';
  const why = sayMoney(detail, currency, { amount, locale: LOCALE });
  return `  ${score?.score} ${score?.verdict} ${account_id}: ${why}`;
}

/** The path relative to the folder in which the command was given, where that is shorter. */
export function shortPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.length < path.length ? fromHere : path;
}
