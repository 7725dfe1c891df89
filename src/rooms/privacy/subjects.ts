/**
 * Subjects: each is one value of one personal field, found by HMAC(market key, field and value). Nobody can make a token again
 * without the subject's own key, which an erasure deletes with the row.
 */
import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { isToken, type PersonalId, tokenOf, walkPath } from '../../core/domain/personal.ts';
import { hmacOf, lookupIn, openSealed, wrappingKey } from '../../core/store/subject-lookup.ts';
import { KEY_BYTES, seal } from '../../kit/access/seal.ts';
import type { WrappingKey, WrappingKeys } from '../../kit/config/privacy-settings.ts';
import { byteaArray, hexUuidArray, textArray } from '../../kit/database/binary-array.ts';
import type { Database } from '../../kit/database/pool.ts';
import { unnoted } from '../../kit/process/note-commits.ts';
import { Failure } from '../../kit/words/failure.ts';
import { findLiving, findTokens, insertSubjects, readSubjects, type Subject } from './store.ts';

/** Values of a field in memory, 250 bytes each. Larger: more memory of an API process; smaller: more look-ups. */
const TOKENS_MAX = 100_000;
/** Clear values in memory. Larger: more memory; smaller: more look-ups for answers. */
const VALUES_MAX = 10_000;
/** Values of one statement. Larger: longer statements; smaller: more of them for a large request. */
const STATEMENT_VALUES_MAX = 5000;

export type Wanted = { readonly field: string; readonly text: string };
/**
 * A subject in memory, with a key and a token of its own. Limits count the value by `countedAs`, which all requests and processes
 * make alike: by tokens of their own, as many requests as come at once would pass.
 */
type Draft = Wanted & { readonly key: Buffer; readonly token: string; readonly countedAs: string };
/** A value by its lookup; the token is undefined where the value has no subject. */
type Looked = { readonly lookup: string; readonly token: string | undefined };
/** Drafts by the lookups of their values. */
type Drafts = ReadonlyMap<string, Draft>;

export type Subjects = ReturnType<typeof openSubjects>;

type Opened = {
  readonly database: Pick<Database, 'query' | 'write'>;
  readonly keys: WrappingKeys;
  readonly marketKey: Buffer;
};

type Members = Record<string, unknown>;
export type Declarations = {
  readonly ids: readonly PersonalId[];
  readonly paths: readonly { readonly path: readonly string[] }[];
  readonly subjects: Pick<Subjects, 'reveal'>;
};

export function openSubjects({ database, keys, marketKey }: Opened) {
  const lookupHmac = hmacOf(marketKey);
  let [wrapping] = keys;
  const tokens = new Map<string, LRUCache<string, string>>();
  const values = new LRUCache<string, string>({ max: VALUES_MAX });
  const tokensOf = (field: string) => {
    const known = tokens.get(field);
    if (known !== undefined) return known;
    const own = new LRUCache<string, string>({ max: TOKENS_MAX });
    tokens.set(field, own);
    return own;
  };
  const lookupOf = ({ field, text }: Wanted) => lookupIn(lookupHmac, field, text);

  /** Reads tokens back after the insert, as another request may have made a value first. */
  const store = async (drafts: Drafts) => {
    const keyId = await insert(database, wrapping, drafts);
    if (keyId !== wrapping.keyId) {
      wrapping = wrappingKey(keys, keyId);
      await insert(database, wrapping, drafts);
    }
    const lookups = [...drafts.keys()];
    const tokens = await findTokens(database.query, lookups);
    const kept = new Map<string, string>();
    for (const [nth, [lookup, { field, text }]] of [...drafts].entries()) {
      const token = tokens[nth] ?? gone();
      tokensOf(field).set(text, token);
      kept.set(lookup, token);
    }
    return kept;
  };
  const lookUp = async (wanted: readonly Wanted[]): Promise<Looked[]> => {
    const lookups = wanted.map(lookupOf);
    const tokens = await findTokens(database.query, lookups);
    return lookups.map((lookup, nth) => {
      const token = tokens[nth] ?? undefined;
      const { field, text } = wanted[nth] ?? gone();
      if (token !== undefined) tokensOf(field).set(text, token);
      return { lookup, token };
    });
  };
  return {
    /** Returns the token of a value that is in memory. */
    recall: (field: string, text: string) => tokensOf(field).get(text),
    /** Looks values up, in their order. */
    look: (wanted: readonly Wanted[]) => inParts(wanted, lookUp),
    /** Looks values up, and drafts a subject for each that has none. */
    async draft(wanted: readonly Wanted[]) {
      const looked = await inParts(wanted, lookUp);
      const drafts = new Map<string, Draft>();
      for (const [nth, { lookup, token }] of looked.entries())
        if (token === undefined && !drafts.has(lookup))
          drafts.set(lookup, draftOf(lookupHmac(`counted\0${lookup}`), wanted[nth]));
      return { looked, drafts };
    },
    /** Returns the tokens of values, and makes a subject for each that has none. */
    async nameAll(wanted: readonly Wanted[]): Promise<string[]> {
      const { looked, drafts } = await this.draft(wanted);
      const made = await this.store(drafts);
      return looked.map(({ lookup, token }) => token ?? made.get(lookup) ?? gone());
    },
    /** Stores drafts. @returns the tokens by lookup; where another request was first, the tokens of its subjects */
    async store(drafts: Drafts): Promise<ReadonlyMap<string, string>> {
      const parts = await inParts([...drafts], async (part) => [...(await store(new Map(part)))]);
      return new Map(parts);
    },
    /** Returns the tokens that have a subject now, whatever this process remembers. */
    living: async (asked: readonly string[]) =>
      new Set((await findLiving(database.query, asked)).map(({ token }) => token)),
    /** Returns the JSON texts of values by token, without tokens that have no subject. */
    async reveal(asked: readonly string[]) {
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

function draftOf(counted: string, { field, text }: Wanted = gone()): Draft {
  const key = randomBytes(KEY_BYTES);
  const token = tokenOf(field, hmacOf(key)(text));
  return { field, text, key, token, countedAs: tokenOf(field, counted) };
}

/** @returns the id of the key that wraps the market's key; if the id is another than `wrapping` has, nothing was inserted */
async function insert(
  database: Opened['database'],
  { keyId, key: wrapping }: WrappingKey,
  drafts: Drafts,
): Promise<string> {
  const made = [...drafts].sort(([left], [right]) => (left < right ? -1 : 1));
  const rows = made.map(([lookup, { field, text, key, token }]) => {
    const value = Buffer.from(jsonOf(field, text));
    return {
      lookup,
      field,
      token,
      key: seal(wrapping, key, token),
      value: seal(key, value, token),
    };
  });
  const columns = [
    hexUuidArray(rows.map(({ lookup }) => lookup)),
    textArray(rows.map(({ token }) => token)),
    textArray(rows.map(({ field }) => field)),
    keyId,
    byteaArray(rows.map(({ key }) => key)),
    byteaArray(rows.map(({ value }) => value)),
  ];
  const write = () => database.write<{ keyId: string }>(insertSubjects, columns);
  const [state] = await unnoted(write);
  return state?.keyId ?? gone();
}

/** Works on parts of a bounded size, one after another. */
async function inParts<One, Result>(
  all: readonly One[],
  work: (part: readonly One[]) => Promise<readonly Result[]>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let from = 0; from < all.length; from += STATEMENT_VALUES_MAX)
    results.push(...(await work(all.slice(from, from + STATEMENT_VALUES_MAX))));
  return results;
}

const gone = (): never => {
  throw new Failure('unavailable', 'SUBJECT_GONE', 'a subject was erased while it was made');
};

/** The value as JSON text; values of metadata are JSON texts already. */
const jsonOf = (field: string, text: string) =>
  field.startsWith('metadata.') ? text : JSON.stringify(text);

/** Decrypts the value of a row, a JSON text. */
export function open(keys: WrappingKeys, { token, keyId, subjectKey, value }: Subject): string {
  const key = openSealed(wrappingKey(keys, keyId).key, subjectKey, token);
  return openSealed(key, value, token).toString();
}

/**
 * Replaces tokens by clear values in declared fields of an answer alone, as a client may write a token into any other field.
 * @param text JSON
 */
export async function revealIn(
  text: string,
  { ids, paths, subjects }: Declarations,
): Promise<string> {
  const answer: unknown = JSON.parse(text);
  const tokens: string[] = [];
  const found: { readonly holder: Members; readonly name: string }[] = [];
  const note = (holder: Members, name: string) => {
    const value = holder[name];
    if (typeof value !== 'string') return;
    tokens.push(value);
    found.push({ holder, name });
  };
  walk(answer, (holder) => {
    for (const id of ids) {
      const value = holder[id];
      if (typeof value === 'string' && isToken(id, value)) note(holder, id);
    }
    for (const { path } of paths) walkPath(holder['metadata'], path, note);
  });
  if (tokens.length === 0) return text;
  const values = await subjects.reveal(tokens);
  for (const { holder, name } of found) {
    const value = values.get(String(holder[name]));
    if (value !== undefined) holder[name] = JSON.parse(value);
  }
  return JSON.stringify(answer);
}

/** Visits each object of an answer, but none within metadata. */
function walk(value: unknown, each: (holder: Members) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const element of value) walk(element, each);
    return;
  }
  // Arrays and values without members have returned above.
  each(value as Members);
  for (const [name, member] of Object.entries(value)) if (name !== 'metadata') walk(member, each);
}
