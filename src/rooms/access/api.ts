/** What keys, people and sessions add to an API process. */
import type { Api, ApiRoom } from '../../core/room.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { identitiesPaths, identitiesRoutes } from './routes/identities.ts';
import { keysPaths, keysRoutes } from './routes/keys.ts';
import { sessionsPaths, sessionsRoutes } from './routes/sessions.ts';

export const document: DocumentPart = {
  paths: { ...keysPaths, ...identitiesPaths, ...sessionsPaths },
  tags: {
    keys: 'API keys and the people who hold them.',
    sessions: 'Logins of browsers.',
  },
};

export function openAccess({ databases: { primary }, limits }: Api): ApiRoom {
  return {
    routes: [keysRoutes(primary, limits), identitiesRoutes(primary), sessionsRoutes(primary)],
  };
}
