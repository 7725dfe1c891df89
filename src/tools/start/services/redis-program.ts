/**
 * Which Redis to run, best first: one on the PATH, Debian's packages unpacked to the shared folder,
 * and last the WebAssembly build of Valkey, which keeps nothing on disk.
 */
import type { Environment } from '../../../kit/config/config.ts';
import type { Account } from './account.ts';
import { ask, findExecutable } from './executable.ts';
import { type RedisProgram, redisFromPackages } from './redis-packages.ts';

export type RedisSource = RedisProgram | { readonly kind: 'wasm' };

/** The engine uses consumer group features of Redis 7.0; Valkey's numbers continue from 7.2. */
const MAJOR_MIN = 7;

type RedisSearch = {
  readonly account: Account;
  readonly environment: Environment;
  readonly onProgress: (text: string) => void;
  readonly signal: AbortSignal;
};

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
