/** Reads V8 CPU profiles: which functions a process spent its own time in, most first. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Row } from '../../src/cli/output.ts';

type ProfileNode = {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
};
type Profile = {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

const ROWS_MAX = 30;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Not work: waiting for something to do. */
const IDLE = '(idle)';

export type ProfileTable = { readonly title: string; readonly rows: readonly Row[] };

export async function readProfiles(folder: string, transactions: number): Promise<ProfileTable[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.cpuprofile')).sort();
  return await Promise.all(
    files.map(async (file) => {
      const profile = JSON.parse(await readFile(join(folder, file), 'utf8')) as Profile;
      const title = `own time by function: ${file.replace('.cpuprofile', '')}`;
      return { title, rows: summarise(profile, transactions) };
    }),
  );
}

function summarise(profile: Profile, transactions: number): Row[] {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const spent = new Map<string, number>();
  let busy = 0;
  for (const [index, id] of profile.samples.entries()) {
    const frame = nodes.get(id)?.callFrame;
    const us = profile.timeDeltas[index] ?? 0;
    if (frame === undefined || frame.functionName === IDLE) continue;
    const name = `${frame.functionName || '(anonymous)'} ${place(frame.url, frame.lineNumber)}`;
    spent.set(name, (spent.get(name) ?? 0) + us);
    busy += us;
  }
  return [...spent]
    .sort(([, a], [, b]) => b - a)
    .slice(0, ROWS_MAX)
    .map(([name, us]) => ({
      us_per_transaction: (us / transactions).toFixed(2),
      share: (us / busy).toFixed(3),
      function: name.trim(),
    }));
}

function place(url: string, line: number): string {
  if (url === '') return '';
  const path = url.startsWith('file://') ? fileURLToPath(url) : url;
  return `${path.replace(ROOT, '').replace(/^.*node_modules\//, '')}:${line + 1}`;
}
