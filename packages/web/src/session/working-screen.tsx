/** A sign-in that is going on: preparations, then the way to sign in, with its tools, and steps and terminal beside it. */
import type { ReactNode } from 'react';
import { useRef, useState } from 'react';
import { LiveViewScreen } from '../live-view/live-view-screen.tsx';
import { TypeBox } from '../live-view/type-box.tsx';
import type { PasteResult } from '../live-view/use-live-view.ts';
import { useLiveView } from '../live-view/use-live-view.ts';
import { TerminalPanel } from '../terminal/terminal-panel.tsx';
import { KeyboardIcon, ListIcon, PasteIcon, TerminalIcon } from '../ui/icons.tsx';
import { OfferedWay } from '../ways/offered-way.tsx';
import { toOtherWays } from '../ways/way-words.ts';
import { WaySwitcher } from '../ways/way-switcher.tsx';
import { CancelButton } from './cancel-button.tsx';
import { PasteNotice } from './paste-notice.tsx';
import { Preparing } from './preparing.tsx';
import type { Connection } from './push-state.ts';
import { SessionBar } from './session-bar.tsx';
import type { SessionScreenProps } from './session-screen-props.ts';
import { Timeline } from './timeline.tsx';
import { ToolButton } from './tool-button.tsx';

export function WorkingScreen(props: SessionScreenProps & { connection: Connection }) {
  const { session, steps, provider, providerName } = props;
  const { sessionId, mode, prompt } = session;
  const ready = mode === 'vm_browser' && session.liveView === 'ready';
  const otherWays = toOtherWays(provider, mode);
  const { roomRef, state, keys } = useLiveView({
    sessionId,
    label: `Sign-in browser for ${providerName}`,
    ready,
  });
  const [typing, setTyping] = useState(false);
  const [showSteps, setShowSteps] = useState(false);
  const [showTerminal, setShowTerminal] = useTerminalShown(prompt);
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
          icon={<TerminalIcon />}
          label="Terminal"
          pressed={showTerminal}
          onClick={() => setShowTerminal(!showTerminal)}
        />
        <ToolButton
          icon={<ListIcon />}
          label="Steps"
          pressed={showSteps}
          onClick={() => setShowSteps((shown) => !shown)}
        />
        <WaySwitcher session={session} ways={otherWays} />
        <CancelButton sessionId={sessionId} />
      </SessionBar>
      <PasteNotice result={pasted} onClose={() => setPasted('sent')} />
      <main className="relative flex min-h-0 flex-1">
        <div className="flex min-w-0 flex-1 flex-col">
          <div className="min-h-0 flex-1">
            <SignIn
              {...props}
              hasOtherWays={otherWays.length > 0}
              liveView={
                ready ? (
                  <LiveViewScreen
                    roomRef={roomRef}
                    state={state}
                    onPaste={(text) => onPasted(keys.pasteText(text))}
                    onLeave={() => pasteButton.current?.focus()}
                  />
                ) : null
              }
            />
          </div>
          {showTerminal ? (
            <TerminalPanel {...{ sessionId, providerName, prompt }} onClose={() => setShowTerminal(false)} />
          ) : null}
        </div>
        {showSteps ? (
          <aside
            aria-label="Steps of this sign-in"
            className="absolute inset-x-0 bottom-0 max-h-[65%] overflow-auto border-t border-line bg-surface p-5 shadow-lg sm:static sm:max-h-none sm:w-80 sm:border-t-0 sm:border-l sm:shadow-none"
          >
            <Timeline steps={steps} machineLogOf={session.vm && sessionId} />
          </aside>
        ) : null}
      </main>
      {ready && typing ? <TypeBox keys={keys} onClose={closeTyping} /> : null}
    </div>
  );
}

/** The present way to sign in, or what happens until it can be shown. */
function SignIn({
  liveView,
  hasOtherWays,
  ...props
}: SessionScreenProps & { liveView: ReactNode; hasOtherWays: boolean }) {
  const { session, steps } = props;
  const preparing = <Preparing session={session} steps={steps} />;
  if (session.mode === 'vm_browser') return liveView ?? preparing;
  return <OfferedWay key={session.way} {...props} hasOtherWays={hasOtherWays} preparing={preparing} />;
}

/** Opens by itself with each new question of the program; whether it stays open is for the person to say. */
function useTerminalShown(prompt: string | null): [boolean, (shown: boolean) => void] {
  const [shown, setShown] = useState(false);
  const [openedFor, setOpenedFor] = useState<string | null>(null);
  if (prompt !== openedFor) {
    setOpenedFor(prompt);
    if (prompt !== null) setShown(true);
  }
  return [shown, setShown];
}
