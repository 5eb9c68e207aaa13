/** What of the VM is usable, each posted when it first becomes so, or when it turns out that it will not. Times count from the agent's start. */
import type { Capability } from '@vestibule/protocol/session';
import type { Log } from './log.ts';
import type { Outbox } from './outbox.ts';

export type Capabilities = {
  have: (name: Capability) => void;
  /** `detail` is for a person. */
  miss: (name: Capability, detail: string) => void;
  has: (name: Capability) => boolean;
};

export function createCapabilities(outbox: Outbox, log: Log): Capabilities {
  const usable = new Map<Capability, boolean>();
  const post = (name: Capability, ready: boolean, detail?: string): void => {
    if (usable.get(name) === ready) return;
    usable.set(name, ready);
    const afterMs = Math.round(performance.now());
    outbox.post({ type: 'capability', name, ready, afterMs, ...(detail && { detail: detail.slice(0, 300) }) });
    log(ready ? 'capability ready' : 'capability missing', { name, ...(detail && { detail }) });
  };
  return {
    have: (name) => post(name, true),
    miss: (name, detail) => post(name, false, detail),
    has: (name) => usable.get(name) === true,
  };
}
