import { expect, test } from 'vitest';
import {
  createRefusedRows,
  describeFieldError,
  REFUSED_SHOWN_MAX,
} from '../../../../src/kit/client/refused-rows.ts';

test('counts every refused row and keeps the first, in the order of the file', () => {
  const refused = createRefusedRows();
  for (let n = REFUSED_SHOWN_MAX; n >= 0; n--) refused.add({ line: n, detail: `row ${n}` });
  expect(refused.count()).toBe(REFUSED_SHOWN_MAX + 1);
  expect(refused.first()).toHaveLength(REFUSED_SHOWN_MAX);
  expect(refused.first()[0]).toEqual({ line: 1, detail: 'row 1' });
});

test('says of an error where and what it is', () => {
  const error = { pointer: '/labels/3/label', detail: 'is unknown' };
  expect(describeFieldError(error)).toBe('/labels/3/label is unknown');
  expect(describeFieldError(error, '/label')).toBe('/label is unknown');
  expect(describeFieldError({ pointer: '', detail: 'is no JSON' })).toBe('is no JSON');
});
