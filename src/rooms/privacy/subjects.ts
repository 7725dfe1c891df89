/**
 * Subjects: each is one value of one personal field, found by HMAC(market key, field and value). Nobody can make a token again
 * without the subject's own key, which an erasure deletes with the row.
 */
import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { tokenOf } from '../../core/domain/personal.ts';
import type { WrappingKeys } from '../../kit/config/privacy-settings.ts';
import { byteaArray, hexUuidArray, textArray } from '../../kit/database/binary-array.ts';
import type { Database } from '../../kit/database/pool.ts';
import { Failure } from '../../kit/words/failure.ts';
import { hmacOf, KEY_BYTES, seal, unseal, wrappingKey } from './seal.ts';
import { findTokens, insertSubjects, readSubjects, type Subject } from './store.ts';

/** Values of a field in memory, 250 bytes each. Larger: more memory of an API process; smaller: more look-ups. */
const TOKENS_MAX = 100_000;
/** Clear values in memory. Larger: more memory; smaller: more look-ups for answers. */
const VALUES_MAX = 10_000;
/** Values of one statement. Larger: longer statements; smaller: more of them for a large request. */
const STATEMENT_VALUES_MAX = 5000;

export type Wanted = { readonly field: string; readonly text: string };

export type Subjects = {
  /** Returns the token of a value that is in memory. */
  readonly recall: (field: string, text: string) => string | undefined;
  /** Returns the tokens of values in their order; undefined for an unknown value unless `isMade`. */
  readonly look: (
    wanted: readonly Wanted[],
    isMade: boolean,
  ) => Promise<readonly (string | undefined)[]>;
  /** Returns the JSON texts of values by token, without tokens that have no subject. */
  readonly reveal: (tokens: readonly string[]) => Promise<ReadonlyMap<string, string>>;
};

type Opened = {
  readonly database: Pick<Database, 'query' | 'write'>;
  readonly keys: WrappingKeys;
  readonly marketKey: Buffer;
};

export function openSubjects({ database, keys, marketKey }: Opened): Subjects {
  const lookupHmac = hmacOf(marketKey);
  const tokens = new Map<string, LRUCache<string, string>>();
  const values = new LRUCache<string, string>({ max: VALUES_MAX });
  const tokensOf = (field: string) => {
    const known = tokens.get(field);
    if (known !== undefined) return known;
    const own = new LRUCache<string, string>({ max: TOKENS_MAX });
    tokens.set(field, own);
    return own;
  };
  const lookupOf = ({ field, text }: Wanted) => lookupHmac(`${field}\0${text}`).slice(0, 32);

  const make = async (fresh: ReadonlyMap<string, Wanted>) => {
    const [{ keyId, key: wrapping }] = keys;
    const made = [...fresh].sort(([one], [other]) => (one < other ? -1 : 1));
    const rows = made.map(([lookup, { field, text }]) => {
      const key = randomBytes(KEY_BYTES);
      const token = tokenOf(field, hmacOf(key)(text));
      const value = Buffer.from(jsonOf(field, text));
      return {
        lookup,
        field,
        token,
        key: seal(wrapping, key, token),
        value: seal(key, value, token),
      };
    });
    await database.write(insertSubjects, [
      hexUuidArray(rows.map(({ lookup }) => lookup)),
      textArray(rows.map(({ token }) => token)),
      textArray(rows.map(({ field }) => field)),
      keyId,
      byteaArray(rows.map(({ key }) => key)),
      byteaArray(rows.map(({ value }) => value)),
    ]);
  };
  /** Reads tokens back after the insert, as another request may have made a value first. */
  const makeFresh = async (fresh: ReadonlyMap<string, Wanted>) => {
    await make(fresh);
    const lookups = [...fresh.keys()];
    const tokens = await findTokens(database.query, lookups);
    return new Map(lookups.map((lookup, nth) => [lookup, tokens[nth] ?? gone()]));
  };
  const lookUp = async (wanted: readonly Wanted[], isMade: boolean) => {
    const lookups = wanted.map(lookupOf);
    const tokens = await findTokens(database.query, lookups);
    const fresh = new Map<string, Wanted>();
    for (const [nth, one] of wanted.entries()) {
      const token = tokens[nth];
      if (typeof token === 'string') tokensOf(one.field).set(one.text, token);
      else fresh.set(lookups[nth] ?? '', one);
    }
    if (fresh.size === 0 || !isMade) return tokens.map((token) => token ?? undefined);
    const made = await makeFresh(fresh);
    for (const [lookup, token] of made) {
      const { field, text } = fresh.get(lookup) ?? gone();
      tokensOf(field).set(text, token);
    }
    return tokens.map((token, nth) => token ?? made.get(lookups[nth] ?? ''));
  };

  return {
    recall: (field, text) => tokensOf(field).get(text),
    async look(wanted, isMade) {
      if (wanted.length <= STATEMENT_VALUES_MAX) return await lookUp(wanted, isMade);
      const first = await lookUp(wanted.slice(0, STATEMENT_VALUES_MAX), isMade);
      return [...first, ...(await this.look(wanted.slice(STATEMENT_VALUES_MAX), isMade))];
    },
    async reveal(asked) {
      const distinct = [...new Set(asked)];
      const missing = distinct.filter((token) => !values.has(token));
      const rows = missing.length === 0 ? [] : await readSubjects(database.query, missing);
      for (const row of rows) values.set(row.token, open(keys, row));
      const found = new Map<string, string>();
      for (const token of distinct) {
        const value = values.get(token);
        if (value !== undefined) found.set(token, value);
      }
      return found;
    },
  };
}

const gone = (): never => {
  throw new Failure('unavailable', 'SUBJECT_GONE', 'a subject was erased while it was made');
};

/** The value as JSON text; values of metadata are JSON texts already. */
const jsonOf = (field: string, text: string) =>
  field.startsWith('metadata.') ? text : JSON.stringify(text);

/** Decrypts the value of a row, a JSON text. */
export function open(keys: WrappingKeys, { token, keyId, subjectKey, value }: Subject): string {
  const key = unseal(wrappingKey(keys, keyId).key, subjectKey, token);
  return unseal(key, value, token).toString();
}
