// Who stands still: only what took longer than it said, by a clock that is given.
import { expect, test } from "vitest";
import { vitals } from "./vitals.ts";

function at() {
  const clock = { now: 0 };
  return { clock, signs: vitals(() => clock.now) };
}

test("what is within its time moves, what is over it stands still, and says what it was about", () => {
  const { clock, signs } = at();
  signs.expect("one", "fetch", 1_000);
  signs.expect("other", "waiting", 5_000);
  clock.now = 1_000;
  expect(signs.stuck()).toBeNull();
  clock.now = 1_001;
  expect(signs.stuck()).toBe('one has been about "fetch" for 1 s');
});

test("a sign of progress begins the time anew; who waits for another is not counted", () => {
  const { clock, signs } = at();
  for (let day = 0; day < 100; day += 1) {
    signs.expect("one", "fetch", 1_000);
    clock.now += 900;
    expect(signs.stuck()).toBeNull();
  }
  signs.release("one");
  clock.now += 1_000_000;
  expect(signs.stuck()).toBeNull();
});
