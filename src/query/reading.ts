/** What analysts ask, bound once to its adapters: the functions that routes and `Prefer: wait` use. */
import type { ExplanationMethod } from '../domain/explanation.ts';
import type { LabelListParameters } from '../domain/label-list.ts';
import type { ScoreListParameters, TransactionListParameters } from '../domain/list-parameters.ts';
import type { PartyKind } from '../domain/party.ts';
import type { ScoreJson } from '../domain/score-record.ts';
import { type AnswerCaches, createAnswerCaches, type ReadProfileVersion } from './answer-caches.ts';
import { type Databases, withLag } from './choose-database.ts';
import { explainScore } from './explain-score.ts';
import type { ModelCache } from './model-cache.ts';
import { type ModelWatchParameters, readModelWatch } from './model-watch.ts';
import { makeProfile } from './party-profile.ts';
import { readScore } from './read-score.ts';
import { addLabels, readTransaction } from './read-transaction.ts';
import { searchLabels } from './search-labels.ts';
import { searchScores } from './search-scores.ts';
import { searchTransactions } from './search-transactions.ts';
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
  const { databases, modelCache } = options;
  const { now } = databases;
  const caches = createAnswerCaches(databases, options);
  const { scores, summaries } = caches;
  const aged = async <T>(read: (databases: Databases) => Promise<T>): Promise<Aged<T>> => {
    const { answer, lagMs } = await withLag(databases, read);
    return { answer, ageMs: lagMs };
  };
  return {
    now,
    forgetProfiles: caches.profiles.forget,
    /** Proves answers anew, so that who has posted a label sees it at once in this process. */
    noteLabels: () => {
      caches.profiles.proveAnew();
      summaries.proveAnew();
    },
    /** Finds a score of any client, for a caller that knows the id to be its own. */
    findScore: async (transactionId: string): Promise<ScoreJson | undefined> => {
      const served = await scores.read({ transactionId, client: null });
      return served && (JSON.parse(served.answer.text) as ScoreJson);
    },
    readScore: (transactionId: string, client: string | null) =>
      readScore(databases, scores, { transactionId, client }),
    explainScore: (id: string, method: ExplanationMethod) =>
      aged((databases) => explainScore(databases, modelCache, id, method)),
    searchScores: (parameters: ScoreListParameters) =>
      aged((databases) => searchScores(databases, parameters)),
    readTransaction: (id: string, client: string | null, parameters: TransactionParameters) =>
      aged(async (databases) => {
        const found = await readTransaction(databases, id, client);
        if (found === undefined || parameters.expand === undefined) return found;
        return await addLabels(databases, found, client);
      }),
    searchLabels: (parameters: LabelListParameters, client: string | null) =>
      aged((databases) => searchLabels(databases, parameters, client)),
    searchTransactions: (parameters: TransactionListParameters) =>
      aged((databases) => searchTransactions(databases, parameters)),
    readProfile: (party: PartyKind, id: string, atMs: number | undefined) =>
      readProfile(databases, caches, { party, id }, atMs),
    readModelWatch: (parameters: ModelWatchParameters) =>
      aged((databases) => readModelWatch(databases, parameters)),
    summarizeDays: async (days: SummaryDays, parameters: SummaryParameters) =>
      await summaries.read({ days, parameters }),
  };
}

/** Only profiles of now are asked for again and again, so one at a given moment is made for each request. */
async function readProfile(
  databases: Databases,
  { profiles }: Pick<AnswerCaches, 'profiles'>,
  question: { readonly party: PartyKind; readonly id: string },
  atMs: number | undefined,
) {
  if (atMs === undefined) return await profiles.read(question);
  const made = await makeProfile(databases, question, atMs);
  return made && { answer: made, ageMs: made.lagMs };
}
