/**
 * The audit log. The database transaction that makes a change appends its row, so neither exists without the other. One
 * transaction at a time may append, until its commit, so ids have the order of commits and no gaps. A transaction records
 * its change last, to hold that lock briefly.
 */
import type { Query } from '../database/pool.ts';
import { rowsOf, timeText } from '../database/statement.ts';
import type { AuditEntry, Change } from '../words/audit.ts';
import type { Actor } from '../words/principal.ts';

const lockStatement = {
  name: 'lock-audit-log',
  text: 'lock table market.audit_log in share row exclusive mode',
};
const appendStatement = {
  name: 'append-audit-log',
  text: `insert into market.audit_log (audit_id, who, key_id, action, subject, before, after, request)
         select coalesce(max(audit_id), 0) + 1, coalesce($1, 'database role ' || current_user),
                $2, $3, $4, $5::jsonb, $6::jsonb, $7
           from market.audit_log`,
};

export async function recordChange(
  query: Query,
  { name, keyId, request }: Actor,
  { action, subject, before, after }: Change,
): Promise<void> {
  await query(lockStatement);
  const values = [name, keyId, action, subject, snakeCased(before), snakeCased(after), request];
  await query(appendStatement, values);
}

const appendAllStatement = {
  name: 'append-audit-logs',
  text: `insert into market.audit_log (audit_id, who, key_id, action, subject, before, after, request)
         select (select coalesce(max(audit_id), 0) from market.audit_log) + nth, coalesce($1, 'database role ' || current_user),
                $2, change ->> 'action', change ->> 'subject', nullif(change -> 'before', 'null'),
                nullif(change -> 'after', 'null'), $4
           from jsonb_array_elements($3::jsonb) with ordinality as changes (change, nth)`,
};

/** Records changes of several subjects that one database transaction makes, a row each. */
export async function recordChanges(
  query: Query,
  { name, keyId, request }: Actor,
  changes: readonly Change[],
): Promise<void> {
  if (changes.length === 0) return;
  await query(lockStatement);
  const rows = changes.map((change) => ({
    ...change,
    before: snakeCased(change.before),
    after: snakeCased(change.after),
  }));
  await query(appendAllStatement, [name, keyId, JSON.stringify(rows), request]);
}

/** Renames fields to their names in the API. */
function snakeCased(value: object | null): object | null {
  if (value === null) return null;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      field,
    ]),
  );
}

/** A function that reads lines of the audit log. */
export const linesOf = <Given extends readonly unknown[]>(name: string, which: string) =>
  rowsOf<AuditEntry, Given>(
    name,
    `select audit_id, ${timeText('changed_at')} as changed_at, who, key_id, action, subject, before, after, request
       from market.audit_log where ${which}`,
  );
