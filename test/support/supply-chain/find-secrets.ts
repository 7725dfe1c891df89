/**
 * `npm run secrets`: looks for secrets in every line that any commit ever added. The patterns are of formats that nothing else has;
 * a key of the engine counts only with its right checksum. Exit 1 where there is one.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { createOutput } from '../../../src/kit/command/output.ts';
import { REPOSITORY } from '../risk.ts';
import { secretIn } from './secrets.ts';

const LOG = [
  'log',
  '--all',
  '--patch',
  '--unified=0',
  '--no-color',
  '--no-ext-diff',
  '--no-textconv',
];
const LINE_CHARS_MAX = 100_000;

const output = createOutput({ json: false });
const git = spawn('git', [...LOG, '--format=commit %H'], {
  cwd: REPOSITORY,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const ended = new Promise<number | null>((resolve) => git.once('close', resolve));
let [commit, path, lines, found] = ['', '', 0, 0];
for await (const line of createInterface({
  input: git.stdout,
  crlfDelay: Number.POSITIVE_INFINITY,
})) {
  if (line.startsWith('commit ')) commit = line.slice(7);
  else if (line.startsWith('+++ ')) path = line.slice(4);
  else if (line.startsWith('+')) {
    lines += 1;
    const kind = secretIn(line.slice(0, LINE_CHARS_MAX));
    if (kind === undefined) continue;
    found += 1;
    output.error(`${kind}: ${path.replace(/^b\//, '')} of commit ${commit.slice(0, 12)}`);
  }
}
const code = await ended;
if (code !== 0) output.error(`git log ended with ${code}`);
output.line(`${lines} lines looked through, ${found} secrets found`);
process.exitCode = code === 0 && lines > 0 && found === 0 ? 0 : 1;
