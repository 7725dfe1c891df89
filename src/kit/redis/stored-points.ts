/**
 * The last hour of points in Redis, so that plots outlive the process. A point takes the field of its ten seconds of an hour, in
 * place of the one of an hour before: processes of one market share the fields, and there are never more.
 */
import { POINT_EVERY_MS, POINTS_MAX, type Point, type StoredPoints } from '../http/live/points.ts';
import type { RedisClient } from './connection.ts';

const HOUR_SECONDS = 3600;

export function storePoints(redis: RedisClient, key: string): StoredPoints {
  return {
    load: async () => {
      const points = Object.values(await redis.hgetall(key)).map((text): Point => JSON.parse(text));
      const fromMs = Date.now() - HOUR_SECONDS * 1000;
      return points
        .filter(({ at }) => Date.parse(at) > fromMs)
        .sort((a, b) => a.at.localeCompare(b.at));
    },
    save: async (point) => {
      const slot = Math.floor(Date.parse(point.at) / POINT_EVERY_MS) % POINTS_MAX;
      await redis.hset(key, String(slot), JSON.stringify(point));
      await redis.expire(key, HOUR_SECONDS);
    },
  };
}
