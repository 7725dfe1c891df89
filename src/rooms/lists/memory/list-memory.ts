/**
 * Answers of lists about the parties of a batch. A process has each list as a set that may have too much and never lacks an open entry;
 * what the set has is looked up in Postgres, whose clock decides. Versions are followed, and a batch is answered from versions that
 * are 1.5 s old at most: values of a list whose set is behind its version are all looked up.
 */
import { hash } from 'node:crypto';
import type { ListAnswerOf, Lists, Parties } from '../../../core/score/rules/rule-inputs.ts';
import { type Changes, STALE_MS } from '../../../kit/database/follow-changes.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { addressOf } from '../value.ts';
import { type AddressIndex, createAddressIndex } from './address-index.ts';
import { createHashIndex, type HashIndex } from './hash-index.ts';
import {
  LISTS_MARK,
  type ListVersion,
  lookExactly,
  PAGE_ROWS,
  type Question,
  readAdded,
  readOpen,
  readVersions,
} from './read-entries.ts';

const EVERY_MS = 500;
/** Looks in vain, as for ended entries, after which a set is read anew; and how long it is used before. */
const VAIN_MAX = 1000;
const RENEW_MS_MIN = 60_000;

/** A bit for each transaction: the lowest bit of the first byte is the first transaction's. */
type BitColumn = Uint8Array;

export type ListMemory = Lists & {
  /** Bytes of all sets. */
  readonly bytes: () => number;
  /** Reads versions, and the entries behind them. */
  readonly refresh: () => Promise<void>;
};

type OpenSet =
  | (HashIndex & { readonly isAddresses: false })
  | (AddressIndex & { readonly isAddresses: true });
type KnownList = {
  facts: ListVersion;
  /** Undefined until the list has been read. */
  set: OpenSet | undefined;
  /** The version that the set has all entries of. */
  version: number;
  vain: number;
  readAtMs: number;
};

/**
 * @param database in a worker the probe's: readings that pass would hide from the breaker that work stalls
 * @param seed is secret, so that nobody makes texts that share a hash
 */
export function openListMemory(
  { query }: Pick<Database, 'query'>,
  changes: Pick<Changes, 'follow'>,
  seed: number,
): ListMemory {
  /** Lists that were ever asked for; no others are read. */
  const wanted = new Set<string>();
  let versions: readonly ListVersion[] = [];
  let known = new Map<string, KnownList>();
  const know = () => {
    const asked = versions.filter(({ name }) => wanted.has(name));
    known = new Map(
      asked.map((facts) => {
        const list = known.get(facts.name) ?? unreadList(facts);
        list.facts = facts;
        return [facts.name, list];
      }),
    );
  };
  const followed = changes.follow({
    name: 'lists',
    mark: LISTS_MARK,
    async load() {
      versions = await readVersions(query);
      know();
    },
  });

  const catchUp = async (signal?: AbortSignal) => {
    for (const list of known.values()) {
      if (signal?.aborted) return;
      await readList(query, list, seed);
    }
  };

  return {
    async answers(transactions, names) {
      const isNew = names.some((name) => !wanted.has(name));
      // A list may be as new as the first question for it.
      if (isNew) await followed.refresh();
      // Pages of a long list may delay both readings that this waits for.
      while (followed.ageMs() > STALE_MS) await followed.fresh();
      if (isNew) {
        for (const name of names) wanted.add(name);
        know();
      }
      const lists = names.flatMap((name) => known.get(name) ?? []);
      const asked = new Map<string, Asked>();
      for (const list of lists) collect(list, transactions, asked);
      const found = await lookExactly(query, [...asked.values()]);
      for (const question of asked.values()) {
        if (question.isOfSet && !found.has(question)) question.of.vain++;
      }
      return toAnswers(lists, transactions.length, found);
    },
    // Versions are followed also while a long list is caught up with.
    duties: [{ name: 'list-entries', everyMs: EVERY_MS, run: catchUp }],
    bytes: () => [...known.values()].reduce((sum, { set }) => sum + (set?.bytes() ?? 0), 0),
    async refresh() {
      await followed.refresh();
      await catchUp();
    },
  };
}

/** Brings the set up to the version that is known; a set that is asked in vain too often is read anew. */
async function readList(query: Query, list: KnownList, seed: number): Promise<void> {
  const { facts, version, set } = list;
  const isWorn = list.vain >= VAIN_MAX && performance.now() - list.readAtMs > RENEW_MS_MIN;
  if (set === undefined || isWorn || version < facts.bulkVersion) {
    return await readAnew(query, list, seed);
  }
  if (version === facts.version) return;
  const rows = await readAdded(query, facts.name, version);
  const isTaken = rows.length <= PAGE_ROWS && rows.every(({ value }) => set.add(value) !== false);
  if (isTaken) list.version = facts.version;
  else await readAnew(query, list, seed);
}

async function readAnew(query: Query, list: KnownList, seed: number): Promise<void> {
  const { facts } = list;
  const set = await readSet(query, facts, seed);
  Object.assign(list, { set, version: facts.version, vain: 0, readAtMs: performance.now() });
}

async function readSet(query: Query, facts: ListVersion, seed: number): Promise<OpenSet> {
  if (facts.kind === 'address') {
    const set = createAddressIndex();
    for await (const page of readOpen(query, facts)) page.forEach(set.append);
    return { ...set, isAddresses: true };
  }
  const set = createHashIndex(seed);
  for await (const page of readOpen(query, facts)) page.forEach(set.add);
  await set.settle(nextTurn);
  return { ...set, isAddresses: false };
}

const unreadList = (facts: ListVersion): KnownList => ({
  facts,
  set: undefined,
  version: 0,
  vain: 0,
  readAtMs: 0,
});

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

function toAnswers(
  lists: readonly KnownList[],
  count: number,
  found: ReadonlySet<Asked>,
): ListAnswerOf {
  const columns = new Map<string, BitColumn>(
    lists.map(({ facts }) => [facts.name, new Uint8Array((count + 7) >> 3)]),
  );
  for (const { list, rows } of found) {
    const column = columns.get(list) ?? new Uint8Array();
    for (const nth of rows) column[nth >> 3] = (column[nth >> 3] ?? 0) | (1 << (nth & 7));
  }
  return (list, nth) => {
    const column = columns.get(list);
    return column && (((column[nth >> 3] ?? 0) >> (nth & 7)) & 1) === 1;
  };
}

/** A question with the transactions that ask it. */
type Asked = Question & {
  readonly of: KnownList;
  readonly rows: number[];
  /** Whether the set may have the value; otherwise the set is behind. */
  readonly isOfSet: boolean;
};

/** Adds the questions that the set does not answer with no. */
function collect(
  list: KnownList,
  transactions: readonly Parties[],
  asked: Map<string, Asked>,
): void {
  const { facts, version } = list;
  // A set that is behind may lack what was added since.
  const set = version < facts.version ? undefined : list.set;
  const isOfSet = set !== undefined;
  for (const [nth, transaction] of transactions.entries()) {
    for (const value of valuesOf(facts.kind, transaction)) {
      if (set !== undefined && !mayHave(set, value)) continue;
      const key = `${facts.name} ${value}`;
      const known = asked.get(key);
      if (known !== undefined) known.rows.push(nth);
      else {
        const { name, kind } = facts;
        const text = kind === 'address' ? addressOf(value).text : value;
        asked.set(key, { list: name, kind, value: text, of: list, rows: [nth], isOfSet });
      }
    }
  }
}

const mayHave = (set: OpenSet, value: string) =>
  set.isAddresses ? set.has(addressOf(value).bytes) : set.has(value);

function valuesOf(
  kind: ListVersion['kind'],
  { accountId, merchantId, deviceId, ip, country }: Parties,
): readonly string[] {
  switch (kind) {
    case 'account':
      return [accountId];
    case 'merchant':
      return [merchantId];
    case 'device':
      return some(deviceId);
    case 'address':
      return some(ip);
    case 'country':
      return some(country);
    case 'hash':
      return [accountId, merchantId, ...some(deviceId)].map(sha256);
  }
}
const some = (value: string | null) => (value === null ? [] : [value]);
const sha256 = (text: string) => hash('sha256', text);
