/** Goal: an entry is appended where its corridor says, and one log that takes it suffices. */
import { expect, test } from 'vitest';
import type { CorridorLog } from '../../../../../src/core/domain/corridor.ts';
import type { EntryPayload } from '../../../../../src/core/stream/entries/entry.ts';
import { appendToLogs } from '../../../../../src/core/stream/kafka/append.ts';

const LOG_OF: Readonly<Record<string, CorridorLog>> = { A: 'streams', B: 'both', C: 'kafka' };
const payloads = ['A', 'B', 'C'].map(
  (corridor) => ({ transaction: { corridor } }) as unknown as EntryPayload,
);
const nameOf = ({ transaction }: EntryPayload) => transaction.corridor;

/** Says what each log was given, and what is left, where the logs take these corridors. */
async function append(streamsTake: string, kafkaTakes: string, given = payloads) {
  const seen = { streams: '', kafka: '' };
  const to = (log: 'streams' | 'kafka', takes: string) => async (all: readonly EntryPayload[]) => {
    seen[log] += all.map(nameOf).join('');
    return all.filter((one) => !takes.includes(nameOf(one)));
  };
  const toLogs = appendToLogs(
    to('streams', streamsTake),
    to('kafka', kafkaTakes),
    (corridor) => LOG_OF[corridor] ?? 'streams',
  );
  const left = (await toLogs(given)).map(nameOf).join('');
  return { ...seen, left };
}

test.each([
  ['both take all', 'AB', 'BC', ''],
  ['Streams take nothing', '', 'BC', 'A'],
  ['Kafka takes nothing', 'AB', '', 'C'],
  ['neither takes anything', '', '', 'ABC'],
])('where %s', async (_, streamsTake, kafkaTakes, left) => {
  expect(await append(streamsTake, kafkaTakes)).toEqual({ streams: 'AB', kafka: 'BC', left });
});

test('Kafka is not asked about corridors of Streams', async () => {
  const given = payloads.slice(0, 1);
  expect(await append('A', '', given)).toEqual({ streams: 'A', kafka: '', left: '' });
});
