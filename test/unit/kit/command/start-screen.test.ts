import { expect, test } from 'vitest';
import { mintApiKey, mintLink } from '../../../../src/kit/access/api-key.ts';
import type { FoundTransaction } from '../../../../src/kit/client/api-types.ts';
import { whereToLook } from '../../../../src/tools/start/screen.ts';

const ID = '01a1f873-ca31-7d5e-a6f6-e2409247fcde';
const reason = (code: string, detail: string) => ({ code, detail, contribution: 200 });
const FOUND = {
  ...{ transaction_id: ID, account_id: 'account_1246', currency: 'USD' },
  score: {
    ...{ score: 992, verdict: 'decline' },
    reasons: [
      reason('AMOUNT_OVER_HABIT', "Amount 9902.00 is 366.1 times this account's usual 27.05"),
      reason('AMOUNT_OVER_MERCHANT', "Amount 9902.00 is 25.8 times this merchant's usual 383.20"),
      reason('STRUCTURING', '3 amounts just below the reporting limit within 72 hours'),
    ],
  },
} as unknown as FoundTransaction;
const URL = 'http://127.0.0.1:8080';

const LINK = `${URL}/console#login=${mintLink().token}`;

test('where to look fits 100 columns, and its key stands only in the request', () => {
  const { key } = mintApiKey();
  const table = `The scorecard of 2026-11-30 learnt from 146 frauds: ${URL}/console/scorecards`;
  const lines = whereToLook({ url: URL, consoleUrl: LINK, table, key, keyFile: '/tmp/d/api-key' }, [
    FOUND,
  ]);
  for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(100);
  expect(lines.filter((line) => line.includes(key))).toEqual([
    `curl -sH 'Authorization: Bearer ${key}' \\`,
  ]);
  expect(lines).toContain("  'http://127.0.0.1:8080/v1/transactions?sort=score&limit=5'");
  expect(lines.join('\n')).toContain('Amount 9,902.00 USD is 366.1 times');
  expect(lines).toContain(`  http://127.0.0.1:8080/console/transactions/${ID}`);
  expect(lines.find((line) => line.includes('http'))).toContain(LINK);
  expect(lines).toContain(table);
  expect(lines.join('\n')).toContain(`Open ${URL}/docs and`);
});
