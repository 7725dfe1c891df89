/** A text of 0.6 MB, and what a usual machine takes to parse it. */
const PARSED = JSON.stringify(Array.from({ length: 20_000 }, (_, n) => ({ n, text: `of ${n}` })));
const PARSED_MS = 5;

const parseMs = () => threadMsOf(() => JSON.parse(PARSED));

/** How many times as long as a usual machine this machine takes for the same work now, at least 1: the quickest of three runs. */
export const slowness = (): number =>
  Math.max(1, Math.min(parseMs(), parseMs(), parseMs()) / PARSED_MS);

/** Milliseconds of a thread's processor time that a run takes on a usual machine, whatever else the machine does. */
export const processorMsOf = (run: () => void): number => threadMsOf(run) / slowness();

function threadMsOf(run: () => void): number {
  const before = process.threadCpuUsage();
  run();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
