/** Tokens at the edge of a market that declares personal fields. */
import ipaddr from 'ipaddr.js';
import { canonicalJson } from '../../core/domain/metadata.ts';
import {
  isPersonalId,
  isToken,
  type PersonalId,
  pathIn,
  walkPath,
} from '../../core/domain/personal.ts';
import type { KeyedTransactionInput } from '../../core/domain/transaction.ts';
import type { Tokens } from '../../core/personal.ts';
import { drafted, type Fill, type Hole, type HoleIn, nobodys } from './draft-tokens.ts';
import { revealIn } from './reveal.ts';
import type { Subjects } from './subjects.ts';
import { withErased } from './with-erased.ts';

type Members = Record<string, unknown>;

/** Gives an address one spelling, so that a list finds the address in any spelling of a client. */
export function spelled(field: string, text: string): string {
  if (field !== 'ip' || !text.includes(':') || !ipaddr.isValid(text)) return text;
  const address = ipaddr.process(text);
  return address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString();
}

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
        put(holes, field, canonicalJson(holder[name]), (token) => {
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
      const text = isPersonalId(field) ? spelled(field, value) : canonicalJson(value);
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
