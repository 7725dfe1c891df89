/** A value once it has not changed for a while, so that nothing is asked at each key. */
import { useEffect, useState } from 'react';

/** Longer: errors and hits come late. Shorter: each letter is a request. */
const QUIET_MS = 250;

export function useSettled<Value>(value: Value): Value {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), QUIET_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
