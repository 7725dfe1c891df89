/** Three reports and a second. Larger: a dead worker is shown as live for longer; smaller: a busy worker is shown as silent. */
export const SILENT_MS = 10_000;
