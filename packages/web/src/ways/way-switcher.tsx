/** Changes the way to sign in while the session goes on. */
import type { Session } from '@vestibule/protocol/api';
import { useState } from 'react';
import { useChangeMode } from '../session/session-queries.ts';
import { ToolButton } from '../session/tool-button.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { SwitchIcon } from '../ui/icons.tsx';
import { Notice } from '../ui/notice.tsx';
import { toProblemWords } from '../ui/problem-words.ts';
import { WAY_WORDS, type Way } from './way-words.ts';

type WaySwitcherProps = { session: Session; ways: readonly Way[] };

export function WaySwitcher({ session, ways }: WaySwitcherProps) {
  const [open, setOpen] = useState(false);
  const change = useChangeMode(session.sessionId);
  if (ways.length === 0) return null;
  const close = (): void => {
    setOpen(false);
    change.reset();
  };
  return (
    <>
      <ToolButton icon={<SwitchIcon />} label="Other way" title="Sign in another way" onClick={() => setOpen(true)} />
      {open ? (
        <Dialog title="Sign in another way" onClose={close} actions={<Button onClick={close}>Stay here</Button>} wide>
          <p className="mt-2 text-sm text-muted">
            The sign-in goes on, with the time that it has left. Links and codes that you were shown before may count no
            more.
          </p>
          <ul className="mt-4 space-y-2">
            {ways.map(({ mode, hint }) => (
              <li key={mode}>
                <button
                  type="button"
                  disabled={change.isPending}
                  onClick={() => change.mutate(mode, { onSuccess: close })}
                  className="w-full rounded-xl border border-line px-4 py-3 text-left hover:bg-sunken disabled:opacity-50"
                >
                  <span className="font-medium">{WAY_WORDS[mode].name}</span>
                  <span className="mt-0.5 block text-sm text-muted">{hint ?? WAY_WORDS[mode].line}</span>
                  <span className="mt-0.5 block text-sm text-muted">{WAY_WORDS[mode].passes}</span>
                </button>
              </li>
            ))}
          </ul>
          {change.isError ? (
            <Notice tone="bad" className="mt-4">
              {toProblemWords(change.error)}
            </Notice>
          ) : null}
        </Dialog>
      ) : null}
    </>
  );
}
