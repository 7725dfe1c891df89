/**
 * Goal: a time that a person types is sent as the page says before. Method: zones whose clocks are put forward and back, at the hours
 * around it and at others.
 */
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { localTime } from '../../../console/src/format.ts';
import {
  instantMs,
  offsetName,
  readLocal,
  sayLocal,
  showLocal,
  startOfToday,
  timeLabel,
  zoneName,
} from '../../../console/src/parts/local-time.ts';

const zoneOfMachine = process.env['TZ'];
const useZone = (zone: string) => {
  process.env['TZ'] = zone;
};
const instantAt = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');
afterEach(() => {
  if (zoneOfMachine === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zoneOfMachine;
});

test.each([
  ['Europe/Berlin', '2026-03-29 02:30', '2026-03-29T01:30:00Z', '2026-03-29 03:30 UTC+2'],
  ['America/New_York', '2026-03-08 02:15', '2026-03-08T07:15:00Z', '2026-03-08 03:15 UTC−4'],
  ['Australia/Lord_Howe', '2026-10-04 02:15', '2026-10-03T15:45:00Z', '2026-10-04 02:45 UTC+11'],
  ['Pacific/Chatham', '2026-09-27 02:50', '2026-09-26T14:05:00Z', '2026-09-27 03:50 UTC+13:45'],
  [
    'America/St_Johns',
    '2026-03-08 02:00:07',
    '2026-03-08T05:30:07Z',
    '2026-03-08 03:00:07 UTC−2:30',
  ],
  // A day without a midnight begins when the clocks go on.
  ['Africa/Cairo', '2026-04-24', '2026-04-23T22:00:00Z', '2026-04-24 01:00 UTC+3'],
  ['America/Santiago', '2026-09-06', '2026-09-06T04:00:00Z', '2026-09-06 01:00 UTC−3'],
  // Samoa had no 30 December 2011.
  ['Pacific/Apia', '2011-12-30 12:00', '2011-12-30T22:00:00Z', '2011-12-31 12:00 UTC+14'],
])(
  'in %s the clocks leave %s out, and the later time that is sent is shown',
  (zone, typed, sent, shown) => {
    useZone(zone);
    const time = typed.length === 10 ? `${typed} 00:00` : typed;
    expect(readLocal(typed)).toBe(sent);
    expect(sayLocal(typed)).toBe(`${zone} has no ${time}: ${shown} is sent.`);
    expect(showLocal(sent)).toBe(shown.replace(/ UTC.*/, ''));
  },
);

test.each([
  ['Europe/Berlin', '2026-10-25 02:30', '2026-10-25T00:30:00Z', 60, 'UTC+2', 'UTC+1'],
  ['America/New_York', '2026-11-01 01:30', '2026-11-01T05:30:00Z', 60, 'UTC−4', 'UTC−5'],
  ['Australia/Lord_Howe', '2026-04-05 01:45', '2026-04-04T14:45:00Z', 30, 'UTC+11', 'UTC+10:30'],
  ['Pacific/Chatham', '2026-04-05 02:50', '2026-04-04T13:05:00Z', 60, 'UTC+13:45', 'UTC+12:45'],
  // A midnight that comes twice.
  ['America/Havana', '2026-11-01 00:00', '2026-11-01T04:00:00Z', 60, 'UTC−4', 'UTC−5'],
])(
  'in %s the clocks show %s twice: the first is sent, unless the offset of the later one is typed',
  (zone, typed, first, minutes, summer, winter) => {
    useZone(zone);
    const second = instantAt(Date.parse(first) + minutes * 60_000);
    expect(readLocal(typed)).toBe(first);
    expect(sayLocal(typed)).toBe(
      `${zone} has ${typed} twice: ${typed} ${summer} is sent, unless you add ${winter}.`,
    );
    expect(readLocal(`${typed} ${winter}`)).toBe(second);
    expect(sayLocal(`${typed} ${winter}`)).toBe(`${typed} ${winter}`);
    expect([first, second].map(showLocal)).toEqual([`${typed} ${summer}`, `${typed} ${winter}`]);
    expect([first, second].map((at) => localTime(at).replace(/^.* (?=UTC)/, ''))).toEqual([
      summer,
      winter,
    ]);
  },
);

test.each([
  ['Asia/Kathmandu', '2026-11-25 21:32', '2026-11-25T15:47:00Z', '2026-11-25 21:32 UTC+5:45'],
  ['Europe/Berlin', '2026-07-01T12:00', '2026-07-01T10:00:00Z', '2026-07-01 12:00 UTC+2'],
  ['Europe/Berlin', ' 2026-12-01 ', '2026-11-30T23:00:00Z', '2026-12-01 00:00 UTC+1'],
  ['Europe/Berlin', '2026-12-01 12:00 −03:30', '2026-12-01T15:30:00Z', '2026-12-01 16:30 UTC+1'],
  [
    'Europe/Berlin',
    '2026-12-01 12:00:01.250 UTC',
    '2026-12-01T12:00:01.250Z',
    '2026-12-01 13:00:01 UTC+1',
  ],
  ['Europe/Berlin', '2026-12-01T12:00:00+0900', '2026-12-01T03:00:00Z', '2026-12-01 04:00 UTC+1'],
  ['UTC', '2026-07-01 12:00', '2026-07-01T12:00:00Z', '2026-07-01 12:00 UTC'],
  ['Asia/Tokyo', '2026-11-25T12:00:00Z', '2026-11-25T12:00:00Z', '2026-11-25 21:00 UTC+9'],
])('in %s the text %j is sent as %s', (zone, typed, sent, shown) => {
  useZone(zone);
  expect(readLocal(typed)).toBe(sent);
  expect(sayLocal(typed)).toBe(shown);
});

test.each([
  '2026-02-31',
  '2026-06-31 10:00',
  '2026-11-25 24:00',
  '25.11.2026',
  '2026-11-25 9:00',
  'noon',
])('the text %s is no time, and stays as it is', (typed) => {
  useZone('Europe/Berlin');
  expect(readLocal(typed)).toBe(typed);
  expect(showLocal(typed)).toBe(typed);
  expect(instantMs(typed)).toBeNaN();
  expect(sayLocal(typed)).toBe('This is no time: write it as 2026-11-25 21:32.');
});

test('an empty text says nothing and stays empty', () => {
  expect([readLocal(''), showLocal(''), sayLocal(' ')]).toEqual(['', '', '']);
});

test('a day of an address is a day in UTC, as it is for the API', () => {
  useZone('Asia/Tokyo');
  expect(showLocal('2026-11-25')).toBe('2026-11-25 09:00');
  expect(readLocal('2026-11-25')).toBe('2026-11-24T15:00:00Z');
});

test('what a field shows of any instant is read as the same instant', () => {
  const zones = [
    'Europe/Berlin',
    'America/St_Johns',
    'Australia/Lord_Howe',
    'Africa/Casablanca',
    'Pacific/Apia',
    'America/Havana',
    'Asia/Tehran',
  ];
  const [firstS, lastS] = [Date.UTC(2005) / 1000, Date.UTC(2035) / 1000];
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.integer({ min: firstS, max: lastS }),
      (zone, seconds) => {
        useZone(zone);
        const instant = instantAt(seconds * 1000);
        expect(readLocal(showLocal(instant))).toBe(instant);
      },
    ),
    { numRuns: 2000 },
  );
});

test('a label has the offset at the time that is typed, and the zone has all of a year', () => {
  useZone('Europe/Berlin');
  expect(timeLabel('From', '2026-07-01 12:00')).toBe('From (UTC+2)');
  expect(timeLabel('From', '2026-12-01 12:00')).toBe('From (UTC+1)');
  expect(timeLabel('From', '')).toBe(`From (${offsetName()})`);
  expect(zoneName()).toBe('Europe/Berlin, UTC+1 in January, UTC+2 in July');
  useZone('Asia/Tehran');
  expect(zoneName()).toBe('Asia/Tehran, UTC+3:30');
  expect(startOfToday()).toMatch(/T20:30:00Z$/);
});
