/** What every screen of the session page is given. */
import type { Provider, Session } from '@vestibule/protocol/api';
import type { SessionStep } from '@vestibule/protocol/session';

export type SessionScreenProps = {
  session: Session;
  steps: readonly SessionStep[];
  providerName: string;
  /** Null until it is known, or when its definition is gone. */
  provider: Provider | null;
  /** The monotonic moment at which `session` arrived. */
  receivedAtMs: number;
};
