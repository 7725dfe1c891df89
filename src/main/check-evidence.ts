/** Looks at the log of evidence for `risk doctor`. */
import type { Database } from '../kit/database/pool.ts';
import { readHead } from '../rooms/evidence/log/checkpoint.ts';
import { readNewestLog } from '../rooms/evidence/store/evidence-log.ts';
import type { Finding } from './finding.ts';

/** Compares the settings with the log; no finding without keys and without a log. */
export async function checkEvidence(
  { query }: Database,
  keys: readonly object[] | undefined,
): Promise<Finding[]> {
  const log = await readNewestLog(query);
  const check = 'evidence';
  if (log === undefined) {
    const detail = 'RISK_EVIDENCE_KEYS is set, and no worker has begun a log yet';
    return keys === undefined ? [] : [{ check, state: 'warn', detail }];
  }
  if (log.refused !== null) return [{ check, state: 'fail', detail: log.refused }];
  const signed = readHead(log.checkpoint ?? '')?.size ?? 0;
  const detail = `${log.origin}: ${log.size} leaves, signed up to ${signed}`;
  return [{ check, state: keys === undefined ? 'warn' : 'ok', detail }];
}
