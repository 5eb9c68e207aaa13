/** A sign-in that is going on: preparations, then the live view, with its tools and the steps beside it. */
import { useRef, useState } from 'react';
import { LiveViewScreen } from '../live-view/live-view-screen.tsx';
import { TypeBox } from '../live-view/type-box.tsx';
import type { PasteResult } from '../live-view/use-live-view.ts';
import { useLiveView } from '../live-view/use-live-view.ts';
import { KeyboardIcon, ListIcon, PasteIcon } from '../ui/icons.tsx';
import { CancelButton } from './cancel-button.tsx';
import { PasteNotice } from './paste-notice.tsx';
import { Preparing } from './preparing.tsx';
import type { Connection } from './push-state.ts';
import { SessionBar } from './session-bar.tsx';
import type { SessionScreenProps } from './session-screen-props.ts';
import { Timeline } from './timeline.tsx';
import { ToolButton } from './tool-button.tsx';

export function WorkingScreen(props: SessionScreenProps & { connection: Connection }) {
  const { session, steps, providerName } = props;
  const ready = session.liveView === 'ready';
  const { roomRef, state, keys } = useLiveView({
    sessionId: session.sessionId,
    label: `Sign-in browser for ${providerName}`,
    ready,
  });
  const [typing, setTyping] = useState(false);
  const [showSteps, setShowSteps] = useState(false);
  const [pasted, setPasted] = useState<PasteResult>('sent');
  const pasteButton = useRef<HTMLButtonElement>(null);

  const onPasted = (result: PasteResult): void => {
    setPasted(result);
    if (result === 'clipboard_blocked') setTyping(true);
    if (result === 'sent') keys.focus();
  };
  const closeTyping = (): void => {
    setTyping(false);
    keys.focus();
  };

  return (
    <div className="flex h-dvh flex-col">
      <SessionBar {...props}>
        {ready ? (
          <>
            <ToolButton
              ref={pasteButton}
              icon={<PasteIcon />}
              label="Paste"
              onClick={() => void keys.pasteClipboard().then(onPasted)}
            />
            <ToolButton
              icon={<KeyboardIcon />}
              label="Type here"
              pressed={typing}
              onClick={() => (typing ? closeTyping() : setTyping(true))}
            />
          </>
        ) : null}
        <ToolButton
          icon={<ListIcon />}
          label="Steps"
          pressed={showSteps}
          onClick={() => setShowSteps((shown) => !shown)}
        />
        <CancelButton sessionId={session.sessionId} />
      </SessionBar>
      <PasteNotice result={pasted} onClose={() => setPasted('sent')} />
      <main className="relative flex min-h-0 flex-1">
        <div className="min-w-0 flex-1">
          {ready ? (
            <LiveViewScreen
              roomRef={roomRef}
              state={state}
              onPaste={(text) => onPasted(keys.pasteText(text))}
              onLeave={() => pasteButton.current?.focus()}
            />
          ) : (
            <Preparing session={session} steps={steps} />
          )}
        </div>
        {showSteps ? (
          <aside
            aria-label="Steps of this sign-in"
            className="absolute inset-x-0 bottom-0 max-h-[65%] overflow-auto border-t border-line bg-surface p-5 shadow-lg sm:static sm:max-h-none sm:w-80 sm:border-t-0 sm:border-l sm:shadow-none"
          >
            <Timeline steps={steps} />
          </aside>
        ) : null}
      </main>
      {ready && typing ? <TypeBox keys={keys} onClose={closeTyping} /> : null}
    </div>
  );
}
