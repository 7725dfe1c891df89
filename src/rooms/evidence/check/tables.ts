/** Compares tables of the day, which have no leaf of their own, with the lines of the audit log that name their hashes. */
import type { Query } from '../../../kit/database/pool.ts';
import type { AuditEntry } from '../../../kit/words/audit.ts';
import { hashTables } from '../store/unsealed.ts';
import type { Note } from './finding.ts';

export async function checkTables(
  query: Query,
  lines: readonly AuditEntry[],
  note: Note,
): Promise<void> {
  const built = lines.filter(({ action }) => action === 'scorecard.build');
  if (built.length === 0) return;
  const stored = await hashTables(
    query,
    built.map(({ after }) => Number(after?.['serial'])),
  );
  for (const { subject, after } of built) {
    const own = stored.find(({ serial }) => serial === after?.['serial']);
    if (own === undefined) note('deleted', `the table of ${subject}`);
    else if (own.sha256 !== after?.['sha256']) note('edited', `the table of ${subject}`);
  }
}
