/** Folders that are gone once the test that made them has ended, or all tests of its file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

const makeFolder = () => mkdtempSync(join(tmpdir(), 'risk-test-'));
const remove = (folder: string) => () => rmSync(folder, { recursive: true, force: true });

export function temporaryFolder(): string {
  const folder = makeFolder();
  onTestFinished(remove(folder));
  return folder;
}

export function folderOfFile(): string {
  const folder = makeFolder();
  afterAll(remove(folder));
  return folder;
}
