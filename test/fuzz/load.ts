/** Mixed reads and writes at a steady rate, sent by vegeta, whose report counts statuses and errors of connections. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeRunFolder } from '../../bench/support/run-folder.ts';
import { createRandom } from '../../src/kit/random.ts';
import { input } from '../support/submit.ts';
import type { FuzzedEngine } from './engine.ts';

/** Requests a second: half of the 155 that an engine on two cores answered when 200 came, beside the client. */
const RATE = 75;
const WRITES_SHARE = 0.3;
const BATCH = 20;

export type LoadReport = {
  readonly requests: number;
  readonly success: number;
  /** By status; 0 stands for no answer. */
  readonly status_codes: Readonly<Record<string, number>>;
  readonly errors: readonly string[];
};

export async function runLoad(
  program: string,
  { url, key }: FuzzedEngine,
  requests: number,
  seed: string,
): Promise<LoadReport> {
  await using folder = await makeRunFolder('risk-load');
  const headers = { Authorization: [`Bearer ${key}`], 'Content-Type': ['application/json'] };
  const answer = await fetch(`${url}/v1/transactions?limit=200&fields=account_id,merchant_id`, {
    headers: { Authorization: `Bearer ${key}` },
  });
  const { items } = (await answer.json()) as { items: readonly Known[] };
  const random = createRandom(seed);
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
  const lines = Array.from({ length: requests }, () => {
    const [method, path, body] = pick(random() < WRITES_SHARE ? WRITES : READS)(pick(items));
    const packed = body && Buffer.from(JSON.stringify(body)).toString('base64');
    return JSON.stringify({ method, url: url + path, header: headers, body: packed });
  });
  const [targets, results] = [join(folder.path, 'targets'), join(folder.path, 'results')];
  await writeFile(targets, `${lines.join('\n')}\n`);
  const seconds = Math.ceil(requests / RATE);
  const run = promisify(execFile);
  await run(program, [
    'attack',
    '-format=json',
    `-targets=${targets}`,
    `-output=${results}`,
    `-rate=${RATE}/1s`,
    `-duration=${seconds}s`,
    '-timeout=30s',
  ]);
  const { stdout } = await run(program, ['report', '-type=json', results]);
  return JSON.parse(stdout);
}

type Known = {
  readonly transaction_id: string;
  readonly account_id: string;
  readonly merchant_id: string;
};
type Asked = readonly [method: string, path: string, body?: object];
type Ask = (known: Known) => Asked;

const inputOf = ({ account_id, merchant_id }: Known) => input({ account_id, merchant_id });
const WRITES: readonly Ask[] = [
  (one) => ['POST', '/v1/transactions', inputOf(one)],
  (one) => {
    const transactions = Array.from({ length: BATCH }, () => inputOf(one));
    return ['POST', '/v1/transactions/batch', { transactions }];
  },
  (one) => ['POST', '/v1/evaluate', inputOf(one)],
];
const READS: readonly Ask[] = [
  ({ transaction_id: id }) => ['GET', `/v1/scores/${id}`],
  ({ transaction_id: id }) => ['GET', `/v1/scores/${id}/explanation`],
  ({ transaction_id: id }) => ['GET', `/v1/transactions/${id}?expand=score,labels,neighbours`],
  ({ account_id: id }) => ['GET', `/v1/transactions?account_id=${id}&fields=amount,score.verdict`],
  ({ account_id: id }) => ['GET', `/v1/accounts/${id}/profile`],
  ({ merchant_id: id }) => ['GET', `/v1/merchants/${id}/profile`],
  () => ['GET', '/v1/transactions?sort=score&verdict=decline,review&limit=20'],
  () => ['GET', '/v1/summaries/daily?group_by=verdict'],
  () => ['GET', '/v1/reviews'],
  () => ['GET', '/v1/status'],
];
