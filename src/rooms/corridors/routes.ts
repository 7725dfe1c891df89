/** Operations of corridors and their controls. */
import { routesUnder } from '../../core/room.ts';
import { executeControl } from './control-change.ts';
import { historyOperations } from './control-history.ts';
import { controlOperations } from './control-routes.ts';
import { executeCorridor } from './corridor-change.ts';
import { corridorOperations } from './corridor-routes.ts';
import { incidentOperations } from './incidents.ts';
import { levelOperations } from './levels-routes.ts';
import { suggestionOperations } from './suggestion-routes.ts';

const operations = [
  ...controlOperations,
  ...historyOperations,
  ...incidentOperations,
  ...corridorOperations,
  ...levelOperations,
  ...suggestionOperations,
];

const SUMMARY = 'Corridors and markets: their states, and the controls that bound them.';
export const { document, open } = routesUnder('corridors', SUMMARY, operations);

export const executors = { control: executeControl, corridor: executeCorridor };
