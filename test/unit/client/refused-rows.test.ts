import { expect, test } from 'vitest';
import {
  createRefusedRows,
  describeFieldError,
  REFUSED_SHOWN_MAX,
} from '../../../src/client/refused-rows.ts';

test('counts every refused row and keeps the first, in the order of the file', () => {
  const refused = createRefusedRows();
  for (let n = REFUSED_SHOWN_MAX; n >= 0; n--) refused.add({ line: n, detail: `row ${n}` });
  expect(refused.count()).toBe(REFUSED_SHOWN_MAX + 1);
  expect(refused.first()).toHaveLength(REFUSED_SHOWN_MAX);
  expect(refused.first()[0]).toEqual({ line: 1, detail: 'row 1' });
});

test('says of an error what there is of it', () => {
  expect(describeFieldError({ pointer: '/amount', detail: 'is no decimal' })).toBe(
    '/amount is no decimal',
  );
  expect(describeFieldError({ pointer: '/labels/3/label' }, '/label')).toBe('/label');
  expect(describeFieldError({ detail: 'is unknown' })).toBe('is unknown');
  expect(describeFieldError(null)).toBe('');
});
