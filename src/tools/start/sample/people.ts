/**
 * The two people of the sample, who show the four-eyes principle: each has a key in a file of the data folder, and they decide
 * some review cases by the labels of the sample. Two decisions wait for a second person.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { apiKeyHash, mintApiKey } from '../../../kit/access/api-key.ts';
import { findLiveApiKey, makeApiKey } from '../../../kit/access/api-keys.ts';
import type { AskApi } from '../../../kit/client/api-client.ts';
import { byCommand } from '../../../kit/command/stores.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { onlyOf } from '../../../kit/database/statement.ts';
import { readOrMakeSecret } from '../services/data-folder.ts';

export const PEOPLE = ['Sample Ann', 'Sample Ben'] as const;
type Person = (typeof PEOPLE)[number];

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

export const MODEL = 'sample@1';

type SampleState = {
  /** A person of the sample was expelled, or the engine has people of its own. */
  readonly isRefused: boolean;
  readonly hasRates: boolean;
  readonly hasModel: boolean;
  /** A proposal of the model is open, or was approved. */
  readonly isProposed: boolean;
  /** Number of decisions by the people of the sample. */
  readonly decided: number;
};

const readState = onlyOf<SampleState, [people: readonly string[], model: string]>(
  'read-sample-state',
  `select exists (select from market.identities where identity <> all ($1::text[]) or revoked_at is not null) as "isRefused",
          exists (select from market.exchange_rates) as "hasRates",
          exists (select from market.models where model_id = $2) as "hasModel",
          exists (select from market.rollout_proposals where model_id = $2) as "isProposed",
          (select count(*)::int4 from market.audit_log
            where action = 'case.decide' and who = any ($1::text[])) as decided`,
);

/** Reads how much of the sample is done, so that a start goes on where a killed one stopped. */
export const readSampleState = ({ query }: Database) => readState(query, PEOPLE, MODEL);

/** Decisions of high amounts, which wait for a second person, and all decisions. A median of handling needs ten of a person. */
const [HIGH, DECIDED, BY_ANN] = [2, 18, 13];
const LISTED = 200;
const TRIES_MAX = 10;
const TRY_AGAIN_MS = 500;

type Claimed = { readonly ask: AskApi; readonly id: string };

/** Claims as many open cases as there are decisions left, the first ones for Ann. */
export async function claimCases(ann: AskApi, ben: AskApi, decided: number): Promise<Claimed[]> {
  if (decided >= DECIDED) return [];
  const open = await listOpen(ann);
  const high = open.filter((found) => found.needs_second_person).slice(0, HIGH);
  const usual = open.filter((found) => !found.needs_second_person);
  const claimed = [...high, ...usual]
    .slice(0, DECIDED - decided)
    .map(({ transaction_id: id }, at) => ({ ask: decided + at < BY_ANN ? ann : ben, id }));
  for (const { ask, id } of claimed) await ask('POST /v1/reviews/{id}/claim', { path: { id } });
  return claimed;
}

/** Waits for open cases, which a worker makes within a second of the scores, or later on a busy machine. */
async function listOpen(ask: AskApi) {
  const query = { state: 'open', limit: LISTED } as const;
  for (let tries = 1; ; tries++) {
    const { items } = await ask('GET /v1/reviews', { query });
    if (items.length > 0 || tries === TRIES_MAX) return items;
    await delay(TRY_AGAIN_MS);
  }
}

export async function decideCases(ann: AskApi, claimed: readonly Claimed[]): Promise<void> {
  const idsOf = async (label: 'fraud' | 'none') => {
    const query = { verdict: 'review', label, limit: LISTED } as const;
    const { items } = await ann('GET /v1/scores', { query });
    return new Set(items.map(({ transaction_id: id }) => id));
  };
  const [frauds, unknown] = [await idsOf('fraud'), await idsOf('none')];
  for (const { ask, id } of claimed) {
    const found = frauds.has(id) ? 'fraud' : unknown.has(id) ? 'unsure' : 'legitimate';
    const body = { disposition: found, reason: REASONS[found] } as const;
    await ask('POST /v1/reviews/{id}/decide', { path: { id }, body });
  }
}

const REASONS = {
  fraud: 'Sample: the cardholder did not make it',
  unsure: 'Sample: nobody has reported on it yet',
  legitimate: 'Sample: the cardholder knows the payment',
};
