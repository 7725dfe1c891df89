/** Folders that are gone once the test that made them has ended. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'risk-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}
