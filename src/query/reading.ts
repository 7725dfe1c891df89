/** What analysts ask, bound once to its adapters: the functions that routes and `Prefer: wait` use. */
import type { ConsistencyToken } from '../domain/consistency-token.ts';
import { given } from '../domain/describe-issue.ts';
import type { ExplanationMethod } from '../domain/explanation.ts';
import { Failure } from '../domain/failure.ts';
import type { LabelListParameters } from '../domain/label-list.ts';
import type { ActiveParty } from '../domain/party.ts';
import type { ScoreJson } from '../domain/score-record.ts';
import type { AnswerText } from './answer-cache.ts';
import {
  type AnswerCaches,
  createAnswerCaches,
  makeSummaries,
  type ReadProfileVersion,
} from './answer-caches.ts';
import { type Databases, requireWrite, withLag } from './choose-database.ts';
import { expandTransaction } from './expand-transaction.ts';
import { explainScore } from './explain-score.ts';
import { readHabit } from './habit.ts';
import type { ModelCache } from './model-cache.ts';
import { type ModelWatchParameters, readModelWatch } from './model-watch.ts';
import { makeProfile } from './party-profile.ts';
import { readScore } from './read-score.ts';
import { readTransaction } from './read-transaction.ts';
import { requireCorridor } from './require-known.ts';
import type { OutcomeDays } from './rule-outcomes.ts';
import { searchScores, searchTransactions } from './search/search.ts';
import type {
  ScoreSearchParameters,
  TransactionSearchParameters,
} from './search/search-parameters.ts';
import { searchLabels } from './search-labels.ts';
import type { ComparisonQuestion } from './shadow-comparison.ts';
import type { SummaryDays, SummaryParameters } from './summary-parameters.ts';
import type { TransactionParameters } from './transaction-json.ts';

export type Reading = ReturnType<typeof createReading>;

/** An answer; `ageMs` is how far it may lag where memory or a replica gave a part of it. */
export type Aged<T> = { readonly answer: T; readonly ageMs: number | undefined };

type ReadingOptions = {
  readonly databases: Databases;
  readonly modelCache: ModelCache;
  /** The names of the corridors that a transaction may name now. */
  readonly corridors: () => ReadonlySet<string>;
  readonly readProfileVersion: ReadProfileVersion;
  readonly metrics: Parameters<typeof createAnswerCaches>[1]['metrics'];
};

export function createReading(options: ReadingOptions) {
  const { databases, modelCache, corridors } = options;
  const { now } = databases;
  const caches = createAnswerCaches(databases, options);
  const { scores, summaries } = caches;
  const findScore = bindFindScore(scores);
  /** @param after  the replica answers only once it has the write of this token */
  const aged = async <T>(
    after: ConsistencyToken | undefined,
    read: (databases: Databases) => Promise<T>,
  ): Promise<Aged<T>> => {
    const { answer, lagMs } = await withLag(requireWrite(databases, after), read);
    return { answer, ageMs: lagMs };
  };
  return {
    ...readSamples(caches),
    ...{ now, forgetProfiles: caches.profiles.forget, peekScore: scores.peek },
    /** Proves answers anew, so that who has posted a label sees it at once in this process. */
    noteLabels: () => {
      caches.profiles.proveAnew();
      summaries.proveAnew();
    },
    /** Finds a score of any client, for a caller that knows the id to be its own. */
    findScore: (transactionId: string) => findScore(transactionId, null),
    readScore: (transactionId: string, client: string | null) =>
      readScore(databases, scores, { transactionId, client }),
    explainScore: (id: string, method: ExplanationMethod, after?: ConsistencyToken) =>
      aged(after, (databases) => explainScore(databases, modelCache, id, method)),
    readHabit: (id: string, after?: ConsistencyToken) =>
      aged(after, (databases) => readHabit(databases, id)),
    searchScores: (parameters: ScoreSearchParameters, after?: ConsistencyToken) =>
      aged(after, (databases) =>
        known(searchScores(databases, parameters), corridors(), parameters),
      ),
    readTransaction: (
      id: string,
      client: string | null,
      parameters: TransactionParameters,
      after?: ConsistencyToken,
    ) =>
      aged(after, async (databases) => {
        const found = await readTransaction(databases, id, client);
        if (found === undefined || parameters.expand === undefined) return found;
        const reads = { databases, modelCache, findScore };
        return await expandTransaction(reads, found, client, parameters.expand);
      }),
    searchLabels: (
      parameters: LabelListParameters,
      client: string | null,
      after?: ConsistencyToken,
    ) => aged(after, (databases) => searchLabels(databases, parameters, client)),
    searchTransactions: (parameters: TransactionSearchParameters, after?: ConsistencyToken) =>
      aged(after, (databases) =>
        known(searchTransactions(databases, parameters), corridors(), parameters),
      ),
    readProfile: (
      party: ActiveParty,
      id: string,
      atMs: number | undefined,
      after?: ConsistencyToken,
    ) => {
      const from = requireWrite(databases, after);
      // Versions are of profiles, which devices lack.
      return after === undefined && atMs === undefined && party !== 'device'
        ? caches.profiles.read({ party, id })
        : readProfile(from, { party, id }, atMs ?? now());
    },
    readModelWatch: (parameters: ModelWatchParameters, after?: ConsistencyToken) =>
      aged(after, (databases) => readModelWatch(databases, parameters)),
    /** What is in memory may lack the write of a token. */
    summarizeDays: async (
      days: SummaryDays,
      parameters: SummaryParameters,
      after?: ConsistencyToken,
    ) => {
      if (after === undefined) return await summaries.read({ days, parameters });
      const from = requireWrite(databases, after);
      const made = await makeSummaries(from, options.corridors, { days, parameters });
      return { answer: made, ageMs: made.lagMs };
    },
  };
}

/** Answers made of samples, from memory for a minute. */
const readSamples = ({
  ruleOutcomes,
  comparisons,
}: Pick<AnswerCaches, 'ruleOutcomes' | 'comparisons'>) => ({
  readRuleOutcomes: async (days: OutcomeDays): Promise<AnswerText> => {
    const outcomes = await ruleOutcomes.read(days);
    if (outcomes === undefined) throw new Error('there are outcomes of any days');
    return outcomes.answer;
  },
  /** @throws Failure `MODEL_UNKNOWN` */
  compareShadow: async (question: ComparisonQuestion): Promise<AnswerText> => {
    const comparison = await comparisons.read(question);
    if (comparison !== undefined) return comparison.answer;
    const why = `no model is registered as ${given(question.reference)}`;
    throw new Failure('not-found', 'MODEL_UNKNOWN', why);
  },
});

/** Finds a score that the client sees; null sees all. */
const bindFindScore =
  (scores: ReturnType<typeof createAnswerCaches>['scores']) =>
  async (transactionId: string, client: string | null): Promise<ScoreJson | undefined> => {
    const served = await scores.read({ transactionId, client });
    return served && (JSON.parse(served.answer.text) as ScoreJson);
  };

/** Refuses an unknown corridor. One that has rows is known, also where it was added after the list was read. */
async function known<Page extends { readonly items: readonly unknown[] }>(
  search: Promise<Page>,
  corridors: ReadonlySet<string>,
  { corridor }: { readonly corridor?: string | undefined },
): Promise<Page> {
  const page = await search;
  if (page.items.length === 0) requireCorridor(corridors, corridor);
  return page;
}

/** Only profiles of now are asked for again and again, so one at a given moment is made for each request. */
async function readProfile(
  databases: Databases,
  question: { readonly party: ActiveParty; readonly id: string },
  atMs: number,
) {
  const made = await makeProfile(databases, question, atMs);
  return made && { answer: made, ageMs: made.lagMs };
}
