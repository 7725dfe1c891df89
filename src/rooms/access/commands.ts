/** `risk keys`: API keys straight in the database, as the first key needs no key; and over the API, by the caller's key. */
import type { z } from 'zod';
import { mintApiKey } from '../../kit/access/api-key.ts';
import { listApiKeys, makeApiKey, revokeApiKey } from '../../kit/access/api-keys.ts';
import { listIdentities, revokeIdentity } from '../../kit/access/identities.ts';
import { type CommandContext, EXIT, UsageError, wordOption } from '../../kit/command/command.ts';
import type { Option, ValuesOf } from '../../kit/command/options.ts';
import { commandOf, written } from '../../kit/command/rows.ts';
import { byCommand, openCommandDatabase } from '../../kit/command/stores.ts';
import { readConfig } from '../../kit/config/config.ts';
import { configsOfMarkets } from '../../kit/config/market-config.ts';
import { isMarketList } from '../../kit/config/market-settings.ts';
import type { Database } from '../../kit/database/pool.ts';
import { DESCRIBED, issueText } from '../../kit/words/describe-issue.ts';
import { COMMIT_UNKNOWN, Failure, toError } from '../../kit/words/failure.ts';
import { idText } from '../../kit/words/plain-text.ts';
import {
  type Identity,
  identitySchema,
  type Key,
  keySchema,
  type NewApiKey,
  ROLES,
  ROLES_APART,
} from '../../kit/words/principal.ts';
import { wireTime } from '../../kit/words/wire-time.ts';

const PAGE = 200;
const NAME = idText(64);
/** The client of a key that is made without one. */
const CLIENT = 'default';
const MARKETS_OPTION = {
  '--markets LIST': 'In each of these markets, as market_0,market_1',
} as const;

/** Databases by market, in the order of their names: two commands at a time wait for each other in one order. */
type Databases = ReadonlyMap<string, Database>;

/** An option whose value a schema checks. */
const checkedBy = (says: string, schema: z.ZodType<string>): Option<string | undefined> => ({
  says,
  read: (flag, text) => {
    if (text === undefined) return undefined;
    const { data, error } = schema.safeParse(text, DESCRIBED);
    if (data !== undefined) return data;
    const [issue] = error?.issues ?? [];
    throw new UsageError(`${flag} ${issue ? issueText(issue) : 'is invalid'}`);
  },
});

const CREATE_OPTIONS = {
  '--role ROLE': {
    says: `One of ${ROLES.join(', ')}; may be given several times; needed`,
    read: (flag: string, text: string | undefined, texts: readonly string[]) => {
      if (text === undefined) throw new UsageError(`${flag} is missing`);
      return [...new Set(texts)].map((each) => wordOption(flag, each, ROLES));
    },
  },
  '--identity NAME': checkedBy('The person who holds it; a new name makes a new person', NAME),
  '--owner OWNER': checkedBy('Who answers for a key that belongs to no person', NAME),
  '--client CLIENT': checkedBy(`Client whose idempotency keys the key shares (${CLIENT})`, NAME),
  '--expires TIME': checkedBy('When the key ends', wireTime),
  ...MARKETS_OPTION,
} as const;

const MAKES = 'Make a key, which is printed once';
const create = written('', MAKES, CREATE_OPTIONS, async ({ values }, context) => {
  const { role: roles, client = CLIENT, expires } = values;
  const holder = readHolder(values);
  const expiresAt = expires === undefined ? null : new Date(expires);
  const { keyId, key, keyHash } = mintApiKey();
  const made = { keyId, keyHash, roles, holder, client, expiresAt };
  await using markets = openMarkets(context, values.markets);
  await makeInEach(markets.databases, made);
  const names = [...markets.databases.keys()];
  const among = values.markets === undefined ? '' : ` in ${names.join(' and ')}`;
  const { output } = context;
  output.value({ key_id: keyId, key, markets: names }, [key]);
  // A file or a variable takes what is printed, so the note goes elsewhere.
  if (!output.json) output.note(`key ${keyId} made${among}; the key is shown once`);
});

const list = written('', 'Keys, without their secrets', {}, async (_given, context) => {
  const keys = await allOf(context, (database, last?: Key) =>
    listApiKeys(database.query, last?.key_id ?? '', PAGE),
  );
  const rows = keys.map((key) => ({ ...key, roles: key.roles.join(' ') }));
  context.output.table(Object.keys(keySchema.shape), rows);
});

const people = written('', 'People, and who made them', {}, async (_given, context) => {
  const all = await allOf(context, (database, last?: Identity) =>
    listIdentities(database.query, last?.identity ?? '', PAGE),
  );
  context.output.table(Object.keys(identitySchema.shape), all);
});

async function allOf<Row>(
  context: CommandContext,
  readPage: (database: Database, last?: Row) => Promise<Row[]>,
): Promise<Row[]> {
  await using database = openCommandDatabase(context, 'keys');
  const rows: Row[] = [];
  for (;;) {
    const page = await readPage(database, rows.at(-1));
    rows.push(...page);
    if (page.length < PAGE) return rows;
  }
}

const REVOKES = 'Revoke a key, which stops working within a second';
const revoke = written('KEY_ID', REVOKES, MARKETS_OPTION, async ({ values, words }, context) => {
  const [keyId = ''] = words;
  await using markets = openMarkets(context, values.markets);
  const wrong = await revokeInEach(markets.databases, keyId);
  for (const why of wrong) context.output.error(why);
  if (wrong.length > 0) return EXIT.failed;
  context.output.value({ key_id: keyId, revoked: true }, [`key ${keyId} revoked`]);
  return EXIT.fine;
});

const EXPELS = 'Revoke a person with all their keys, for good';
const expel = written('NAME', EXPELS, {}, async ({ words: [name = ''] }, context) => {
  await using database = openCommandDatabase(context, 'keys');
  const { identity } = await revokeIdentity(database, name, byCommand('keys expel'));
  context.output.value({ identity, revoked: true }, [
    `person '${identity}' revoked, with all keys`,
  ]);
});

function readHolder({ identity, owner }: ValuesOf<typeof CREATE_OPTIONS>): NewApiKey['holder'] {
  if (identity !== undefined && owner !== undefined) {
    throw new UsageError('--identity and --owner exclude each other');
  }
  if (identity !== undefined) return { identity };
  if (owner === undefined) throw new UsageError('--owner is missing');
  return { owner };
}

export const command = commandOf({
  name: 'keys',
  summary: 'Makes, lists and revokes API keys.',
  notes: `Only a person holds ${ROLES_APART.join(' and ')}. create makes the first two who approve without a confirmation: you vouch that
they are two people. For further keys, one of them sends issue and another confirms the approval, each with the own key in
RISK_API_KEY; both ask the API. The other actions need DATABASE_URL.`,
  document: async () => (await import('./api.ts')).document,
  actions: {
    create,
    issue: {
      operation: 'createKey',
      summary: 'Make a key over the API, by the key in RISK_API_KEY',
      options: { role: 'roles', expires: 'expires_at' },
      notes: () => 'The key is shown once.',
    },
    list,
    revoke,
    people,
    expel,
  },
});

/**
 * A key in several markets: a row in each, with the same hash, which each market records and revokes as its own.
 * @param list names with commas between them; undefined: the market of the command
 */
function openMarkets(
  { config, environment }: CommandContext,
  list: string | undefined,
): AsyncDisposable & { readonly databases: Databases } {
  const stack = new AsyncDisposableStack();
  const databases = configsFor({ config, environment }, list).map((own) => {
    const database = stack.use(openCommandDatabase({ config: own }, 'keys'));
    return [own.RISK_MARKET, database] as const;
  });
  return { databases: new Map(databases), [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function configsFor(
  { config, environment }: Pick<CommandContext, 'config' | 'environment'>,
  list: string | undefined,
) {
  if (list === undefined) return [config];
  if (!isMarketList(list)) {
    throw new UsageError(
      `--markets must be different markets, as market_0,market_1, not '${list}'`,
    );
  }
  const names = list.split(',').toSorted();
  const given = { ...environment, RISK_MARKETS: names.join(','), RISK_MARKET: names[0] };
  const read = readConfig(given);
  if ('problems' in read) throw new UsageError(read.problems.join('; '));
  return configsOfMarkets({ ...config, markets: read.config.markets });
}

/**
 * Makes the key in all markets or in none: each market commits only once those after it have. Where a commit fails all the same,
 * the key is revoked in those that have it.
 * @throws Failure that names the market that refused, and each market that may keep the key
 */
async function makeInEach(databases: Databases, key: NewApiKey): Promise<void> {
  const by = byCommand('keys create');
  const made = new Map<string, Database>();
  let current = '';
  const make = async ([first, ...others]: readonly [string, Database][]): Promise<void> => {
    if (first === undefined) return;
    const [market, database] = first;
    current = market;
    await makeApiKey(database, key, by, async () => {
      await make(others);
      current = market;
    });
    made.set(market, database);
  };
  try {
    await make([...databases]);
  } catch (error) {
    if (databases.size === 1 || !(error instanceof Failure)) throw error;
    const { kind, code, message } = error;
    const unsure = databases.get(current);
    if (unsure !== undefined && code === COMMIT_UNKNOWN) made.set(current, unsure);
    const kept = await revokeInEach(made, key.keyId, true);
    const advice = kept.map(
      (why) => `; revoke the key ${key.keyId}, which nobody knows, in ${why}`,
    );
    const why = `no key was made, as ${current} refused: ${message}${advice.join('')}`;
    throw new Failure(kind, code, why, { cause: error });
  }
}

/**
 * @param mayBeUnknown whether a market without the key is as good as one that has revoked it
 * @returns for each market where the key is not revoked, its name and why
 */
async function revokeInEach(
  databases: Databases,
  keyId: string,
  mayBeUnknown = false,
): Promise<string[]> {
  const by = byCommand('keys revoke');
  const wrong = Array.from(databases, async ([market, database]): Promise<string[]> => {
    try {
      const isRevoked = (await revokeApiKey(database, keyId, by)) || mayBeUnknown;
      return isRevoked ? [] : [`${market}: no key has the id '${keyId}'`];
    } catch (error) {
      return [`${market}: ${toError(error).message}`];
    }
  });
  return (await Promise.all(wrong)).flat();
}
