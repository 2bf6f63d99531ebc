// One swap at a time on a device: two engines loading at once do not fit its memory, and would spoil each other's timing.

export interface Turns {
  /** @returns the function that ends the turn. Throws when `signal` aborts first. */
  take(signal: AbortSignal): Promise<() => void>;
}

export function turns(): Turns {
  let last: Promise<void> = Promise.resolve();
  return {
    async take(signal) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const before = last;
      last = before.then(() => promise);
      const aborted = Promise.withResolvers<never>();
      const abort = () => aborted.reject(signal.reason as Error);
      signal.addEventListener("abort", abort, { once: true });
      try {
        signal.throwIfAborted();
        await Promise.race([before, aborted.promise]);
      } catch (error) {
        resolve();
        throw error;
      } finally {
        signal.removeEventListener("abort", abort);
      }
      return resolve;
    },
  };
}
