/** Opens personal fields in a process: applies the ledger before the process serves, and follows changes of declarations. */
import type { OpenPersonal, Tokens } from '../../core/personal.ts';
import { openMarketKey, PRIVACY_KEYS } from '../../core/store/subject-lookup.ts';
import { readLedger, requireInLedger } from '../../kit/access/erasure-ledger.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Config } from '../../kit/config/config.ts';
import type { Database } from '../../kit/database/pool.ts';
import type { Log } from '../../kit/metrics/log.ts';
import { Failure } from '../../kit/words/failure.ts';
import { engineOf } from '../../kit/words/principal.ts';
import {
  addErased,
  deleteSubjects,
  findHoldsSince,
  listErased,
  listFields,
  lockState,
  raiseState,
  readState,
  STATE_MARK,
} from './store.ts';
import { openSubjects } from './subjects.ts';
import { openTokens } from './tokens.ts';

type Settings = Pick<Config, 'RISK_MARKET' | 'RISK_PRIVACY_KEYS' | 'RISK_ERASURE_LEDGER'>;
export type PrivacySettings = {
  readonly keys: NonNullable<Config['RISK_PRIVACY_KEYS']>;
  readonly ledger: string;
};

/** @throws Failure where a setting is missing */
export function privacySettings({
  RISK_MARKET: market,
  RISK_PRIVACY_KEYS: keys,
  RISK_ERASURE_LEDGER: ledger,
}: Settings): PrivacySettings {
  if (keys !== undefined && ledger !== undefined) return { keys, ledger };
  const missing = [
    ...(keys === undefined ? ['RISK_PRIVACY_KEYS'] : []),
    ...(ledger === undefined ? ['RISK_ERASURE_LEDGER'] : []),
  ];
  const why = `set ${missing.join(' and ')}, which personal fields of ${market} need`;
  throw new Failure('conflict', PRIVACY_KEYS, why);
}

export const openPersonal: OpenPersonal = async ({ config, database, changes, log }) => {
  const { refresh, last } = changes.follow({
    name: 'personal-fields',
    mark: STATE_MARK,
    // The new tokens have empty caches, so a process forgets an erased subject.
    load: () => load(config, database),
  });
  if ((await listFields(database.query)).length > 0) {
    const { keys, ledger } = privacySettings(config);
    // A process without the key that wraps the market's could serve nothing that names a value.
    openMarketKey(keys, await readState(database.query));
    await applyLedger(database, config.RISK_MARKET, ledger, log);
  }
  await refresh();
  return { tokens: last, refresh };
};

async function load(
  config: Settings,
  database: Pick<Database, 'query' | 'write'>,
): Promise<Tokens | null> {
  const fields = (await listFields(database.query)).map(({ field }) => field);
  if (fields.length === 0) return null;
  try {
    const { keys } = privacySettings(config);
    const marketKey = openMarketKey(keys, await readState(database.query));
    return openTokens(fields, openSubjects({ database, keys, marketKey }));
  } catch (error) {
    // A process that started before the declaration may lack the keys, and refuses requests that need tokens.
    if (error instanceof Failure && error.code === PRIVACY_KEYS)
      return refusing(fields, error.message);
    throw error;
  }
}

/** Serves what names no value of a declared field; answers keep their tokens. */
function refusing(fields: readonly string[], why: string): Tokens {
  const refuse = async (): Promise<never> => {
    throw new Failure('unavailable', PRIVACY_KEYS, why);
  };
  const members = new Set(fields.map((field) => field.split('.')[0]));
  return {
    ids: [],
    declares: () => true,
    tokenise: refuse,
    withErased: refuse,
    seek: refuse,
    tokensOf: refuse,
    find: async (asked) =>
      Object.keys(asked).some((name) => members.has(name)) ? await refuse() : asked,
    reveal: async (text) => text,
  };
}

/**
 * Applies the ledger of erasures to a database that may be a restored backup. A legal hold that is older than an erasure's line
 * was lifted before the erasure, whatever the backup says; a newer one keeps a subject whose erasure failed to commit.
 * @throws Failure where the ledger lacks an erasure that Postgres has: the file was cut, or is another file
 */
async function applyLedger(
  database: Pick<Database, 'transaction'>,
  market: string,
  path: string,
  log: Pick<Log, 'warn'>,
): Promise<void> {
  const ledger = await readLedger(path, market);
  await database.transaction(async (query) => {
    const { keyId, marketKey } = await lockState(query);
    const erased = new Set((await listErased(query)).map(({ token }) => token));
    requireInLedger(path, ledger, erased, 'Postgres');
    const lines = [...ledger].filter(([token]) => !erased.has(token));
    if (lines.length === 0) return;
    const holds = new Map(
      (await findHoldsSince(query, ...columnsOf(lines))).map(({ token, holdId }) => [
        token,
        holdId,
      ]),
    );
    for (const [token, holdId] of holds) {
      log.warn({ token, holdId }, 'a legal hold keeps a subject that the ledger has as erased');
    }
    const tokens = lines.map(([token]) => token).filter((token) => !holds.has(token));
    if (tokens.length === 0) return;
    const gone = await deleteSubjects(query, tokens);
    await addErased(query, tokens);
    await raiseState(query, keyId, marketKey);
    await recordChange(query, engineOf('ledger'), {
      action: 'personal.erase',
      subject: market,
      before: null,
      after: { of_ledger: tokens.length, subjects: gone.length },
    });
    log.warn(
      { erasures: tokens.length, subjects: gone.length },
      'the ledger of erasures was applied',
    );
  });
}

const columnsOf = (lines: readonly (readonly [token: string, at: string])[]) =>
  [lines.map(([token]) => token), lines.map(([, at]) => at)] as const;
