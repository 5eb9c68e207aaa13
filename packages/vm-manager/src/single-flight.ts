/** Callers that ask for the same thing while it is being done share the one doing of it. */
export function createSingleFlight<T>(): {
  run(key: string, work: () => Promise<T>): Promise<T>;
  /** Resolves when nothing is under way for the key, however it went. */
  settled(key: string): Promise<void>;
} {
  const flights = new Map<string, Promise<T>>();
  return {
    run(key, work) {
      const running = flights.get(key);
      if (running !== undefined) return running;
      const flight = work().finally(() => flights.delete(key));
      flights.set(key, flight);
      return flight;
    },
    async settled(key) {
      await flights.get(key)?.then(
        () => undefined,
        () => undefined,
      );
    },
  };
}
