/** A model of random trees, registered and active before any worker asks for it. */
import { FEATURE_LIST } from '../../src/core/domain/feature-schema.ts';
import { decideIn, MODELS } from '../../src/core/store/rollouts/rollouts.ts';
import { listCorridors } from '../../src/core/store/transactions/transactions.ts';
import { mintApiKey } from '../../src/kit/access/api-key.ts';
import { makeApiKey } from '../../src/kit/access/api-keys.ts';
import { confirm, propose } from '../../src/kit/approvals/approvals.ts';
import { type Database, openPool, type Query } from '../../src/kit/database/pool.ts';
import { createRandom } from '../../src/kit/random.ts';
import type { Officer } from '../../src/kit/words/principal.ts';
import { writeXgboost } from '../../src/rooms/models/model/write-xgboost.ts';
import { describeModel } from '../../src/rooms/models/registry/check-model.ts';
import { insertModel } from '../../src/rooms/models/store/models.ts';
import { MARKET } from './market.ts';
import { makeRandomTrees } from './random-trees.ts';

/** A model of the size that `models train` makes by default, each tree full. */
const SHAPE = { trees: 200, depth: 6, thresholdMax: 50, leafMin: -0.08, leafMax: 0.04 };
const TIMEOUT_MS = 10_000;

export type PutModel = {
  readonly market?: string;
  readonly trees?: number;
  /** Default: every corridor of the market. */
  readonly corridors?: readonly string[];
};

/** A model as it is registered. */
export function makeTreeModel(count: number = SHAPE.trees): {
  readonly artefact: Buffer;
  readonly manifest: ReturnType<typeof describeModel>;
} {
  const featureNames = FEATURE_LIST.map(({ name }) => name);
  const random = createRandom('model in force');
  const trees = makeRandomTrees({ ...SHAPE, trees: count, featureNames }, random);
  const artefact = Buffer.from(writeXgboost(trees));
  return { artefact, manifest: describeModel(artefact, 'random@1', random) };
}

/** @returns its name, as scores have it */
export async function putModelInForce(
  url: string,
  { market = MARKET, trees, corridors }: PutModel = {},
): Promise<string> {
  const { artefact, manifest } = makeTreeModel(trees);
  await using database = openPool({
    ...{ url, market, role: 'bench', connectionsMax: 1, namedStatements: false },
    ...{ connectTimeoutMs: TIMEOUT_MS, statementTimeoutMs: TIMEOUT_MS },
  });
  await insertModel(database, {
    ...{ manifest, artefact, format: 'xgboost-json' },
    ...{ goldenSource: 'import', createdBy: 'bench' },
  });
  const to = { state: 'active' as const, canary_percent: 0 };
  const { sha256: subject, model } = manifest;
  const proposer = await makeOfficer(database, 'proposer');
  const by = await makeOfficer(database, 'approver');
  const detail = { model_id: subject, ...to };
  const asked = { kind: 'model-rollout', subject: model, detail } as const;
  const { approval_id: id } = await database.transaction((query) =>
    propose(query, asked, proposer),
  );
  const chosen = corridors ?? (await listCorridors(database));
  const rows = chosen.map((corridor) => ({ subject, ...to, corridor, cause: 'approval' as const }));
  const execute = (query: Query) =>
    decideIn(MODELS, query, async () => ({ rows, approvalId: id, proposedBy: proposer.name, by }));
  await confirm(database, { 'model-rollout': execute }, id, by, null);
  return model;
}

/** Makes a key for one of the first two people, whom DATABASE_URL makes without a confirmation. */
async function makeOfficer(database: Database, identity: string): Promise<Officer> {
  const { keyId, keyHash } = mintApiKey();
  await makeApiKey(
    database,
    {
      ...{ keyId, keyHash, client: 'default', expiresAt: null },
      ...{ roles: ['risk_officer'], holder: { identity } },
    },
    { name: null, keyId: null, request: 'bench' },
  );
  return { keyId, name: identity, request: 'bench' };
}
