/**
 * Answers in memory, as the text that is sent. An answer that may change has a version, which is a position in what the engine
 * writes anyway. An answer is served only if its version was compared with the current one within the last PROOF_MS, so writers
 * send no invalidation.
 */
import { LRUCache } from 'lru-cache';
import { isPrimaryAway } from '../process/primary-away.ts';

/** How long a proof of an answer's version counts: below the promised second, so that a slow proof still keeps it. */
export const PROOF_MS = 750;
/** An answer of this share of its longest age is made anew in the background, while it is served. */
const REFRESH_SHARE = 0.8;
/** Memory of an entry beside its text and key: objects, the place in the cache, headers. */
const ENTRY_BYTES = 700;

/** Answers of one version are equal. Undefined: unknown, or about to change. */
export type Version = string | undefined;

/** An answer as it is sent: JSON. */
export type AnswerText = { readonly text: string };

export type MadeAnswer = AnswerText & {
  /** Read before the answer, or in its snapshot. Without one it is served for PROOF_MS. */
  readonly version: Version;
  /** How far the answer may lag, as a replica gave a part of it; undefined where none did. */
  readonly lagMs: number | undefined;
};

export type ServedAnswer = {
  readonly answer: AnswerText;
  /** The answer holds everything stored longer ago than this; undefined where the primary gave it for this read. */
  readonly ageMs: number | undefined;
};

export type AnswerCache<Question> = ReturnType<typeof createAnswerCache<Question>>;

export type AnswerCacheOptions<Question> = {
  readonly bytesMax: number;
  readonly keyOf: (question: Question) => string;
  /** An older answer is not served. */
  readonly ageMsMax: (question: Question) => number;
  /** Makes the answer, of the primary alone where the caller prefers the primary. */
  readonly make: (question: Question, isPrimaryAlone: boolean) => Promise<MadeAnswer | undefined>;
  /** The version of now; null for answers that never change. */
  readonly readVersion: ((question: Question) => Promise<Version>) | null;
  /** The cache, as metrics name it. */
  readonly name: (question: Question) => string;
  readonly metrics: CacheMetrics;
  /** Monotonic; another one in tests. */
  readonly nowMs?: () => number;
};

type Counter = {
  readonly inc: (labels: { readonly cache: string; readonly tier: 'memory' }) => void;
};
/** A hit is answered without a `make` of its own. */
export type CacheMetrics = { readonly cacheHits: Counter; readonly cacheMisses: Counter };

type Entry = MadeAnswer & {
  readonly madeMs: number;
  /** When the version was last asked for, and was the answer's. */
  provenMs: number;
  /** The proof under way. */
  proof: Promise<boolean> | undefined;
};

const BYTES_MAX = 1024 * 1024;
/** No version says whether a sample is still the same, so this age bounds how wrong an answer may be. */
const AGE_MS_MAX = 60_000;

/** A cache that runs one `make` of a question at a time, which all callers that ask meanwhile share. */
export function createAnswerCache<Question>(options: AnswerCacheOptions<Question>) {
  const { bytesMax, keyOf, ageMsMax, make, readVersion, name, metrics } = options;
  const { nowMs = () => performance.now() } = options;
  const count = (isHit: boolean, question: Question) => {
    const labels = { cache: name(question), tier: 'memory' } as const;
    (isHit ? metrics.cacheHits : metrics.cacheMisses).inc(labels);
  };
  let makes = 0;
  let changedMs = Number.NEGATIVE_INFINITY;
  const entries = new LRUCache<string, Entry, { readonly question: Question }>({
    maxSize: bytesMax,
    sizeCalculation: ({ text }, key) => ENTRY_BYTES + bytesOf(text) + bytesOf(key),
    // An answer without room is given all the same, and a failed refresh leaves the answer that is there.
    ignoreFetchAbort: true,
    noDeleteOnFetchRejection: true,
    fetchMethod: async (_key, _stale, { context }) => {
      makes += 1;
      const madeMs = nowMs();
      const made = await make(context.question, false);
      return made && { ...made, madeMs, provenMs: madeMs, proof: undefined };
    },
  });
  const makeShared = (key: string, question: Question) =>
    entries.fetch(key, { forceRefresh: true, context: { question } });
  const begin = (key: string, question: Question) => {
    const before = makes;
    const making = makeShared(key, question);
    return { making, isShared: makes === before };
  };
  const prove = async (entry: Entry, question: Question) => {
    const askedMs = nowMs();
    const isCurrent = (await readVersion?.(question)) === entry.version;
    if (isCurrent) entry.provenMs = askedMs;
    return isCurrent;
  };
  const holds = async (entry: Entry, question: Question) => {
    if (entry.version === undefined) return false;
    if (entry.proof !== undefined) {
      if (!(await entry.proof)) return false;
      // A proof that was begun before the caller's own change does not count.
      if (isProven(entry)) return true;
    }
    entry.proof ??= prove(entry, question).finally(() => {
      entry.proof = undefined;
    });
    return await entry.proof;
  };
  const isProven = ({ provenMs }: Entry) =>
    readVersion === null || (nowMs() - provenMs < PROOF_MS && provenMs > changedMs);
  /** Makes the answer, or shares one that is being made, unless that was begun before the caller's own change, or too long ago. */
  const obtain = async (key: string, question: Question) => {
    const sinceMs = Math.max(changedMs, nowMs() - PROOF_MS);
    const { making, isShared } = begin(key, question);
    count(isShared, question);
    const made = await making;
    const mayLack = isShared && readVersion !== null && made !== undefined;
    if (!mayLack || made.madeMs > sinceMs) return { made, isShared };
    return { made: await begin(key, question).making, isShared };
  };
  const isYoung = ({ madeMs }: Entry, question: Question) => nowMs() - madeMs < ageMsMax(question);
  const serveKept = (kept: Entry, key: string, question: Question): ServedAnswer => {
    count(true, question);
    const ageMs = nowMs() - kept.madeMs;
    if (ageMs > REFRESH_SHARE * ageMsMax(question)) {
      // A caller that asks later finds the failure, if the failure lasts.
      makeShared(key, question).catch(() => undefined);
    }
    return { answer: kept, ageMs: ageMs + (kept.lagMs ?? 0) };
  };
  return {
    /** Lets no earlier proof count: the caller has changed something. */
    proveAnew: () => {
      changedMs = nowMs();
    },
    /**
     * Undefined where `make` has no answer. An answer in memory may lack what a caller that prefers the primary has written, so the
     * answer of such a caller is made for the call.
     */
    async read(question: Question, isPrimaryAlone = false): Promise<ServedAnswer | undefined> {
      if (isPrimaryAlone) {
        const made = await make(question, true);
        return made && { answer: made, ageMs: made.lagMs };
      }
      // Answers of a replica that stands in are served only while the primary is away.
      const key = (isPrimaryAway() ? 'away ' : '') + keyOf(question);
      const kept = entries.get(key);
      if (kept !== undefined && isYoung(kept, question)) {
        if (isProven(kept) || (await holds(kept, question))) return serveKept(kept, key, question);
      }
      const { made, isShared } = await obtain(key, question);
      if (made === undefined) return undefined;
      return { answer: made, ageMs: isShared ? nowMs() - made.madeMs : made.lagMs };
    },
  };
}

/** V8 keeps a text of Latin-1 in one byte a character, and any other in two. */
function bytesOf(text: string): number {
  return Buffer.byteLength(text) === text.length ? text.length : 2 * text.length;
}

/**
 * Answers made of samples, in memory for a minute: each takes up to some seconds, so one a minute and question is made.
 * @param name the label of its metrics
 */
export function createSampleCache<Question>(
  name: string,
  metrics: CacheMetrics,
  keyOf: (question: Question) => string,
  make: (question: Question) => Promise<object>,
): (question: Question) => Promise<AnswerText> {
  const cache = createAnswerCache<Question>({
    name: () => name,
    metrics,
    bytesMax: BYTES_MAX,
    keyOf,
    ageMsMax: () => AGE_MS_MAX,
    make: async (question) => {
      const text = JSON.stringify(await make(question));
      return { text, version: undefined, lagMs: undefined };
    },
    readVersion: null,
  });
  return async (question) => {
    const served = await cache.read(question);
    if (served === undefined) throw new Error(`${name} always have an answer`);
    return served.answer;
  };
}
