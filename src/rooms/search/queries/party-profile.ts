/**
 * `GET /v1/accounts/{id}/profile`, `/v1/merchants/{id}/profile` and `/v1/devices/{id}/profile`: the party's activity up to a moment, summed
 * from the stored transactions themselves, not from the workers' cached profiles.
 */
import { z } from 'zod';
import { storedTransaction } from '../../../core/accept/examples.ts';
import type { ActiveParty, PartyKind } from '../../../core/domain/transaction.ts';
import {
  storedTransactionSchema,
  toTransactionJson,
} from '../../../core/domain/transaction-record.ts';
import {
  type AnswerCache,
  type CacheMetrics,
  createAnswerCache,
  type MadeAnswer,
  type ServedAnswer,
  type Version,
} from '../../../kit/caches/answer-cache.ts';
import {
  type Databases,
  readFrom,
  withLag,
} from '../../../kit/database/replica/choose-database.ts';
import { answerWithin } from '../../../kit/process/settles-within.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { shown, timeParameter } from '../../../kit/words/list-parameters.ts';
import {
  ACTIVITY_ROWS_MAX,
  ACTIVITY_WINDOWS_HOURS,
  readActivity,
} from '../store/party-activity.ts';
import { find } from './search.ts';

const RECENT_TRANSACTIONS = 20;

export const profileParameters = z.strictObject({
  at: timeParameter
    .optional()
    .meta(shown('2026-11-20T10:00:00.000Z', 'As of this time; default now.')),
});

const OTHERS = 'Distinct merchants of an account, distinct accounts of a merchant or device.';

const windowSchema = z.object({
  hours: z.int(),
  transactions: z.int(),
  counterparties: z.int().meta({ description: OTHERS }),
  amounts: z.array(z.object({ currency: z.string(), sum: z.string(), max: z.string() })),
});

const common = {
  as_of: z.iso.datetime(),
  windows: z
    .array(windowSchema)
    .meta({ description: 'The last 1, 24, 168 and 720 hours before `as_of`.' }),
  days: z
    .array(
      z.object({
        day: z.iso.date(),
        transactions: z.int(),
        counterparties: z.int().meta({ description: OTHERS }),
      }),
    )
    .meta({ description: 'UTC days of the last 720 hours that have transactions, oldest first.' }),
  complete: z.boolean().meta({
    description:
      'False when the party did more than 100,000 transactions in 30 days: only those count.',
  }),
  recent: z.array(storedTransactionSchema).meta({ description: 'The newest, at most 20.' }),
};
type PartyProfile = z.infer<z.ZodObject<typeof common>>;

/** The answer of one kind of party, with an example of it. */
export function describeProfile(party: ActiveParty, schemaId: string, id: string) {
  const schema = z.object({ [`${party}_id`]: z.string(), ...common }).meta({ id: schemaId });
  return { schema, example: { [`${party}_id`]: id, ...profileExample } };
}

/** The profile as the answer has it, undefined when the party has no transaction up to then. */
export async function makeProfile(
  databases: Databases,
  party: ActiveParty,
  id: string,
  atMs: number,
): Promise<(MadeAnswer & { readonly isFinal: boolean }) | undefined> {
  const { answer, lagMs } = await withLag(databases, (databases) =>
    readPartyProfile(databases, party, id, atMs),
  );
  if (answer === undefined) return undefined;
  const text = JSON.stringify({ [`${party}_id`]: id, ...answer });
  // A scored transaction stays scored.
  const isFinal = answer.recent.every(({ status }) => status === 'scored');
  return { text, version: undefined, lagMs, isFinal };
}

/** 2,000 profiles with 20 recent transactions each: with fewer more are made anew, and the API has 256 MiB. */
const BYTES_MAX = 24 * 1024 * 1024;
const AGE_MS_MAX = 5 * 60_000;
/** A read waits so long for Redis: making the answer anew takes some milliseconds. */
const VERSION_MS_MAX = 100;

type ProfileQuestion = { readonly party: PartyKind; readonly id: string };
export type ProfileCache = AnswerCache<ProfileQuestion>;

/** Profiles of now. Their versions are stamps in Redis, which devices lack. */
export function createProfileCache(
  databases: Databases,
  metrics: CacheMetrics,
  readStamp: (party: PartyKind, id: string) => Promise<Version>,
): ProfileCache {
  const readVersion = async ({ party, id }: ProfileQuestion) => {
    try {
      return await answerWithin(readStamp(party, id), VERSION_MS_MAX);
    } catch (error) {
      if (error instanceof Failure) return undefined;
      throw error;
    }
  };
  return createAnswerCache<ProfileQuestion>({
    name: () => 'profiles',
    metrics,
    bytesMax: BYTES_MAX,
    keyOf: ({ party, id }) => `${party} ${id}`,
    ageMsMax: () => AGE_MS_MAX,
    make: async (question) => {
      const version = await readVersion(question);
      const made = await makeProfile(databases, question.party, question.id, databases.now());
      // The version says nothing about a replica, nor about what follows the fold: a score, or a dead letter.
      if (made === undefined || made.lagMs !== undefined || !made.isFinal) return made;
      return { ...made, version };
    },
    readVersion,
  });
}

/**
 * Profiles of now alone are asked for again and again: any other is made for its request.
 * @param atMs undefined: now
 */
export async function readProfile(
  databases: Databases,
  cache: Pick<ProfileCache, 'read'>,
  party: ActiveParty,
  id: string,
  atMs: number | undefined,
): Promise<ServedAnswer | undefined> {
  if (atMs === undefined && !databases.isPrimaryAlone && party !== 'device') {
    return await cache.read({ party, id });
  }
  const made = await makeProfile(databases, party, id, atMs ?? databases.now());
  return made && { answer: made, ageMs: made.lagMs };
}

async function readPartyProfile(
  databases: Databases,
  party: ActiveParty,
  partyId: string,
  atMs: number,
): Promise<PartyProfile | undefined> {
  const question = {
    [`${party}_id`]: partyId,
    to: atMs + 1,
    limit: RECENT_TRANSACTIONS,
    sort: 'created_at',
    order: 'desc',
    reason_match: 'any',
    total: false,
  } as const;
  const { rows: recent } = await find(databases, 'transactions', question);
  if (recent.length === 0) return undefined;
  const rows = await readFrom(databases, atMs + 1, (database) =>
    readActivity(database, party, partyId, atMs),
  );
  const windows = ACTIVITY_WINDOWS_HOURS.map((hours) => {
    const ours = rows.filter((row) => row.hours === hours);
    const all = ours.find((row) => row.currency === null);
    return {
      hours,
      transactions: all?.transactions ?? 0,
      counterparties: all?.counterparties ?? 0,
      amounts: ours.flatMap(({ currency, sum, max }) =>
        currency === null || sum === null || max === null ? [] : [{ currency, sum, max }],
      ),
    };
  });
  return {
    as_of: new Date(atMs).toISOString(),
    windows,
    days: rows.flatMap(({ day, transactions, counterparties }) =>
      day === null ? [] : { day, transactions, counterparties },
    ),
    complete: Math.max(...windows.map((window) => window.transactions)) < ACTIVITY_ROWS_MAX,
    recent: recent.map(toTransactionJson),
  };
}

const lastHour = {
  hours: 1,
  transactions: 14,
  counterparties: 3,
  amounts: [{ currency: 'USD', sum: '642.10', max: '125.50' }],
};

const profileExample: PartyProfile = {
  as_of: '2026-11-20T10:00:00.000Z',
  windows: [
    lastHour,
    { ...lastHour, hours: 24 },
    { ...lastHour, hours: 168, transactions: 22 },
    { ...lastHour, hours: 720, transactions: 61 },
  ],
  days: [{ day: '2026-11-20', transactions: 14, counterparties: 3 }],
  complete: true,
  recent: [storedTransaction],
};
