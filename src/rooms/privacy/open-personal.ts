/** Opens personal fields in a process: applies the ledger before the process serves, and follows changes of declarations. */
import type { OpenPersonal, Tokens } from '../../core/personal.ts';
import type { Config } from '../../kit/config/config.ts';
import type { Database } from '../../kit/database/pool.ts';
import { Failure } from '../../kit/words/failure.ts';
import { applyLedger } from './apply-ledger.ts';
import { openSealed, PRIVACY_KEYS, wrappingKey } from './seal.ts';
import { listFields, readState, STATE_MARK, type State } from './store.ts';
import { openSubjects } from './subjects.ts';
import { openTokens } from './tokens.ts';

/** Name that is authenticated with the wrapped key of the market. */
export const MARKET_KEY = 'market';

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
  let tokens: Tokens | null = null;
  const { refresh } = changes.follow({
    name: 'personal-fields',
    mark: STATE_MARK,
    load: async () => {
      const next = await load(config, database);
      // The new tokens have empty caches, so a process forgets an erased subject.
      tokens = next;
    },
  });
  if ((await listFields(database.query)).length > 0) {
    const { keys, ledger } = privacySettings(config);
    // A process without the key that wraps the market's could serve nothing that names a value.
    openMarketKey(keys, await readState(database.query));
    await applyLedger(database, config.RISK_MARKET, ledger, log);
  }
  await refresh();
  return { tokens: () => tokens, refresh };
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

export function openMarketKey(keys: PrivacySettings['keys'], { keyId, marketKey }: State): Buffer {
  if (keyId === null || marketKey === null) throw new Error('a declared field has a market key');
  return openSealed(wrappingKey(keys, keyId).key, marketKey, MARKET_KEY);
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
