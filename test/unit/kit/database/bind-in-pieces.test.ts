import { Duplex } from 'node:stream';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { bindInPieces } from '../../../../src/kit/database/bind-in-pieces.ts';

/** The bytes that a connection writes, with and without pieces. */
function written(bind: pg.BindConfig) {
  const chunks: Buffer[] = [];
  const stream = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  const connection = new pg.Connection({ stream: () => stream });
  connection.bind(bind, false);
  const whole = Buffer.concat(chunks.splice(0));
  bindInPieces({ connection });
  connection.bind(bind, false);
  return { whole, pieces: chunks };
}

function bindOf(
  values: NonNullable<pg.BindConfig['values']>,
  others: pg.BindConfig = {},
): pg.BindConfig {
  return {
    portal: '',
    statement: 'insert-scores',
    values,
    valueMapper: (value) => value,
    ...others,
  };
}

const large = (byte: number) => Buffer.alloc(20_000, byte);

describe('parameters in pieces', () => {
  it.each([
    ['one large parameter', bindOf([large(1)])],
    [
      'large and small ones',
      bindOf([large(1), null, 'naïve', '', Buffer.from('x'), large(2), '7']),
    ],
    ['large ones side by side', bindOf([large(1), large(2), Buffer.alloc(0)])],
    ['a statement without a name', bindOf([large(1)], { statement: undefined })],
    ['a portal', bindOf([large(1)], { portal: 'p' })],
    [
      'values that are mapped',
      bindOf([large(1), '5'], { valueMapper: (v) => (v === '5' ? 'five' : v) }),
    ],
    ['small ones alone', bindOf(['1', null, Buffer.from('x')])],
    ['results in binary', bindOf([large(1)], { binary: 'true' })],
  ])('are the message that the driver makes: %s', (_name, bind) => {
    const { whole, pieces } = written(bind);
    expect(Buffer.concat(pieces).equals(whole)).toBe(true);
  });

  it('are sent without a copy where they are large', () => {
    const parameter = large(1);
    expect(written(bindOf([parameter, 'small'])).pieces).toContain(parameter);
  });
});
