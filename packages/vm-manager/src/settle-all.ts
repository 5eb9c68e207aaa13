/** Like `Promise.all`, but waits for every one before it rejects, so that whoever then clears up is not overtaken by what still went on. */
export async function settleAll(promises: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(promises)) if (result.status === 'rejected') throw result.reason;
}
