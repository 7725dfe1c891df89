/**
 * The ledger of erasures: a file outside Postgres, so that a restored backup brings no erased subject back. A line has a token,
 * which reveals nothing by itself, and is on the disk before the erasure commits.
 */
import { open, readFile } from 'node:fs/promises';
import { Failure, toError } from '../../kit/words/failure.ts';

/** Market, token and time. */
const LINE = /^(\S+) (\S+) (\S+Z)$/;
const NEWLINE = 0x0a;

/** The tokens of a market's erasures and their times; none where no file exists yet. A line that a crash cut off was never acknowledged. */
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
    if (toError(error).message.startsWith('ENOENT')) return '';
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
