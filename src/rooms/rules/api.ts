/** What rules add to an API process. */
import type { Api, ApiRoom } from '../../core/room.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { bindReading } from '../search/bind-reading.ts';
import { cataloguePaths, catalogueRoutes } from './routes/catalogue.ts';
import { rulesPaths, rulesRoutes } from './routes/rules.ts';

export const document: DocumentPart = {
  paths: { ...cataloguePaths, ...rulesPaths },
  tags: {
    catalogue: 'What exists: corridors, reason codes and features.',
    rules: 'Rule sets, and what became of what their rules fired on.',
  },
};

export function openRules(api: Api): ApiRoom {
  return {
    routes: [catalogueRoutes(api.ingest.corridors), rulesRoutes(bindReading(api.config, api))],
  };
}
