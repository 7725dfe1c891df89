/** `/v1/evidence`: checkpoints of the log, and proofs of scores, of audit lines and of the log's growth. */
import { z } from 'zod';
import { type Api, routesUnder } from '../../core/room.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import { eventOf, eventsDocument } from '../../kit/http/event-document.ts';
import { answer, read } from '../../kit/http/operation.ts';
import { InvalidFields } from '../../kit/words/field-errors.ts';
import { countedId, integerParameter } from '../../kit/words/list-parameters.ts';
import { consistencyPath } from './log/tree.ts';
import { type Bundle, FORMAT, proveLine, proveScore, readSigned, type Unproven } from './prove.ts';
import { tileReader } from './store/evidence-log.ts';

const note =
  'risk.example.com/market_0\n1\nn8FdfRLvT1M5TmFkJxB4Jmr6Ew9v1qvH3fJ3Kb2hT0E=\n\n— risk.example.com/market_0 5f0c1w==\n';
const checkpoint = z
  .string()
  .meta({ description: 'Signed note: origin, size, root.', example: note });
const hashes = z
  .array(z.string().meta({ example: 'n8FdfRLvT1M5TmFkJxB4Jmr6Ew9v1qvH3fJ3Kb2hT0E=' }))
  .readonly();
const proofSchema = z.object({
  content: z.string().meta({
    description: 'Canonical JSON (RFC 8785): the hash of a score is over its values.',
    example: '{"action":"control.set","id":"41","kind":"audit","v":1}',
  }),
  set: z.object({ index: z.int(), hashes: z.base64() }).optional().meta({
    description: 'The place of a score among the hashes of its set; absent for other kinds.',
  }),
  leaf: z.string().meta({
    description: 'The leaf of the log.',
    example:
      '{"id":"41","kind":"audit","sealed_at":"2026-11-27T08:05:00.000Z","sha256":"9fc1…","v":1}',
  }),
  index: z.int(),
  path: hashes.meta({ description: 'Inclusion path of RFC 6962, base64.' }),
});
const bundleSchema = z
  .object({
    format: z.literal(FORMAT),
    checkpoint,
    proofs: z.array(proofSchema).readonly().meta({
      description:
        'The proof of the score or line, then those of the rule set and the model that the score names.',
    }),
  })
  .meta({ id: 'EvidenceBundle' });

/** @throws Problem */
function requireBundle(found: Bundle | Unproven, what: string): Bundle {
  if (typeof found === 'object') return found;
  if (found === 'unknown') throw new Problem('not-found', `${what} is not known.`);
  throw new Problem('not-found', `${what} is in no signed checkpoint yet.`, {
    headers: { 'Retry-After': '60' },
  });
}

const SIZE_MAX = Number.MAX_SAFE_INTEGER;
const READERS = ['operator', 'analyst', 'risk_officer', 'admin'] as const;

const operations = [
  read({
    at: '/v1/evidence/checkpoint',
    operationId: 'readCheckpoint',
    summary: 'The newest signed checkpoint of the log',
    description:
      'A signed note (C2SP). Keep a checkpoint outside, and prove later that the newest one continues it.',
    roles: READERS,
    answers: {
      200: {
        description: 'Origin, size and root, signed.',
        content: { 'text/plain': { schema: z.string(), example: note } },
      },
    },
    problems: [404],
    run: async ({ c }, { databases: { primary } }: Api) => {
      const { note: signed } = await requireSigned(primary);
      return c.text(signed);
    },
  }),
  read({
    at: '/v1/evidence/consistency',
    operationId: 'proveConsistency',
    summary: 'Proves that the newest checkpoint continues an older one',
    roles: READERS,
    query: z.strictObject({
      from: integerParameter(0, SIZE_MAX).meta({
        description: 'Size of the older checkpoint.',
        example: 1,
      }),
    }),
    answers: {
      200: answer(
        'The proof of RFC 6962, base64.',
        z.object({ from: z.int(), to: z.int(), path: hashes, checkpoint }),
      ),
    },
    problems: [404],
    run: async ({ query: { from } }, { databases: { primary } }: Api) => {
      const { logId, note: checkpoint, head } = await requireSigned(primary);
      if (from > head.size) {
        const detail = `must be a size up to ${head.size}, that of the newest checkpoint`;
        throw new InvalidFields([{ pointer: '/from', detail }]);
      }
      const read = tileReader(primary.query, logId);
      const path = await consistencyPath(read, from, head.size);
      return { from, to: head.size, path: path.map((hash) => hash.toString('base64')), checkpoint };
    },
  }),
  read({
    at: '/v1/evidence/scores/{id}',
    operationId: 'proveScore',
    summary: 'Exports the bundle that proves a score offline',
    roles: ['analyst', 'risk_officer'],
    path: z.object({
      id: z.uuid().toLowerCase().meta({
        description: 'The transaction id.',
        example: '0190a5f2-7c1e-7d3b-9a44-5b1f0c2d3e4f',
      }),
    }),
    answers: { 200: answer('The bundle.', bundleSchema) },
    problems: [410],
    run: async ({ path: { id } }, { databases: { primary } }: Api) =>
      requireBundle(await proveScore(primary, id), `The score ${id}`),
  }),
  read({
    at: '/v1/evidence/audit/{id}',
    operationId: 'proveAuditLine',
    summary: 'Exports the bundle that proves a line of the audit log offline',
    roles: ['admin', 'risk_officer'],
    path: z.object({
      id: countedId('an audit_id').meta({ description: 'The audit id.', example: '41' }),
    }),
    answers: { 200: answer('The bundle.', bundleSchema) },
    run: async ({ path: { id } }, { databases: { primary } }: Api) =>
      requireBundle(await proveLine(primary, id), `The line ${id} of the audit log`),
  }),
];

async function requireSigned(primary: Parameters<typeof readSigned>[0]) {
  const signed = await readSigned(primary);
  if (signed !== undefined) return signed;
  throw new Problem(
    'not-found',
    'No checkpoint was signed: a worker with RISK_EVIDENCE_KEYS begins a log.',
  );
}

const routes = routesUnder('evidence', 'Proofs of scores and changes.', operations);
const eventsPart = eventsDocument([
  eventOf({
    type: 'evidence.checkpoint',
    summary: 'A checkpoint of the log was signed',
    data: z.object({
      origin: z.string().meta({ example: 'risk.example.com/market_0' }),
      size: z.int(),
      checkpoint,
    }),
  }),
]);
export const document = { ...routes.document, ...eventsPart };
export const { open } = routes;
