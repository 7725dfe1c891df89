/**
 * How long incidents took to detect and to end, from the audit log. An incident is a stop or a freeze of a scope, from the first
 * command to its end; a note of the investigation may say when the harm began.
 */
import { z } from 'zod';
import type { Api } from '../../core/room.ts';
import { rowsOf } from '../../kit/database/statement.ts';
import { list } from '../../kit/http/operation.ts';
import { integerParameter, shown } from '../../kit/words/list-parameters.ts';
import { READING_ROLES } from './authority.ts';

const incidentsSchema = z
  .object({
    scope: z.string().nullable().meta({ description: 'Null: all scopes together.' }),
    incidents: z.int(),
    open: z.int().meta({ description: 'Incidents that have not ended.' }),
    mttd_seconds: z.number().nullable().meta({
      description: 'Mean time from `began_at` of a note to the command; null: no note says it.',
    }),
    mttr_seconds: z
      .number()
      .nullable()
      .meta({ description: 'Mean time from the command to the end; null: none has ended.' }),
  })
  .meta({ id: 'Incidents' });
type Incidents = z.output<typeof incidentsSchema>;

const question = z.strictObject({
  days: integerParameter(1, 366).default(90).meta(shown(90, 'Days back from now.')),
});

// A control that ends by itself has no line of its end.
const selectIncidents = rowsOf<Incidents, [days: number]>(
  'list-incidents',
  `with lines as (
     select audit_id, changed_at, action, subject, after, (after ->> 'ends_at')::timestamptz as ends_at from market.audit_log
      where action in ('control.set', 'control.end', 'control.note') and subject ~ '^(stop|freeze):'
        and changed_at > now() - $1 * interval '1 day'),
   changes as (
     select *, lag(action) over own as before, lag(ends_at) over own as ended_before
       from lines where action <> 'control.note' window own as (partition by subject order by audit_id)),
   numbered as (
     select *, count(*) filter (where action = 'control.set' and (before is distinct from 'control.set' or ended_before <= changed_at))
                 over (partition by subject order by audit_id) as nth from changes),
   incidents as (
     select subject, min(audit_id) as first, min(changed_at) as set_at,
            (array_agg(case action when 'control.end' then changed_at else ends_at end order by audit_id desc))[1] as ended_at,
            lead(min(audit_id)) over (partition by subject order by nth) as next
       from numbered where nth > 0 group by subject, nth),
   told as (
     select i.*, substr(subject, strpos(subject, ':') + 1) as scope,
            (select (n.after ->> 'began_at')::timestamptz from lines n
              where n.subject = i.subject and n.after ? 'began_at' and n.audit_id > first and (next is null or n.audit_id < next)
              order by n.audit_id desc limit 1) as began_at
       from incidents i)
   select scope, count(*)::int4 as incidents, (count(*) filter (where coalesce(ended_at, 'infinity') > now()))::int4 as open,
          extract(epoch from avg(greatest(set_at - began_at, interval '0')) filter (where began_at is not null))::float8 as mttd_seconds,
          extract(epoch from avg(ended_at - set_at) filter (where ended_at <= now()))::float8 as mttr_seconds
     from told group by grouping sets ((), (scope)) order by grouping(scope) desc, scope`,
);

export const incidentOperations = [
  list({
    at: '/v1/incidents',
    operationId: 'listIncidents',
    summary:
      'How long incidents took to detect (MTTD) and to end (MTTR), of all scopes and by scope',
    roles: READING_ROLES,
    query: question,
    row: incidentsSchema,
    says: 'All scopes together, then each scope with a stop or a freeze.',
    rows: ({ query: { days } }, { databases }: Api) =>
      selectIncidents(databases.primary.query, days),
  }),
];
