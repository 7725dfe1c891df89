/** Tokens at the edge of a market that declares personal fields. */

import { randomBytes } from 'node:crypto';
import { canonicalJson } from '../../core/domain/metadata.ts';
import {
  isPersonalId,
  isToken,
  type PersonalId,
  pathIn,
  tokenOf,
  walkPath,
} from '../../core/domain/personal.ts';
import type { KeyedTransactionInput } from '../../core/domain/transaction.ts';
import type { Repeated, Tokenised, Tokens } from '../../core/personal.ts';
import { spelled } from '../../core/store/subject-lookup.ts';
import { type Declarations, revealIn, type Subjects, type Wanted } from './subjects.ts';

type Members = Record<string, unknown>;

type Fill = (token: string) => void;
/** A place of a value that waits for its token. */
type Hole = Wanted & { readonly fill: Fill };
type HoleIn = Hole & { readonly index: number };

type Declared = Pick<Declarations, 'ids' | 'paths'>;
/** A stored token, and a function that puts it in place. */
type Swap = { readonly token: string; readonly fill: () => void };

export function openTokens(fields: readonly string[], subjects: Subjects): Tokens {
  const ids: readonly PersonalId[] = fields.filter(isPersonalId);
  const paths = fields
    .filter((field) => !isPersonalId(field))
    .map((field) => ({ field, path: pathIn(field) }));

  const put = (holes: Hole[], field: string, text: string, fill: Fill) => {
    const token = subjects.recall(field, text);
    if (token === undefined) holes.push({ field, text, fill });
    else fill(token);
  };
  /** Changes a copy, as the caller keeps its metadata. */
  const putPaths = (holes: Hole[], metadata: unknown) => {
    const copy: unknown = structuredClone(metadata);
    for (const { field, path } of paths) {
      walkPath(copy, path, (holder, name) => {
        put(holes, field, spelled(field, canonicalJson(holder[name])), (token) => {
          holder[name] = token;
        });
      });
    }
    return copy;
  };

  return {
    ids,
    declares: (field) => fields.includes(field),
    async tokenise(inputs) {
      const holes: HoleIn[] = [];
      const made = inputs.map((input, index) => {
        const own: Hole[] = [];
        const copy: KeyedTransactionInput = { ...input };
        for (const id of ids) {
          const value = copy[id];
          if (value === undefined) continue;
          put(own, id, spelled(id, value), (token) => {
            copy[id] = token;
          });
        }
        if (paths.length > 0 && copy.metadata !== undefined)
          copy.metadata = putPaths(own, copy.metadata);
        for (const hole of own) holes.push({ ...hole, index });
        return copy;
      });
      if (holes.length === 0) return { inputs: made, fresh: new Set(), store: async () => made };
      return await drafted(made, holes, subjects);
    },
    withErased: (repeated) => withErased(repeated, { ids, paths, subjects }),
    async seek(field, value) {
      const text = spelled(field, isPersonalId(field) ? value : canonicalJson(value));
      const [looked] = await subjects.look([{ field, text }]);
      return looked?.token;
    },
    async tokensOf(field, values) {
      const clear = values.filter((value) => !isToken(field, value));
      const wanted = clear.map((value) => ({ field, text: spelled(field, value) }));
      const tokens = await subjects.nameAll(wanted);
      const tokenOfClear = new Map(clear.map((value, nth) => [value, tokens[nth]]));
      return values.map((value) => tokenOfClear.get(value) ?? value);
    },
    async find(asked) {
      const copy: Members = Object.fromEntries(Object.entries(asked));
      const holes: Hole[] = [];
      for (const id of ids) {
        const value = copy[id];
        if (typeof value !== 'string' || isToken(id, value)) continue;
        put(holes, id, spelled(id, value), (token) => {
          copy[id] = token;
        });
      }
      if (paths.length > 0 && typeof copy['metadata'] === 'object' && copy['metadata'] !== null)
        copy['metadata'] = putPaths(holes, copy['metadata']);
      if (holes.length > 0) {
        const looked = await subjects.look(holes);
        for (const [nth, { field, fill }] of holes.entries())
          fill(looked[nth]?.token ?? nobodys(field));
      }
      return copy as typeof asked;
    },
    reveal: (text) => revealIn(text, { ids, paths, subjects }),
  };
}

/** Makes a token that no row has, as a query for an unknown value makes no subject. */
const nobodys = (field: string): string => tokenOf(field, randomBytes(16).toString('hex'));

/**
 * Finds the tokens of inputs whose values are not all in memory, and drafts subjects for new values, which are stored once the request
 * is admitted.
 * @param inputs with holes, which are filled in place
 */
async function drafted(
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
      // Inputs with one value get one token, so that repetitions within the request stay repetitions.
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

/** Puts stored tokens that lead nowhere any more in the place of an input's own ones. */
async function withErased(
  repeated: readonly Repeated[],
  { subjects, ...declared }: Declared & { readonly subjects: Pick<Subjects, 'living'> },
): Promise<readonly KeyedTransactionInput[]> {
  const all = repeated.map((transaction) => copyOf(transaction, declared));
  const tokens = all.flatMap(({ swaps }) => swaps.map(({ token }) => token));
  const living = tokens.length === 0 ? new Set() : await subjects.living(tokens);
  return all.map(({ copy, swaps }) => {
    for (const { token, fill } of swaps) if (!living.has(token)) fill();
    return copy;
  });
}

/** A copy of the input, with a swap wherever the stored row has another token. */
function copyOf({ input, stored }: Repeated, { ids, paths }: Declared) {
  const copy: KeyedTransactionInput = { ...input };
  const swaps: Swap[] = [];
  for (const id of ids) {
    const token = stored[id];
    if (token === null || copy[id] === undefined || copy[id] === token) continue;
    const fill = () => {
      copy[id] = token;
    };
    swaps.push({ token, fill });
  }
  if (paths.length === 0 || copy.metadata === undefined) return { copy, swaps };
  const metadata: unknown = structuredClone(copy.metadata);
  for (const { path } of paths) {
    const tokens: unknown[] = [];
    walkPath(stored.metadata, path, (holder, name) => tokens.push(holder[name]));
    walkPath(metadata, path, (holder, name) => {
      const token = tokens.shift();
      if (typeof token !== 'string' || token === holder[name]) return;
      const fill = () => {
        holder[name] = token;
      };
      swaps.push({ token, fill });
    });
  }
  copy.metadata = metadata;
  return { copy, swaps };
}
