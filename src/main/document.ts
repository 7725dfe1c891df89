/** The OpenAPI document, of what core and the rooms serve. */
import packageJson from '../../package.json' with { type: 'json' };
import { MEMBERS } from '../core/accept/examples.ts';
import { document as accept } from '../core/accept/routes.ts';
import { buildDocument } from '../kit/http/document.ts';
import { document as docs } from './http/docs.ts';
import { document as health } from './http/health.ts';
import { ROOMS } from './rooms.ts';

let loaded: Promise<object> | undefined;

/** The same for all APIs of a process, which take a quarter of a second to make it. */
export const loadDocument = (): Promise<object> => (loaded ??= makeDocument());

async function makeDocument(): Promise<object> {
  const rooms = await Promise.all(ROOMS.flatMap(({ routes }) => routes?.() ?? []));
  const parts = rooms.map(({ document }) => document);
  return buildDocument([health, accept, ...parts, docs], packageJson.version, MEMBERS);
}
