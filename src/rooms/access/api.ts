/** Routes that keys, people and sessions add to an API process. */
import type { Api, ApiRoom } from '../../core/room.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { pathsOf, routesOf } from '../../kit/http/operation.ts';
import { loginRoutes } from './oidc/login-routes.ts';
import { identityOperations } from './routes/identities.ts';
import { executeKey, keyOperations } from './routes/keys.ts';
import { sessionOperations } from './routes/sessions.ts';

const ofKeys = [...keyOperations, ...identityOperations];

export const document: DocumentPart = {
  paths: { ...pathsOf(ofKeys, 'keys'), ...pathsOf(sessionOperations, 'sessions') },
  tags: {
    keys: 'API keys and the people who hold them.',
    sessions: 'Logins of browsers.',
  },
};

export const open = async ({
  config,
  log,
  databases: { primary },
  limits,
}: Api): Promise<ApiRoom> => ({
  routes: [
    routesOf([...ofKeys, ...sessionOperations], limits, primary),
    await loginRoutes({ config, log, database: primary }),
  ],
});

export const executors = { key: executeKey };
