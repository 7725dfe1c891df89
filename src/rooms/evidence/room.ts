/** The room of evidence: a log seals scores and changes, and a command computes stored scores again. */
import type { Room } from '../../core/room.ts';
import type { Retention } from '../../kit/duties/purge.ts';
import { createEvidenceMetrics } from './metrics.ts';

const tables: readonly Retention[] = [
  {
    tables: ['evidence_logs', 'evidence_entries', 'evidence_tiles'],
    ends: 'never: they prove rows of other tables',
  },
  { tables: ['outbox_evidence'], ends: 'once their scores are sealed' },
];

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
  routes: () => import('./routes.ts'),
  worker: async (worker) => (await import('./seal/duty.ts')).openEvidence(worker),
  tables,
  metrics: createEvidenceMetrics,
};
