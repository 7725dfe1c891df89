/**
 * ioredis defines a class that extends String. V8 then keeps String.prototype as a dictionary, and a loop over
 * `charCodeAt` takes eight times as long in the whole process: accepting a batch in memory took the API 6.0 µs a
 * transaction instead of 4.4. A look-up through a String object makes V8 build the fast form again.
 */

/** Enough bytecode for V8 to allocate the feedback that a look-up needs; 8 suffice. */
const LOOK_UPS = 1000;

/** Must be called after ioredis is loaded, and before code that loops over strings is compiled. */
export function restoreFastStrings(): void {
  const object = Object('');
  for (let done = 0; done < LOOK_UPS; done++) object.charCodeAt(0);
}
