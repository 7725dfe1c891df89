import { expect } from 'vitest';

/** Fields of the ledger line of `risk start`. */
export function ledgerOf(stdout: string): Record<string, number> {
  const line = /^ledger .*$/m.exec(stdout)?.[0] ?? '';
  expect(line).toMatch(
    /^ledger accepted=\d+ duplicates=\d+ scored=\d+ dead_lettered=\d+ pending=\d+ lost=-?\d+ doubled=\d+ seconds=\d+(\.\d+)? tx_per_second=\d+ p50_ms=\d+ p99_ms=\d+$/,
  );
  const fields = line.split(' ').slice(1);
  return Object.fromEntries(
    fields.map((field) => [field.split('=')[0], Number(field.split('=')[1])]),
  );
}
