/** A way to sign in that needs no live view, by what the session offers; the preparations until it offers something. */
import type { ReactNode } from 'react';
import type { SessionScreenProps } from '../session/session-screen-props.ts';
import { DeviceCodeWay, ExpiredCode } from './device-code-way.tsx';
import { OwnBrowserWay } from './own-browser-way.tsx';
import { TokenWay } from './token-way.tsx';
import { useOffer } from './use-offer.ts';

type OfferedWayProps = SessionScreenProps & { hasOtherWays: boolean; preparing: ReactNode };

/** Give it `key={session.way}`: what was typed for one way is not for another. */
export function OfferedWay(props: OfferedWayProps) {
  const { session, steps, provider, providerName, receivedAtMs, hasOtherWays, preparing } = props;
  const present = useOffer(session, receivedAtMs);
  const { sessionId, way } = session;
  if (present === null) {
    const wasOffered = steps.some(({ type, data }) => type === 'offer_ready' && data['way'] === way);
    const isOver = session.mode === 'device_code' && wasOffered && !session.offered;
    return isOver ? <ExpiredCode {...{ session, hasOtherWays }} /> : preparing;
  }
  switch (present.offer.mode) {
    case 'device_code':
      return <DeviceCodeWay {...{ session, providerName, present, hasOtherWays }} />;
    case 'token':
      return <TokenWay {...{ sessionId, providerName }} kinds={provider?.tokenKinds ?? []} />;
    case 'own_browser':
    case 'vm_browser':
      return <OwnBrowserWay {...{ sessionId, providerName }} offer={present.offer} />;
  }
}
