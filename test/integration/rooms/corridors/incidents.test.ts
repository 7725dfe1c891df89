/**
 * Goal: MTTD and MTTR follow from the audit log alone. Method: freezes and stops that people make, a repeated command, a freeze
 * that ended by itself, and lines whose times are set back.
 */
import { expect, test } from 'vitest';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { send } from '../../../support/submit.ts';

const api = await openForFile(startRunningApi());
const ann = await insertPersonKey(api.testDatabase, 'Ann', ['admin']);
const incidents = async () => (await send(api, 'GET', '/v1/incidents')).body.items;

const NONE = { incidents: 0, open: 0, mttd_seconds: null, mttr_seconds: null };

/** Lines of the audit log, each with its age in minutes. */
const insertLines = async (
  lines: readonly (readonly [minutes: number, action: string, subject: string, after?: string])[],
) => {
  for (const [minutes, action, subject, after = '{}'] of lines) {
    await api.testDatabase.sql(
      `insert into audit_log (audit_id, changed_at, who, action, subject, after, request)
       select coalesce(max(audit_id), 0) + 1, now() - interval '${minutes} min', 'Ann', '${action}', '${subject}',
              replace('${after}', 'AGO', (now() - interval '50 min')::text)::jsonb, 'test' from audit_log`,
    );
  }
};

test('incidents are counted from the first command to the end, and by when notes say that harm began', async () => {
  expect(await incidents()).toEqual([{ scope: null, ...NONE }]);
  await insertLines([
    [60, 'control.set', 'freeze:corridor:US-EG'],
    [59, 'control.set', 'freeze:corridor:US-EG'],
    [58, 'control.note', 'freeze:corridor:US-EG', '{"note": "a bank"}'],
    [50, 'control.end', 'freeze:corridor:US-EG'],
    // The first stop ended by itself after 10 minutes, and the second stop is another incident.
    [60, 'control.set', 'stop:corridor:US-PH', '{"ends_at": "AGO"}'],
    [40, 'control.set', 'stop:corridor:US-PH'],
    [40, 'control.note', 'stop:corridor:US-PH', '{"note": "it was known", "began_at": "AGO"}'],
    // Limits are no incidents, and nobody asks for older ones.
    [30, 'control.set', 'limit-requests:corridor:US-EG'],
    [200_000, 'control.set', 'freeze:market'],
  ]);
  const found = [
    { scope: null, incidents: 3, open: 1, mttd_seconds: 600, mttr_seconds: 600 },
    { scope: 'corridor:US-EG', incidents: 1, open: 0, mttd_seconds: null, mttr_seconds: 600 },
    { scope: 'corridor:US-PH', incidents: 2, open: 1, mttd_seconds: 600, mttr_seconds: 600 },
  ];
  const rounded = (await incidents()).map(Object);
  expect(rounded).toEqual(
    found.map((row) => ({
      ...row,
      mttd_seconds: row.mttd_seconds && expect.closeTo(row.mttd_seconds, 0),
      mttr_seconds: row.mttr_seconds && expect.closeTo(row.mttr_seconds, 0),
    })),
  );
});

test('a note says when harm began, and the history has it', async () => {
  const freeze = { in_force: true, reason: 'a wave' };
  const path = '/v1/controls/freeze/corridor:US-PH';
  expect((await send(api, 'PUT', path, freeze, ann)).status).toBe(200);
  const began_at = new Date(Date.now() - 120_000).toISOString();
  const noted = await api.riskJson('controls', 'history', 'freeze', 'corridor:US-PH');
  expect(noted).toMatchObject([{ notes: [] }]);
  const { body } = await send(
    api,
    'POST',
    `${path}/notes`,
    { note: 'all of a bank', began_at },
    ann,
  );
  expect(body.notes).toMatchObject([{ note: 'all of a bank', began_at }]);
  const listed = await api.riskJson('controls', 'incidents', '--days', '1');
  expect(listed).toContainEqual(
    expect.objectContaining({ scope: 'corridor:US-PH', mttd_seconds: expect.any(Number) }),
  );
  const wrong = await send(api, 'GET', '/v1/incidents?days=0');
  expect([wrong.status, wrong.body.errors[0].pointer]).toEqual([422, '/days']);
});
