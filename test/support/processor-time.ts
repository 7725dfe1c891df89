/** Milliseconds of this thread's processor time that a run takes, whatever else the machine does. */
export function processorMsOf(run: () => void): number {
  const before = process.threadCpuUsage();
  run();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
