/**
 * The OAuth agent: composition of what runs inside a browser VM. It listens and starts the desktop at once, runs one sign-in when it is
 * claimed, closes browser and CLI when the session ends, and stays, offering what it holds, until its VM is ended.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LINK_VERSION, type Hello } from '@vestibule/protocol/agent-messages';
import { createCapabilities, type Capabilities } from './capabilities.ts';
import type { AgentConfig } from './config.ts';
import { startDesktop } from './desktop.ts';
import { DISPLAY_PROGRAM } from './display.ts';
import { listenForLinks, type Claim, type Command } from './link-server.ts';
import type { Log } from './log.ts';
import { findNetworkProblem } from './network-check.ts';
import { createOutbox } from './outbox.ts';
import { createReleaser } from './releaser.ts';
import { SignIn } from './sign-in.ts';

export type OauthAgent = {
  /** Ends everything the agent started, in order. */
  stop: () => Promise<void>;
};

export type OauthAgentOptions = {
  config: AgentConfig;
  buildId: string;
  log: Log;
  /** Called when the controller says that the VM is to end. */
  onShutdown: () => void;
};

/** Resolves when the controller can connect. */
export async function startOauthAgent({ config, buildId, log, onShutdown }: OauthAgentOptions): Promise<OauthAgent> {
  const releaser = createReleaser(log);
  const outbox = createOutbox();
  const capabilities = createCapabilities(outbox, log);
  const privateDir = await mkdtemp(join(tmpdir(), 'vestibule-'));
  const desktop = startDesktop({
    dir: join(privateDir, 'desktop'),
    chromium: config.chromium,
    rfbSocket: config.rfbSocket,
    env: config.inherited,
    capabilities,
    log,
  });
  releaser.defer('desktop', desktop.close);
  void reportNetwork(capabilities);
  /** What belongs to the sign-in, and ends when the session ends. */
  const session = createReleaser(log);
  releaser.defer('sign-in', session.releaseAll);
  let signIn: SignIn | null = null;

  const onClaim = ({ plan }: Claim): void => {
    log('session claimed', { provider: plan.provider });
    signIn = new SignIn({
      plan,
      home: config.home,
      shimDir: join(privateDir, 'shim'),
      inherited: config.inherited,
      desktop,
      capabilities,
      outbox,
      releaser: session,
      log,
    });
  };
  const onCommand = (command: Command): void => {
    switch (command.type) {
      case 'handover_answer':
        return log('hand-over answered', { result: command.result, reason: command.reason ?? null });
      case 'answer':
        return void signIn?.answer(command.answerId, command.text);
      case 'settle':
        return void settle(command.settleId);
      case 'release':
        log('session released');
        return void Promise.all([session.releaseAll(), desktop.close()]);
      case 'shutdown':
        return onShutdown();
    }
  };
  const settle = async (settleId: string): Promise<void> => {
    const holding = (await signIn?.settle()) ?? false;
    outbox.send({ type: 'settled', settleId, holding });
  };

  const hello = toHello(config, buildId);
  const server = await listenForLinks({ path: config.agentSocket, hello, outbox, onClaim, onCommand, log });
  releaser.defer('links', server.close);
  log('agent listening', { vmId: config.vmId, buildId });
  return { stop: releaser.releaseAll };
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
