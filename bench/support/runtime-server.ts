/** A Vestibule that runs its browser VMs by one runtime, with what that runtime needs beside it. */
import type { BuiltRuntime } from '@vestibule/protocol/vm';
import { openRuntimeSettings } from '../../e2e/support/runtime-settings.ts';
import { startVestibule, type VestibuleServer } from '../../e2e/support/vestibule-server.ts';

export type RuntimeServer = { server: VestibuleServer; close(): Promise<void> };

/** Further settings (`VESTIBULE_…`) come from the environment. */
export async function startOnRuntime(runtime: BuiltRuntime): Promise<RuntimeServer> {
  const settings = await openRuntimeSettings(runtime);
  try {
    const env = { ...settings.env, VESTIBULE_GRACE_SECONDS: '0', VESTIBULE_MAX_SESSIONS: '64' };
    const server = await startVestibule({ args: ['--demo'], env });
    return {
      server,
      async close() {
        await server.remove();
        await settings.close();
      },
    };
  } catch (error) {
    await settings.close();
    throw error;
  }
}
