/** A link of the sign-in service, to open here, to copy, or to read with a phone's camera. */
import { useState } from 'react';
import { Button, toButtonLook } from '../ui/button.tsx';
import { CopyButton } from '../ui/copy-button.tsx';
import { QrCode } from '../ui/qr-code.tsx';

/** Anything else (`javascript:`, `file:`) is shown and never opened. */
const isWebLink = (url: string): boolean => /^https?:\/\//i.test(url);

type SignInLinkProps = { url: string; openLabel: string; openLook?: 'primary' | 'secondary' };

export function SignInLink({ url, openLabel, openLook = 'primary' }: SignInLinkProps) {
  const [showCode, setShowCode] = useState(false);
  return (
    <div data-testid="sign-in-link">
      <div className="flex flex-wrap gap-2">
        {isWebLink(url) ? (
          <a href={url} target="_blank" rel="noreferrer noopener" className={toButtonLook(openLook)}>
            {openLabel}
          </a>
        ) : null}
        <CopyButton text={url} label="Copy the link" />
        <Button aria-expanded={showCode} onClick={() => setShowCode((shown) => !shown)}>
          QR code
        </Button>
      </div>
      <p className="mt-2 truncate font-mono text-xs text-muted" title={url}>
        {url}
      </p>
      {showCode ? <QrCode text={url} label="QR code of the sign-in link" className="mt-3 w-[min(20rem,100%)]" /> : null}
    </div>
  );
}
