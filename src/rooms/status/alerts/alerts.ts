/** Alerts of core and kit, with the series that they read. */
import type { Alert } from '../../../kit/alerts/alert.ts';
import { OBJECTIVE_ALERTS } from './objectives.ts';
import { STORE_ALERTS } from './stores.ts';
import { TRAFFIC_ALERTS } from './traffic.ts';

export const alerts: readonly Alert[] = [...OBJECTIVE_ALERTS, ...TRAFFIC_ALERTS, ...STORE_ALERTS];
