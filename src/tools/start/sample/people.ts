/**
 * The two people of the sample, who show the four-eyes principle: each has a key in a file of the data folder, and they decide
 * some review cases by the labels of the sample. Two decisions wait for a second person.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { apiKeyHash, mintApiKey } from '../../../kit/access/api-key.ts';
import { findLiveApiKey, makeApiKey } from '../../../kit/access/api-keys.ts';
import type { CaseDisposition, ReviewCase } from '../../../kit/client/api-types.ts';
import type { AskApi } from '../../../kit/client/ask.ts';
import { byCommand } from '../../../kit/command/stores.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { onlyOf } from '../../../kit/database/statement.ts';
import { readOrMakeSecret } from '../services/data-folder.ts';

export const PEOPLE = ['Sample Ann', 'Sample Ben'] as const;
export type Person = (typeof PEOPLE)[number];

export const keyFileOf = (dataDir: string, person: Person) =>
  join(dataDir, `${person.toLowerCase().replace(' ', '-')}.key`);

/** Makes the person unless the key in the file is in force. The file is written first, so that the next start finds the key. */
export async function findOrMakePerson(
  database: Database,
  dataDir: string,
  identity: Person,
): Promise<string> {
  const key = readOrMakeSecret(keyFileOf(dataDir, identity), () => mintApiKey().key);
  const keyHash = apiKeyHash(key);
  if ((await findLiveApiKey(database, keyHash)) !== undefined) return key;
  const [, keyId = ''] = key.split('_');
  const [roles, holder] = [['analyst' as const, 'risk_officer' as const], { identity }];
  const made = { keyId, keyHash, roles, client: 'default', holder, expiresAt: null };
  await makeApiKey(database, made, byCommand('start'));
  return key;
}

type SampleState = {
  /** The sample or one of its people was removed, or the engine has people of its own. */
  readonly isRefused: boolean;
  readonly hasRates: boolean;
  /** Number of decisions by the people of the sample. */
  readonly decided: number;
};

const readState = onlyOf<SampleState, [people: readonly string[]]>(
  'read-sample-state',
  `select exists (select from market.audit_log where action = 'sample.remove')
              or exists (select from market.identities where identity <> all ($1::text[]) or revoked_at is not null) as "isRefused",
                exists (select from market.exchange_rates) as "hasRates",
                (select count(*)::int4 from market.audit_log
                  where action = 'case.decide' and who = any ($1::text[])) as decided`,
);

/** Reads how much of the sample is done, so that a start goes on where a killed one stopped. */
export const readSampleState = ({ query }: Database) => readState(query, PEOPLE);

type Task = { readonly person: Person; readonly needsSecond: boolean };

const times = (count: number, task: Task) => Array.from({ length: count }, () => task);
/** The order is fixed, so that the number of decisions says where a killed start stopped. A median of handling needs ten. */
const TASKS: readonly Task[] = [
  ...times(2, { person: 'Sample Ann', needsSecond: true }),
  ...times(11, { person: 'Sample Ann', needsSecond: false }),
  ...times(5, { person: 'Sample Ben', needsSecond: false }),
];
const LISTED = 200;
const TRIES_MAX = 10;
const TRY_AGAIN_MS = 500;

export type Asks = Readonly<Record<Person, AskApi>>;
type Claimed = { readonly person: Person; readonly id: string };

/** Claims an open case for each remaining task, of its kind if such a case is open. */
export async function claimCases(asks: Asks, decided: number): Promise<Claimed[]> {
  const tasks = TASKS.slice(decided);
  const open = tasks.length === 0 ? [] : await listOpen(asks['Sample Ann']);
  const claimed: Claimed[] = [];
  for (const { person, needsSecond } of tasks) {
    const at = open.findIndex((found) => found.needs_second_person === needsSecond);
    const [found] = open.splice(Math.max(0, at), 1);
    if (found === undefined) break;
    const id = found.transaction_id;
    await asks[person]('POST /v1/reviews/{id}/claim', { path: { id } });
    claimed.push({ person, id });
  }
  return claimed;
}

/** Waits for open cases, which a worker makes within a second of the scores, or later on a busy machine. */
async function listOpen(ask: AskApi): Promise<ReviewCase[]> {
  const query = { state: 'open', limit: LISTED } as const;
  for (let tries = 1; ; tries++) {
    const { items } = await ask('GET /v1/reviews', { query });
    if (items.length > 0 || tries === TRIES_MAX) return [...items];
    await delay(TRY_AGAIN_MS);
  }
}

export async function decideCases(asks: Asks, claimed: readonly Claimed[]): Promise<void> {
  const idsOf = async (label: 'fraud' | 'none') => {
    const query = { verdict: 'review', label, limit: LISTED } as const;
    const { items } = await asks['Sample Ann']('GET /v1/scores', { query });
    return new Set(items.map(({ transaction_id: id }) => id));
  };
  const [frauds, unknown] = [await idsOf('fraud'), await idsOf('none')];
  for (const { person, id } of claimed) {
    const body = decisionOf(frauds.has(id), unknown.has(id));
    await asks[person]('POST /v1/reviews/{id}/decide', { path: { id }, body });
  }
}

function decisionOf(isFraud: boolean, isUnknown: boolean): CaseDisposition {
  if (isFraud) return { disposition: 'fraud', reason: 'Sample: the cardholder did not make it' };
  return isUnknown
    ? { disposition: 'unsure', reason: 'Sample: nobody has reported on it yet' }
    : { disposition: 'legitimate', reason: 'Sample: the cardholder knows the payment' };
}
