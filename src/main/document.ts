/** The OpenAPI document, of what core and the rooms serve. */
import packageJson from '../../package.json' with { type: 'json' };
import { document as accept } from '../core/accept/routes.ts';
import { document as docs } from '../kit/http/docs.ts';
import { buildDocument } from '../kit/http/document.ts';
import { document as health } from '../kit/http/health.ts';
import { ROOMS } from './rooms.ts';

export async function loadDocument(): Promise<object> {
  const parts = await Promise.all(ROOMS.map(({ document }) => document?.() ?? []));
  return buildDocument([health, accept, ...parts.flat(), docs], packageJson.version);
}
