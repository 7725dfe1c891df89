/**
 * `npm run evidence:foreign`: verify/ and a program of transparency-dev's Go libraries judge the same bundles, of scores that a real
 * Postgres has and of a gap, and as many bundles with a byte changed. Without Go the run says so, which is a failure where CI is set.
 */
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { makeRunFolder } from '../../bench/support/run-folder.ts';
import { storeSealed } from '../../bench/support/sealed-scores.ts';
import { createOutput } from '../../src/kit/command/output.ts';
import { createLog } from '../../src/kit/metrics/log.ts';
import { createRandom } from '../../src/kit/random.ts';
import { toSigningKey, verifierKey } from '../../src/rooms/evidence/log/checkpoint.ts';
import { type Bundle, proveGap, proveScore } from '../../src/rooms/evidence/prove.ts';
import { readGaps, readNewestLog } from '../../src/rooms/evidence/store/evidence-log.ts';
import { findExecutable } from '../../src/tools/start/services/executable.ts';
import { openBundle } from '../../verify/bundle.ts';
import { readKeys } from '../../verify/note.ts';

const ORIGIN = 'risk.example.com/market_0';
const run = promisify(execFile);
const output = createOutput({ json: false });
const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: {
    ...{ bundles: { ...text, default: '10000' }, seed: { ...text, default: '1' } },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  output.line('npm run evidence:foreign [-- --bundles N (10000) --seed TEXT (1)]');
  process.exit();
}

/** Builds the program once into the cache of this user. @returns undefined without Go */
async function buildForeign(): Promise<string | undefined> {
  const go = findExecutable('go', process.env['PATH']);
  if (go === undefined) return undefined;
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'risk-engine');
  await mkdir(cache, { recursive: true });
  const program = join(cache, 'evidence-foreign');
  await run(go, ['build', '-o', program, '.'], { cwd: import.meta.dirname });
  return program;
}

/** Changes a character of a hash, of the content, of a leaf or of the checkpoint. */
function mangle(bundle: Bundle, random: () => number): Bundle {
  const [first, ...others] = bundle.proofs;
  if (first === undefined) return bundle;
  // The last characters of base64 before the padding have bits that decoders pass over.
  const flipFirst = (path: readonly string[]) =>
    path.map((hash, nth) => (nth === 0 ? `${hash[0] === 'A' ? 'B' : 'A'}${hash.slice(1)}` : hash));
  const digit = (one: string) =>
    one.replace(/"(score|v)":(\d)/, (_, name, nth) => `"${name}":${(Number(nth) % 9) + 1}`);
  const kinds: (() => Bundle)[] = [
    () => ({ ...bundle, proofs: [{ ...first, content: digit(first.content) }, ...others] }),
    () => ({ ...bundle, proofs: [{ ...first, path: flipFirst(first.path) }, ...others] }),
    () => ({ ...bundle, proofs: [{ ...first, index: first.index + 1 }, ...others] }),
    () => ({
      ...bundle,
      proofs: [
        {
          ...first,
          leaf: first.leaf.replace(
            /"(sha256|from)":"(.)/,
            (_, name, digit) => `"${name}":"${digit === '0' ? '1' : '0'}`,
          ),
        },
        ...others,
      ],
    }),
    () => ({
      ...bundle,
      checkpoint: bundle.checkpoint.replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) + 1}\n`),
    }),
  ];
  return (kinds[Math.floor(random() * kinds.length)] ?? (() => bundle))();
}

/** Lets the log lapse, and seals. */
async function proveNewGap(): Promise<Bundle> {
  const { database, sealer } = sealed;
  await database.query({
    text: `update market.evidence_logs set sealed_at = now() - interval '8 days'`,
  });
  await sealer.run(Date.now());
  const log = await readNewestLog(database.query);
  const [gap] = log === undefined ? [] : await readGaps(database.query, log.logId, log.size);
  const bundle = await proveGap(database, gap?.subject ?? '');
  if (typeof bundle === 'string') throw new Error(`the gap: ${bundle}`);
  return bundle;
}

const program = await buildForeign();
if (program === undefined) {
  output.error('Go is not installed, so only verify/ judges.');
  if (process.env['CI']) process.exitCode = 1;
}
await using folder = await makeRunFolder('risk-evidence');
const keys = [generateKeyPairSync('ed25519'), generateKeyPairSync('ml-dsa-44')].map((pair) =>
  toSigningKey(pair.privateKey),
);
const verifiers = keys.map((key) => verifierKey(ORIGIN, key));
const count = Number(values.bundles);
const signal = AbortSignal.timeout(600_000);
await using sealed = await storeSealed(
  {
    dataDir: join(folder.path, 'data'),
    log: createLog('foreign', 'silent'),
    signal,
  },
  { origin: ORIGIN, keys, path: join(folder.path, 'checkpoints'), scores: count },
);
const random = createRandom(values.seed);
const bundles: Bundle[] = [];
for (const id of sealed.ids.slice(0, count)) {
  const bundle = await proveScore(sealed.database, id);
  if (typeof bundle === 'string') throw new Error(`${id}: ${bundle}`);
  bundles.push(bundle);
}
bundles.push(await proveNewGap());
const all = [...bundles, ...bundles.map((bundle) => mangle(bundle, random))];
const file = join(folder.path, 'bundles');
await writeFile(file, `${all.map((bundle) => JSON.stringify(bundle)).join('\n')}\n`);

const trusted = readKeys(verifiers.join('\n'));
const began = performance.now();
const ours = all.map((bundle) => {
  try {
    openBundle(bundle, trusted);
    return true;
  } catch {
    return false;
  }
});
const oursMs = (performance.now() - began) / all.length;
const right = ours.filter((isProven, at) => isProven === at < bundles.length).length;
output.line(`verify/: ${right} of ${all.length} judged right, ${oursMs.toFixed(2)} ms each`);
let agreed = all.length;
if (program !== undefined) {
  const from = performance.now();
  const { stdout } = await run(program, [file, verifiers[0] ?? ''], { maxBuffer: 1 << 26 });
  const theirs = stdout.trim().split('\n');
  agreed = ours.filter((isProven, at) => String(isProven) === theirs[at]).length;
  const ms = (performance.now() - from) / all.length;
  output.line(`transparency-dev: agrees on ${agreed} of ${all.length}, ${ms.toFixed(2)} ms each`);
}
if (right !== all.length || agreed !== all.length) process.exitCode = 1;
