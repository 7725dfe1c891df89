/** Goal: the ledger has each erasure of its market, also behind a line that a crash has cut off. */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { appendToLedger, readLedger } from '../../../src/kit/access/erasure-ledger.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

test('a line that was cut off takes no other one with it', async () => {
  const path = join(temporaryFolder(), 'ledger');
  expect(await readLedger(path, 'market_0')).toEqual(new Map());
  const at = new Date(0);
  await appendToLedger(path, 'market_0', ['tok_1', 'tok_5'], at);
  await appendToLedger(path, 'market_1', ['tok_2'], at);
  await appendFile(path, 'market_0 tok_3 1970-01-01T00:0');
  await appendToLedger(path, 'market_0', ['tok_4'], at);
  const tokens = ['tok_1', 'tok_5', 'tok_4'];
  const erased = new Map(tokens.map((token) => [token, at.toISOString()]));
  expect(await readLedger(path, 'market_0')).toEqual(erased);
});
