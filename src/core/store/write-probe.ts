import { rowsOf } from '../../kit/database/statement.ts';

/**
 * Proves that Postgres takes writes: writes and commits, which is what readiness means. It is one small row, at most once a
 * second and process; the update stays within its page, so it costs neither index nor bloat.
 */
export const proveWrite = rowsOf('prove-write', 'update market.write_probe set written_at = now()');
