/** Tokens of inputs whose values are not all in memory: drafts for new values, which are kept once a request is admitted. */
import { randomBytes } from 'node:crypto';
import { tokenOf } from '../../core/domain/personal.ts';
import type { KeyedTransactionInput } from '../../core/domain/transaction.ts';
import type { Tokenised } from '../../core/personal.ts';
import type { Subjects, Wanted } from './subjects.ts';

export type Fill = (token: string) => void;
/** A place of a value that waits for its token. */
export type Hole = Wanted & { readonly fill: Fill };
export type HoleIn = Hole & { readonly index: number };

/** Makes a token that no row has, as a query for an unknown value makes no subject. */
export const nobodys = (field: string): string => tokenOf(field, randomBytes(16).toString('hex'));

/** @param inputs with holes, which are filled in place */
export async function drafted(
  inputs: readonly KeyedTransactionInput[],
  holes: readonly HoleIn[],
  subjects: Pick<Subjects, 'draft' | 'look' | 'store'>,
): Promise<Tokenised> {
  const { looked, drafts } = await subjects.draft(holes);
  const open = new Map<string, HoleIn[]>();
  for (const [nth, hole] of holes.entries()) {
    const { lookup = '', token } = looked[nth] ?? {};
    const draft = drafts.get(lookup);
    hole.fill(token ?? draft?.countedAs ?? nobodys(hole.field));
    if (token !== undefined) continue;
    const same = open.get(lookup);
    if (same === undefined) open.set(lookup, [hole]);
    else same.push(hole);
  }
  return {
    inputs,
    fresh: new Set([...open.values()].flat().map(({ index }) => index)),
    async store(indexes) {
      const wanted = [...drafts].filter(([lookup]) =>
        open.get(lookup)?.some(({ index }) => indexes.has(index)),
      );
      // Each input with a kept value has its token, so that repetitions within the request stay such.
      const stored = await subjects.store(new Map(wanted));
      for (const [lookup, token] of stored)
        for (const { fill } of open.get(lookup) ?? []) fill(token);
      // The same request at another process may have made the other values by now.
      const others = [...drafts].flatMap(([lookup, draft]) => (stored.has(lookup) ? [] : draft));
      for (const { lookup, token } of others.length === 0 ? [] : await subjects.look(others))
        if (token !== undefined) for (const { fill } of open.get(lookup) ?? []) fill(token);
      return inputs;
    },
  };
}
