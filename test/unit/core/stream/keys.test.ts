/** Names that other systems and the cluster rely on. */
import { describe, expect, test } from 'vitest';
import {
  PROFILE_SLOTS,
  profileKey,
  profileSlot,
  shardOf,
  streamKeys,
} from '../../../../src/core/stream/keys.ts';

describe('streamKeys', () => {
  test('names the five keys of a stream under one hash tag', () => {
    const { corridor: _, shard: __, ...keys } = streamKeys('market_0', 'US-EG', 3);
    expect(keys).toEqual({
      transactions: '{market_0:US-EG:3}:transactions',
      counts: '{market_0:US-EG:3}:counts',
      retries: '{market_0:US-EG:3}:retries',
      deadLetters: '{market_0:US-EG:3}:transactions-dlq',
      scored: '{market_0:US-EG:3}:transactions-scored',
    });
  });
});

describe('shardOf', () => {
  test('keeps an account in one shard and spreads accounts over all', () => {
    const shards = new Set(Array.from({ length: 200 }, (_, n) => shardOf(`acc_${n}`, 16)));
    expect(shards.size).toBe(16);
    expect(shardOf('acc_1', 16)).toBe(shardOf('acc_1', 16));
    expect(shardOf('acc_1', 1)).toBe(0);
  });
});

describe('profileKey', () => {
  test('carries the slot of the party in its tag', () => {
    const slot = String(profileSlot('acc_17')).padStart(2, '0');
    expect(profileKey('market_0', 'account', 'acc_17')).toBe(`{market_0:p${slot}}:account:acc_17`);
    const slots = new Set(Array.from({ length: 400 }, (_, n) => profileSlot(`m_${n}`)));
    expect(slots.size).toBe(PROFILE_SLOTS);
  });
});
