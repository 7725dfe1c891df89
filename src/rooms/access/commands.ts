/** `risk keys`: API keys straight in the database, as the first key needs no key; and over the API, by the caller's key. */
import type { z } from 'zod';
import { mintApiKey } from '../../kit/access/api-key.ts';
import { listApiKeys } from '../../kit/access/api-keys.ts';
import { listIdentities, revokeIdentity } from '../../kit/access/identities.ts';
import {
  type Command,
  type CommandContext,
  EXIT,
  parseArguments,
  UsageError,
  wordOption,
} from '../../kit/command/command.ts';
import { commandOf } from '../../kit/command/rows.ts';
import { byCommand, openCommandDatabase } from '../../kit/command/stores.ts';
import type { Database } from '../../kit/database/pool.ts';
import { DESCRIBED, issueText } from '../../kit/words/describe-issue.ts';
import type { Identity, Key, NewApiKey } from '../../kit/words/identity.ts';
import { plainText } from '../../kit/words/plain-text.ts';
import { isApart, ROLES, ROLES_APART, type Role } from '../../kit/words/principal.ts';
import { wireTime } from '../../kit/words/wire-time.ts';
import { makeInEach, openMarkets, revokeInEach } from './key-in-markets.ts';

const PAGE = 200;
const NAME = plainText(64);
const TEXT = { type: 'string' } as const;
const MARKETS_OPTION = { '--markets LIST': 'In each of these markets, as market_0,market_1' };

const create: Command['run'] = async (args, context) => {
  const { values } = parseArguments(args, {
    role: { type: 'string', multiple: true },
    owner: TEXT,
    identity: TEXT,
    client: { type: 'string', default: 'default' },
    expires: TEXT,
    markets: TEXT,
  });
  const roles = [...new Set(values.role ?? [])].map((text) => wordOption('--role', text, ROLES));
  if (roles.length === 0) throw new UsageError('--role is missing');
  const holder = readHolder(values);
  const client = checked('--client', NAME, values.client);
  const { expires } = values;
  const expiresAt =
    expires === undefined ? null : new Date(checked('--expires', wireTime, expires));
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
  return EXIT.fine;
};

const list: Command['run'] = async (args, context) => {
  parseArguments(args, {});
  const keys = await allOf(context, (database, last?: Key) =>
    listApiKeys(database.query, last?.key_id ?? '', PAGE),
  );
  context.output.table(
    [
      ...['key_id', 'roles', 'client', 'owner', 'identity', 'made_by', 'confirmed_by'],
      ...['confirmed_at', 'created_at', 'expires_at', 'revoked_at'],
    ],
    keys.map((key) => ({ ...key, roles: key.roles.join(' ') })),
  );
  return EXIT.fine;
};

const people: Command['run'] = async (args, context) => {
  parseArguments(args, {});
  const all = await allOf(context, (database, last?: Identity) =>
    listIdentities(database.query, last?.identity ?? '', PAGE),
  );
  context.output.table(['identity', 'created_at', 'made_by', 'revoked_at'], all);
  return EXIT.fine;
};

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

const revoke: Command['run'] = async (args, context) => {
  const { values, positionals } = parseArguments(args, { markets: TEXT }, { required: ['KEY_ID'] });
  const [keyId = ''] = positionals;
  await using markets = openMarkets(context, values.markets);
  const wrong = await revokeInEach(markets.databases, keyId);
  for (const why of wrong) context.output.error(why);
  if (wrong.length > 0) return EXIT.failed;
  context.output.value({ key_id: keyId, revoked: true }, [`key ${keyId} revoked`]);
  return EXIT.fine;
};

const expel: Command['run'] = async (args, context) => {
  const [name = ''] = parseArguments(args, {}, { required: ['NAME'] }).positionals;
  await using database = openCommandDatabase(context, 'keys');
  const { identity } = await revokeIdentity(database, name, byCommand('keys expel'));
  context.output.value({ identity, revoked: true }, [
    `person '${identity}' revoked, with all keys`,
  ]);
  return EXIT.fine;
};

function readHolder({
  identity,
  owner,
}: {
  readonly identity?: string | undefined;
  readonly owner?: string | undefined;
}): NewApiKey['holder'] {
  if (identity !== undefined && owner !== undefined) {
    throw new UsageError('--identity and --owner exclude each other');
  }
  if (identity !== undefined) return { identity: checked('--identity', NAME, identity) };
  if (owner === undefined) throw new UsageError('--owner is missing');
  return { owner: checked('--owner', NAME, owner) };
}

function checked(flag: string, schema: z.ZodType<string>, text: string): string {
  const parsed = schema.safeParse(text, DESCRIBED);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(`${flag} ${issue ? issueText(issue) : 'is invalid'}`);
}

type Issued = { readonly key_id?: string; readonly confirmed_at?: string | null };
type Wished = { readonly roles?: readonly Role[] };

/** The command of the second person. */
function sayIssued({ key_id: id, confirmed_at: at }: Issued, { roles = [] }: Wished): string {
  const apart = roles.filter(isApart);
  const once = 'The key is shown once.';
  if (apart.length === 0 || at !== null) return once;
  return `${once} ${apart.join(' and ')} is in force when another person who may approve sends bin/risk keys confirm ${id}`;
}

export const command = commandOf({
  name: 'keys',
  summary: 'Makes, lists and revokes API keys.',
  notes: `Only a person holds ${ROLES_APART.join(' and ')}. create makes the first two who approve without a confirmation: you vouch that
they are two people. For further keys, one of them sends issue and another confirm, each with the own key in RISK_API_KEY;
both ask the API. The other actions need DATABASE_URL.`,
  document: async () => (await import('./api.ts')).document,
  actions: {
    create: {
      words: '',
      summary: 'Make a key, which is printed once',
      options: {
        '--role ROLE': `One of ${ROLES.join(', ')}; may be given several times; needed`,
        '--identity NAME': 'The person who holds it; a new name makes a new person',
        '--owner OWNER': 'Who answers for a key that belongs to no person',
        '--client CLIENT': 'Whose idempotency keys it shares (default)',
        '--expires TIME': 'When it ends',
        ...MARKETS_OPTION,
      },
      run: create,
    },
    issue: {
      operation: 'createKey',
      summary: 'Make a key over the API, by the key in RISK_API_KEY',
      options: { role: 'roles', expires: 'expires_at' },
      notes: sayIssued,
    },
    confirm: { operation: 'confirmKey', words: { KEY_ID: 'id' } },
    list: { words: '', summary: 'Keys, without their secrets', run: list },
    revoke: {
      words: 'KEY_ID',
      summary: 'Revoke a key, which stops working within a second',
      options: MARKETS_OPTION,
      run: revoke,
    },
    people: { words: '', summary: 'People, and who made them', run: people },
    expel: { words: 'NAME', summary: 'Revoke a person with all their keys, for good', run: expel },
  },
});
