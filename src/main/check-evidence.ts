/** Looks at the log of evidence for `risk doctor`. */
import type { CommandContext } from '../kit/command/command.ts';
import { openCommandDatabase } from '../kit/command/stores.ts';
import { missingMigrations } from '../kit/database/migrations/schema-version.ts';
import { readHead } from '../rooms/evidence/log/checkpoint.ts';
import { readNewestLog } from '../rooms/evidence/store/evidence-log.ts';
import type { Finding } from './finding.ts';

/** Compares the settings with the log; no finding without keys and without a log. */
export async function checkEvidence(context: CommandContext): Promise<Finding[]> {
  const { DATABASE_URL: url, RISK_EVIDENCE_KEYS: keys } = context.config;
  if (url === undefined) return [];
  await using database = openCommandDatabase(context, 'doctor');
  // Another check finds a missing or old schema.
  const missing = await missingMigrations(database).catch(() => ['all of it']);
  if (missing.length > 0) return [];
  const log = await readNewestLog(database.query);
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
