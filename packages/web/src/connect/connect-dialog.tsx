/**
 * Before signing in: whose program it is, what of what one types passes through this server, who can read the login afterwards, and by
 * which way. One more click when there is but one way.
 */
import type { Provider } from '@vestibule/protocol/api';
import type { Mode } from '@vestibule/protocol/session';
import { useId, useState } from 'react';
import { useStartSignIn } from '../session/session-queries.ts';
import { Button } from '../ui/button.tsx';
import { RadioChoice, Tick } from '../ui/choice.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Notice } from '../ui/notice.tsx';
import { toProblemWords } from '../ui/problem-words.ts';
import { toOrderedWays, WAY_WORDS, type Way } from '../ways/way-words.ts';
import { loadHasPasskey, saveHasPasskey } from './remembered-passkey.ts';

type ConnectDialogProps = { provider: Provider; userId: string; verb: string; onClose: () => void };

function WaysToChoose({ ways, chosen, onChoose }: { ways: Way[]; chosen: Mode; onChoose: (mode: Mode) => void }) {
  const group = useId();
  return (
    <fieldset className="mt-5">
      <legend className="text-sm font-semibold">How do you want to sign in?</legend>
      <div className="mt-2 space-y-2">
        {ways.map(({ mode, hint }, index) => (
          <RadioChoice
            key={mode}
            group={group}
            checked={mode === chosen}
            onChoose={() => onChoose(mode)}
            title={WAY_WORDS[mode].name}
            tag={index === 0 ? 'suggested' : undefined}
          >
            {hint ?? WAY_WORDS[mode].line}
          </RadioChoice>
        ))}
      </div>
    </fieldset>
  );
}

function WhatToKnow({ provider, mode }: { provider: Provider; mode: Mode }) {
  const { name, vendor } = provider;
  return (
    <dl className="mt-4 space-y-3 rounded-xl bg-sunken px-4 py-3 text-sm" data-testid="what-to-know">
      <div>
        <dt className="font-semibold">Whose program it is</dt>
        <dd className="text-muted">
          {vendor === null
            ? `You sign in to ${name}. Its definition does not say who makes it.`
            : `You sign in to ${name}, a program of ${vendor}.`}
        </dd>
      </div>
      <div>
        <dt className="font-semibold">What this server sees</dt>
        <dd className="text-muted">{WAY_WORDS[mode].passes}</dd>
      </div>
      <div>
        <dt className="font-semibold">Who can read the login afterwards</dt>
        <dd className="text-muted">
          It is stored encrypted on this server. Whoever runs this server holds the key and can open it.
        </dd>
      </div>
    </dl>
  );
}

export function ConnectDialog({ provider, userId, verb, onClose }: ConnectDialogProps) {
  const [hasPasskey, setHasPasskey] = useState(loadHasPasskey);
  const [chosen, setChosen] = useState<Mode | null>(null);
  const [mayUse, setMayUse] = useState(false);
  const start = useStartSignIn();
  const ways = toOrderedWays(provider, hasPasskey);
  const mode = chosen ?? ways[0]?.mode ?? 'vm_browser';
  const changePasskey = (next: boolean): void => {
    saveHasPasskey(next);
    setHasPasskey(next);
    setChosen(null);
  };
  const actions = (
    <>
      <Button onClick={onClose}>Not now</Button>
      <Button
        variant="primary"
        disabled={start.isPending}
        onClick={() => start.mutate({ userId, provider: provider.id, mode, ...(mayUse ? { mayUse } : {}) })}
      >
        {start.isPending ? 'Starting…' : 'Continue'}
      </Button>
    </>
  );
  return (
    <Dialog title={`${verb} ${provider.name}`} actions={actions} onClose={onClose} wide>
      {provider.audience === null ? null : <p className="mt-2 text-sm text-muted">{provider.audience}</p>}
      {provider.untested ? (
        <Notice tone="warn" className="mt-3">
          Nobody has tried this tool’s definition yet. It may not work.
        </Notice>
      ) : null}
      <WhatToKnow provider={provider} mode={mode} />
      {ways.length > 1 ? <WaysToChoose ways={ways} chosen={mode} onChoose={setChosen} /> : null}
      <div className="mt-4 space-y-3">
        {ways.length > 1 && ways.some((way) => way.mode === 'own_browser') ? (
          <Tick
            checked={hasPasskey}
            onChange={changePasskey}
            label="I sign in with a passkey, a security key or a managed device"
          >
            A browser on this server cannot use them. Your choice is remembered in this browser.
          </Tick>
        ) : null}
        {provider.useDescription === null ? null : (
          <Tick
            checked={mayUse}
            onChange={setMayUse}
            label={`Let ${provider.name} use the login once, to see whether it is accepted`}
          >
            {provider.useDescription}
          </Tick>
        )}
      </div>
      {start.isError ? (
        <Notice tone="bad" className="mt-4">
          {toProblemWords(start.error)}
        </Notice>
      ) : null}
    </Dialog>
  );
}
