/** `risk keys`: makes, lists and revokes API keys, straight in the database: the first key needs no key. */
import { ROLES, type Role } from '../domain/principal.ts';
import { plainText } from '../domain/transaction.ts';
import { wireTime } from '../domain/wire-time.ts';
import { mintApiKey } from '../runtime/api-key.ts';
import { EXIT_BAD_CONFIGURATION } from '../runtime/config.ts';
import { insertApiKey, listApiKeys, revokeApiKey, type StoredApiKey } from '../store/api-keys.ts';
import { openDatabase } from '../store/open-database.ts';
import type { Database } from '../store/pool.ts';
import { type Command, type CommandContext, EXIT, parseArguments, UsageError } from './command.ts';

const PAGE = 200;
const NAME = plainText(64);

export const command: Command = {
  name: 'keys',
  summary: 'Makes, lists and revokes API keys.',
  usage: `risk keys create --role ROLE [--role ROLE …] --owner OWNER [--client CLIENT] [--expires TIME]
risk keys list
risk keys revoke KEY_ID

Roles: ${ROLES.join(', ')}. The key itself is printed once, by create. CLIENT (default: default) is
whose idempotency keys it shares. A revoked key stops working within a second. Needs DATABASE_URL.`,
  needs: ['DATABASE_URL'],
  async run(args, context) {
    const { config, output } = context;
    const [action, ...rest] = args;
    const run = Object.hasOwn(ACTIONS, action ?? '') ? ACTIONS[action ?? ''] : undefined;
    if (run === undefined) throw new UsageError('say create, list or revoke');
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
    client: { type: 'string', default: 'default' },
    expires: { type: 'string' },
  });
  const roles = [...new Set(values.role ?? [])].map(readRole);
  if (roles.length === 0) throw new UsageError('--role is missing');
  const { keyId, key, keyHash } = mintApiKey();
  await insertApiKey(database, {
    keyId,
    keyHash,
    roles,
    client: readName('--client', values.client),
    owner: readName('--owner', values.owner),
    expiresAt: readExpiry(values.expires),
  });
  output.value({ key_id: keyId, key }, [`${key}`, `key id ${keyId}; the key is not shown again`]);
  return EXIT.fine;
};

const list: Action = async (args, database, { output }) => {
  parseArguments(args, {});
  const keys: StoredApiKey[] = [];
  for (;;) {
    const page = await listApiKeys(database, keys.at(-1)?.keyId ?? '', PAGE);
    keys.push(...page);
    if (page.length < PAGE) break;
  }
  const fields = ['key_id', 'roles', 'client', 'owner', 'created_at', 'expires_at', 'revoked_at'];
  output.table(
    fields.map((field) => ({ field })),
    keys.map((key) => ({
      key_id: key.keyId,
      roles: key.roles.join(' '),
      client: key.client,
      owner: key.owner,
      created_at: key.createdAt.toISOString(),
      expires_at: key.expiresAt?.toISOString() ?? null,
      revoked_at: key.revokedAt?.toISOString() ?? null,
    })),
  );
  return EXIT.fine;
};

const revoke: Action = async (args, database, { output }) => {
  const { positionals } = parseArguments(args, {}, { min: 1, max: 1 });
  const [keyId = ''] = positionals;
  if (!(await revokeApiKey(database, keyId))) {
    output.error(`no key has the id ${keyId}`);
    return EXIT.failed;
  }
  output.value({ key_id: keyId, revoked: true }, [`${keyId} is revoked`]);
  return EXIT.fine;
};

const ACTIONS: Readonly<Record<string, Action>> = { create, list, revoke };

function readRole(text: string): Role {
  const role = ROLES.find((known) => known === text);
  if (role === undefined) throw new UsageError(`--role is one of ${ROLES.join(', ')}`);
  return role;
}

function readName(flag: string, text: string | undefined): string {
  if (text === undefined) throw new UsageError(`${flag} is missing`);
  const parsed = NAME.safeParse(text);
  if (!parsed.success) throw new UsageError(`${flag} ${parsed.error.issues[0]?.message ?? ''}`);
  return parsed.data;
}

function readExpiry(text: string | undefined): Date | null {
  if (text === undefined) return null;
  const parsed = wireTime.safeParse(text);
  if (!parsed.success) throw new UsageError(`--expires ${parsed.error.issues[0]?.message ?? ''}`);
  return new Date(parsed.data);
}
