/** Actions of an operator on a dead letter, by its error code; docs/dead-letters.md has the same sentences. */

export const CURES = {
  ENTRY_MALFORMED:
    'If it names no transaction, wait: within seconds the reconciler appends the transactions of the entry and marks the dead letter as replayed.',
  CRASHES_WORKER: 'Report it, then replay.',
  MONTH_DETACHED: 'Attach the month, then replay.',
  other: 'Correct the cause, then replay.',
} as const;

export function cureOf(errorCode: string): string {
  const found = Object.entries(CURES).find(([code]) => code === errorCode);
  return (found ?? ['', CURES.other])[1];
}

export const withCures = <Row extends { readonly error_code: string }>(rows: readonly Row[]) =>
  rows.map((row) => ({ ...row, cure: cureOf(row.error_code) }));
