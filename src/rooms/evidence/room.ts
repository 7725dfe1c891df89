/** The room of evidence: a log seals scores and changes, and a command computes stored scores again. */
import type { Room } from '../../core/room.ts';
import { createEvidenceMetrics } from './metrics.ts';
import { tables } from './tables.ts';

export const evidence: Room = {
  name: 'evidence',
  commands: {
    verify: async (openModels) => ({
      command: (await import('./verify-command.ts')).createCommand(openModels),
    }),
    evidence: async (openModels) => ({
      command: (await import('./evidence-command.ts')).createCommand(openModels),
    }),
  },
  document: async () => (await import('./routes.ts')).document,
  api: async (api) => (await import('./routes.ts')).openEvidenceApi(api),
  worker: async (worker) => (await import('./seal/duty.ts')).openEvidence(worker),
  events: async () => (await import('./events.ts')).events,
  alerts: async () => (await import('./alerts.ts')).alerts,
  tables,
  metrics: createEvidenceMetrics,
};
