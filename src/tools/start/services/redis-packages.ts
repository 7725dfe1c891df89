/** Redis from Debian's packages. */
import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type FetchOptions, unpackPackage } from './debian-packages.ts';

export type RedisProgram = {
  readonly kind: 'native';
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
};

/** The unpacked server, or undefined where there is no apt, no network, or no build that fits. */
export async function redisFromPackages(options: FetchOptions): Promise<RedisProgram | undefined> {
  const found = await unpackPackage({
    ...options,
    ...{ name: 'redis-tools', title: 'Redis', folder: 'redis-debian' },
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
