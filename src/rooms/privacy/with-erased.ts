/** Puts stored tokens that lead nowhere any more in the place of an input's own ones. */
import { type PersonalId, walkPath } from '../../core/domain/personal.ts';
import type { KeyedTransactionInput } from '../../core/domain/transaction.ts';
import type { Repeated } from '../../core/personal.ts';
import type { Subjects } from './subjects.ts';

type Declared = {
  readonly ids: readonly PersonalId[];
  readonly paths: readonly { readonly path: readonly string[] }[];
};
/** A stored token, and a function that puts it in place. */
type Swap = { readonly token: string; readonly fill: () => void };

export async function withErased(
  repeated: readonly Repeated[],
  { subjects, ...declared }: Declared & { readonly subjects: Pick<Subjects, 'living'> },
): Promise<readonly KeyedTransactionInput[]> {
  const all = repeated.map((one) => copyOf(one, declared));
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
