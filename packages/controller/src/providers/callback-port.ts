/** CLIs that always listen on the same callback port cannot run side by side where VMs share the machine's loopback. */
import type { FindBlocker } from '../session/reconciler-ports.ts';
import type { SessionRow } from '../session/session-row.ts';
import { findCallbackPort } from './login-plan.ts';
import type { ProviderRegistry } from './provider-registry.ts';

function comesBefore(one: SessionRow, other: SessionRow): boolean {
  const apartMs = one.createdAt.getTime() - other.createdAt.getTime();
  return apartMs < 0 || (apartMs === 0 && one.sessionId < other.sessionId);
}

export function createFindBlocker(registry: ProviderRegistry, sharedLoopback: boolean): FindBlocker {
  const portOf = ({ provider, mode }: SessionRow): number | undefined => {
    const loaded = registry.find(provider);
    return loaded === null ? undefined : findCallbackPort(loaded.definition, mode);
  };
  return function findBlocker(row, active) {
    const port = sharedLoopback ? portOf(row) : undefined;
    if (port === undefined) return null;
    const holder = active.find(
      (other) =>
        other.sessionId !== row.sessionId &&
        portOf(other) === port &&
        // Of two that wait at once the older one goes first, or both would be placed.
        (other.vm !== null || comesBefore(other, row)),
    );
    if (holder === undefined) return null;
    return `Another sign-in is using port ${port} of this server, which this program needs too. Yours starts as soon as that one ends.`;
  };
}
