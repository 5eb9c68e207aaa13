/**
 * Which of the controller's links counts: the claimed one with the highest epoch. Each link must claim before anything else and fences the
 * older one; a claim for another session is refused. Knows no sockets.
 */
import { LINK_VERSION, type ControllerMessage } from '@vestibule/protocol/agent-messages';
import type { Link } from './link.ts';
import type { Log } from './log.ts';
import type { Outbox } from './outbox.ts';

export type Claim = Extract<ControllerMessage, { type: 'claim' }>;
export type Command = Exclude<ControllerMessage, { type: 'claim' }>;

export type LinkClaimsOptions = {
  outbox: Outbox;
  /** Called at the first claim only; later ones resume the same session, and may tell of another way to sign in. */
  onClaim: (claim: Claim) => void;
  /** Called for messages of the link that counts, in order. */
  onCommand: (command: Command) => void;
  log: Log;
};

/** Takes each message of each link. */
export type LinkClaims = (link: Link, message: ControllerMessage) => void;

export function createLinkClaims({ outbox, onClaim, onCommand, log }: LinkClaimsOptions): LinkClaims {
  let sessionId: string | null = null;
  /** The highest that a claim told of. */
  let way = 0;
  let newest: { link: Link; epoch: number } | null = null;

  const findRefusal = (claim: Claim): string | null => {
    if (claim.version !== LINK_VERSION) return `it speaks version ${claim.version}, not ${LINK_VERSION}`;
    if (sessionId !== null && claim.sessionId !== sessionId) return 'it claimed another session';
    if (newest && claim.epoch <= newest.epoch) return `its epoch ${claim.epoch} is not newer than ${newest.epoch}`;
    return null;
  };
  const accept = (link: Link, claim: Claim): void => {
    const refusal = findRefusal(claim);
    if (refusal !== null) {
      log('claim refused', { why: refusal });
      link.close(refusal);
      return;
    }
    newest?.link.close('a newer link took over');
    newest = { link, epoch: claim.epoch };
    log('link claimed', { epoch: claim.epoch, again: sessionId !== null });
    outbox.attach(link.send);
    const knownWay = way;
    way = Math.max(way, claim.way);
    if (sessionId !== null) {
      if (claim.way > knownWay) onCommand({ type: 'change_way', way: claim.way, mode: claim.mode, plan: claim.plan });
      return;
    }
    sessionId = claim.sessionId;
    onClaim(claim);
  };
  return (link, message) => {
    if (message.type === 'claim') accept(link, message);
    else if (newest?.link === link) onCommand(message);
    else link.close('it spoke before its claim');
  };
}
