/** Posts that share a commit, as `src/core/accept/shared-commits.ts` has them do, on the clock of the simulation. */
import type { Waiting } from './plant.ts';
import type { Process, Simulation, Wait } from './simulation.ts';

type Group = { readonly posts: Waiting[]; rows: number; readonly resumes: (() => void)[] };
type Lane = { readonly sizeMax: number; readonly runsMax: number; readonly paceMs: number };

export function createCoalescer(
  { now, after, start }: Simulation,
  { sizeMax, runsMax, paceMs }: Lane,
  commit: (posts: readonly Waiting[]) => Process,
): (post: Waiting) => Wait {
  const groups: Group[] = [];
  let [waiting, running, pacedUntilMs, isShared] = [0, 0, 0, false];
  const beginNext = () => {
    for (let next = groups[0]; next !== undefined; next = groups[0]) {
      const isFull = next.rows >= sizeMax || groups.length > 1;
      if (running >= runsMax || (now() < pacedUntilMs && isShared && !isFull)) return;
      groups.shift();
      begin(next);
    }
  };
  const begin = ({ posts, resumes }: Group) => {
    if (waiting === 1) isShared = false;
    pacedUntilMs = now() + paceMs;
    after(paceMs, beginNext);
    running += 1;
    start(commit(posts), () => {
      running -= 1;
      waiting -= posts.length;
      beginNext();
      for (const resume of resumes) resume();
    });
  };
  return (post) => (resume) => {
    let last = groups.at(-1);
    if (last === undefined || last.rows + post.rows > sizeMax) {
      last = { posts: [], rows: 0, resumes: [] };
      groups.push(last);
    }
    last.posts.push(post);
    last.resumes.push(resume);
    last.rows += post.rows;
    waiting += 1;
    if (waiting > 1) isShared = true;
    beginNext();
  };
}
