/** `risk keys`: makes, lists and revokes API keys, straight in the database: the first key needs no key. */
import type { z } from 'zod';
import { mintApiKey } from '../../kit/access/api-key.ts';
import { listApiKeys, makeApiKey, revokeApiKey } from '../../kit/access/api-keys.ts';
import { listIdentities, revokeIdentity } from '../../kit/access/identities.ts';
import {
  type Command,
  type CommandContext,
  EXIT,
  parseArguments,
  UsageError,
  wordOption,
} from '../../kit/command/command.ts';
import { EXIT_BAD_CONFIGURATION } from '../../kit/config/config.ts';
import { openDatabase } from '../../kit/database/open-database.ts';
import type { Database } from '../../kit/database/pool.ts';
import { DESCRIBED, issueText } from '../../kit/words/describe-issue.ts';
import type { NewApiKey, StoredApiKey, StoredIdentity } from '../../kit/words/identity.ts';
import { plainText } from '../../kit/words/plain-text.ts';
import { type Actor, APPROVING_ROLES, ROLES } from '../../kit/words/principal.ts';
import { wireTime } from '../../kit/words/wire-time.ts';

const PAGE = 200;
const NAME = plainText(64);

export const command: Command = {
  name: 'keys',
  summary: 'Makes, lists and revokes API keys.',
  usage: `risk keys create --role ROLE [--role ROLE …] --identity NAME | --owner OWNER
                 [--client CLIENT] [--expires TIME]
risk keys list
risk keys revoke KEY_ID
risk keys people
risk keys expel NAME

Roles: ${ROLES.join(', ')}. The key itself is printed once, by create. CLIENT (default: default) is
whose idempotency keys it shares. A revoked key stops working within a second. NAME is a person; a new name
makes a new person. OWNER says who answers for a key that belongs to no person.

Only a person holds ${APPROVING_ROLES.join(', ')}. This command makes the first two of them without a confirmation: you vouch
that they are two people. Further ones are made over the API: one person sends POST /v1/keys and another
POST /v1/keys/KEY_ID/confirm. people lists people; expel revokes a person with all their keys, for good.
Needs DATABASE_URL.`,
  needs: ['DATABASE_URL'],
  async run(args, context) {
    const { config, output } = context;
    const [action, ...rest] = args;
    const run = Object.hasOwn(ACTIONS, action ?? '') ? ACTIONS[action ?? ''] : undefined;
    if (run === undefined) throw new UsageError('say create, list, revoke, people or expel');
    if (config.DATABASE_URL === undefined) {
      output.error('DATABASE_URL: is needed by keys');
      return EXIT_BAD_CONFIGURATION;
    }
    const { DATABASE_URL: url } = config;
    await using database = openDatabase(config, url, 'keys', { connectionsMax: 1 });
    return await run(rest, database, context);
  },
};

type Action = (args: string[], database: Database, context: CommandContext) => Promise<number>;

const create: Action = async (args, database, { output }) => {
  const { values } = parseArguments(args, {
    role: { type: 'string', multiple: true },
    owner: { type: 'string' },
    identity: { type: 'string' },
    client: { type: 'string', default: 'default' },
    expires: { type: 'string' },
  });
  const roles = [...new Set(values.role ?? [])].map((text) => wordOption('--role', text, ROLES));
  if (roles.length === 0) throw new UsageError('--role is missing');
  const { keyId, key, keyHash } = mintApiKey();
  await makeApiKey(
    database,
    {
      ...{ keyId, keyHash, roles, holder: readHolder(values) },
      client: readName('--client', values.client),
      expiresAt: readExpiry(values.expires),
    },
    by('create'),
  );
  output.value({ key_id: keyId, key }, [
    `${key}`,
    `key ${keyId} made; the line above is shown once`,
  ]);
  return EXIT.fine;
};

/** The actor has no key: the command connects with DATABASE_URL. */
const by = (action: string): Actor => ({
  name: null,
  keyId: null,
  request: `risk keys ${action}`,
});

const list: Action = async (args, database, { output }) => {
  parseArguments(args, {});
  const keys = await allOf<StoredApiKey>((last) => listApiKeys(database, last?.keyId ?? '', PAGE));
  output.table(
    [
      ...['key_id', 'roles', 'client', 'owner', 'identity', 'made_by', 'confirmed_by'],
      ...['confirmed_at', 'created_at', 'expires_at', 'revoked_at'],
    ].map((field) => ({ field })),
    keys.map((key) => ({
      key_id: key.keyId,
      roles: key.roles.join(' '),
      client: key.client,
      owner: key.owner,
      identity: key.identity,
      made_by: key.madeBy,
      confirmed_by: key.confirmedBy,
      confirmed_at: key.confirmedAt?.toISOString() ?? null,
      created_at: key.createdAt.toISOString(),
      expires_at: key.expiresAt?.toISOString() ?? null,
      revoked_at: key.revokedAt?.toISOString() ?? null,
    })),
  );
  return EXIT.fine;
};

const people: Action = async (args, database, { output }) => {
  parseArguments(args, {});
  const all = await allOf<StoredIdentity>((last) =>
    listIdentities(database, last?.identity ?? '', PAGE),
  );
  output.table(
    ['identity', 'created_at', 'made_by', 'revoked_at'].map((field) => ({ field })),
    all.map((person) => ({
      identity: person.identity,
      created_at: person.createdAt.toISOString(),
      made_by: person.madeBy,
      revoked_at: person.revokedAt?.toISOString() ?? null,
    })),
  );
  return EXIT.fine;
};

async function allOf<Row>(readPage: (last: Row | undefined) => Promise<Row[]>): Promise<Row[]> {
  const rows: Row[] = [];
  for (;;) {
    const page = await readPage(rows.at(-1));
    rows.push(...page);
    if (page.length < PAGE) return rows;
  }
}

const revoke: Action = async (args, database, { output }) => {
  const { positionals } = parseArguments(args, {}, { required: ['KEY_ID'] });
  const [keyId = ''] = positionals;
  if (!(await revokeApiKey(database, keyId, by('revoke')))) {
    output.error(`no key has the id '${keyId}'`);
    return EXIT.failed;
  }
  output.value({ key_id: keyId, revoked: true }, [`key ${keyId} revoked`]);
  return EXIT.fine;
};

const expel: Action = async (args, database, { output }) => {
  const { positionals } = parseArguments(args, {}, { required: ['NAME'] });
  const { identity } = await revokeIdentity(database, positionals[0] ?? '', by('expel'));
  output.value({ identity, revoked: true }, [`person '${identity}' revoked, with all keys`]);
  return EXIT.fine;
};

const ACTIONS: Readonly<Record<string, Action>> = { create, list, revoke, people, expel };

function readHolder(values: {
  identity?: string | undefined;
  owner?: string | undefined;
}): NewApiKey['holder'] {
  if (values.identity !== undefined && values.owner !== undefined) {
    throw new UsageError('--identity and --owner exclude each other');
  }
  if (values.identity === undefined) return { owner: readName('--owner', values.owner) };
  return { identity: readName('--identity', values.identity) };
}

function readName(flag: string, text: string | undefined): string {
  if (text === undefined) throw new UsageError(`${flag} is missing`);
  return checked(flag, NAME, text);
}

function readExpiry(text: string | undefined): Date | null {
  if (text === undefined) return null;
  return new Date(checked('--expires', wireTime, text));
}

function checked(flag: string, schema: z.ZodType<string>, text: string): string {
  const parsed = schema.safeParse(text, DESCRIBED);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(`${flag} ${issue ? issueText(issue) : 'is invalid'}`);
}
