/** Which answers are kept in memory, for how long, in how many bytes, and what their versions are. */
import type { PartyKind } from '../../../core/domain/party.ts';
import { makeScore, type ScoreQuestion, scoreKeyOf } from '../../../core/read/read-score.ts';
import {
  type AnswerCache,
  type AnswerCacheOptions,
  createAnswerCache,
  type Version,
} from '../../../kit/caches/answer-cache.ts';
import type { Databases } from '../../../kit/database/replica/choose-database.ts';
import type { Metrics } from '../../../kit/metrics/metrics.ts';
import { makeProfile, type ProfileQuestion } from './party-profile.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const MIB = 1024 * 1024;

/** 15,000 scores. */
const SCORE_BYTES_MAX = 24 * MIB;
const SCORE_AGE_MS_MAX = 24 * HOUR_MS;
/** 2,000 profiles with 20 recent transactions each. */
const PROFILE_BYTES_MAX = 24 * MIB;
const PROFILE_AGE_MS_MAX = 5 * MINUTE_MS;

/** The version of a party's profile of now; undefined where it is unknown. */
export type ReadProfileVersion = (party: PartyKind, id: string) => Promise<Version>;

export type AnswerCaches = {
  readonly scores: AnswerCache<ScoreQuestion>;
  readonly profiles: AnswerCache<ProfileQuestion>;
};

type AnswerCachesOptions = {
  readonly readProfileVersion: ReadProfileVersion;
  readonly metrics: Pick<Metrics, 'cacheHits' | 'cacheMisses'>;
  /** Monotonic; for tests. */
  readonly nowMs?: () => number;
};

export function createAnswerCaches(
  databases: Databases,
  options: AnswerCachesOptions,
): AnswerCaches {
  const { readProfileVersion, metrics, nowMs = () => performance.now() } = options;
  const { now } = databases;
  const create = <Question>(
    nameOf: (question: Question) => string,
    own: Omit<AnswerCacheOptions<Question>, 'count' | 'nowMs'>,
  ) => {
    const count = (isHit: boolean, question: Question) => {
      const labels = { cache: nameOf(question), tier: 'memory' };
      (isHit ? metrics.cacheHits : metrics.cacheMisses).inc(labels);
    };
    return createAnswerCache<Question>({ ...own, count, nowMs });
  };
  return {
    scores: create<ScoreQuestion>(() => 'scores', {
      bytesMax: SCORE_BYTES_MAX,
      keyOf: scoreKeyOf,
      ageMsMax: () => SCORE_AGE_MS_MAX,
      make: (question) => makeScore(databases, question),
      readVersion: null,
    }),
    profiles: create<ProfileQuestion>(() => 'profiles', {
      bytesMax: PROFILE_BYTES_MAX,
      keyOf: ({ party, id }) => `${party} ${id}`,
      ageMsMax: () => PROFILE_AGE_MS_MAX,
      make: async (question) => {
        const version = await readProfileVersion(question.party, question.id);
        const made = await makeProfile(databases, question, now());
        // The version says nothing about a replica, nor about what follows the fold: a score, or a dead letter.
        if (made === undefined || made.lagMs !== undefined || !made.isFinal) return made;
        return { ...made, version };
      },
      readVersion: ({ party, id }) => readProfileVersion(party, id),
    }),
  };
}
