/** Why a paste did not arrive; nothing when it did. */
import { MAX_PASTE_CHARS } from '../live-view/paste-keys.ts';
import type { PasteResult } from '../live-view/use-live-view.ts';
import { Notice } from '../ui/notice.tsx';

const WORDS: Record<PasteResult, string | null> = {
  sent: null,
  empty: 'There is no text on the clipboard.',
  too_long: `That text is longer than ${MAX_PASTE_CHARS.toLocaleString()} characters. It was not pasted.`,
  clipboard_blocked: 'This page may not read the clipboard. Paste into the box below: it goes on to the browser.',
};

export function PasteNotice({ result, onClose }: { result: PasteResult; onClose: () => void }) {
  const words = WORDS[result];
  if (words === null) return null;
  return (
    <div className="border-b border-line p-2" role="status">
      <Notice tone="warn">
        <span className="flex flex-wrap items-center justify-between gap-2">
          {words}
          <button type="button" className="link" onClick={onClose}>
            Close
          </button>
        </span>
      </Notice>
    </div>
  );
}
