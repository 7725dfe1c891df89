/** The room of the console: the browser application, as it was built. */
import { fileURLToPath } from 'node:url';
import type { Room } from '../../core/room.ts';

const BUILD = fileURLToPath(new URL('../../../console/dist', import.meta.url));

export const console: Room = {
  name: 'console',
  pages: async () => (await import('./routes.ts')).consoleRoutes(BUILD),
};
