/** Examples of exports. */
import { foundTransaction } from '../../core/accept/examples.ts';
import { csvHeader, toCsvLines } from './write/write-csv.ts';

const exported = [
  ...['01a1f84a-95c0-7000-8000-00000000002a', 'scored', 'shop', 'acc_17', 'm_9', '125.50'],
  ...['USD', 'US-EG', '1795167000', '1795167000.2', 'payment', '203.0.113.7', 'device-4f2a'],
  ...['US', 'web', null, '1795167000.31', '870', '0.87', null, 'decline'],
  ...['[{"code":"VELOCITY_COUNT_1H"},{"code":"AMOUNT_OVER_HABIT"}]', 'default@2', null, '1', '0'],
  null,
];

export const exportedCsv = Buffer.concat([csvHeader(), toCsvLines([exported])]).toString();

export const exportedLines = [foundTransaction, { done: true, rows: 1 }];
