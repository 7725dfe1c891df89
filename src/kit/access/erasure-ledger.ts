/** The ledger of erasures: a file outside Postgres, so that erasures outlast restores of backups and archives. */
import { open, readFile } from 'node:fs/promises';
import { Failure, toError } from '../words/failure.ts';

/** Market, token and time. */
const LINE = /^(\S+) (\S+) (\S+Z)$/;
const NEWLINE = 0x0a;

/**
 * Reads the tokens and times of a market's erasures from the ledger, a file outside Postgres, so that a restored backup brings no
 * erased subject back. A line is on the disk before its erasure commits, and a line that a crash cut off was never acknowledged.
 */
export async function readLedger(
  path: string,
  market: string,
): Promise<ReadonlyMap<string, string>> {
  const tokens = new Map<string, string>();
  for (const line of (await readText(path)).split('\n')) {
    const [, of, token, at] = LINE.exec(line) ?? [];
    if (of === market && token !== undefined && at !== undefined) tokens.set(token, at);
  }
  return tokens;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (Object(error).code === 'ENOENT') return '';
    throw unusable(path, error);
  }
}

export async function appendToLedger(
  path: string,
  market: string,
  tokens: readonly string[],
  erasedAt: Date,
): Promise<void> {
  try {
    await using file = await open(path, 'a+', 0o600);
    const { size } = await file.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await file.read(last, 0, 1, size - 1);
    // A newline ends a line that a crash cut off, so that the new line is whole.
    const begun = size > 0 && last[0] !== NEWLINE ? '\n' : '';
    const lines = tokens.map((token) => `${market} ${token} ${erasedAt.toISOString()}\n`);
    await file.appendFile(begun + lines.join(''));
    await file.sync();
  } catch (error) {
    throw unusable(path, error);
  }
}

const unusable = (path: string, error: unknown) =>
  new Failure(
    'unavailable',
    'LEDGER_UNUSABLE',
    `RISK_ERASURE_LEDGER ${path}: ${toError(error).message}`,
  );

/** @throws Failure where the ledger lacks an erasure: the file was cut, or is another file */
export function requireInLedger(
  path: string,
  ledger: ReadonlyMap<string, string>,
  erased: ReadonlySet<string>,
  where: string,
): void {
  const lacking = [...erased].filter((token) => !ledger.has(token));
  if (lacking.length === 0) return;
  const why = `RISK_ERASURE_LEDGER ${path} lacks ${lacking.length} of the ${erased.size} erasures that ${where} has, first ${lacking[0]}: give the file that has them`;
  throw new Failure('permanent', 'LEDGER_BEHIND', why);
}
