/**
 * Answers of lists about the parties of a batch. A process has each list as a set that may have too much and never lacks an open entry;
 * what the set has is looked up in Postgres, whose clock decides. Versions are read twice a second, and a batch is answered from
 * versions that are 1.5 s old at most: values of a list whose set is behind its version are all looked up.
 */
import { createHash } from 'node:crypto';
import type { Transaction } from '../../../core/domain/transaction.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import type { Log } from '../../../kit/metrics/log.ts';
import { toError } from '../../../kit/words/failure.ts';
import { addressOf } from '../value.ts';
import { type AddressIndex, createAddressIndex } from './address-index.ts';
import { createHashIndex, type HashIndex } from './hash-index.ts';
import {
  type ListVersion,
  lookExactly,
  PAGE_ROWS,
  type Question,
  readAdded,
  readOpen,
  readVersions,
} from './read-entries.ts';

const EVERY_MS = 500;
/** A batch that comes later waits for a reading of its own. */
const AGE_MS_MAX = 1500;
/** Looks in vain, as for ended entries, after which a set is read anew; and how long it is used before. */
const VAIN_MAX = 1000;
const RENEW_MS_MIN = 60_000;

export type Parties = Pick<Transaction, 'accountId' | 'merchantId' | 'deviceId' | 'ip' | 'country'>;

/** A bit for each transaction: the lowest bit of the first byte is the first transaction's. */
export type BitColumn = Uint8Array;
export const hasBit = (column: BitColumn, nth: number): boolean =>
  (((column[nth >> 3] ?? 0) >> (nth & 7)) & 1) === 1;

/** Answers of all lists about one batch. */
export type ListAnswers = ReadonlyMap<string, BitColumn>;

export type ListMemory = {
  /** @throws Failure where Postgres does not answer */
  readonly answers: (transactions: readonly Parties[]) => Promise<ListAnswers>;
  /** The lists and versions that answers are of. */
  readonly lists: () => readonly ListVersion[];
  /** Bytes of all sets. */
  readonly bytes: () => number;
  /** Reads versions, and the entries behind them. */
  readonly refresh: () => Promise<void>;
  readonly [Symbol.dispose]: () => void;
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
type Options = { readonly seed: number; readonly log: Pick<Log, 'warn'> };

/** @param database in a worker the probe's: readings that pass would hide from the breaker that work stalls */
export function openListMemory(
  database: Pick<Database, 'query'>,
  { seed, log }: Options,
): ListMemory {
  const { query } = database;
  let known = new Map<string, KnownList>();
  let checkedAtMs = Number.NEGATIVE_INFINITY;
  const ended = new AbortController();

  let checking: Promise<void> | undefined;
  const check = async () => {
    const startedMs = performance.now();
    const versions = await readVersions(query);
    known = new Map(
      versions.map((facts) => {
        const list = known.get(facts.name) ?? unreadList(facts);
        list.facts = facts;
        return [facts.name, list];
      }),
    );
    checkedAtMs = startedMs;
  };
  /** Callers share a reading that is under way. */
  const checkOnce = () => {
    checking ??= check().finally(() => {
      checking = undefined;
    });
    return checking;
  };

  let catching: Promise<void> | undefined;
  const catchUp = async () => {
    for (const list of known.values()) {
      if (ended.signal.aborted) return;
      await readList(query, list, seed);
    }
  };
  const refresh = async () => {
    await checkOnce();
    catching ??= catchUp().finally(() => {
      catching = undefined;
    });
    await catching;
  };

  let isRefreshing = false;
  const timer = setInterval(async () => {
    // Versions are read also while a long list is caught up with.
    if (isRefreshing) return void checkOnce().catch(() => undefined);
    isRefreshing = true;
    try {
      await refresh();
    } catch (error) {
      log.warn({ err: toError(error).message }, 'the lists could not be read');
    } finally {
      isRefreshing = false;
    }
  }, EVERY_MS);
  timer.unref();

  return {
    async answers(transactions) {
      while (performance.now() - checkedAtMs > AGE_MS_MAX) await checkOnce();
      const lists = [...known.values()];
      const asked = new Map<string, Asked>();
      for (const list of lists) collect(list, transactions, asked);
      const found = await lookExactly(query, [...asked.values()]);
      const columns = new Map(
        lists.map(({ facts }) => [facts.name, new Uint8Array((transactions.length + 7) >> 3)]),
      );
      for (const question of asked.values()) {
        if (!found.has(question)) question.of.vain += question.isOfSet ? 1 : 0;
        else for (const nth of question.rows) setBit(columns.get(question.list), nth);
      }
      return columns;
    },
    lists: () => [...known.values()].map(({ facts }) => facts),
    bytes: () => [...known.values()].reduce((sum, { set }) => sum + (set?.bytes() ?? 0), 0),
    refresh,
    [Symbol.dispose]: () => {
      ended.abort();
      clearInterval(timer);
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
  ...{ facts, set: undefined, version: 0, vain: 0, readAtMs: 0 },
});

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

function setBit(column: BitColumn | undefined, nth: number): void {
  if (column !== undefined) column[nth >> 3] = (column[nth >> 3] ?? 0) | (1 << (nth & 7));
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
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
