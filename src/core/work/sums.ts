/** Sums by subject and corridor that a worker adds up between two writes. Those of a write that failed go with the next one. */

/** @param add adds the second sum, which is the later one, to the first */
export function createSums<Sum>(
  make: (subject: string, corridor: string) => Sum,
  add: (sum: Sum, later: Sum) => void,
) {
  let sums = new Map<string, Sum>();
  return {
    of(subject: string, corridor: string): Sum {
      const key = `${subject} ${corridor}`;
      let sum = sums.get(key);
      if (sum === undefined) {
        sum = make(subject, corridor);
        sums.set(key, sum);
      }
      return sum;
    },
    /** Writes all sums as JSON; undefined where there is none. A write without an answer may count twice. */
    async write<Answer>(store: (sums: string) => Promise<Answer>): Promise<Answer | undefined> {
      if (sums.size === 0) return undefined;
      const written = sums;
      sums = new Map();
      try {
        return await store(JSON.stringify([...written.values()]));
      } catch (error) {
        const later = sums;
        sums = written;
        for (const [key, sum] of later) {
          const before = sums.get(key);
          if (before === undefined) sums.set(key, sum);
          else add(before, sum);
        }
        throw error;
      }
    },
  };
}
