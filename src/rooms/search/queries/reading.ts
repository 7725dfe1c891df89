/** What analysts ask, bound once to its adapters: the functions that routes and `Prefer: wait` use. */
import type { ExplanationMethod } from '../../../core/domain/explanation.ts';
import type { ActiveParty } from '../../../core/domain/party.ts';
import type { ScoreJson } from '../../../core/domain/score-record.ts';
import { readScore } from '../../../core/read/read-score.ts';
import { readTransaction } from '../../../core/read/read-transaction.ts';
import { requireCorridor } from '../../../core/read/require-known.ts';
import { searchScores, searchTransactions } from '../../../core/read/search.ts';
import type {
  ScoreSearchParameters,
  TransactionSearchParameters,
} from '../../../core/read/search-parameters.ts';
import type { TransactionParameters } from '../../../core/read/transaction-json.ts';
import type { Models } from '../../../core/score/judge.ts';
import {
  type Databases,
  readAged,
  requireWrite,
} from '../../../kit/database/replica/choose-database.ts';
import type { ConsistencyToken } from '../../../kit/words/consistency-token.ts';
import { createAnswerCaches, type ReadProfileVersion } from './answer-caches.ts';
import { expandTransaction } from './expand-transaction.ts';
import { explainScore } from './explain-score.ts';
import { readHabit } from './habit.ts';
import { makeProfile } from './party-profile.ts';

export type Reading = ReturnType<typeof createReading>;

type ReadingOptions = {
  readonly databases: Databases;
  readonly models: Models;
  /** The names of the corridors that a transaction may name now. */
  readonly corridors: () => ReadonlySet<string>;
  readonly readProfileVersion: ReadProfileVersion;
  readonly metrics: Parameters<typeof createAnswerCaches>[1]['metrics'];
};

export function createReading(options: ReadingOptions) {
  const { databases, models, corridors } = options;
  const { now } = databases;
  const caches = createAnswerCaches(databases, options);
  const { scores } = caches;
  const findScore = bindFindScore(scores);
  const aged = <T>(
    after: ConsistencyToken | undefined,
    read: (databases: Databases) => Promise<T>,
  ) => readAged(databases, after, read);
  return {
    ...{ now, forgetProfiles: caches.profiles.forget, peekScore: scores.peek },
    /** Proves answers anew, so that who has posted a label sees it at once in this process. */
    noteLabels: caches.profiles.proveAnew,
    /** Finds a score of any client, for a caller that knows the id to be its own. */
    findScore: (transactionId: string) => findScore(transactionId, null),
    readScore: (transactionId: string, client: string | null) =>
      readScore(databases, scores, { transactionId, client }),
    explainScore: (id: string, method: ExplanationMethod, after?: ConsistencyToken) =>
      aged(after, (databases) => explainScore(databases, models, id, method)),
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
        const reads = { databases, models, findScore };
        return await expandTransaction(reads, found, client, parameters.expand);
      }),
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
  };
}

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
