/**
 * A folder outside the clone for what all clones share and what outlives them: unpacked server programs, and the data of
 * services that may not enter the clone of root. Tests keep data there, too.
 */
import { lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../../kit/words/failure.ts';
import { ownAccount } from './account.ts';

const WRITABLE_BY_OTHERS = 0o022;
const OPEN_TO_READ = 0o755;

/** /var/tmp is open to all users, so a folder that another user owns or may write is refused. */
export function openSharedFolder(): string {
  const { uid } = ownAccount();
  const folder = uid === 0 ? '/var/lib/risk-engine' : `/var/tmp/risk-engine-${uid}`;
  mkdirSync(folder, { recursive: true, mode: OPEN_TO_READ });
  const found = lstatSync(folder);
  if (found.isDirectory() && found.uid === uid && (found.mode & WRITABLE_BY_OTHERS) === 0)
    return folder;
  const wanted = `a folder that user ${uid} owns and no other user may write`;
  throw new Failure('unavailable', 'SHARED_FOLDER_UNUSABLE', `${folder} must be ${wanted}`);
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
