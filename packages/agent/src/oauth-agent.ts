/**
 * The OAuth agent: composition of what serves sessions inside a browser VM, beside the desktop that was started before it. It listens, runs
 * one sign-in when it is claimed, closes browser and CLI when the session ends, and stays, offering what it holds, until its VM is ended.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LINK_VERSION, type Hello, type LoginPlan } from '@vestibule/protocol/agent-messages';
import type { Capabilities } from './capabilities.ts';
import { createClaimedSession } from './claimed-session.ts';
import type { AgentConfig } from './config.ts';
import type { Desktop } from './desktop.ts';
import { DISPLAY_PROGRAM } from './display.ts';
import type { Claim } from './link-claims.ts';
import { listenForLinks } from './link-server.ts';
import type { Log } from './log.ts';
import { findNetworkProblem } from './network-check.ts';
import type { Outbox } from './outbox.ts';
import { createReleaser, type Releaser } from './releaser.ts';
import { MACHINE, SignIn } from './sign-in.ts';

export type OauthAgentOptions = {
  config: AgentConfig;
  buildId: string;
  /** A folder of the agent's own. */
  privateDir: string;
  desktop: Desktop;
  capabilities: Capabilities;
  outbox: Outbox;
  /** Ends everything, in order. */
  releaser: Releaser;
  log: Log;
  /** Called when the controller says that the VM is to end. */
  onShutdown: () => void;
};

/** Resolves when the controller can connect. */
export async function startOauthAgent(options: OauthAgentOptions): Promise<void> {
  const { config, buildId, privateDir, desktop, capabilities, outbox, releaser, log, onShutdown } = options;
  void reportNetwork(capabilities);
  /** What belongs to the sign-in, and ends when the session ends. */
  const session = createReleaser(log);
  releaser.defer('sign-in', session.releaseAll);
  const startSignIn = (plan: LoginPlan, { way, mode, mayUse }: Pick<Claim, 'way' | 'mode' | 'mayUse'>): SignIn =>
    new SignIn({
      ...{ plan, way, mode, mayUse },
      home: config.home,
      shimDir: join(privateDir, 'shim'),
      inherited: config.inherited,
      desktop,
      capabilities,
      outbox,
      releaser: session,
      world: { ...MACHINE, pace: config.pace },
      log,
    });
  const endSession = (): void => void Promise.all([session.releaseAll(), desktop.close()]);
  const { onClaim, onCommand } = createClaimedSession({ startSignIn, endSession, onShutdown, outbox, log });

  const hello = toHello(config, buildId);
  const server = await listenForLinks({ path: config.agentSocket, hello, outbox, onClaim, onCommand, log });
  releaser.defer('links', server.close);
  log('agent listening', { vmId: config.vmId, buildId });
}

function toHello({ vmId, chromium }: AgentConfig, buildId: string): Hello {
  const hasBrowser = existsSync(chromium) && existsSync(DISPLAY_PROGRAM);
  const abilities: Hello['abilities'] = ['pipes', 'pty', ...(hasBrowser ? (['vm_browser'] as const) : [])];
  return { type: 'hello', version: LINK_VERSION, vmId, bootNonce: randomUUID(), buildId, abilities };
}

async function reportNetwork(capabilities: Capabilities): Promise<void> {
  const problem = await findNetworkProblem();
  if (problem === null) capabilities.have('network');
  else capabilities.miss('network', problem);
}
