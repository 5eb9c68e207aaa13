/** A Vestibule that runs its browser VMs by one runtime, with what that runtime needs beside it. */
import type { RuntimeKind } from '@vestibule/protocol/vm';
import { startVestibule, type VestibuleServer } from '../../e2e/support/vestibule-server.ts';

export async function startOnRuntime(runtime: RuntimeKind): Promise<VestibuleServer> {
  const env = { VESTIBULE_RUNTIME: runtime, VESTIBULE_GRACE_SECONDS: '0', VESTIBULE_MAX_SESSIONS: '64' };
  return startVestibule({ args: ['--demo'], env });
}
