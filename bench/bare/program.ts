/** How the bare pipeline is started in place of the engine: the role is its last argument. */
import { fileURLToPath } from 'node:url';

export const BARE_PROGRAM = [
  process.execPath,
  fileURLToPath(new URL('./role.ts', import.meta.url)),
];
