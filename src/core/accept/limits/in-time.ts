/** Redis answers in under a millisecond; a request waits at most this long before its process goes on without Redis. */
const FETCH_MS_MAX = 250;

/** Undefined where Redis fails or is silent. */
export async function inTime<T>(call: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, FETCH_MS_MAX, undefined);
  });
  try {
    return await Promise.race([call.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}
