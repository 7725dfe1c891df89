/** Sealed scores and their proofs. */
import type { Guards } from './guard.ts';

export const EVIDENCE: Guards = {
  'sealed-scores': {
    says: 'What is stored is sealed once, and bundles are proven without the engine.',
    shown: `GET /v1/evidence/scores/{id}, GET /v1/evidence/audit/{id}, risk evidence export,
      RISK_EVIDENCE_KEYS, RISK_EVIDENCE_ORIGIN`,
    test: 'integration/rooms/evidence/seal.test.ts > what is stored once the log began, and what commits late, is sealed once; bundles are proven offline',
    mechanism: 'src/rooms/evidence/seal/seal.ts',
  },
  'evidence-check': {
    says: 'Each score among hundreds is found where it was changed behind the log.',
    shown: 'risk evidence check',
    test: 'integration/rooms/evidence/attacks.test.ts > each score among hundreds is found where it was changed',
    mechanism: 'src/rooms/evidence/check/check.ts',
  },
  'published-checkpoints': {
    says: 'A reader who was shown another history, signed by the same keys, proves it.',
    shown:
      'GET /v1/evidence/checkpoint, GET /v1/evidence/consistency, RISK_EVIDENCE_FOLDER, RISK_EVIDENCE_CHECKPOINT_SECONDS',
    test: 'integration/rooms/evidence/attacks.test.ts > a reader who was shown another history, signed by the same keys, proves it',
    mechanism: 'src/rooms/evidence/check/check.ts',
  },
  'checkpoint-bucket': {
    says: 'A bucket of checkpoints needs an object store.',
    shown: 'RISK_EVIDENCE_BUCKET',
    test: 'unit/kit/config/config.test.ts > a bucket of checkpoints needs an object store, and is written as a bucket',
    mechanism: 'src/kit/config/evidence-settings.ts',
  },
  'evidence-by-command': {
    says: 'Keys are made, a score is exported, verified without the engine and recomputed, by command.',
    shown: 'risk evidence recompute, risk evidence keys',
    test: 'integration/rooms/evidence/command.test.ts > keys are made, a score is exported, verified without the engine and recomputed, and the log is checked',
    mechanism: 'src/rooms/evidence/evidence-command.ts',
  },
  'scores-verified': {
    says: 'A recount of stored scores finds one turned bit of one feature that matters.',
    shown: 'risk verify scores',
    test: 'integration/rooms/evidence/verify-scores.test.ts > finds one turned bit of one feature that matters',
    mechanism: 'src/core/score/verify-score.ts',
  },
};
