/** The first API key: given by RISK_BOOTSTRAP_KEY, or made once and kept in the data folder. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mintApiKey } from '../../kit/access/api-key.ts';

type BootstrapKey = {
  readonly key: string /** Null when it was given. */;
  readonly file: string | null;
};

export function readOrMakeKey(given: string | undefined, dataDir: string): BootstrapKey {
  if (given !== undefined) return { key: given, file: null };
  const file = join(dataDir, 'api-key');
  try {
    writeFileSync(file, `${mintApiKey().key}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  return { key: readFileSync(file, 'utf8').trim(), file };
}
