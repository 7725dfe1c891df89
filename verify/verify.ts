/**
 * Verifies evidence with Node 24 alone, without the engine, a network or a package:
 *   node verify/verify.ts BUNDLE… --key KEYS [--seen CHECKPOINT --proof PROOF]
 *   node verify/verify.ts --checkpoint NEWER --key KEYS --seen CHECKPOINT --proof PROOF
 * BUNDLE is a bundle of `risk evidence export`, or has a bundle in each line; KEYS has a verifier key in each line. CHECKPOINT is
 * kept by the reader, and PROOF (`/v1/evidence/consistency`) shows that the log continues it. Exit code: 0 proven, 1 not, 2 usage.
 */
import { readFileSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Bundle, openBundle, tableOf } from './bundle.ts';
import { isConsistent } from './merkle.ts';
import { type Checkpoint, openCheckpoint, readKeys } from './note.ts';
import type { Fields } from './score.ts';

const USAGE = 'verify.ts BUNDLE… | --checkpoint NOTE --key KEYS [--seen NOTE --proof PROOF]';

/** @throws Error where the newer checkpoint does not continue the checkpoint that the reader kept */
export function requireContinued(seen: Checkpoint, newer: Checkpoint, proof: readonly string[]) {
  if (newer.origin !== seen.origin)
    throw new Error(`another log: ${newer.origin}, not ${seen.origin}`);
  if (newer.size < seen.size)
    throw new Error(`an old checkpoint: ${newer.size} leaves, and ${seen.size} were seen before`);
  const path = proof.map((hash) => Buffer.from(hash, 'base64'));
  if (!isConsistent(seen.size, seen.root, newer.size, newer.root, path))
    throw new Error(`two histories: ${newer.size} leaves do not begin with the ${seen.size} seen`);
}

/** Says which of the names in a score stand for something that the bundle does not prove. */
const lacking = ([first = {}, ...others]: readonly Fields[]) =>
  Object.entries({
    'rule-set': first['rule_set'],
    model: first['model'],
    audit: first['scorecard'],
  })
    .filter(([kind, name]) => name && !others.some((other) => other['kind'] === kind))
    .map(([kind, name]) => `; NOT PROVEN: its ${kind === 'audit' ? 'table' : kind} ${name}`)
    .join('');

const nameOf = ({ kind, id, from, to, ...content }: Fields, nth: number) => {
  const table = nth > 0 ? tableOf(content) : undefined;
  return table === undefined ? `${kind} ${id ?? `${from}/${to}`}` : `table ${table}`;
};

/** Reads a file of one bundle, or of a bundle in each line. */
function readBundles(path: string): Bundle[] {
  const text = readFileSync(path, 'utf8').replace(/^\ufeff/, '');
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const isList = lines.length > 1 && lines[0]?.startsWith('{') && lines[0].endsWith('}');
  return (isList ? lines : [text]).map((one) => JSON.parse(one) as Bundle);
}

export function main(args: readonly string[], say: (line: string) => void): number {
  const text = { type: 'string' } as const;
  const options = { key: text, seen: text, proof: text, checkpoint: text };
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
  const { key, seen, proof, checkpoint } = values;
  if (key === undefined || positionals.length + (checkpoint === undefined ? 0 : 1) === 0) {
    say(USAGE);
    return 2;
  }
  const keys = readKeys(readFileSync(key, 'utf8'));
  const open = (path: string) => openCheckpoint(readFileSync(path, 'utf8'), keys);
  const kept = seen === undefined ? undefined : open(seen);
  const hashes: string[] = proof === undefined ? [] : JSON.parse(readFileSync(proof, 'utf8')).path;
  // A newline within a bundle would begin a line of its own, which may say that the bundle is proven.
  const tell = (line: string) => say(line.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?'));
  let failed = 0;
  const attempt = (name: string, work: () => string) => {
    try {
      tell(`proven ${work()}`);
    } catch (error) {
      failed++;
      tell(`NOT PROVEN ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  if (checkpoint !== undefined)
    attempt(checkpoint, () => {
      const newer = open(checkpoint);
      if (kept) requireContinued(kept, newer, hashes);
      return `checkpoint of ${newer.origin}, ${newer.size} leaves`;
    });
  for (const path of positionals) {
    for (const [index, bundle] of readBundles(path).entries()) {
      attempt(`${path} (${index + 1})`, () => {
        const { checkpoint: of, contents } = openBundle(bundle, keys);
        if (kept) requireContinued(kept, of, hashes);
        const names = contents.map(nameOf);
        return `${names.join(', ')} in ${of.origin}, ${of.size} leaves${lacking(contents)}`;
      });
    }
  }
  return failed === 0 ? 0 : 1;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = main(process.argv.slice(2), (line) => process.stdout.write(`${line}\n`));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
    process.exitCode = 2;
  }
}
