/** Runs the requests of the README and the quickstart as written, with another address. */
import { execFileSync, spawnSync } from 'node:child_process';
import { afterAll, describe, expect, test } from 'vitest';
import { openForFile } from '../support/open-for-file.ts';
import { spawnRisk } from '../support/risk.ts';
import { spawnRunningApi } from '../support/running-api.ts';
import { waitUntil } from '../support/wait-until.ts';
import { readText } from '../unit/ship/ship-files.ts';

const KEY = 'readme-key-of-at-least-thirty-two-characters';
const LOCAL = 'http://127.0.0.1:8080';
const hasCurl = spawnSync('curl', ['--version']).status === 0;

const api = await openForFile(
  spawnRunningApi({ RISK_BOOTSTRAP_KEY: KEY, RISK_WEBHOOK_LOOPBACK: 'allow' }),
);
const worker = spawnRisk(['worker'], {
  DATABASE_URL: api.testDatabase.url,
  REDIS_URL: api.redisService.url,
});
await worker.waitFor(/worker starts/, 30_000);
afterAll(async () => {
  worker.kill('SIGTERM');
  expect((await worker.exited).code).toBe(0);
});

type Block = { readonly language: string; readonly text: string };

function blocksOf(page: string): Block[] {
  const found = readText(page).matchAll(/```(sh|json)\n([\s\S]*?)```/g);
  return [...found].map(([, language = '', text = '']) => ({ language, text }));
}

const run = (commands: string) =>
  execFileSync('bash', ['-euo', 'pipefail', '-c', commands.replaceAll(LOCAL, api.url)], {
    encoding: 'utf8',
    env: { ...process.env, RISK_API_KEY: KEY },
    timeout: 60_000,
  });

const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const VARYING = ['secret', 'rule_set'];

/** JSON values, one in all or one a line, with placeholders for ids, times and secrets. */
function valuesOf(text: string): unknown[] {
  const plain = (name: string, value: unknown) => {
    // A busy machine has a level of its own.
    if (name === 'degradation') return 'LEVEL';
    if (typeof value !== 'string') return value;
    if (VARYING.includes(name)) return '…';
    return value.replace(TIME, 'TIME').replaceAll(UUID, 'UUID');
  };
  const lines = text.startsWith('{\n') ? [text] : text.split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line, plain));
}

describe.skipIf(!hasCurl)('the requests of', () => {
  test('the README get a score and read it back', async () => {
    const blocks = blocksOf('README.md').map(({ text }) => text);
    const [submit = '', read = '', ...others] = blocks.filter((text) => text.startsWith('curl'));
    expect(others).toEqual([]);
    const { transaction_id, status, score: told } = JSON.parse(run(submit));
    expect(status).toBe('accepted');
    const again = JSON.parse(run(submit));
    expect(again).toMatchObject({ status: 'duplicate', transaction_id });
    const readScored = () => JSON.parse(run(read)).items;
    const [found] = await waitUntil(() => (readScored().length > 0 ? readScored() : null), 30_000);
    // On a machine too busy to score within the two seconds asked for, the first answer comes without the score.
    expect(found.score).toMatchObject({ ...told, transaction_id, verdict: 'approve' });
  });

  test('the quickstart are answered as the page shows', () => {
    const [setUp, ...blocks] = blocksOf('docs/quickstart.md');
    const functions = setUp?.text.replaceAll('$(cat .data/api-key)', KEY) ?? '';
    const commands = blocks.filter(({ language }) => language === 'sh');
    expect(blocks.map(({ language }) => language)).toEqual(commands.flatMap(() => ['sh', 'json']));
    for (const [at, { text }] of commands.entries()) {
      const shown = blocks[2 * at + 1]?.text ?? '';
      expect(valuesOf(run(`${functions}\n${text}`)), text).toEqual(valuesOf(shown));
    }
  });
});
