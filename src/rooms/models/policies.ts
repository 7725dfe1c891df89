/**
 * `/v1/scorecard-policies`: two people put a policy of the scorecard in force until its end. Their approval is the first stage of its
 * rollout, too; later stages are proposed as those of any model.
 */
import { hash } from 'node:crypto';
import { z } from 'zod';
import { nameOf } from '../../core/domain/control.ts';
import { MODEL } from '../../core/domain/corridor.ts';
import {
  DEFAULT_TERMS,
  POLICY,
  POLICY_FORMAT,
  type PolicyValue,
  policySchema,
} from '../../core/domain/policy.ts';
import type { Api } from '../../core/room.ts';
import { holdingText, type Rollout } from '../../core/score/rollout/holding.ts';
import { subjectsInForce } from '../../core/score/rollout/in-force.ts';
import { planPromotion, planRemoval } from '../../core/score/rollout/plan-rollout.ts';
import { type DayTable, textOfDay } from '../../core/score/scorecard/day-table.ts';
import { KNOWN_FRAUDS_MIN } from '../../core/score/scorecard/scorecard.ts';
import { TOPS_MIN } from '../../core/score/scorecard/shares.ts';
import { changeControlsIn, type NewControl } from '../../core/store/controls/controls.ts';
import { decidedOf } from '../../core/store/rollouts/decide-rollout.ts';
import { decideIn, MODELS, readSettledRollouts } from '../../core/store/rollouts/rollouts.ts';
import { corridorsNamed } from '../../core/store/transactions/transactions.ts';
import { findTableAt } from '../../core/work/day-tables.ts';
import { refuseStale } from '../../kit/access/identities.ts';
import { type Approval, approvalSchema } from '../../kit/approvals/approval.ts';
import { type Execute, propose } from '../../kit/approvals/approvals.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { onlyOf } from '../../kit/database/statement.ts';
import { checkFields } from '../../kit/http/body/body.ts';
import { answer, bodyOf, change } from '../../kit/http/operation.ts';
import { createRandom } from '../../kit/random.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { Failure } from '../../kit/words/failure.ts';
import { InvalidFields } from '../../kit/words/field-errors.ts';
import { corridorParameter } from '../../kit/words/list-parameters.ts';
import { reasonField } from '../../kit/words/plain-text.ts';
import type { Officer } from '../../kit/words/principal.ts';
import { DAY_MS } from '../../kit/words/range.ts';
import { wireTime } from '../../kit/words/wire-time.ts';
import { lockPolicy, refusePolicy } from './decide-models.ts';
import { describeModel, UNTOLD } from './registry/check-model.ts';
import { registerModel } from './registry/register-model.ts';
import { loadModel } from './registry/scoring-model.ts';
import { findModel } from './store/models.ts';

/** Longer: nobody looks again at what decides. Shorter: people approve a policy before its weeks have matured. */
const END_DAYS_MAX = 90;
/** The first stage of a rollout. */
const START = { state: 'canary', canary_percent: 5 } as const;

const { format: _, ...terms } = policySchema.shape;
const newPolicySchema = z
  .strictObject({
    corridor: corridorParameter.meta({ description: 'Where it begins.', example: 'US-EG' }),
    ...terms,
    measures_left_out: terms.measures_left_out.default([]),
    bound: terms.bound.default(DEFAULT_TERMS.bound),
    ends_at: wireTime.meta({ description: `In ${END_DAYS_MAX} days at most.` }),
    reason: reasonField,
  })
  .meta({ id: 'NewScorecardPolicy' });
type NewPolicy = z.output<typeof newPolicySchema>;

const nextNumber = onlyOf<{ number: number }>(
  'next-policy',
  `select coalesce(max(substring(model from '^${POLICY}@(\\d{1,9})$')::int4), 0) + 1 as number from market.models`,
);

/** @throws Failure where no table has what a policy decides by */
async function readReady(query: Query): Promise<DayTable> {
  const table = (await findTableAt(query, Date.now()))?.table;
  const known = table?.learnt.knownFrauds ?? 0;
  if (table === undefined || known < KNOWN_FRAUDS_MIN) {
    throw refusePolicy(`no table in use has learnt: ${known} of ${KNOWN_FRAUDS_MIN} known frauds`);
  }
  if (table.tops.scorecard.length > 0) return table;
  const day = textOfDay(table.day);
  throw refusePolicy(`the table of ${day} has no bands: bands take ${TOPS_MIN} scores of 28 days`);
}

/** @throws InvalidFields */
function toPolicy({ corridor: _c, reason: _r, ...asked }: NewPolicy, table: DayTable): PolicyValue {
  const { ends_at, measures_left_out: leftOut } = asked;
  const leftMs = Date.parse(ends_at) - Date.now();
  const isTimely = leftMs > 0 && leftMs <= END_DAYS_MAX * DAY_MS;
  const late = `must be a time of the next ${END_DAYS_MAX} days, not ${given(ends_at)}`;
  const wrong = leftOut.flatMap((measure, nth) => {
    if (table.measures.includes(measure)) return [];
    const detail = `must be a measure of GET /v1/scorecards/${textOfDay(table.day)}, not ${given(measure)}`;
    return [{ pointer: `/measures_left_out/${nth}`, detail }];
  });
  if (!isTimely) wrong.push({ pointer: '/ends_at', detail: late });
  if (wrong.length > 0) throw new InvalidFields(wrong);
  return checkFields(policySchema, {
    ...{ format: POLICY_FORMAT, ...asked, ends_at: new Date(ends_at).toISOString() },
    measures_left_out: [...new Set(leftOut)].sort(),
  });
}

/** Fewer: policies that many people propose at once are refused. */
const TRIES_MAX = 20;

type Start = { readonly corridor: string; readonly subject: string };

/**
 * The rows of the first stage; a canary whose policy has ended is rolled back. A policy needs no shadow, as each score has a margin
 * already.
 * @throws Failure where the policy has been rolled out before, or the corridor has another canary
 */
async function planStart(query: Query, log: readonly Rollout[], { corridor, subject }: Start) {
  if (log.some((row) => row.subject === subject)) {
    throw refusePolicy('the policy has been rolled out: propose its next stage, or another policy');
  }
  const shadow = { corridor, subject, state: 'shadow', canary_percent: 0 } as const;
  const canary = subjectsInForce(log).get(corridor)?.canary?.subject;
  const under = canary === undefined ? null : (await loadModel({ query }, canary)).under;
  const isOver = under !== null && !(await lockPolicy(query, under));
  const ended = isOver ? planRemoval(log, corridor, canary ?? '') : [];
  const known = [{ ...shadow, cause: 'approval' } as const, ...log, ...ended];
  return [...ended, ...planPromotion(known, [corridor], { subject, ...START })];
}

/** Proposes a policy, and registers its model in the same commit unless the model is registered already. */
async function proposePolicy(database: Database, asked: NewPolicy, by: Officer): Promise<Approval> {
  const [corridor = ''] = await corridorsNamed(database, asked.corridor);
  const policy = toPolicy(asked, await readReady(database.query));
  const artefact = Buffer.from(JSON.stringify(policy));
  const sha256 = hash('sha256', artefact, 'hex');
  const log = await readSettledRollouts(MODELS, database, by.request);
  await planStart(database.query, log, { corridor, subject: sha256 });
  const detail = { model_id: sha256, corridor, ...START, to: holdingText(START), policy };
  const ask = async (query: Query, subject: string) => {
    await refuseStale({ query }, by.keyId);
    const { reason } = asked;
    return await propose(query, { kind: 'scorecard-policy', subject, detail, reason }, by);
  };
  const register = async (triesLeft: number): Promise<Approval> => {
    const known = await findModel(database.query, sha256);
    if (known !== undefined) return await database.transaction((query) => ask(query, known.model));
    const name = `${POLICY}@${(await nextNumber(database.query)).number}`;
    const told = { ...UNTOLD, card: { policy } };
    const manifest = describeModel(artefact, name, createRandom('golden'), told);
    let proposed: Approval | undefined;
    const alongside = async (query: Query) => {
      proposed = await ask(query, name);
    };
    const asIs = { artefact, manifest, goldenSource: 'import', by, alongside } as const;
    await registerModel(database, asIs).catch((error: unknown) => {
      // Another policy may have taken the number meanwhile.
      const isTaken = error instanceof Failure && error.code === 'MODEL_EXISTS';
      if (!isTaken || triesLeft === 0) throw error;
    });
    return proposed ?? (await register(triesLeft - 1));
  };
  return await register(TRIES_MAX);
}

/** Puts in force what another person confirms. Locks are taken in the order approvals, controls, rollouts. */
export const executePolicy: Execute<Api> = async (query, approval, by, { databases }) => {
  const { subject: name, detail, approval_id: approvalId, proposed_by: proposedBy } = approval;
  const [subject, corridor] = [String(detail['model_id']), String(detail['corridor'])];
  // The running build may differ from the build that registered the policy.
  const { file } = await loadModel({ query }, subject);
  if (!('policy' in file) || Date.parse(file.policy.ends_at) <= Date.now()) {
    throw refusePolicy(`${name} is over: propose a new policy`);
  }
  await readReady(query);
  const control: NewControl = {
    ...{ kind: 'scorecard', scope: MODEL + name, value: { policy: file.policy }, message: null },
    ...{ reason: approval.reason ?? '', ends_at: file.policy.ends_at, set_by: by.name },
  };
  await changeControlsIn(query, databases.primary, false, async (_before, { set }) => {
    await set(control);
    const said = { action: 'control.set', subject: nameOf(control), before: null } as const;
    await recordChange(query, by, { ...said, after: control });
  });
  const { rows } = await decideIn(MODELS, query, async (log) => {
    const rows = await planStart(query, log, { corridor, subject });
    return { rows, approvalId, proposedBy, by };
  });
  return decidedOf(MODELS, rows);
};

export const policyOperations = [
  change({
    roles: ['risk_officer'],
    at: '/v1/scorecard-policies',
    operationId: 'proposeScorecardPolicy',
    'x-command': 'scorecard policy',
    summary: 'Propose a policy by which the scorecard decides; another person confirms it',
    description:
      'Once confirmed, the policy decides for 5 % of the accounts of the corridor by the table of each day, until `ends_at`. Its later stages are those of a model. One person freezes it by the control `stop` of `model:scorecard-policy@N`, and ends it by its control `scorecard`.',
    body: bodyOf(newPolicySchema, {
      ...{ corridor: 'US-EG', measures_left_out: [], review_share: 0.01, decline_share: 0.001 },
      ...{ bound: 0.01, ends_at: '2026-11-20T09:30:00.000Z', reason: 'It catches twice as many.' },
    }),
    answers: { 201: answer('The approval.', approvalSchema) },
    problems: [404],
    run: ({ body, by }, { databases: { primary } }: { databases: Api['databases'] }) =>
      proposePolicy(primary, body, by),
  }),
];
