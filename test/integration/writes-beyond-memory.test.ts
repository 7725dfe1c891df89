/**
 * Goal: beyond its memory limit Redis takes writes of the work that it holds, and no others. Method: the server itself
 * says which commands it refuses then; a script that calls one of those and one that is always allowed could get
 * through with both, so each such script is on a list here, and is run at the limit.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { ensureGroups } from '../../src/core/stream/group/consumer-group.ts';
import { GROUP, marketKeys, profileKey, streamKeys } from '../../src/core/stream/keys.ts';
import { appendProfiles, installProfiles } from '../../src/core/stream/profiles/profile-logs.ts';
import { loadScript } from '../../src/core/stream/scripts.ts';
import { createHeadReader, UNREAD_MS } from '../../src/core/stream/status/heads.ts';
import { announceModelsOut } from '../../src/core/stream/status/models-out.ts';
import { readSources } from '../support/source-files.ts';
import { createStreamRig, marketIn, payloads, stream } from '../support/stream-rig.ts';

const { redis, producer, appendSingly, deliver, pending } = createStreamRig();

/** Scripts of the work list: they free as much as they write, or make what is needed to free memory. */
const ALLOWED = ['drop-unread-2', 'ensure-group-1', 'promote-retries-3', 'settle-5'];
/** Scripts of profiles, models and limits: they stop at a write that Redis refuses. */
const GUARDED = ['announce-1', 'append-profiles-n', 'install-profiles-n', 'take-quota-1'];
/** Commands that add nothing except the record of a delivery, or that free memory. */
const ALWAYS_TAKEN = ['expire', 'hdel', 'unlink', 'xtrim', 'zrem'];

type Kind = 'refused' | 'taken' | 'reads';

/** Commands by name, `xgroup|create` for subcommands. */
async function kindOf(command: string): Promise<Kind | undefined> {
  const [info] = (await redis().call('COMMAND', 'INFO', command)) as [[string, number, string[]]];
  const flags = info?.[2];
  if (flags?.includes('denyoom')) return 'refused';
  if (flags === undefined) return undefined;
  return flags.includes('write') ? 'taken' : 'reads';
}

async function kindsIn(script: string): Promise<Set<Kind | undefined>> {
  const calls = loadScript(script).text.matchAll(/redis\.p?call\('(\w+)'(?:, '(\w+)')?/g);
  const kinds = new Set<Kind | undefined>();
  for (const [, name = '', part] of calls) {
    const isContainer = ['XGROUP', 'OBJECT', 'MEMORY'].includes(name);
    if (name !== 'PUBLISH') kinds.add(await kindOf(isContainer ? `${name}|${part}` : name));
  }
  return kinds;
}

/** All keys and their bytes, except for those of the work list. */
async function besidesWork(): Promise<Record<string, number | null>> {
  const keys = (await redis().keys('*')).filter((key) => !key.startsWith(stream.transactions));
  const others = keys.filter((key) => ![stream.counts, stream.retries].includes(key));
  const sizes = others.map(async (key) => [key, await redis().memory('USAGE', key)] as const);
  return Object.fromEntries(await Promise.all(sizes));
}

const fill = () => redis().config('SET', 'maxmemory', '1');
beforeEach(async () => {
  await redis().config('SET', 'maxmemory', '0');
  return () => redis().config('SET', 'maxmemory', '0');
});

describe('beyond the memory limit', () => {
  test('no script could write but those on the list', async () => {
    const names = readSources('src/core/stream/lua', /-[\dn]\.lua$/).map(({ path }) =>
      path.slice('src/core/stream/lua/'.length, -'.lua'.length),
    );
    expect(names).toContain('append-2');
    const able: string[] = [];
    for (const name of names) {
      const kinds = await kindsIn(name);
      expect(kinds, name).not.toContain(undefined);
      if (kinds.has('refused') && kinds.has('taken')) able.push(name);
    }
    expect(able.sort()).toEqual([...ALLOWED, ...GUARDED].sort());
  });

  test('no command of its own could write but those that free', async () => {
    const called = new Set<string>();
    for (const { text } of readSources('src', /\.ts$/)) {
      if (!/redis/i.test(text)) continue;
      for (const [, name = ''] of text.matchAll(
        /\b(?:redis|node|removals|pipeline)\s*\.(\w+)\(/g,
      )) {
        called.add(name.toLowerCase());
      }
    }
    const taken: string[] = [];
    for (const name of called) if ((await kindOf(name)) === 'taken') taken.push(name);
    expect(called).toContain('set');
    expect(taken.sort()).toEqual(ALWAYS_TAKEN);
  });

  test('appends, profiles, groups of streams without work and models that are out are refused', async () => {
    const market = marketIn(redis());
    const places = [1, 2].map((slot) => ({
      key: profileKey('m', 'account', `a${slot}`, slot),
      slot,
    }));
    const block = Buffer.alloc(100, 'x');
    const end = { length: 100, high: block.readUInt32LE(0), low: block.readUInt32LE(4) };
    const append = (known: typeof end | null) =>
      appendProfiles(
        market,
        1000,
        places.map((place) => ({ ...place, known, block, isToRenew: true })),
      );
    await append(null);
    await announceModelsOut(redis(), 'm', [{ corridor: 'US-EG', model: 'm@1' }]);
    await redis().zadd(marketKeys('m').modelsOut, 1, 'US-EG old@1');
    await redis().xadd(stream.scored, '*', 'n', '1');
    const before = await besidesWork();
    await fill();
    await expect(producer().append(payloads(2))).rejects.toMatchObject({ code: 'REDIS_OOM' });
    const announced = announceModelsOut(redis(), 'm', [{ corridor: 'US-EG', model: 'n@1' }]);
    await expect(announced).rejects.toMatchObject({ code: 'REDIS_OOM' });
    const other = streamKeys('m', 'DE-TR', 0).transactions;
    expect(await ensureGroups(redis(), [other])).toMatchObject([{ code: 'REDIS_OOM' }]);
    const installs = places.map((place) => ({ ...place, known: end, snapshot: Buffer.alloc(999) }));
    expect(await installProfiles(market, 1000, installs)).toEqual(['dropped', 'dropped']);
    expect((await append(end)).map(({ isStored }) => isStored)).toEqual([false, false]);
    const { [places[0]?.key ?? '']: _first, [places[1]?.key ?? '']: _second, ...left } = before;
    expect(await besidesWork()).toEqual(left);
  });

  test('what no worker reads leaves its stream', async () => {
    await redis().xadd(stream.transactions, '*', 'v', '77', 'n', '3', 'd', 'x');
    await redis().hset(stream.counts, 'transactions', 3);
    await appendSingly(payloads(1));
    await fill();
    const [id = ''] = await deliver('c', 4);
    const old = ['IDLE', UNREAD_MS, 'JUSTID'];
    await redis().call('XCLAIM', [stream.transactions, GROUP, 'c', 0, id, ...old]);
    await createHeadReader(redis()).dropUnread([stream]);
    expect(await redis().hget(stream.counts, 'transactions')).toBe('1');
    expect(await pending()).toBe(1);
  });
});
