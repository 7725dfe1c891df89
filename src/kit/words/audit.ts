/** The audit log on the wire: who changed what, by which key, from what to what. */
import { z } from 'zod';
import { countedPage, shown } from './list-parameters.ts';
import { idText } from './plain-text.ts';

export const AUDIT_ACTIONS = [
  'key.create',
  'key.revoke',
  'identity.create',
  'identity.revoke',
  'session.create',
  'session.end',
  'login-link.create',
  'approval.propose',
  'approval.confirm',
  'approval.withdraw',
  'model.register',
  'rollout.approve',
  'rollout.emergency',
  'rollout.rollback',
  'rollout.shadow',
  'dead-letters.replay',
  'dead-letters.purge',
  'dead-letters.close',
  'month.create',
  'month.detach',
  'month.attach',
  'month.drop',
  'month.archive',
  'month.restore',
  'hold.set',
  'hold.lift',
  'case.open',
  'case.dispute',
  'case.claim',
  'case.release',
  'case.assign',
  'case.escalate',
  'case.note',
  'case.decide',
  'case.confirm',
  'case.return',
  'case.undo',
  'case.close',
  'case.policy',
  'rates.import',
  'control.set',
  'control.end',
  'control.note',
  'rollback.end',
  'market.restore',
  'market.grant',
  'market.analytics',
  'market.auditor',
  'market.drill',
  'corridor.add',
  'corridor.configure',
  'list.create',
  'list.add',
  'list.end',
  'list.import',
  'webhook.create',
  'webhook.change',
  'webhook.rotate',
  'webhook.delete',
  'webhook.disable',
  'webhook.test',
  'webhook.redeliver',
  'metadata.declare',
  'metadata.withdraw',
  'rule-set.create',
  'rule-set.change',
  'rule-set.submit',
  'rule-set.retire',
  'scorecard.build',
  'scorecard.group',
  'backtest.request',
  'backtest.cancel',
  'backtest.resume',
  'personal.declare',
  'personal.read',
  'personal.erase',
  'personal.rewrap',
  'export.begin',
  'export.end',
  'verification.end',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export type Change = {
  readonly action: AuditAction;
  /** Id or name of what is changed. */
  readonly subject: string;
  /** State as JSON; null where the subject did not exist, or no longer exists. */
  readonly before: object | null;
  readonly after: object | null;
};

const NAME_CHARS_MAX = 128;

/** `GET /v1/audit?…` */
export const auditParameters = z.strictObject({
  who: idText(NAME_CHARS_MAX)
    .optional()
    .meta(shown('Ann', 'Only changes by this person, owner or database role.')),
  action: z.enum(AUDIT_ACTIONS).optional().meta({ description: 'Only this action.' }),
  ...countedPage,
});

const json = z.record(z.string(), z.unknown()).nullable();

export const auditEntrySchema = z
  .object({
    audit_id: z.string().meta({ description: 'Ascends in the order of commits, without gaps.' }),
    changed_at: z.iso.datetime(),
    who: z.string().meta({
      description:
        'A person; `key of OWNER` for a key that belongs to no person; engine; or the database role of a command without a key.',
    }),
    key_id: z.string().nullable(),
    action: z.enum(AUDIT_ACTIONS),
    subject: z.string(),
    before: json,
    after: json,
    request: z.string().meta({ description: 'Id of the request, or name of the command.' }),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof auditEntrySchema>;
