/**
 * `src/main/cli.ts` and its packages in a few files, for the processes that tests start: half of the processor time of a start is
 * the search for 740 modules. A test of bin/risk itself runs the sources.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';
import { REPOSITORY } from './risk.ts';
import { readSources } from './source-files.ts';

const BUNDLES = join(REPOSITORY, 'node_modules/.cache/risk');
const ENTRY = 'cli.mjs';

/** @returns the entry, in a folder that is named by what it was made of, so that its files are compiled once */
export async function bundleRisk(): Promise<string> {
  const hash = createHash('sha256').update(readFileSync(join(REPOSITORY, 'package-lock.json')));
  const made = [...readSources('src', /\.ts$/), ...readSources('test/support', /bundle\.ts$/)];
  for (const { path, text } of made) hash.update(`\0${path}\0${text}`);
  const folder = join(BUNDLES, hash.digest('hex').slice(0, 16));
  if (!existsSync(folder)) {
    rmSync(BUNDLES, { recursive: true, force: true });
    mkdirSync(BUNDLES, { recursive: true });
    const draft = mkdtempSync(`${BUNDLES}/draft-`);
    await writeBundle(draft);
    renameSync(draft, folder);
  }
  return join(folder, ENTRY);
}

async function writeBundle(outDir: string): Promise<void> {
  await build({
    ...{ root: REPOSITORY, configFile: false, publicDir: false, logLevel: 'error' },
    ssr: { noExternal: true },
    build: {
      ...{ ssr: 'src/main/cli.ts', outDir, emptyOutDir: false, minify: false, target: 'esnext' },
      rolldownOptions: { output: { entryFileNames: ENTRY, chunkFileNames: '[hash].mjs' } },
    },
    plugins: [
      {
        name: 'addresses of the sources',
        enforce: 'pre',
        // Sources find files of the repository by their own address, as a package of Kafka's client finds its WebAssembly.
        transform: (code, id) =>
          id.startsWith(REPOSITORY)
            ? code.replaceAll('import.meta.url', JSON.stringify(`file://${id}`))
            : undefined,
      },
    ],
  });
}
