/**
 * Loaded into a process before its own modules: at SIGUSR2 it says the longest processor time that the main thread took between two
 * turns of its event loop since the last time. Processor time does not grow where other processes are busy.
 */
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  let longest = 0;
  let readings = 0;
  let before = process.threadCpuUsage();
  const look = () => {
    const { user, system } = process.threadCpuUsage(before);
    longest = Math.max(longest, user + system);
    before = process.threadCpuUsage();
  };
  setInterval(look, 1).unref();
  process.on('SIGUSR2', () => {
    look();
    readings += 1;
    process.stderr.write(`reading ${readings}: ${longest / 1000} ms\n`);
    longest = 0;
  });
}
