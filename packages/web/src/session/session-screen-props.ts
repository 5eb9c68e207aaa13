/** What every screen of the session page is given. */
import type { Session } from '@vestibule/protocol/api';
import type { SessionStep } from '@vestibule/protocol/session';

export type SessionScreenProps = {
  session: Session;
  steps: readonly SessionStep[];
  providerName: string;
  /** The monotonic moment at which `session` arrived. */
  receivedAtMs: number;
};
