/** What models add to an API process. */
import type { Api, ApiRoom } from '../../core/room.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { bindReading } from '../search/bind-reading.ts';
import { createRegistry } from './change/registry.ts';
import { modelWatchPaths, modelWatchRoutes } from './routes/model-watch.ts';
import { modelsPaths, modelsRoutes } from './routes/models.ts';

export const document: DocumentPart = {
  paths: { ...modelWatchPaths, ...modelsPaths },
  tags: { models: 'Models, what they do, and how well.' },
};

export function openModels(api: Api): ApiRoom {
  const reading = bindReading(api.config, api);
  const registry = createRegistry(api.databases.primary);
  return {
    routes: [modelWatchRoutes(reading), modelsRoutes({ ...registry, limits: api.limits })],
  };
}
