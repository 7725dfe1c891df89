/**
 * The last hour of points in Redis, so that plots outlive the process. The field of a point is its ten seconds within the hour,
 * so each point overwrites that of an hour before, and all processes of a market share 360 fields.
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
