/**
 * Accepts one chunk of a stream of lines: one database transaction for all that can be accepted.
 * A bad line refuses only itself: what the batch is refused for is taken out and the rest tried again.
 */
import { Failure } from '../domain/failure.ts';
import type { FieldError } from '../domain/field-error.ts';
import type { KeyedTransactionInput } from '../domain/transaction.ts';
import type { AcceptRequest, AcceptResult, Outcome } from './accept-transactions.ts';
import type { ItemError } from './prepare-transactions.ts';

/** One line as parsed: what it asks for, or what is wrong with it. */
export type Line = { readonly index: number } & (
  | { readonly input: KeyedTransactionInput }
  | { readonly errors: readonly FieldError[] }
);

export type LineResult = { readonly index: number } & (
  | { readonly status: 'accepted' | 'duplicate'; readonly transaction_id: string }
  | { readonly status: 'invalid' | 'conflict'; readonly errors: readonly FieldError[] }
  | { readonly status: 'unavailable' }
);

export type AcceptBatch = (request: AcceptRequest) => Promise<AcceptResult>;

type Open = { readonly index: number; readonly input: KeyedTransactionInput };

export async function acceptLines(
  accept: AcceptBatch,
  client: string,
  lines: readonly Line[],
): Promise<LineResult[]> {
  const results = new Map<number, LineResult>();
  let open: Open[] = [];
  for (const line of lines) {
    if ('input' in line) open.push(line);
    else {
      results.set(line.index, { index: line.index, status: 'invalid', errors: line.errors });
    }
  }
  // Each round settles at least one line, so there are at most as many rounds as lines; in practice
  // three: times and corridors, keys within the chunk, keys held by others.
  while (open.length > 0) open = await settle(accept, client, open, results);
  return lines.flatMap((line) => results.get(line.index) ?? []);
}

/** Tries the open lines once; returns those that are still open. */
async function settle(
  accept: AcceptBatch,
  client: string,
  open: readonly Open[],
  results: Map<number, LineResult>,
): Promise<Open[]> {
  const result = await acceptOrFailure(accept, client, open);
  if (result.kind === 'unavailable') {
    for (const { index } of open) results.set(index, { index, status: 'unavailable' });
    return [];
  }
  if (result.kind === 'accepted') {
    for (const [at, { index }] of open.entries()) {
      const outcome = result.outcomes[at];
      if (outcome !== undefined) results.set(index, toAccepted(index, outcome));
    }
    return [];
  }
  const refused = new Map<number, ItemError[]>();
  for (const error of result.errors.filter(isOwnFault)) {
    refused.set(error.index, [...(refused.get(error.index) ?? []), error]);
  }
  for (const [at, errors] of refused) {
    const line = open[at];
    if (line === undefined) continue;
    results.set(line.index, {
      index: line.index,
      status: result.kind,
      errors: errors.map(({ field, detail, other }) => ({
        pointer: `/${field}`,
        detail: other === undefined ? detail : sameKeyAs(open[other]),
      })),
    });
  }
  return open.filter((_line, at) => !refused.has(at));
}

/** Of two lines with one key and two bodies the first stands, as it would across chunks. */
function isOwnFault({ index, other }: ItemError): boolean {
  return other === undefined || index > other;
}

function sameKeyAs(line: Open | undefined): string {
  return `is also the key of line ${line?.index ?? 'before'}, which has another body`;
}

function toAccepted(index: number, { status, transactionId }: Outcome): LineResult {
  return { index, status, transaction_id: transactionId };
}

async function acceptOrFailure(
  accept: AcceptBatch,
  client: string,
  open: readonly Open[],
): Promise<AcceptResult | { readonly kind: 'unavailable' }> {
  try {
    return await accept({ client, inputs: open.map((line) => line.input), replyTo: null });
  } catch (error) {
    // `conflict` here is a rival that still holds a key: the line may be sent again.
    const isPassing = error instanceof Failure && error.kind !== 'permanent';
    if (isPassing) return { kind: 'unavailable' };
    throw error;
  }
}
