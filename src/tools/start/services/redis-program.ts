/**
 * The Redis to run, best first: a program on the PATH, Debian's packages unpacked to the shared folder,
 * and last the WebAssembly build of Valkey, which keeps nothing on disk.
 */
import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Account } from './account.ts';
import { type FetchOptions, unpackPackage } from './debian-packages.ts';
import { ask, findExecutable } from './executable.ts';

type RedisProgram = {
  readonly kind: 'native';
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
};

export type RedisSource = RedisProgram | { readonly kind: 'wasm' };

/** The engine uses consumer group features of Redis 7.0; Valkey's numbers continue from 7.2. */
const MAJOR_MIN = 7;

type RedisSearch = FetchOptions & { readonly account: Account };

export async function findRedis(search: RedisSearch): Promise<RedisSource> {
  for (const name of ['redis-server', 'valkey-server']) {
    const program = findExecutable(name, search.environment['PATH']);
    if (program === undefined) continue;
    const found: RedisProgram = { kind: 'native', program, environment: {} };
    if (await runs(found, search.account)) return found;
  }
  const fetched = await redisFromPackages(search);
  if (fetched !== undefined && (await runs(fetched, search.account))) return fetched;
  return { kind: 'wasm' };
}

async function runs({ program, environment }: RedisProgram, account: Account): Promise<boolean> {
  const answer = await ask(program, ['--version'], { account, environment });
  const major = Number(/\bv=(\d+)\./.exec(answer.stdout)?.[1]);
  return answer.ok && major >= MAJOR_MIN;
}

/** The unpacked server, or undefined where there is no apt, no network, or no build that fits. */
async function redisFromPackages(options: FetchOptions): Promise<RedisProgram | undefined> {
  const found = await unpackPackage({
    ...options,
    name: 'redis-tools',
    title: 'Redis',
    folder: 'redis-debian',
    finish: (folder) => {
      // The server is one program under several names; it looks at the name it was called by.
      const server = join(folder, 'usr/bin/redis-server');
      if (!existsSync(server)) symlinkSync('redis-check-rdb', server);
    },
  });
  if (found === undefined) return undefined;
  const { folder, environment } = found;
  return { kind: 'native', program: join(folder, 'usr/bin/redis-server'), environment };
}
