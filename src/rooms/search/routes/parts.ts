/** What the routes of search need of the process. */
import type { Api } from '../../../core/room.ts';
import type { Caches } from '../caches.ts';

export type Parts = Pick<Api, 'config' | 'databases' | 'ingest' | 'models'> & Caches;
