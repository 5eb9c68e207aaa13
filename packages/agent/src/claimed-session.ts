/** What the agent does for the session it was claimed for, as the controller tells it. Knows no link and no machine. */
import type { LoginPlan } from '@vestibule/protocol/agent-messages';
import type { Claim, Command } from './link-claims.ts';
import type { Log } from './log.ts';
import type { Outbox } from './outbox.ts';
import type { SignIn } from './sign-in.ts';

type ClaimedSignIn = Pick<SignIn, 'answer' | 'changeWay' | 'settle'>;

export type ClaimedSessionOptions = {
  startSignIn: (plan: LoginPlan, claim: Pick<Claim, 'way' | 'mode' | 'mayUse'>) => ClaimedSignIn;
  /** The session ended: browser and CLI end; what the agent holds, it keeps. */
  endSession: () => void;
  /** The VM is to end. */
  onShutdown: () => void;
  outbox: Outbox;
  log: Log;
};

export type ClaimedSession = { onClaim: (claim: Claim) => void; onCommand: (command: Command) => void };

export function createClaimedSession(options: ClaimedSessionOptions): ClaimedSession {
  const { startSignIn, endSession, onShutdown, outbox, log } = options;
  let signIn: ClaimedSignIn | null = null;

  const settle = async (settleId: string): Promise<void> => {
    const holding = (await signIn?.settle().catch(() => false)) ?? false;
    outbox.send({ type: 'settled', settleId, holding });
  };

  return {
    onClaim({ plan, way, mode, mayUse }) {
      log('session claimed', { provider: plan.provider, mode });
      signIn = startSignIn(plan, { way, mode, mayUse });
    },
    onCommand(command) {
      switch (command.type) {
        case 'handover_answer':
          return log('hand-over answered', { result: command.result, reason: command.reason ?? null });
        case 'answer':
          return void signIn?.answer(command);
        case 'settle':
          return void settle(command.settleId);
        case 'change_way':
          return void signIn?.changeWay(command);
        case 'release':
          log('session released');
          return endSession();
        case 'shutdown':
          return onShutdown();
      }
    },
  };
}
