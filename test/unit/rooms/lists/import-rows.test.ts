/** Goal: the text of an import is bounded as it is unpacked, also where it has no rows. Method: blank lines beyond the bound. */
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { readImport } from '../../../../src/rooms/lists/import-rows.ts';

const PIECE = Buffer.from(`${' '.repeat(64 * 1024 - 1)}\n`);
const PIECES = 3073;

test('a flood of blank lines ends at a bound', async () => {
  let left = PIECES;
  const text = new Readable({
    read() {
      this.push(left-- > 0 ? PIECE : null);
    },
  });
  const pause = () => Promise.resolve();
  const reading = { isJson: true, kind: 'account', nowMs: 0, pause } as const;
  await expect(readImport(text, reading)).rejects.toMatchObject({ code: 'IMPORT_TOO_LARGE' });
});
