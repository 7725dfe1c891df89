/** Goal: reads of the console carry its newest write. Method: answers of writes in each order. */
import { expect, test } from 'vitest';
import { carryToken, noteToken } from '../../../console/src/api/written.ts';
import { encodeToken } from '../../../src/kit/words/consistency-token.ts';

const HEADER = 'Consistency-Token';

test('the token of an older write that is answered last replaces no newer one', () => {
  const token = (system: string, xid: string) => encodeToken({ system, xid, isBound: true });
  const carried = (answered: string) => {
    noteToken(new Headers({ [HEADER]: answered }));
    const request = new Headers();
    carryToken(request);
    return request.get(HEADER);
  };
  const [older, newer] = [token('7', '255'), token('7', '256')];
  expect(carried(older)).toBe(older);
  expect(carried(newer)).toBe(newer);
  expect(carried(older)).toBe(newer);
  const elsewhere = token('8', '1');
  expect(carried(elsewhere)).toBe(elsewhere);
});
