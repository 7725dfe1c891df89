/** Profiles are let into Redis by whether they were refused lately, while its memory is scarce. */
import { expect, test } from 'vitest';
import { createProfileRoom } from '../../../../../src/core/stream/memory/profile-room.ts';

const SCARCE = { isScarce: true, isCrowded: true };

test('while memory is scarce a party gets a log that was refused one, and no other party does', () => {
  const room = createProfileRoom();
  room.set(1000, SCARCE);
  expect(room.admits('a')).toBe(false);
  room.refuse('a');
  expect(room.admits('a')).toBe(true);
  expect(room.admits('b')).toBe(false);
});

test('what was taken leaves no room until the next check', () => {
  const room = createProfileRoom();
  room.set(1000, SCARCE);
  room.refuse('a');
  room.take(1000);
  expect(room.hasBytes()).toBe(false);
  expect(room.admits('a')).toBe(false);
  room.set(1000, SCARCE);
  // Where the room was taken, a party has to be refused more often.
  expect(room.admits('a')).toBe(false);
  room.refuse('a');
  expect(room.admits('a')).toBe(true);
  room.set(1000, SCARCE);
  room.close();
  expect(room.admits('a')).toBe(false);
});

test('parties that are refused often are let in before others where the room is always taken', () => {
  const room = createProfileRoom();
  room.set(1000, SCARCE);
  for (let check = 0; check < 20; check++) {
    room.take(1000);
    for (let n = 0; n < 30_000; n++) room.refuse(`seldom-${(check * 30_000 + n) % 200_000}`);
    for (let n = 0; n < 5; n++) room.refuse('often');
    room.set(1000, SCARCE);
  }
  expect(room.admits('often')).toBe(true);
  const others = Array.from({ length: 200_000 }, (_, n) => room.admits(`seldom-${n}`));
  expect(others.filter(Boolean).length).toBeLessThan(100);
  for (let check = 0; check < 20; check++) room.set(1000, SCARCE);
  expect(Array.from({ length: 200_000 }, (_, n) => room.admits(`seldom-${n}`))).toContain(true);
});
