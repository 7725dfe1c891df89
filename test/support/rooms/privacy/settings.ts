/** Settings of an API whose market declares personal fields: a file of keys and a ledger, in a folder that goes with the test. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export async function makePrivacyFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'risk-privacy-'));
  const keys = join(folder, 'keys');
  const ledger = join(folder, 'ledger');
  /** A file without the key that wraps. */
  const otherKeys = join(folder, 'other-keys');
  const line = (name: string) => `${name} ${randomBytes(32).toString('base64')}\n`;
  await Promise.all([writeFile(keys, line('k1')), writeFile(otherKeys, line('k2'))]);
  return {
    ledger,
    otherKeys,
    settings: { RISK_PRIVACY_KEYS: keys, RISK_ERASURE_LEDGER: ledger },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
