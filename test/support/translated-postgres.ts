/**
 * A Postgres that speaks German or Russian. The embedded one has no translations and packages of Debian have them, so the programs
 * are those of RISK_TEST_POSTGRES_BIN, or of the initdb on the PATH.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findExecutable } from '../../src/tools/start/services/executable.ts';
import { makeTestFolder } from './service-folder.ts';
import { startTestPostgres, type TestService } from './services.ts';

/** Folder of the programs; undefined where this machine has none with translations. */
export function findTranslatedBin(): string | undefined {
  const initdb = findExecutable('initdb', process.env['PATH']);
  const found = initdb === undefined ? '' : dirname(realpathSync(initdb));
  const bin = process.env['RISK_TEST_POSTGRES_BIN'] || found;
  const config = join(bin, 'pg_config');
  if (!existsSync(config)) return undefined;
  const locales = execFileSync(config, ['--localedir'], { encoding: 'utf8' }).trim();
  const isTranslated = ['de', 'ru'].every((language) => {
    const catalogs = join(locales, language, 'LC_MESSAGES');
    return existsSync(catalogs) && readdirSync(catalogs).some((name) => OF_SERVER.test(name));
  });
  return isTranslated ? bin : undefined;
}

const OF_SERVER = /^postgres-\d+\.mo$/;

/** The language comes of LANGUAGE, as few machines have the locale de_DE.UTF-8 and each has C.UTF-8. */
export async function startTranslatedPostgres(
  bin: string,
  language: 'de' | 'ru',
): Promise<TestService> {
  const folder = makeTestFolder();
  const start = `#!/bin/sh\nLANGUAGE=${language} exec '${join(bin, 'postgres')}' "$@"\n`;
  writeFileSync(join(folder, 'postgres'), start, { mode: 0o755 });
  symlinkSync(join(bin, 'initdb'), join(folder, 'initdb'));
  const settings = { lc_messages: 'C.UTF-8' };
  const service = await startTestPostgres({ bin: folder, settings });
  return {
    ...service,
    [Symbol.asyncDispose]: async () => {
      await service[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
