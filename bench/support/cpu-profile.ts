/**
 * Reads V8 CPU profiles: where a process spent its time, by area (a folder of ours, or a package) and by
 * function, most first. Time in native code counts as its caller's.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Row } from '../../src/kit/command/output.ts';

type ProfileNode = {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
  readonly children?: readonly number[];
};
type Profile = {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

const FUNCTIONS_MAX = 30;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** The process waited: this is no work. */
const IDLE = '(idle)';
const COLLECTOR = '(garbage collector)';

export type ProfileTable = { readonly title: string; readonly rows: readonly Row[] };

const listProfiles = async (folder: string) =>
  (await readdir(folder)).filter((name) => name.endsWith('.cpuprofile')).sort();

const readProfile = async (folder: string, file: string) =>
  JSON.parse(await readFile(join(folder, file), 'utf8')) as Profile;

/**
 * The share of their busy time that processes spent in files whose path matches, and in what these called. Garbage collection counts
 * for none of them.
 */
export async function readShare(folder: string, path: RegExp): Promise<number> {
  const isWithin = (stack: Stack) =>
    stack.some(({ callFrame }) => path.test(pathOf(callFrame.url)));
  let [within, busy] = [0, 0];
  for (const file of await listProfiles(folder)) {
    const spent = spentBy(await readProfile(folder, file), (stack) => String(isWithin(stack)));
    within += spent.get('true') ?? 0;
    busy += [...spent.values()].reduce((sum, us) => sum + us, 0);
  }
  return within / busy;
}

export async function readProfiles(folder: string, transactions: number): Promise<ProfileTable[]> {
  const files = await listProfiles(folder);
  const tables = files.map(async (file) => {
    const profile = await readProfile(folder, file);
    const process = file.replace('.cpuprofile', '');
    return [
      {
        title: `main thread by area: ${process}`,
        rows: tabulate('area', spentBy(profile, areaOf), transactions),
      },
      {
        title: `own time by function: ${process}`,
        rows: tabulate('function', spentBy(profile, functionOf), transactions).slice(
          0,
          FUNCTIONS_MAX,
        ),
      },
    ];
  });
  return (await Promise.all(tables)).flat();
}

/** A node and its callers, innermost first. */
type Stack = readonly ProfileNode[];

/** Microseconds by name. */
function spentBy(profile: Profile, nameOf: (stack: Stack) => string): Map<string, number> {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const callers = new Map<number, ProfileNode>();
  for (const node of profile.nodes) for (const id of node.children ?? []) callers.set(id, node);
  const names = new Map<number, string>();
  const spent = new Map<string, number>();
  for (const [index, id] of profile.samples.entries()) {
    const node = nodes.get(id);
    if (node === undefined || node.callFrame.functionName === IDLE) continue;
    let name = names.get(id);
    if (name === undefined) {
      const stack: ProfileNode[] = [];
      for (let at: ProfileNode | undefined = node; at !== undefined; at = callers.get(at.id)) {
        stack.push(at);
      }
      name = nameOf(stack);
      names.set(id, name);
    }
    spent.set(name, (spent.get(name) ?? 0) + (profile.timeDeltas[index] ?? 0));
  }
  return spent;
}

function functionOf([node]: Stack): string {
  if (node === undefined) return '';
  const { functionName, url, lineNumber } = node.callFrame;
  const place = url === '' ? '' : `${pathOf(url)}:${lineNumber + 1}`;
  return `${functionName || '(anonymous)'} ${place}`.trim();
}

/** The innermost folder of ours, or package, on the stack: work of Node and V8 counts as their caller's. */
function areaOf(stack: Stack): string {
  if (stack[0]?.callFrame.functionName === COLLECTOR) return COLLECTOR;
  for (const { callFrame } of stack) {
    const path = pathOf(callFrame.url);
    const area = /^src\/[^/]+/.exec(path) ?? /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path);
    if (area !== null) return area[0].replace('node_modules/', '');
  }
  return 'node';
}

function tabulate(column: string, spent: ReadonlyMap<string, number>, transactions: number): Row[] {
  const busy = [...spent.values()].reduce((sum, us) => sum + us, 0);
  return [...spent]
    .sort(([, a], [, b]) => b - a)
    .map(([name, us]) => ({
      us_per_transaction: (us / transactions).toFixed(2),
      share: (us / busy).toFixed(3),
      [column]: name,
    }));
}

function pathOf(url: string): string {
  const path = url.startsWith('file://') ? fileURLToPath(url) : url;
  return path.replace(ROOT, '').replace(/^.*(?=node_modules\/)/, '');
}
