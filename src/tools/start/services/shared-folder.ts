/**
 * A folder outside the clone for what all clones share and what outlives them: unpacked server programs, and
 * the data of services that may not enter the clone. /var/tmp is open to all users, so a folder that another
 * user owns or may write is refused.
 */
import {
  accessSync,
  constants,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../../kit/words/failure.ts';

const WRITABLE_BY_OTHERS = 0o022;
const OPEN_TO_READ = 0o755;

/** Returns the first usable of the usual folders, and creates it if it is missing. */
export function openSharedFolder(): string {
  const uid = process.getuid?.() ?? 0;
  const name = `risk-engine-${uid}`;
  const folders = [`/var/tmp/${name}`, `/tmp/${name}`];
  return firstUsable(folders, uid);
}

/** Where data lives that services cannot reach inside the clone: survives reboots, unlike caches. */
export function openStateFolder(): string {
  const uid = process.getuid?.() ?? 0;
  const durable = uid === 0 ? ['/var/lib/risk-engine'] : [];
  return firstUsable([...durable, `/var/tmp/risk-engine-${uid}`], uid);
}

function firstUsable(folders: readonly string[], uid: number): string {
  const problems: string[] = [];
  for (const folder of folders) {
    const problem = unusable(folder, uid);
    if (problem === undefined) return folder;
    problems.push(`${folder}: ${problem}`);
  }
  throw new Failure(
    'unavailable',
    'SHARED_FOLDER_UNUSABLE',
    `no folder for the embedded services: ${problems.join('; ')}`,
  );
}

function unusable(folder: string, uid: number): string | undefined {
  try {
    mkdirSync(folder, { recursive: true, mode: OPEN_TO_READ });
    const found = lstatSync(folder);
    if (!found.isDirectory()) return 'is not a folder';
    if (found.uid !== uid) return `belongs to user ${found.uid}`;
    if ((found.mode & WRITABLE_BY_OTHERS) !== 0) return 'others may write to it';
    accessSync(folder, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Creates `<shared>/<name>` completely or not at all: `fill` works on a neighbour that is renamed to it.
 * Two processes at once both succeed; the second one's work is thrown away.
 */
export async function makeOnce(
  shared: string,
  name: string,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const target = join(shared, name);
  if (statSync(target, { throwIfNoEntry: false })?.isDirectory()) return target;
  const draft = mkdtempSync(join(shared, `.${name}-`));
  try {
    await fill(draft);
    renameSync(draft, target);
  } catch (error) {
    if (!statSync(target, { throwIfNoEntry: false })?.isDirectory()) throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return target;
}
